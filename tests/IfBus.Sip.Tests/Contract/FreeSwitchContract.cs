using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What a user of FreeSWITCH is promised of calls, through the cmdlets. One suite, the same verdicts, on the simulator and on a
/// real server: gateways and the numbers behind them mean the same on both, and so do the extensions of the dialplan.
/// </summary>
public abstract class FreeSwitchContract : FreeSwitchServerContract
{
    [FreeSwitchFact]
    public void Answered_then_ended_by_us()
    {
        SipCall call = Call("-To sofia/gateway/answer/1 -Application park");
        AssertAnswered(call);
        Assert.Equal("PCMU", call.Codec);
        SipCall ended = Stop(call);
        AssertFinal(ended, Cleared, null, "sofia/gateway/answer/1", answered: call);
        Assert.Single(ended.Legs);
    }

    [FreeSwitchFact]
    public void Number_to_extension_that_talks_is_connected_and_ended_by_us()
    {
        SipCall call = Call("-From 5 -To 1000");
        AssertAnswered(call);
        AssertStopped(call, "5", "1000");
    }

    [FreeSwitchFact]
    public void Far_end_hangs_up()
    {
        SipCall call = Call("-From sofia/gateway/bye/bye3 -To 1000");
        AssertAnswered(call);
        SipCall ended = WaitForEnd(call);
        AssertFinal(ended, Cleared, "sofia/gateway/bye/bye3", "1000", answered: call, talked: 3);
        Assert.Equal(ended.Legs[0].Name, ended.Details["HungUpBy"]);
    }

    [FreeSwitchTheory]
    [InlineData("busy", "UserBusy", 17, 486, "USER_BUSY")]
    [InlineData("decline", "CallRejected", 21, 603, "CALL_REJECTED")]
    [InlineData("notfound", "UnallocatedNumber", 1, 404, "UNALLOCATED_NUMBER")]
    public void Refused_by_the_far_end(string number, string cause, int code, int sipStatus, string text)
    {
        string endpoint = $"sofia/gateway/{number}/{number}";
        var why = new Verdict(Enum.Parse<HangupCause>(cause), code, sipStatus, text);
        AssertFinal(Call($"-From {endpoint} -To 1000"), why, endpoint, "1000");
        // The same of one leg.
        AssertFinal(Call($"-To {endpoint} -Application park"), why, null, endpoint);
    }

    [FreeSwitchTheory]
    [InlineData("sofia/gateway/nosuchgw/1", "Unknown", null, "INVALID_GATEWAY")]
    [InlineData("nosuch/1", "ChannelTypeNotImplemented", 66, "CHAN_NOT_IMPLEMENTED")]
    [InlineData("user/nosuch", "SubscriberAbsent", 20, "SUBSCRIBER_ABSENT")]
    [InlineData("error/USER_BUSY", "UserBusy", 17, "USER_BUSY")]
    public void No_channel_at_all(string endpoint, string cause, int? code, string text)
    {
        SipCall call = Call($"-From {endpoint} -To 1000");
        AssertFinal(call, new Verdict(Enum.Parse<HangupCause>(cause), code, null, text), endpoint, "1000");
        Assert.Empty(call.Legs);
    }

    [FreeSwitchFact]
    public void Rings_until_the_time_out()
    {
        SipCall call = Call("-From sofia/gateway/ring/ring -To 1000 -Timeout 1");
        AssertFinal(call, TimedOut, "sofia/gateway/ring/ring", "1000");
        Assert.InRange(call.Duration!.Value.TotalSeconds, 0.9, 5);
    }

    [FreeSwitchFact]
    public void Two_numbers_B_rings_until_the_time_out()
    {
        SipCall call = Call("-From 5 -To sofia/gateway/ring/ring -Timeout 1");
        AssertFinal(call, TimedOut, "5", "sofia/gateway/ring/ring");
        Assert.InRange(call.Duration!.Value.TotalSeconds, 0.9, 5);
    }

    [FreeSwitchFact]
    public void Stopped_while_ringing()
    {
        SipCall call = Make<SipCall>("New-SipCall -From sofia/gateway/ring/ring -To 1000 | Wait-SipCall -State Ringing -Timeout 10");
        Assert.Equal(CallState.Ringing, call.State);
        AssertFinal(Stop(call), Cleared, "sofia/gateway/ring/ring", "1000");
    }

    [FreeSwitchFact]
    public void Stopped_at_once()
    {
        for (int i = 0; i < 5; i++) AssertFinal(Make<SipCall>("New-SipCall -From sofia/gateway/ring/ring -To 1000 | Stop-SipCall -PassThru"), Cleared, "sofia/gateway/ring/ring", "1000");
    }

    [FreeSwitchFact]
    public void Early_media_is_not_connected()
    {
        SipCall call = Make<SipCall>("New-SipCall -From sofia/gateway/early/early3 -To 1000 | Wait-SipCall -State Ringing -Timeout 10");
        Assert.Equal((CallState.Ringing, null), (call.State, call.AnsweredAt));
        // A 183, and not a 180.
        Assert.Equal("EARLY", Assert.Single(call.Legs).State);
        SipCall answered = Module.Run<SipCall>("param($c) $c | Wait-SipCall -State Connected -Timeout 10", call);
        AssertAnswered(answered);
        AssertStopped(answered, "sofia/gateway/early/early3", "1000");
    }

    [FreeSwitchFact]
    public void Two_numbers_B_answers()
    {
        SipCall call = Pair();
        AssertStopped(call, "5", "sofia/gateway/answer/1");
    }

    [FreeSwitchFact]
    public void Two_numbers_B_rings_is_not_connected()
    {
        SipCall call = Make<SipCall>("New-SipCall -From 5 -To sofia/gateway/ring/ring");
        SipCall ringing = Until(call, c => c.Legs.Count == 2 && c.Legs[0].State == "ACTIVE" && c.Legs[1].State == "RINGING");
        Assert.Equal((CallState.Ringing, null), (ringing.State, ringing.AnsweredAt));
        SipCall ended = Stop(call);
        // B is hung up by us, or cancelled with A, whichever comes first.
        Assert.Contains(ended.CauseText, (string[])["NORMAL_CLEARING", "ORIGINATOR_CANCEL"]);
        AssertFinal(ended, Cleared with { Text = ended.CauseText }, "5", "sofia/gateway/ring/ring");
    }

    [FreeSwitchTheory]
    [InlineData("sofia/gateway/busy/busy", "UserBusy", 17, 486, "USER_BUSY")]
    [InlineData("sofia/gateway/decline/decline", "CallRejected", 21, 603, "CALL_REJECTED")]
    [InlineData("1003", "UserBusy", 17, null, "USER_BUSY")]
    [InlineData("nosuch", "NoRouteToDestination", 3, null, "NO_ROUTE_DESTINATION")]
    public void Two_numbers_B_refuses(string to, string cause, int code, int? sipStatus, string text) =>
        AssertFinal(Call($"-From 5 -To {to}"), new Verdict(Enum.Parse<HangupCause>(cause), code, sipStatus, text), "5", to);

    [FreeSwitchFact]
    public void The_next_endpoint_is_tried_when_one_is_busy()
    {
        SipCall call = Call("-From sofia/gateway/busy/busy,sofia/gateway/answer/1 -To 1000");
        AssertAnswered(call);
        Assert.Equal(["Hungup", "ACTIVE"], call.Legs.Select(l => l.State));
        // From is who answered.
        AssertStopped(call, "sofia/gateway/answer/1", "1000");
        AssertFinal(Call("-From sofia/gateway/busy/busy,sofia/gateway/decline/decline -To 1000"), new Verdict(HangupCause.CallRejected, 21, 603, "CALL_REJECTED"), "sofia/gateway/busy/busy", "1000");
        SipCall second = Call("-From 5 -To sofia/gateway/busy/busy,sofia/gateway/answer/1");
        AssertAnswered(second);
        AssertStopped(second, "5", "sofia/gateway/busy/busy");
    }

    [FreeSwitchFact]
    public void Loopback_channels_are_one_call()
    {
        SipCall call = Call("-From loopback/1000/default -To 1001");
        AssertAnswered(call);
        Assert.Equal(2, call.Legs.Count);
        Assert.Single(Module.Run("Get-SipCallStatus"), c => ((SipCall)c.BaseObject).CallId == call.CallId);
        AssertStopped(call, "loopback/1000/default", "1001");
    }

    [FreeSwitchFact]
    public void Unknown_applications_are_refused_before_anything_is_sent()
    {
        Module.Fails("SipInvalidArgument", "New-SipCall -To 5 -Application nosuchapp");
        Module.Fails("SipInvalidArgument", "New-SipCall -To 5 -Application system -ApplicationData 'touch /tmp/ifbus-forged'");
        Assert.Empty(Ours());
    }

    [FreeSwitchFact]
    public void A_sound_is_played_to_its_end()
    {
        SipCall call = Call("-To 5 -Play 'tone_stream://%(1000,0,440);loops=2'");
        AssertAnswered(call);
        AssertFinal(WaitForEnd(call), Cleared, null, "5", answered: call, talked: 2);
    }

    [FreeSwitchTheory]
    [InlineData("it's")]
    [InlineData("a,b=c;d|e")]
    [InlineData("back\\slash\\n \\s end\\")]
    [InlineData("{x} [y] <z> \"q\" ^^:_: % $ &")]
    [InlineData("caf\u00e9 \u6f22")]
    [InlineData("Bob,execute_on_answer=system touch")]
    [InlineData(":_:sofia/gateway/answer/2")]
    public void Variables_of_a_new_call_arrive_as_they_are(string value)
    {
        SipCall call = Module.Run<SipCall>("param($v) New-SipCall -To 5 -Application park -Variable @{ v1 = $v; v2 = 'plain' } -CallerId 'Ann, O''Neil <1001>' -Wait", value);
        AssertAnswered(call);
        Assert.Equal(value, Module.Run<string>("param($c) $c | Get-SipCallVariable v1", call));
        Assert.Equal("plain", Module.Run<string>("param($c) $c | Get-SipCallVariable v2", call));
        Assert.Equal("Ann, O'Neil", Module.Run<string>("param($c) $c | Get-SipCallVariable origination_caller_id_name", call));
        Assert.Equal("", Module.Run<string>("param($c) $c | Get-SipCallVariable execute_on_answer", call));
        Assert.Single(Ours());
        Stop(call);
    }

    [FreeSwitchTheory]
    [InlineData("New-SipCall -From $v -To 1000")]
    [InlineData("New-SipCall -From 5 -To $v")]
    [InlineData("New-SipCall -To $v -Application park")]
    [InlineData("New-SipCall -From 5 -To 1000 -Context $v")]
    [InlineData("New-SipCall -To 5 -Application $v")]
    [InlineData("New-SipCall -To 5 -Application park -CallerId \"x <$v>\"")]
    [InlineData("New-SipCall -To 5 -Application park -Variable @{ $v = '1' }")]
    [InlineData("$call | Move-SipCall -To $v")]
    [InlineData("$call | Move-SipCall -To $v -Attended")]
    [InlineData("$call | Move-SipCall -To 1000 -Context $v")]
    [InlineData("$call | Start-SipRecording -Path $v")]
    [InlineData("$call | Join-SipConference $v")]
    [InlineData("$call | Send-SipDtmf $v")]
    [InlineData("$call | Get-SipCallVariable $v")]
    public void Values_that_would_be_something_else_are_refused(string script)
    {
        SipCall call = Pair();
        // Every hole of the server's syntax (wire/freeswitch, originate).
        foreach (string value in new[]
        {
            "1000 &system(touch)", "1000,sofia/gateway/answer/2", "1000|sofia/gateway/answer/2", "1000:_:sofia/gateway/answer/2", "a}sofia/gateway/answer/2", "{a", "${system(touch)}", "1000\n\nbgapi originate null/1 &park()",
            "1000\nJob-UUID: x", "1000\r", "a'b", "a\\nb c", "loopback/app=system:touch", "loopback/app=log:x", "loopback/set:ifbus_forged=1/default/inline", "../../x.wav", "1000 inline", "park: inline", "'set:a=b' inline", "&park()",
        })
        {
            (_, IReadOnlyList<ErrorRecord> errors) = Module.Try("param($call, $v) " + script, call, value);
            Assert.True(errors.Count == 1, $"'{value}' was taken");
            Assert.StartsWith("SipInvalid", errors[0].FullyQualifiedErrorId, StringComparison.Ordinal);
        }

        Assert.Equal(call.CallId, Assert.Single(Ours()).CallId);
        Assert.Equal((CallState.Connected, 2), (Now(call).State, Up(Now(call))));
        Stop(call);
    }

    [FreeSwitchFact]
    public void Detail_record_of_a_call()
    {
        SipCall answered = Call("-From 5 -To 1000 -CallerId 'Ann <1001>'");
        SipCall call = Stop(answered);
        AssertFinal(call, Cleared, "5", "1000", answered: answered);
        Assert.Equal("Ann <1001>", call.CallerId);
        SipCallDetailRecord record = Record(call);
        Assert.Equal((call.CallId, call.CallId, "1001", "1000", "NORMAL_CLEARING"), (record.CallId, record.LegId, record.From, record.To, record.Disposition));
        // Of the leg, whose answer is the call's here. The server counts in microseconds by the same stamps.
        foreach ((DateTime? ours, DateTime? its) in new[] { (call.CreatedAt, record.StartedAt), (call.AnsweredAt, record.AnsweredAt), (call.EndedAt, record.EndedAt) }) Assert.InRange((ours - its)!.Value.TotalSeconds, -0.5, 0.5);
        Assert.InRange((call.BillableDuration - record.BillableDuration)!.Value.TotalSeconds, -0.1, 0.1);
        Assert.InRange((call.Duration - record.Duration)!.Value.TotalSeconds, -0.5, 0.5);
    }

    [FreeSwitchTheory]
    [InlineData("sofia/gateway/bye/bye1", false, "recv_bye")]
    [InlineData("sofia/gateway/answer/1", true, "send_bye")]
    [InlineData("sofia/gateway/busy/busy", false, "recv_refuse")]
    public void A_detail_record_tells_who_ended_it(string from, bool stop, string how)
    {
        SipCall call = Call($"-From {from} -To 1000");
        SipCall ended = stop ? Stop(call) : WaitForEnd(call);
        SipCallDetailRecord record = Record(ended);
        Assert.Equal(how, record.Fields["variable_sip_hangup_disposition"]);
        Assert.Equal((how == "recv_bye", call.AnsweredAt is null), (ended.Details.ContainsKey("HungUpBy"), record.AnsweredAt is null));
        if (record.AnsweredAt is null) Assert.Equal(TimeSpan.Zero, record.BillableDuration);
    }

    [FreeSwitchFact]
    public void Many_calls_at_once()
    {
        const int Count = 200;
        SipStatistic before = Module.Run<SipStatistic>("Get-SipStatistic");
        using var watch = new CallWatch(Module, "New-SipCall -From error/USER_BUSY -To 1000");
        SipCall[] calls = Make<SipCall[]>("param($n) 1..$n | ForEach-Object { [pscustomobject]@{ To = 'null/1'; Application = 'park' } } | New-SipCall -ThrottleLimit $n -Wait", Count);
        Assert.Equal((Count, Count), (calls.Length, calls.Select(c => c.CallId).Distinct().Count()));
        Assert.All(calls, AssertAnswered);
        Assert.Equal(calls.Select(c => c.CallId).Order(StringComparer.Ordinal), Ours().Select(c => c.CallId).Order(StringComparer.Ordinal));
        Assert.Equal(before.ActiveChannels + Count, Module.Run<SipStatistic>("Get-SipStatistic").ActiveChannels);
        SipCall[] ended = Stop(calls);
        Assert.Equal((Count, Count), (ended.Length, ended.Select(c => c.CallId).Distinct().Count()));
        Assert.All(ended, c => AssertFinal(c, Cleared, null, "null/1", answered: Array.Find(calls, a => a.CallId == c.CallId)));
        Assert.Empty(Ours());
        // Each was answered once, ended once, and has one record.
        HashSet<string> ids = [.. calls.Select(c => c.CallId)];
        Eventually(() => watch.States(ids).Count(s => s == CallState.Terminated) >= Count, "all ends are told");
        foreach (CallState state in new[] { CallState.Connected, CallState.Terminated }) Assert.Equal(Count, watch.States(ids).Count(s => s == state));
        Assert.Equal(Count, Module.Run("Get-SipCallDetailRecord").Count(r => ids.Contains(((SipCallDetailRecord)r.BaseObject).CallId!)));
    }

    // What was on the wire of a call between two numbers is told as it was: once each, in order, and connected when B has answered.
    [FreeSwitchTheory]
    [InlineData("sofia/gateway/answer/1", "Dialing Ringing Connected HangingUp Terminated")]
    [InlineData("sofia/gateway/ring/ring", "Dialing Ringing HangingUp Terminated")]
    [InlineData("sofia/gateway/busy/busy", "Dialing Ringing Terminated")]
    public void Each_step_is_told_once_from_the_first_on(string to, string states)
    {
        using var watch = new CallWatch(Module, "New-SipCall -From error/USER_BUSY -To 1000");
        SipCall call = Make<SipCall>($"New-SipCall -From 5 -To {to}");
        if (!to.EndsWith("busy", StringComparison.Ordinal))
        {
            Until(call, c => c.Legs.Count == 2 && (to.EndsWith("ring", StringComparison.Ordinal) ? c.Legs[1].State == "RINGING" : c.State == CallState.Connected));
            Stop(call);
        }

        SipCall ended = WaitForEnd(call);
        Eventually(() => watch.States([call.CallId]).Contains(CallState.Terminated), "its end is told");
        Assert.Equal(states, string.Join(' ', watch.States([call.CallId])));
        SipEvent? connected = watch.Events([call.CallId]).Find(e => e.Call!.State == CallState.Connected);
        Assert.Equal((ended.AnsweredAt, ended.AnsweredAt is null), (connected?.Call!.AnsweredAt, connected is null));
        // It was not told before the second leg was up.
        if (connected is not null) Assert.Equal(["ACTIVE", "ACTIVE"], connected.Call!.Legs.Select(l => l.State));
    }

    [FreeSwitchTheory]
    [InlineData("", "NormalClearing", 16, "NORMAL_CLEARING")]
    [InlineData("-Cause UserBusy", "UserBusy", 17, "USER_BUSY")]
    [InlineData("-Cause CallRejected", "CallRejected", 21, "CALL_REJECTED")]
    [InlineData("-Cause NoAnswer", "NoAnswer", 19, "NO_ANSWER")]
    public void The_cause_that_was_asked_for_is_the_cause_of_the_call(string how, string cause, int code, string text)
    {
        var why = new Verdict(Enum.Parse<HangupCause>(cause), code, null, text);
        SipCall call = Pair();
        AssertFinal(Change(call, "Stop-SipCall " + how), why, "5", "sofia/gateway/answer/1", answered: call);
        // The server itself took it. The other leg may end with the first before it is told why.
        Assert.Equal(text, Module.Run("param($c) $c | Get-SipCallDetailRecord", call).Select(r => (SipCallDetailRecord)r.BaseObject).Single(r => r.LegId == call.CallId).Disposition);
        SipCall ringing = Make<SipCall>("New-SipCall -From sofia/gateway/ring/ring -To 1000 | Wait-SipCall -State Ringing -Timeout 10");
        AssertFinal(Change(ringing, "Stop-SipCall " + how), why, "sofia/gateway/ring/ring", "1000");
    }

    [FreeSwitchFact]
    public void A_cause_that_the_server_does_not_know_stops_nothing()
    {
        SipCall call = Pair();
        Fails(call, "SipInvalidArgument", "Stop-SipCall -Cause ServerShutdown");
        Assert.Equal((CallState.Connected, 2), (Now(call).State, Up(Now(call))));
        AssertStopped(call, "5", "sofia/gateway/answer/1");
    }

    [FreeSwitchFact]
    public void The_server_tells_what_it_knows()
    {
        SipGateway gateway = (SipGateway)Assert.Single(Module.Run("Get-SipGateway"), g => ((SipGateway)g.BaseObject).Name == "answer").BaseObject;
        Assert.Equal(("NOREG (UP)", true, null), (gateway.Status, gateway.Available, gateway.ActiveChannels));
        Assert.StartsWith("sip:", Assert.Single(gateway.Contacts), StringComparison.Ordinal);
        Assert.All(Module.Run("Get-SipGateway"), g => Assert.Null(((SipGateway)g.BaseObject).Fields["password"]));
        SipRegistration[] registrations = [.. Module.Run("Get-SipRegistration").Select(r => (SipRegistration)r.BaseObject)];
        Assert.All(registrations, r => Assert.StartsWith("sip:", r.Contact, StringComparison.Ordinal));
        if (Registered is { } registered) Assert.Equal(registered, registrations.Select(r => $"{r.Aor} {r.Contact} {r.Status}").Order(StringComparer.Ordinal));
        Module.Fails("SipNotSupported", "Get-SipQueue");
        SipStatistic before = Module.Run<SipStatistic>("Get-SipStatistic");
        SipCall call = Pair();
        SipStatistic with = Module.Run<SipStatistic>("Get-SipStatistic");
        Assert.Equal(before.ActiveChannels + 2, with.ActiveChannels);
        Assert.NotNull(with.Uptime);
        Assert.StartsWith("FreeSWITCH 1.10.", with.Version, StringComparison.Ordinal);
        Stop(call);
        Assert.Equal(call.CallId, Module.Run<SipCall>("Get-SipCallHistory -Last 1").CallId);
        // The verdict hangs on how fast a busy machine is; that it was measured does not.
        SipServerHealth health = Module.Run<SipServerHealth>("Test-SipServer");
        Assert.Equal((ConnectionState.Connected, 0.0, true, null), (health.State, health.FailureRate, health.Latency is not null, health.Message));
    }

    [FreeSwitchFact]
    public void Raw_commands()
    {
        Assert.True(Module.Run<SipCommandResult>("Invoke-SipCommand uptime -Confirm:$false").Success);
        Assert.False(Module.Run<SipCommandResult>("Invoke-SipCommand nosuch -Confirm:$false").Success);
        foreach (string reserved in new[] { "exit", "auth", "event", "noevents", "filter", "myevents" }) Module.Fails("SipInvalidArgument", $"Invoke-SipCommand {reserved} -Confirm:$false");
        Module.Fails("SipInvalidArgument", "Invoke-SipCommand show -Field @{ a = \"calls`n`nexit\" } -Confirm:$false");
    }

    /// <summary>Who is registered, as address, contact and status; null where nobody knows.</summary>
    protected virtual string[]? Registered => null;

    private SipCallDetailRecord Record(SipCall call) => Module.Run<SipCallDetailRecord>("param($c) $c | Get-SipCallDetailRecord", call);

    // How it is told that nobody answered in time: by the server as a cause of its own.
    private static Verdict TimedOut => new(HangupCause.NoAnswer, 19, null, "NO_ANSWER");
}
