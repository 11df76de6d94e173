using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>A SIPp of a test's own that writes down every message it gets and sends.</summary>
internal sealed partial class FarEnd : IDisposable
{
    private readonly Process _process;
    private readonly string _folder = Directory.CreateTempSubdirectory("ifbus-sipp").FullName;

    private FarEnd(string scenario, int port, params string[] more)
    {
        Port = port;
        string file = scenario.StartsWith('<') ? Path.Combine(_folder, "scenario.xml") : Path.Combine(Repository.Root, "tests", "Live", "sipp", scenario + ".xml");
        if (scenario.StartsWith('<')) File.WriteAllText(file, scenario);
        var start = new ProcessStartInfo("sipp", [
            "-sf", file, "-i", LiveServer.Host, "-p", Text(port), "-ci", LiveServer.Host, "-cp", Text(FreePort()), "-mi", LiveServer.Host, "-mp", Text(FreePort()),
            "-rtp_echo", "-nostdin", "-m", "1", "-trace_msg", "-message_file", MessageFile, .. more])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private string MessageFile => Path.Combine(_folder, "messages.log");

    /// <summary>Where it listens for SIP.</summary>
    public int Port { get; }

    /// <summary>A far end on a port of its own, once it listens: before, the server would take it for one that is not there.</summary>
    /// <param name="scenario">Name of a scenario, or the scenario itself.</param>
    /// <param name="more">More arguments.</param>
    public static FarEnd Open(string scenario, params string[] more) => new FarEnd(scenario, FreePort(), more).Listening();

    /// <summary>Calls a number at a server, as somebody whom it does not know.</summary>
    /// <param name="number">The number.</param>
    /// <param name="server">host:port of its SIP.</param>
    public static FarEnd CallTo(string number, string server) => new("call", FreePort(), "-s", number, server);

    /// <summary>Plays the endpoint sipp-traced, once it listens.</summary>
    public static FarEnd Play(string scenario, params string[] more) => new FarEnd(scenario, LiveServer.FarEndPort + 12, more).Listening();

    /// <summary>Calls a number of the server, as somebody whom it does not know.</summary>
    public static FarEnd CallIn(string number) => new("call", LiveServer.FarEndPort + 14, "-s", number, $"{LiveServer.Host}:{Text(LiveServer.SipPort)}");

    /// <summary>Everything that was sent and received so far.</summary>
    public string Trace => File.Exists(MessageFile) ? File.ReadAllText(MessageFile) : "";

    /// <summary>True if a request with this method has come from the server.</summary>
    public bool Received(string method) => Requests(method).Count > 0;

    /// <summary>When the requests with this method came from the server, by this machine's clock.</summary>
    public List<DateTime> Requests(string method) => [.. Messages().Where(m => m.Received && m.Text.StartsWith(method + " ", StringComparison.Ordinal)).Select(m => m.At)];

    /// <summary>The messages that came, or went.</summary>
    public IEnumerable<string> Parts(bool received) => Messages().Where(m => m.Received == received).Select(m => m.Text);

    /// <summary>The call lasted until we ended it: of all that came in its whole life one is a BYE, and it came after that.</summary>
    /// <param name="stopping">When we began to end it.</param>
    public void AssertKeptUntil(DateTime stopping)
    {
        Assert.Equal(0, WaitForEnd());
        Assert.InRange(Assert.Single(Requests("BYE")), stopping, DateTime.Now);
    }

    /// <summary>When it first sent 200 to an INVITE, by this machine's clock, UTC.</summary>
    public DateTime AnsweredAt => Messages().First(m => !m.Received && m.Text.StartsWith("SIP/2.0 200 ", StringComparison.Ordinal) && Invite().IsMatch(m.Text)).At.ToUniversalTime();

    /// <summary>Waits for its end: 0 if the scenario went through.</summary>
    public int WaitForEnd()
    {
        Assert.True(_process.WaitForExit(TimeSpan.FromSeconds(20)), "SIPp has not ended");
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // Each begins with a line of dashes and the time, and is then said to have come or gone.
    private IEnumerable<(DateTime At, bool Received, string Text)> Messages()
    {
        foreach (string part in Trace.Split("-----------------------------------------------", StringSplitOptions.RemoveEmptyEntries))
        {
            bool received = part.Contains("message received", StringComparison.Ordinal);
            if (!received && !part.Contains("message sent", StringComparison.Ordinal)) continue;
            int at = part.IndexOf("\n\n", StringComparison.Ordinal);
            yield return (DateTime.Parse(part[..part.IndexOf('\n', StringComparison.Ordinal)].Trim(), CultureInfo.InvariantCulture), received, part[(at >= 0 ? at + 2 : 0)..].TrimStart());
        }
    }

    private FarEnd Listening()
    {
        DateTime deadline = DateTime.UtcNow.AddSeconds(15);
        while (!IPGlobalProperties.GetIPGlobalProperties().GetActiveUdpListeners().Any(l => l.Port == Port))
        {
            Assert.True(DateTime.UtcNow < deadline && !_process.HasExited, "SIPp does not listen");
            Thread.Sleep(10);
        }

        return this;
    }

    // Only its SIP port is known to the server. Others, in fixed places, may be a second server's.
    private static int FreePort()
    {
        using var socket = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.Client.LocalEndPoint!).Port;
    }

    [GeneratedRegex("^CSeq: *[0-9]+ INVITE", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex Invite();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>The ear of a far end: takes RTP (RFC 3550) and writes down the telephone-events in it (RFC 4733, payload type 101).</summary>
internal sealed class Ear : IDisposable
{
    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));
    private readonly System.Text.StringBuilder _digits = new();
    private readonly Task _listening;
    private uint? _last;

    public Ear() => _listening = ListenAsync();

    public string Port => ((IPEndPoint)_socket.Client.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture);

    /// <summary>The digits heard so far.</summary>
    public string Digits
    {
        get
        {
            lock (_digits) return _digits.ToString();
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _listening.Wait(TimeSpan.FromSeconds(5));
    }

    private async Task ListenAsync()
    {
        try
        {
            while (true) Hear((await _socket.ReceiveAsync()).Buffer);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private void Hear(byte[] packet)
    {
        if (packet.Length < 13 || (packet[1] & 0x7f) != 101) return;

        // All packets of one event have its timestamp.
        uint timestamp = BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(4));
        if (timestamp == _last) return;
        _last = timestamp;
        lock (_digits) _digits.Append("0123456789*#ABCD"[packet[12] & 0x0f]);
    }
}
