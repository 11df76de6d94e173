using System.Collections;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What a user is promised of calls that are under control while the connection is lost, or the server is restarted.
/// Somebody else, who is connected all the time, does and sees what happens meanwhile.
/// </summary>
public abstract class TroubleContract : ServerContract
{
    private readonly Lazy<Relay> _relay;
    private readonly Lazy<ModuleRunspace> _other;

    protected TroubleContract()
    {
        _relay = new Lazy<Relay>(() => new Relay(Real.Host, Real.Port));
        _other = new Lazy<ModuleRunspace>(() =>
        {
            var module = new ModuleRunspace();
            module.Run("param($h, $p, $c) Connect-SipServer $h -Port $p -Credential $c -Name other -Context ifbus", Real.Host, Real.Port, Credentials.Of(Real.User, Real.Secret));
            return module;
        });
    }

    /// <summary>The server itself.</summary>
    protected abstract ContractServer Real { get; }

    protected override ContractServer Server => Real with { Port = _relay.Value.Port };

    internal ModuleRunspace Other => _other.Value;

    [ServerFact]
    public void Held_before_and_after()
    {
        SipCall call = Change(Pair(), "Suspend-SipCall");
        Cut();
        Fails(call, "SipServerNotConnected", "Resume-SipCall");
        Mend();
        Assert.Equal((CallState.OnHold, 2), (Now(call).State, Up(Now(call))));
        Assert.Equal((CallState.Connected, 2), (Change(call, "Resume-SipCall").State, Up(Now(call))));
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void One_party_of_a_held_call_hangs_up_meanwhile()
    {
        SipCall call = Change(Pair(), "Suspend-SipCall");
        Cut();
        OtherHangsUp(call.Legs[1].Id);
        Mend();
        // Nothing at the server ends the one with the other.
        AssertFinal(WaitForEnd(call), Cleared, "sipp-answer", "dial-answer", answered: call);
        Assert.Equal(CallState.Terminated, UntilOther(call, c => c.State == CallState.Terminated).State);
        Fails(call, "SipCallEnded", "Resume-SipCall");
    }

    [ServerFact]
    public void Somebody_else_brings_a_held_call_together_meanwhile()
    {
        SipCall call = Change(Pair(), "Suspend-SipCall");
        Cut();
        Other.Run("param($c) Invoke-SipCommand Bridge @{ Channel1 = $c.Legs[0].Name; Channel2 = $c.Legs[1].Name } -Confirm:$false", call);
        UntilOtherBridged(call, call.Legs[0].Id, call.Legs[1].Id);
        Mend();
        Assert.Equal(CallState.Connected, Now(call).State);
        Fails(call, "SipCallNotOnHold", "Resume-SipCall");
        Assert.Equal(CallState.OnHold, Change(call, "Suspend-SipCall").State);
        Stop(call);
    }

    [ServerFact]
    public void Answered_meanwhile()
    {
        SipCall call = RingingAtTheCut();
        // Its destination would ring for ever, so it is given another, which answers.
        Other.Run("param($c) Invoke-SipCommand Redirect @{ Channel = $c; Context = 'ifbus'; Exten = 'dial-answer'; Priority = '1' } -Confirm:$false", call.CallId);
        UntilOther(call, c => Up(c) == 2 && c.State == CallState.Connected);
        Mend();
        Assert.Equal((CallState.Connected, 2), (Until(call, c => c.State == CallState.Connected).State, Up(Now(call))));
        Stop(call);
    }

    [ServerFact]
    public void Refused_meanwhile()
    {
        SipCall call = RingingAtTheCut();
        OtherHangsUp(call.Legs.Single(l => l.State == "Ringing").Id);
        UntilOther(call, c => c.State == CallState.Terminated);
        Mend();
        AssertFinal(WaitForEnd(call), new Verdict(HangupCause.EndedUnseen, null, null, "ended while we did not see it"), "sipp-answer", "dial-ring");
    }

    [ServerTheory]
    [InlineData("-Complete", "601")]
    [InlineData("-Cancel", "dial-answer")]
    public void Consulting_before_and_after(string end, string to)
    {
        SipCall call = Consulting();
        Cut();
        Fails(call, "SipServerNotConnected", "Move-SipCall " + end);
        Mend();
        Assert.Equal(CallState.Transferring, Now(call).State);
        SipCall after = Change(call, "Move-SipCall " + end);
        Assert.Equal((CallState.Connected, to), (after.State, after.To));
        // Of Local channels nothing is said here: the server may keep them in the path.
        string released = call.Legs[1].Id;
        Assert.Equal(end == "-Complete" ? "Hungup" : "Up", Now(call).Legs.Single(l => l.Id == released).State);
        AssertStopped(call, "sipp-answer", to);
    }

    [ServerFact]
    public void The_one_who_consults_hangs_up_meanwhile_which_completes_the_transfer()
    {
        SipCall call = Consulting();
        Cut();
        OtherHangsUp(call.Legs[1].Id);
        UntilOtherBridged(call, call.Legs[0].Id, null);
        Mend();
        SipCall done = Until(call, c => c.State == CallState.Connected);
        Assert.Equal("601", done.To);
        Fails(call, "SipNoTransfer", "Move-SipCall -Complete");
        Assert.Equal(CallState.OnHold, Change(call, "Suspend-SipCall").State);
        Assert.Equal(CallState.Connected, Change(call, "Resume-SipCall").State);
        Stop(call);
    }

    [ServerFact]
    public void The_one_who_is_consulted_hangs_up_meanwhile_and_the_parties_talk_again()
    {
        SipCall call = Consulting();
        string consulted = Now(call).Legs.Last(l => l.State == "Up" && l.Name!.StartsWith("PJSIP/", StringComparison.Ordinal)).Id;
        Cut();
        OtherHangsUp(consulted);
        UntilOtherBridged(call, call.Legs[0].Id, call.Legs[1].Id);
        Mend();
        SipCall back = Until(call, c => c.State == CallState.Connected);
        Assert.Equal("dial-answer", back.To);
        Fails(call, "SipNoTransfer", "Move-SipCall -Cancel");
        Stop(call);
    }

    [ServerFact]
    public void In_a_room_before_and_after()
    {
        SipCall call = Change(Pair(), "Join-SipConference before");
        Cut();
        Mend();
        Assert.Equal("before", Now(call).Details["Conference"]);
        Assert.Equal(CallState.Terminated, Change(call, "Exit-SipConference").State);
    }

    [ServerFact]
    public void Brought_into_a_room_meanwhile()
    {
        SipCall call = Change(Pair(), "Suspend-SipCall");
        Cut();
        Other.Run("param($c) Join-SipConference meanwhile -CallId $c.CallId -Server other", call);
        Mend();
        Assert.Equal((CallState.Connected, "meanwhile"), (Now(call).State, Now(call).Details.GetValueOrDefault("Conference")));
        Fails(call, "SipCallNotOnHold", "Resume-SipCall");
        Fails(call, "SipCallNotBridged", "Suspend-SipCall");
        Assert.Equal(CallState.Terminated, Change(call, "Exit-SipConference").State);
    }

    [ServerFact]
    public void Taken_out_of_a_room_meanwhile()
    {
        SipCall call = Change(Pair(), "Join-SipConference before");
        Cut();
        Other.Run(
            "param($c) Invoke-SipCommand Redirect @{ Channel = $c.Legs[0].Id; Context = 'ifbus'; Exten = 'echo'; Priority = '1'; ExtraChannel = $c.Legs[1].Id; ExtraContext = 'ifbus'; ExtraExten = 'echo'; ExtraPriority = '1' } -Confirm:$false",
            call);
        Wait(() => Other.Run("Get-SipConference before").Count, c => c == 0);
        Mend();
        Assert.DoesNotContain("Conference", Now(call).Details.Keys);
        Fails(call, "SipCallNotInConference", "Exit-SipConference");
        Stop(call);
    }

    [ServerFact]
    public void A_restart_ends_all_of_it_and_control_works_again()
    {
        SipCall held = Change(Pair(), "Suspend-SipCall");
        SipCall inside = Change(Pair(), "Join-SipConference before");
        SipCall recorded = Pair();
        SipRecording recording = Module.Run<SipRecording>("param($c) $c | Start-SipRecording", recorded);
        SipCall consulting = Consulting();

        // Its own connection is never answered: the server only closes it.
        Other.Fails("SipConnectionLost", "Invoke-SipCommand Command -Field @{ Command = 'core restart now' } -Confirm:$false");
        SipCall[] calls = [held, inside, recorded, consulting];
        SipCall[] ended = [.. calls.Select(WaitForEnd)];
        // First of all, so that what is wrong here harms no other test.
        WaitUntilBack();
        foreach ((SipCall call, SipCall end) in calls.Zip(ended))
        {
            // Of three who consult one leaves first, and the call ends as the one of the other two; which, is up to the server.
            (string?, string?)[] between = call == consulting ? [("sipp-answer", "dial-answer"), ("dial-answer", "601"), ("sipp-answer", "601")] : [("sipp-answer", "dial-answer")];
            Assert.Contains((end.From, end.To), between);
            AssertFinal(end, ShutDown(end), end.From, end.To, answered: call);
        }

        Assert.StartsWith("Stopped", Now(recorded).Details["Recording:" + recording.RecordingId], StringComparison.Ordinal);
        foreach ((SipCall call, string what) in new[] { (held, "Resume-SipCall"), (inside, "Exit-SipConference"), (recorded, "Stop-SipRecording"), (consulting, "Move-SipCall -Complete"), (consulting, "Move-SipCall -Cancel"), (held, "Stop-SipCall") })
            Fails(call, "SipCallEnded", what);
        Assert.Empty(Module.Run("Get-SipConference"));

        // What was added to the server's dialplan went with it.
        SipCall again = Change(Pair(), "Suspend-SipCall");
        Assert.Equal((CallState.Connected, 2), (Change(again, "Resume-SipCall").State, Up(Now(again))));
        Assert.Equal("after", Change(again, "Join-SipConference after").Details["Conference"]);
        Stop(again);
    }

    protected override void Configure(Hashtable settings)
    {
        settings["ReconnectDelay"] = 0.1;
        settings["ReconnectMaxDelay"] = 0.3;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            if (_other.IsValueCreated)
            {
                Other.Try("Stop-SipCall -All -Force");
                Other.Dispose();
            }

            if (_relay.IsValueCreated) _relay.Value.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Waits until the server is back, and as other tests count on it.</summary>
    protected virtual void WaitUntilBack() => UntilServer(s => s.State == ConnectionState.Connected && s.Reconnects > 0);

    protected void UntilServer(Func<SipServer, bool> condition)
    {
        DateTime end = DateTime.UtcNow.AddSeconds(90);
        while (true)
        {
            SipServer now = Module.Run<SipServer>("Get-SipServer");
            if (condition(now)) return;
            Assert.True(DateTime.UtcNow < end, $"{now.State}, {now.Reconnects} times: {now.LastError}");
        }
    }

    // The first party has answered, the second rings, for whoever sees it.
    private SipCall RingingAtTheCut()
    {
        // There before the call: it does not wait for anybody.
        Assert.NotEmpty(Other.Run("Get-SipServer"));
        SipCall call = Module.Run<SipCall>("New-SipCall -From sipp-answer -To dial-ring");
        call = Until(call, c => c.State == CallState.Ringing && c.Legs.Any(l => l.State == "Ringing") && Up(c) == 1);
        Cut();
        Assert.Equal(CallState.Ringing, UntilOther(call, c => c.Legs.Count == 2).State);
        return call;
    }

    // The kept party hears music, the other talks with 601.
    private SipCall Consulting()
    {
        SipCall call = Pair();
        Assert.Equal(CallState.Transferring, Change(call, "Move-SipCall 601 -Attended").State);
        return call;
    }

    protected void Cut()
    {
        // It must be there to see what happens meanwhile.
        Assert.NotEmpty(Other.Run("Get-SipServer"));
        _relay.Value.Cut();
        UntilServer(s => s.State == ConnectionState.Reconnecting);
    }

    protected void Mend()
    {
        _relay.Value.Mend();
        UntilServer(s => s is { State: ConnectionState.Connected, Reconnects: > 0 });
    }

    private void OtherHangsUp(string leg) => Other.Run("param($l) Invoke-SipCommand Hangup @{ Channel = $l; Cause = '16' } -Confirm:$false", leg);

    protected SipCall UntilOther(SipCall call, Func<SipCall, bool> condition) => Wait(() => Other.Run<SipCall>("param($id) Get-SipCallStatus -CallId $id -Server other", call.CallId), condition);

    // By the server's own list: the leg is in a bridge with the other, or with anybody.
    private void UntilOtherBridged(SipCall call, string one, string? other) => Wait(
        () => Other.Run("(Invoke-SipCommand CoreShowChannels -Server other -Confirm:$false).Items").Select(i => (SipFieldCollection)i.BaseObject).Where(f => f["Linkedid"] == call.CallId).ToList(),
        list => list.Find(f => f["Uniqueid"] == one)?["BridgeId"] is { Length: > 0 } bridge && list.Exists(f => f["Uniqueid"] != one && f["BridgeId"] == bridge && (other is null || f["Uniqueid"] == other)));

    private static T Wait<T>(Func<T> look, Func<T, bool> condition)
    {
        DateTime end = DateTime.UtcNow.AddSeconds(15);
        while (true)
        {
            T now = look();
            if (condition(now)) return now;
            Assert.True(DateTime.UtcNow < end, $"never came to it: {now}");
        }
    }
}
