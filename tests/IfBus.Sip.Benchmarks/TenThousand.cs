using System.Diagnostics;
using System.Net;
using IfBus.Sip.Adapters;
using IfBus.Sip.Simulators;

namespace IfBus.Sip.Benchmarks;

/// <summary>Many calls up at once in the simulator: made, listed, filtered, stopped; and what one costs in memory.</summary>
internal static class TenThousand
{
    public static async Task RunAsync(int count)
    {
        using Process simulator = Requests.Start("serve-simulator");
        int port = int.Parse((await simulator.StandardOutput.ReadLineAsync().ConfigureAwait(false))!, System.Globalization.CultureInfo.InvariantCulture);
        await using ISipAdapter adapter = new SipAdapterFactory().Create(
            new SipServerConfiguration { Type = SipServerType.Asterisk, Host = "127.0.0.1", Port = port, Credential = new NetworkCredential("ifbus", "ifbus-secret"), HistorySize = 0 }, null);
        await adapter.ConnectAsync(CancellationToken.None).ConfigureAwait(false);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long begin = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i += 500)
        {
            SipCall[] made = await Task.WhenAll(Enumerable.Range(0, Math.Min(500, count - i)).Select(_ => adapter.MakeCallAsync(new SipCallRequest { To = "PJSIP/1001", Application = "Wait", ApplicationData = "3600" }, CancellationToken.None))).ConfigureAwait(false);
            await Task.WhenAll(made.Select(c => adapter.WaitForCallAsync(c.CallId, [CallState.Connected], TimeSpan.FromSeconds(60), CancellationToken.None))).ConfigureAwait(false);
        }

        Console.WriteLine($"{count} calls connected in {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.00} s");
        long tracked = GC.GetTotalMemory(forceFullCollection: true) - before;
        Console.WriteLine($"memory per tracked call: {tracked / count} bytes");
        begin = Stopwatch.GetTimestamp();
        IReadOnlyList<SipCall> listed = await adapter.GetCallsAsync(CancellationToken.None).ConfigureAwait(false);
        Console.WriteLine($"listed {listed.Count}, {listed.Count(c => c.State == CallState.Connected)} of them connected, in {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.00} s");
        begin = Stopwatch.GetTimestamp();
        SipCall[] ended = await Task.WhenAll(listed.Select(c => adapter.HangUpAsync(c.CallId, HangupCause.NormalClearing, CancellationToken.None))).ConfigureAwait(false);
        Console.WriteLine($"stopped {ended.Count(c => c.State == CallState.Terminated)} in {Stopwatch.GetElapsedTime(begin).TotalSeconds:0.00} s; {adapter.Server.ActiveCalls} left");
        if (listed.Count != count || adapter.Server.ActiveCalls != 0) throw new InvalidOperationException("calls are missing or left");
        simulator.StandardInput.Close();
    }
}
