using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Adapters.Yate;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Benchmarks;

/// <summary>
/// Calls a second on a real Yate: 1001 (a tone) connected to a silent leg, made by New-SipCall from the pipeline against
/// a raw socket client that writes the same call.execute messages in one burst, once watching nothing and once what
/// tells how a call goes. All until the last call is up; then they are listed and stopped, and none may be missing.
/// Where IFBUS_YATE_PORT names one.
/// </summary>
internal static class YateOriginates
{
    public static async Task RunAsync(int count, int rounds, int warmUps)
    {
        if (Environment.GetEnvironmentVariable("IFBUS_YATE_PORT") is not { Length: > 0 } text)
        {
            Console.WriteLine("calls on a real Yate: not measured, IFBUS_YATE_PORT is not set");
            return;
        }

        int port = int.Parse(text, CultureInfo.InvariantCulture);
        List<double> raw = [], watching = [], ours = [], processor = [], listed = [], stopped = [];
        for (int round = -warmUps; round < rounds; round++)
        {
            double r = await RawAsync(port, count, []).ConfigureAwait(false);
            double w = await RawAsync(port, count, YateMapper.Watched).ConfigureAwait(false);
            (double made, double list, double stop, double busy) = Ours(port, count);
            if (round < 0) continue;
            raw.Add(r);
            watching.Add(w);
            ours.Add(made);
            listed.Add(list);
            stopped.Add(stop);
            processor.Add(busy);
        }

        Figures.Row($"Yate: raw socket client, one burst of {count}", raw, "calls/s");
        Figures.Row("Yate: raw socket client that watches", watching, "calls/s", raw);
        Figures.Row("Yate: New-SipCall from the pipeline, against the burst", ours, "calls/s", raw);
        Figures.Row("Yate: New-SipCall from the pipeline, against who watches", ours, "calls/s", watching);
        Figures.Row("Yate: New-SipCall, processor time of our process", processor, "us/call");
        Figures.Row($"Yate: Get-SipCallStatus, {count} calls", listed, "ms");
        Figures.Row($"Yate: Stop-SipCall, {count} calls", stopped, "calls/s");
    }

    private static async Task<double> RawAsync(int port, int count, string[] watched)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port).ConfigureAwait(false);
        using NetworkStream stream = client.GetStream();
        byte[] buffer = new byte[1 << 20];
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(watched.Select(w => $"%%>watch:{w}\n")) + "%%>message:ready:0:chan.locate::id=dumb/0\n")).ConfigureAwait(false);
        await LinesAsync(client, stream, buffer, l => l.StartsWith("%%<message:ready:"u8), 1).ConfigureAwait(false);
        byte[] made = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, count).Select(i => $"%%>message:m{i}:0:call.execute::callto=dumb/:target=1001:maxcall=60000\n")));
        List<string> legs = [];
        long begin = Stopwatch.GetTimestamp();
        Task writing = stream.WriteAsync(made).AsTask();
        await LinesAsync(
            client,
            stream,
            buffer,
            line =>
            {
                if (!line.StartsWith("%%<message:m"u8) || line.IndexOf(":true:call.execute:"u8) < 0) return false;
                ReadOnlySpan<byte> leg = line[(line.IndexOf(":id=dumb/"u8) + 4)..];
                legs.Add(Encoding.ASCII.GetString(leg[..leg.IndexOf((byte)':')]));
                return true;
            },
            count).ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        await writing.ConfigureAwait(false);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(legs.Select((l, i) => $"%%>message:d{i}:0:call.drop::id={l}\n")))).ConfigureAwait(false);
        await LinesAsync(client, stream, buffer, l => l.StartsWith("%%<message:d"u8), count).ConfigureAwait(false);
        return count / seconds;
    }

    private static async Task LinesAsync(TcpClient client, NetworkStream stream, byte[] buffer, LineTest wanted, int times)
    {
        int end = 0;
        while (times > 0)
        {
            // As the adapter has it: without it the engine's last line feed comes 40 ms late.
            if (OperatingSystem.IsLinux()) client.Client.SetRawSocketOption(6, 12, [1, 0, 0, 0]);
            int got = await stream.ReadAsync(buffer.AsMemory(end)).ConfigureAwait(false);
            if (got == 0) throw new IOException("closed");
            end += got;
            int at = 0;
            while (buffer.AsSpan(at, end - at).IndexOf((byte)'\n') is >= 0 and int length)
            {
                if (wanted(buffer.AsSpan(at, length))) times--;
                at += length + 1;
            }

            buffer.AsSpan(at, end - at).CopyTo(buffer);
            end -= at;
        }
    }

    private delegate bool LineTest(ReadOnlySpan<byte> line);

    private static (double Made, double ListMilliseconds, double Stopped, double Microseconds) Ours(int port, int count)
    {
        using var module = new BenchModule();
        module.Run<object>("param($p) Connect-SipServer 127.0.0.1 -Type Yate -Port $p -Name bench", port);
        int before = module.Run<SipCall>("Get-SipCallStatus").Length;
        TimeSpan busy = Process.GetCurrentProcess().TotalProcessorTime;
        DateTime begin = DateTime.UtcNow;
        SipCall[] calls = module.Run<SipCall>("param($n) 1..$n | ForEach-Object { [pscustomobject]@{ To = '1001'; Application = 'dumb' } } | New-SipCall -ThrottleLimit 1000", count);
        SipCall[] connected = module.Run<SipCall>("param($c) $c | Wait-SipCall -State Connected -Timeout 60", new object[] { calls });
        double seconds = (connected.Max(c => c.AnsweredAt!.Value) - begin).TotalSeconds;
        double microseconds = (Process.GetCurrentProcess().TotalProcessorTime - busy).TotalMicroseconds / count;
        long start = Stopwatch.GetTimestamp();
        SipCall[] listed = module.Run<SipCall>("Get-SipCallStatus");
        double list = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        start = Stopwatch.GetTimestamp();
        SipCall[] ended = module.Run<SipCall>("param($c) $c | Stop-SipCall -PassThru", new object[] { calls });
        double stop = Stopwatch.GetElapsedTime(start).TotalSeconds;
        int left = module.Run<SipCall>("Get-SipCallStatus").Length;
        module.Run<object>("Disconnect-SipServer");
        if (connected.Count(c => c.State == CallState.Connected) != count) throw new InvalidOperationException("not all calls were answered");
        if (listed.Length != before + count || ended.Count(c => c is { State: CallState.Terminated, Cause: HangupCause.NormalClearing }) != count || left != before) throw new InvalidOperationException($"calls are missing or left: {listed.Length} listed, {ended.Length} ended, {left} left, {before} before");
        return (count / seconds, list, count / stop, microseconds);
    }
}
