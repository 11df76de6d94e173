using System.Management.Automation;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>A login without read class call is told nothing of its calls: their states come from the server's list.</summary>
public sealed class UntoldCallsTests : IDisposable
{
    private readonly AsteriskSimulator _simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions
    {
        Users = [new AsteriskSimulatorUser { Name = "deaf", Secret = "s", Read = "system,cdr" }, new AsteriskSimulatorUser { Name = "blind", Secret = "s", Read = "system", Write = "originate,call" }],
    });

    private readonly ModuleRunspace _module = new();

    public void Dispose()
    {
        _module.Dispose();
        _simulator.Dispose();
    }

    [Fact]
    public void Its_calls_ring_connect_and_end_all_the_same_and_it_is_said_once()
    {
        Connect("deaf");
        PSObject[] said = [.. _module.Run("New-SipCall -From 1001 -To 1002 -Wait -WarningVariable w; $w")];
        SipCall call = (SipCall)said[0].BaseObject;
        Assert.Equal((CallState.Connected, "1001", "1002", 2), (call.State, call.From, call.To, call.Legs.Count));
        Assert.Contains("read= lacks class call", Assert.Single(said.Skip(1)).ToString(), StringComparison.Ordinal);

        _simulator.HangUpByPhone(call.CallId);
        SipCall ended = _module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 20", call);
        Assert.Equal((CallState.Terminated, HangupCause.EndedUnseen), (ended.State, ended.Cause));

        PSObject[] again = [.. _module.Run("New-SipCall -From 1001 -To ring -WarningVariable w | Wait-SipCall -State Ringing -Timeout 20; $w")];
        SipCall ringing = (SipCall)Assert.Single(again).BaseObject;
        Assert.Equal(CallState.Ringing, ringing.State);
        Assert.Equal(CallState.Terminated, _module.Run<SipCall>("param($c) $c | Stop-SipCall -PassThru", ringing).State);
        Assert.Equal(0, _simulator.ActiveChannels);
    }

    [Fact]
    public void A_call_that_never_had_a_channel_ends()
    {
        Connect("deaf");
        SipCall call = _module.Run<SipCall>("New-SipCall -From nosuch -To 1002 | Wait-SipCall -Timeout 30");
        Assert.Equal((CallState.Terminated, HangupCause.EndedUnseen, "the server told nothing of it, and has no channel of it"), (call.State, call.Cause, call.CauseText));
    }

    [Fact]
    public void Of_calls_that_are_not_listed_either_nothing_is_claimed()
    {
        Connect("blind");
        // Long enough for an answer, and for the end of what has no channel.
        PSObject[] said = [.. _module.Run("$c = New-SipCall -From 1001 -To 1002; $c | Wait-SipCall -Timeout 7 -WarningVariable w -ErrorAction SilentlyContinue | Out-Null; $w; $c")];
        Assert.Contains("may list them: False", said[0].ToString(), StringComparison.Ordinal);
        Assert.Equal(CallState.Created, ((SipCall)said[^1].BaseObject).State);
        Assert.Equal(2, _simulator.ActiveChannels);
    }

    private void Connect(string user) =>
        _module.Run("param($p, $c) Connect-SipServer 127.0.0.1 -Port $p -Type Asterisk -Credential $c", _simulator.Port, Credentials.Of(user, "s"));
}
