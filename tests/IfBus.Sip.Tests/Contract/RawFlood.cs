using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace IfBus.Sip.Tests.Contract;

/// <summary>Another client of the same engine, which has it dispatch messages as fast as it takes them (chan.dtmf of a leg that is not there).</summary>
internal sealed class RawFlood : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true };
    private readonly StreamReader _answers;
    private int _asked;

    public RawFlood(string host, int port)
    {
        _client.Connect(host, port);
        _client.ReceiveTimeout = 60_000;
        _answers = new StreamReader(_client.GetStream(), Encoding.ASCII);
    }

    /// <summary>How many were said one by one.</summary>
    public int Before { get; private set; }

    /// <summary>Says so many, and does not wait.</summary>
    public void Say(int count)
    {
        Before += count;
        Write(count);
    }

    /// <summary>Says so many and waits until the engine has dispatched them all; returns how many it did in a second.</summary>
    public double SayAndAwait(int count)
    {
        long begin = Stopwatch.GetTimestamp();
        Write(count);
        Asks();
        return count / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    /// <summary>Asks the engine something, and how long its answer took.</summary>
    public TimeSpan Asks()
    {
        long begin = Stopwatch.GetTimestamp();
        string id = string.Create(CultureInfo.InvariantCulture, $"q{++_asked}");
        _client.GetStream().Write(Encoding.ASCII.GetBytes($"%%>message:{id}:0:engine.status::module=engine\n"));
        while (_answers.ReadLine() is { } line)
        {
            if (line.StartsWith($"%%<message:{id}:", StringComparison.Ordinal)) return Stopwatch.GetElapsedTime(begin);
        }

        throw new IOException("The server closed the connection.");
    }

    public void Dispose()
    {
        _answers.Dispose();
        _client.Dispose();
    }

    // Without an id nothing is answered.
    private void Write(int count)
    {
        byte[] one = "%%>message::0:chan.dtmf::id=sip/999999:text=5:detected=flood\n"u8.ToArray();
        byte[] many = [.. Enumerable.Repeat(one, Math.Min(count, 500)).SelectMany(o => o)];
        for (int left = count; left > 0; left -= 500) _client.GetStream().Write(many.AsSpan(0, Math.Min(left, 500) * one.Length));
    }
}
