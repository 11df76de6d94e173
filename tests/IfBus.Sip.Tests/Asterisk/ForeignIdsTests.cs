using System.Net;
using IfBus.Sip.Adapters;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>Another client may give its calls ids that the server reads as something else.</summary>
public sealed class ForeignIdsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("22.10.1")]
    [InlineData("16.28.0")]
    public async Task A_call_whose_id_is_a_pattern_is_ended_alone(string version)
    {
        using AsteriskSimulator simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions { Version = version });
        await using ISipAdapter adapter = await Connected.ToAsync(SipServerType.Asterisk, simulator.Port, 5, 5, 15, new NetworkCredential(simulator.User, simulator.Secret));
        SipCall other = await adapter.MakeCallAsync(new SipCallRequest { From = "1001", To = "echo" }, default).WaitAsync(Limit);
        await adapter.WaitForCallAsync(other.CallId, [CallState.Connected], null, default).WaitAsync(Limit);

        const string Pattern = "/PJSIP.*/";
        await adapter.InvokeCommandAsync(
            new SipCommandRequest("Originate", [new("Channel", "PJSIP/1002"), new("Application", "Echo"), new("ChannelId", Pattern), new("Async", "true")]), default).WaitAsync(Limit);
        await Until.TrueAsync(() => adapter.FindCall(Pattern)?.Legs is [{ State: "Up" }]);

        SipCall ended = await adapter.HangUpAsync(Pattern, HangupCause.NormalClearing, default).WaitAsync(Limit);
        Assert.Equal((Pattern, CallState.Terminated, HangupCause.NormalClearing), (ended.CallId, ended.State, ended.Cause));
        await adapter.CheckHealthAsync(default).WaitAsync(Limit);
        Assert.Equal((other.CallId, CallState.Connected), (Assert.Single(adapter.KnownCalls).CallId, adapter.FindCall(other.CallId)!.State));
        Assert.Equal(1, simulator.ActiveCalls);
    }
}
