using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>-Timeout is the time that a leg may ring which we dial, and not that of a leg which the dialplan dials.</summary>
public sealed class RingTimeTests
{
    [Fact]
    public async Task It_holds_for_the_destination_if_that_is_an_endpoint()
    {
        using AsteriskSimulator simulator = AsteriskSimulator.Start();
        await using ISipAdapter adapter = await Connected.ToAsync(SipServerType.Asterisk, simulator.Port, 30, 30, 60, new(simulator.User, simulator.Secret));
        // An extension that dials its phone for 20 seconds, and that phone itself.
        SipCall extension = await CallAsync("1001", "ring");
        await Until.TrueAsync(() => adapter.FindCall(extension.CallId)!.State == CallState.Ringing);
        SipCall endpoint = await CallAsync("1001", "PJSIP/ring");
        SipCall ended = await adapter.WaitForCallAsync(endpoint.CallId, [CallState.Terminated], TimeSpan.FromSeconds(60), default);
        Assert.Equal(("NOANSWER", null), (ended.Details["DialStatus"], ended.AnsweredAt));
        Assert.InRange(ended.Duration!.Value.TotalSeconds, 1, 15);
        // It has rung for longer than that one, which has ended.
        Assert.Equal(CallState.Ringing, adapter.FindCall(extension.CallId)!.State);

        Task<SipCall> CallAsync(string from, string to) => adapter.MakeCallAsync(new SipCallRequest { From = from, To = to, Timeout = TimeSpan.FromSeconds(1) }, default);
    }
}
