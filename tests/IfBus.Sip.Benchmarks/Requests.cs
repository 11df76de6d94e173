using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Adapters.Asterisk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IfBus.Sip.Benchmarks;

/// <summary>Requests a second with 100 in flight, and CPU per request one at a time, against a raw socket client.</summary>
internal static class Requests
{
    private const int Window = 100;

    public static async Task RunAsync(int inFlight, int single, int rounds)
    {
        using Process server = Start("serve-pings");
        int port = int.Parse((await server.StandardOutput.ReadLineAsync().ConfigureAwait(false))!, CultureInfo.InvariantCulture);
        List<double> raw = [], each = [], ours = [], rawCpu = [], oursCpu = [];
        for (int round = -1; round < rounds; round++)
        {
            double r = await RawAsync(port, inFlight, Window).ConfigureAwait(false);
            double e = await RawAsync(port, inFlight, Window, oneWriteEach: true).ConfigureAwait(false);
            double o = await OursAsync(port, inFlight, Window).ConfigureAwait(false);
            double rc = await CpuAsync(() => RawAsync(port, single, 1), single).ConfigureAwait(false);
            double oc = await CpuAsync(() => OursAsync(port, single, 1), single).ConfigureAwait(false);
            if (round < 0) continue;
            raw.Add(r);
            each.Add(e);
            ours.Add(o);
            rawCpu.Add(rc);
            oursCpu.Add(oc);
        }

        Figures.Row($"raw socket client, {Window} in flight, what fits in one write", raw, "requests/s");
        Figures.Row($"raw socket client, {Window} in flight, one write each", each, "requests/s");
        Figures.Row($"session, {Window} in flight, to the first", ours, "requests/s", raw);
        Figures.Row($"session, {Window} in flight, to the second", ours, "requests/s", each);
        Figures.Row("raw socket client, one at a time", rawCpu, "µs CPU each");
        Figures.Row("session, one at a time", oursCpu, "µs CPU each", rawCpu);
        server.StandardInput.Close();
    }

    public static Process Start(params string[] what) =>
        Process.Start(new ProcessStartInfo(Path.ChangeExtension(typeof(Requests).Assembly.Location, OperatingSystem.IsWindows() ? "exe" : null), what) { RedirectStandardOutput = true, RedirectStandardInput = true })!;

    private static async Task<double> CpuAsync(Func<Task<double>> run, int count)
    {
        TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
        await run().ConfigureAwait(false);
        return (Process.GetCurrentProcess().TotalProcessorTime - before).TotalMicroseconds / count;
    }

    private static async Task<double> RawAsync(int port, int count, int window, bool oneWriteEach = false)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port).ConfigureAwait(false);
        byte[] buffer = new byte[256 * 1024];
        byte[] output = new byte[64 * 1024];
        await socket.ReceiveAsync(buffer.AsMemory()).ConfigureAwait(false);
        long begin = Stopwatch.GetTimestamp();
        int sent = 0, received = 0, end = 0;
        while (received < count)
        {
            int written = 0;
            for (; sent < count && sent - received < window; sent++)
            {
                written += Encoding.ASCII.GetBytes($"Action: Ping\r\nActionID: raw-{sent}\r\n\r\n", output.AsSpan(written));
                if (!oneWriteEach) continue;
                await socket.SendAsync(output.AsMemory(0, written)).ConfigureAwait(false);
                written = 0;
            }

            if (written > 0) await socket.SendAsync(output.AsMemory(0, written)).ConfigureAwait(false);
            end += await socket.ReceiveAsync(buffer.AsMemory(end)).ConfigureAwait(false);
            int at = 0;
            while (buffer.AsSpan(at, end - at).IndexOf("\r\n\r\n"u8) is >= 0 and int length)
            {
                at += length + 4;
                received++;
            }

            buffer.AsSpan(at, end - at).CopyTo(buffer);
            end -= at;
        }

        return count / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static async Task<double> OursAsync(int port, int count, int window)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port).ConfigureAwait(false);
        await using AmiSession session = AmiSession.Over(new NetworkStream(socket, ownsSocket: true), new SipServerConfiguration(), new NoSink(), NullLogger.Instance, TimeProvider.System);
        await session.Greeting.ConfigureAwait(false);
        var ping = new AmiAction("Ping");
        long begin = Stopwatch.GetTimestamp();
        int left = count;
        async Task Lane()
        {
            while (Interlocked.Decrement(ref left) >= 0) await session.RequestAsync(ping, CancellationToken.None).ConfigureAwait(false);
        }

        await Task.WhenAll(Enumerable.Range(0, window).Select(_ => Lane())).ConfigureAwait(false);
        return count / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private sealed class NoSink : IAmiEventSink
    {
        public void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> message)
        {
        }
    }
}
