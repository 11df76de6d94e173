using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Live.Tests;

/// <summary>The sound of a phone: it says one byte of PCMU all the time, and knows when it last heard which. RTP over loopback, 20 ms a packet.</summary>
internal sealed partial class PhoneSound : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(1);

    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly ConcurrentDictionary<byte, int> _heard = new();
    private readonly PeriodicTimer _timer = new(TimeSpan.FromMilliseconds(20));
    private volatile IPEndPoint? _to;

    /// <param name="says">What it says.</param>
    public PhoneSound(byte says)
    {
        Says = says;
        _ = HearAsync();
        _ = SayAsync();
    }

    public byte Says { get; }

    public int Port => ((IPEndPoint)_socket.Client.LocalEndPoint!).Port;

    /// <summary>The port of the sound in an SDP.</summary>
    public static int PortOf(string message) => AudioPort().Match(message) is { Success: true } m ? int.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0;

    /// <summary>From now on it says it there, as far as its answer lets it.</summary>
    public void Take(string message, string answer) => _to = answer == "sendrecv" ? new IPEndPoint(IPAddress.Loopback, PortOf(message)) : null;

    /// <summary>Hears half a second of another, from now on.</summary>
    public void WaitToHear(PhoneSound other)
    {
        int before = _heard.GetValueOrDefault(other.Says);
        Assert.True(SpinWait.SpinUntil(() => Pause() && _heard.GetValueOrDefault(other.Says) >= before + 25, Limit), $"{Says:x} does not hear {other.Says:x}");
    }

    /// <summary>Hears another no more.</summary>
    public void WaitForSilenceOf(PhoneSound other)
    {
        DateTime end = DateTime.UtcNow + Limit;
        (int last, DateTime since) = (_heard.GetValueOrDefault(other.Says), DateTime.UtcNow);
        while (DateTime.UtcNow - since < Quiet)
        {
            Assert.True(DateTime.UtcNow < end, $"{Says:x} still hears {other.Says:x}");
            Pause();
            int now = _heard.GetValueOrDefault(other.Says);
            if (now != last) (last, since) = (now, DateTime.UtcNow);
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _socket.Dispose();
    }

    private static bool Pause()
    {
        Thread.Sleep(20);
        return true;
    }

    private async Task HearAsync()
    {
        try
        {
            while (true)
            {
                byte[] packet = (await _socket.ReceiveAsync()).Buffer;
                if (packet.Length > 20) _heard.AddOrUpdate(packet[20], 1, static (_, n) => n + 1);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async Task SayAsync()
    {
        byte[] packet = new byte[172];
        packet.AsSpan(12).Fill(Says);
        packet[0] = 0x80;
        BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(8), Port);
        for (int n = 0; await _timer.WaitForNextTickAsync(); n++)
        {
            if (_to is not { } to) continue;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)n);
            BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(4), n * 160);
            try
            {
                await _socket.SendAsync(packet, to);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    [GeneratedRegex(@"^m=audio (\d+) ", RegexOptions.Multiline)]
    private static partial Regex AudioPort();
}
