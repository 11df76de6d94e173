using System.Collections;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What the contracts of Yate share. The numbers mean the same on the simulator and on a real server: 40xx answers, 41xx
/// rings, 42xx is busy, 43xx hangs up after 2 s, 44xx declines, 45xx does not exist, 48xx has early media; 1001 a tone,
/// 1004 refused by the routing, 1005 music; 5xxx has no route.
/// </summary>
public abstract class YateServerContract : ServerContract
{
    /// <summary>Asserts how a call ended.</summary>
    protected static void AssertEnded(SipCall call, HangupCause cause, int? code, int? sipStatus, bool answered)
    {
        Assert.Equal((CallState.Terminated, cause, code, sipStatus), (call.State, call.Cause, call.CauseCode, call.SipStatus));
        Assert.NotNull(call.EndedAt);
        Assert.Equal(answered, call.AnsweredAt is not null);
        if (answered) Assert.Equal(call.EndedAt - call.AnsweredAt, call.BillableDuration);
        else Assert.Equal(TimeSpan.Zero, call.BillableDuration);
        Assert.Equal("if://call/" + call.CallId, call.Uri);
    }

    protected override string TwoPhones => "-From 4001 -To 4002";

    protected override string? AfterConnect => "$script:others = @(Get-SipCallStatus).CallId";

    protected override void Configure(Hashtable settings)
    {
        settings["Type"] = "Yate";
        settings.Remove("Context");
        settings.Remove("Credential");
    }

    // A test that fails leaves nothing to the next one.
    protected override void Dispose(bool disposing)
    {
        if (disposing) Module.Try("Get-SipCallStatus | Where-Object CallId -NotIn $script:others | Stop-SipCall; Get-SipRoute | Unregister-SipRoute");
        base.Dispose(disposing);
    }

    protected SipCall PairOf()
    {
        SipCall call = Call(TwoPhones);
        AssertAnswered(call);
        return call;
    }

    protected void AssertTalking(SipCall call)
    {
        string[] up = [.. call.Legs.Where(l => l.State == "answered").Select(l => l.Id)];
        Assert.Equal(2, up.Length);
        Assert.Equal(up[1], Peer(up[0]));
        Assert.Equal(up[0], Peer(up[1]));
    }

    // By the server's own word.
    protected string Peer(string leg)
    {
        SipCommandResult status = Module.Run<SipCommandResult>("param($l) Invoke-SipCommand engine.status -Field @{ module = $l }", leg);
        return status.Output[0].Split(',', ';').Single(p => p.StartsWith("peerid=", StringComparison.Ordinal))["peerid=".Length..];
    }

    protected SipCall[] Ours() => Calls(Module.Run("Get-SipCallStatus | Where-Object CallId -NotIn $script:others"));
}
