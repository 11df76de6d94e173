using System.Text;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Yate;

/// <summary>
/// A leg that has lost its partner, and of which the engine is asking just then, is not dropped, though the answer to
/// call.drop is true (CallEndpoint::disconnect, Yate 6.4.1): here our word on it is late, and keeps the leg.
/// </summary>
public sealed class YateLateGuardTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Who_is_released_goes_though_it_was_kept_a_moment_too_long()
    {
        using YateSimulator simulator = YateSimulator.Start();
        var dropped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        int late = 0;
        using var relay = new Relay("127.0.0.1", simulator.Port, async (client, server) =>
        {
            byte[] buffer = new byte[64 * 1024];
            while (await client.ReadAsync(buffer) is > 0 and int count)
            {
                string text = Encoding.Latin1.GetString(buffer, 0, count);
                if (text.Contains("reason=hold", StringComparison.Ordinal) && Interlocked.Increment(ref late) == 1) await dropped.Task.WaitAsync(Limit);
                long before = simulator.MessagesReceived;
                await server.WriteAsync(buffer.AsMemory(0, count));
                if (!text.Contains(":call.drop:", StringComparison.Ordinal)) continue;
                await Until.TrueAsync(() => simulator.MessagesReceived > before);
                dropped.TrySetResult();
            }
        });
        await using ISipAdapter adapter = await Connected.ToAsync(SipServerType.Yate, relay.Port, 30, 10, 60);
        SipCall call = await adapter.MakeCallAsync(new SipCallRequest { From = "4001", To = "4002" }, default).WaitAsync(Limit);
        call = await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], null, default).WaitAsync(Limit);

        SipCall moved = await adapter.TransferAsync(call.CallId, new SipTransferRequest { To = "1001" }, default).WaitAsync(Limit);

        Assert.Equal(1, Volatile.Read(ref late));
        Assert.Equal((CallState.Connected, "1001"), (moved.State, moved.To));
        Assert.Equal(["4001"], moved.Legs.Where(l => l.State != "Hungup" && l.Number is "4001" or "4002").Select(l => l.Number));
        await adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
        Assert.Equal(0, simulator.ActiveChannels);
    }
}
