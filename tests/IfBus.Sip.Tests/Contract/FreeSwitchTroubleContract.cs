using System.Collections;
using System.Globalization;
using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>A phone outside that calls the server.</summary>
public interface ICaller : IDisposable
{
    /// <summary>Waits for its end: the SIP status that it was refused with, 200 if it was answered and the server hung up; null where the phone does not tell.</summary>
    int? WaitForEnd();
}

/// <summary>
/// What a user of FreeSWITCH is promised when the server goes away, has reached its limits, or is called, and what far
/// ends answer. One suite, the same verdicts, on the simulator and on a real server.
/// </summary>
public abstract class FreeSwitchTroubleContract : FreeSwitchServerContract
{
    // Which cause each SIP answer to an INVITE becomes (wire/freeswitch, causes).
    private static readonly (HangupCause Cause, int Code, string Text, int[] Statuses)[] Answers =
    [
        (HangupCause.TemporaryFailure, 41, "NORMAL_TEMPORARY_FAILURE", [400, 481, 500, 503]), (HangupCause.CallRejected, 21, "CALL_REJECTED", [401, 402, 403, 407, 603]),
        (HangupCause.UnallocatedNumber, 1, "UNALLOCATED_NUMBER", [404]), (HangupCause.ServiceUnavailable, 63, "SERVICE_UNAVAILABLE", [405]),
        (HangupCause.ServiceNotImplemented, 79, "SERVICE_NOT_IMPLEMENTED", [406, 415, 501]), (HangupCause.RecoveryOnTimerExpire, 102, "RECOVERY_ON_TIMER_EXPIRE", [408, 504]),
        (HangupCause.NumberChanged, 22, "NUMBER_CHANGED", [410]), (HangupCause.Interworking, 127, "INTERWORKING", [413, 505]), (HangupCause.ExchangeRoutingError, 25, "EXCHANGE_ROUTING_ERROR", [482, 483]),
        (HangupCause.InvalidNumberFormat, 28, "INVALID_NUMBER_FORMAT", [484]), (HangupCause.NoRouteToDestination, 3, "NO_ROUTE_DESTINATION", [485, 604]), (HangupCause.UserBusy, 17, "USER_BUSY", [486, 600]),
        (HangupCause.NormalClearing, 16, "ORIGINATOR_CANCEL", [487]), (HangupCause.IncompatibleDestination, 88, "INCOMPATIBLE_DESTINATION", [488, 606]), (HangupCause.NetworkOutOfOrder, 38, "NETWORK_OUT_OF_ORDER", [502]),
        (HangupCause.NoUserResponding, 18, "NO_USER_RESPONSE", [480]),
    ];

    /// <summary>The SIP answers that refuse.</summary>
    protected static int[] Statuses { get; } = [.. Answers.SelectMany(a => a.Statuses)];

    /// <summary>The endpoint of a phone that refuses with a SIP status.</summary>
    protected abstract string Refusing(int status);

    /// <summary>The endpoint of a phone that sends sound (183) and then is busy (486).</summary>
    protected abstract string EarlyThenBusy { get; }

    /// <summary>A phone calls the server.</summary>
    protected abstract ICaller CallIn(string number);

    /// <summary>Ends the server's process without a word, and starts it again.</summary>
    protected abstract void Kill();

    /// <summary>Starts the server again after its own shutdown.</summary>
    protected abstract void StartAgain();

    [FreeSwitchRestartFact]
    public void A_shutdown_ends_all_calls_with_its_cause()
    {
        string core = Core();
        SipCall[] calls = Various(out SipRecording recording);
        // Whether its own command is still answered is chance.
        Module.Try("Invoke-SipCommand fsctl -Field @{ what = 'shutdown' } -Confirm:$false");
        AssertGone(calls, recording, HangupCause.ServerShutdown);
        StartAgain();
        AssertBack(calls, core);
    }

    [FreeSwitchRestartFact]
    public void A_killed_server_ends_all_calls_once_it_is_back()
    {
        string core = Core();
        SipCall[] calls = Various(out SipRecording recording);
        Kill();
        AssertGone(calls, recording, HangupCause.ServerRestarted);
        AssertBack(calls, core);
    }

    [FreeSwitchRestartFact]
    public void A_reload_of_the_event_socket_loses_no_call()
    {
        string core = Core();
        // None that rings: 1.10.12 itself crashes (SIGSEGV) when a job of the Event Socket ends after that was reloaded.
        SipCall[] calls = Talking(out SipRecording recording);
        Module.Try("Invoke-SipCommand reload -Field @{ module = 'mod_event_socket' } -Confirm:$false");
        UntilBack();
        Assert.Equal(core, Core());
        (SipCall talking, SipCall parked, SipCall held) = (calls[0], calls[1], calls[2]);
        Assert.Equal(calls.Select(c => c.CallId).Order(StringComparer.Ordinal), Ours().Select(c => c.CallId).Order(StringComparer.Ordinal));
        foreach (SipCall call in calls)
        {
            SipCall now = Now(call);
            Assert.Equal((call.CallId, call.State, call.AnsweredAt, call.Legs.Count), (now.CallId, now.State, now.AnsweredAt, now.Legs.Count));
        }

        // They are in our hands as before.
        Assert.Equal(CallState.Connected, Change(held, "Resume-SipCall").State);
        Assert.Equal(SipRecordingState.Stopped, Module.Run<SipRecording>("param($r) $r | Stop-SipRecording -PassThru", recording).State);
        Assert.Equal(2, Up(Change(talking, "Move-SipCall -To sofia/gateway/answer/2")));
        AssertStopped(talking, "5", "sofia/gateway/answer/2");
        AssertStopped(parked, null, "5");
        AssertStopped(held, "5", "sofia/gateway/answer/1");
        Assert.Empty(Ours());
    }

    [FreeSwitchFact]
    public void A_paused_server_is_named_as_the_reason()
    {
        Api("fsctl", "pause", "outbound");
        try
        {
            AssertRefused(Call("-From 5 -To 1000"), "paused for outbound calls", "5", "1000");
        }
        finally
        {
            Api("fsctl", "resume", "outbound");
        }

        AssertAnswered(Call("-From 5 -To 1000"));
    }

    [FreeSwitchFact]
    public void The_limit_of_sessions_is_named_as_the_reason()
    {
        string before = Module.Run<SipStatistic>("Get-SipStatistic").MaxCalls!.Value.ToString(CultureInfo.InvariantCulture);
        SipCall first = Call("-To 5 -Application park");
        Api("fsctl", "max_sessions", "1");
        try
        {
            AssertRefused(Call("-From 5 -To 1000"), "limit of 1 sessions (", "5", "1000");
            Assert.Equal(CallState.Connected, Now(first).State);
        }
        finally
        {
            Api("fsctl", "max_sessions", before);
        }

        AssertAnswered(Call("-From 5 -To 1000"));
    }

    [FreeSwitchFact]
    public void The_limit_of_sessions_a_second_is_named_as_the_reason()
    {
        string before = Module.Run<string>("((Invoke-SipCommand fsctl -Field @{ what = 'sps' } -Confirm:$false).Output -join '') -replace '\\D'");
        Api("fsctl", "sps", "2");
        try
        {
            // One a second is let through, from the next second on.
            SipCall[] calls = [];
            DateTime end = DateTime.UtcNow.AddSeconds(15);
            while (!calls.Any(c => c.State == CallState.Terminated))
            {
                Assert.True(DateTime.UtcNow < end, "the server took all calls");
                calls = Five();
            }

            Assert.All(calls.Where(c => c.State == CallState.Terminated), c => AssertRefused(c, "limit of 2 sessions per second", null, "null/1"));
        }
        finally
        {
            Api("fsctl", "sps", before);
        }

        // In force from the next second on; until then the next test would be refused.
        DateTime soon = DateTime.UtcNow.AddSeconds(15);
        while (Five().Any(c => c.State == CallState.Terminated)) Assert.True(DateTime.UtcNow < soon, "the server still refuses");

        SipCall[] Five() => Make<SipCall[]>("1..5 | ForEach-Object { [pscustomobject]@{ To = 'null/1'; Application = 'park' } } | New-SipCall -ThrottleLimit 5 -Wait");
    }

    [FreeSwitchFact]
    public void A_thousand_calls_are_listed_filtered_and_stopped_and_none_is_lost()
    {
        const int Count = 1000;
        SipCall[] calls = Make<SipCall[]>("param($n) 1..$n | ForEach-Object { [pscustomobject]@{ To = \"null/$_\"; Application = 'park' } } | New-SipCall -ThrottleLimit 50 -Wait", Count);
        Assert.Equal((Count, Count), (calls.Length, calls.Select(c => c.CallId).Distinct().Count()));
        Assert.All(calls, AssertAnswered);
        Assert.Equal(calls.Select(c => c.CallId).Order(StringComparer.Ordinal), Ours().Select(c => c.CallId).Order(StringComparer.Ordinal));
        const string Some = "Get-SipCallStatus | Where-Object CallId -NotIn $script:others | Where-Object To -Match '^null/99'";
        SipCall[] some = Calls(Module.Run(Some));
        Assert.Equal(11, some.Length);
        SipCall[] stopped = Calls(Module.Run(Some + " | Stop-SipCall -PassThru"));
        Assert.Equal(some.Select(c => c.CallId).Order(StringComparer.Ordinal), stopped.Select(c => c.CallId).Order(StringComparer.Ordinal));
        Assert.Equal(Count - 11, Ours().Length);
        SipCall[] rest = Calls(Module.Run("Get-SipCallStatus | Where-Object CallId -NotIn $script:others | Where-Object State -EQ Connected | Stop-SipCall -PassThru"));
        Assert.Equal(Count, stopped.Concat(rest).Select(c => c.CallId).Distinct().Count());
        Assert.Equal(Count, stopped.Length + rest.Length);
        Dictionary<string, SipCall> answered = calls.ToDictionary(c => c.CallId);
        Assert.Equal(Count, calls.Select(c => c.To).Distinct().Count());
        Assert.All(stopped.Concat(rest), c => AssertFinal(c, Cleared, null, answered[c.CallId].To, answered: answered[c.CallId]));
        Assert.Empty(Ours());
        // Each ended once, and has one record.
        HashSet<string> ours = [.. calls.Select(c => c.CallId)];
        Assert.Equal(Count, Calls(Module.Run("Get-SipCallHistory")).Count(c => ours.Contains(c.CallId)));
        Assert.Equal(Count, Module.Run("Get-SipCallDetailRecord").Count(r => ours.Contains(((SipCallDetailRecord)r.BaseObject).CallId!)));
    }

    [FreeSwitchFact]
    public void A_call_that_comes_in_is_answered_moved_and_ended()
    {
        using ICaller caller = CallIn("1002");
        SipCall call = Incoming("1002");
        Assert.Equal((CallDirection.Inbound, "5550100", (DateTime?)null), (call.Direction, call.From, call.AnsweredAt));
        AssertAnswered(Change(call, "Receive-SipCall"));
        Fails(call, "SipCallNotIncoming", "Deny-SipCall");
        Fails(call, "SipCallNotIncoming", "Receive-SipCall");
        SipCall moved = Change(call, "Move-SipCall -To sofia/gateway/answer/2");
        Assert.Equal((CallState.Connected, 2, "sofia/gateway/answer/2"), (moved.State, Up(moved), moved.To));
        AssertFinal(Stop(moved), Cleared, "5550100", "sofia/gateway/answer/2", answered: moved, direction: CallDirection.Inbound, ours: false);
        if (caller.WaitForEnd() is { } status) Assert.Equal(200, status);
        Assert.Contains("send_bye", Dispositions(call));
    }

    [FreeSwitchTheory]
    [InlineData("UserBusy", 17, "USER_BUSY", 486)]
    [InlineData("CallRejected", 21, "CALL_REJECTED", 603)]
    public void A_call_that_comes_in_is_refused_with_the_cause_that_was_asked_for(string cause, int code, string text, int status)
    {
        using ICaller caller = CallIn("1002");
        SipCall call = Incoming("1002");
        SipCall ended = Change(call, $"Deny-SipCall -Cause {cause}");
        // The status is the one that the server sent, and none that ended it for us.
        AssertFinal(ended, new Verdict(Enum.Parse<HangupCause>(cause), code, null, text), "5550100", "1002", direction: CallDirection.Inbound, ours: false);
        Assert.Equal(["send_refuse"], Dispositions(call));
        if (caller.WaitForEnd() is { } seen) Assert.Equal(status, seen);
    }

    [FreeSwitchFact]
    public void Each_SIP_answer_becomes_its_cause()
    {
        Assert.Equal(31, Statuses.Length);
        string[] endpoints = [.. Statuses.Select(Refusing)];
        SipCall[] calls = Make<SipCall[]>("param($e) $e | ForEach-Object { [pscustomobject]@{ From = $_; To = '1000' } } | New-SipCall -ThrottleLimit 8 -Wait", new object[] { endpoints });
        Assert.Equal(31, calls.Length);
        // What the other side said is told beside it.
        foreach ((HangupCause cause, int code, string text, int status) in Answers.SelectMany(a => a.Statuses.Select(s => (a.Cause, a.Code, a.Text, s))))
        {
            string endpoint = Refusing(status);
            AssertFinal(Assert.Single(calls, c => c.From == endpoint), new Verdict(cause, code, status, text), endpoint, "1000");
        }
    }

    [FreeSwitchFact]
    public void Busy_after_its_sound_is_busy_and_never_was_connected()
    {
        string endpoint = EarlyThenBusy;
        SipCall call = Call($"-From {endpoint} -To 1000");
        var busy = new Verdict(HangupCause.UserBusy, 17, 486, "USER_BUSY");
        AssertFinal(call, busy, endpoint, "1000");
        SipCallDetailRecord record = Module.Run<SipCallDetailRecord>("param($c) $c | Get-SipCallDetailRecord", call);
        // The server itself saw the sound.
        Assert.NotEqual("0", record.Fields["variable_progress_media_epoch"]);
        Assert.Null(record.AnsweredAt);
        endpoint = EarlyThenBusy;
        AssertFinal(Call($"-From 5 -To {endpoint}"), busy, "5", endpoint);
    }

    [FreeSwitchFact]
    public void Of_two_phones_that_ring_together_the_one_that_answers_is_the_party()
    {
        Module.Run("param($h, $p, $c) Connect-SipServer $h -Type FreeSwitch -Port $p -Credential $c -Name race -EndpointTemplate 'sofia/gateway/ring/{0},sofia/gateway/answer/{0}'", Server.Host, Server.Port, Credentials.Of(Server.User, Server.Secret));
        SipCall call = Make<SipCall>("New-SipCall -Server race -From 5 -To 1000 -Wait");
        AssertAnswered(call);
        // Losing is no end of the call, and no cause of it.
        SipCall one = Module.Run<SipCall>("param($c) $c | Get-SipCallStatus", call);
        DateTime end = DateTime.UtcNow.AddSeconds(15);
        while (!one.Legs.Any(l => l.State == "Hungup") && DateTime.UtcNow < end) one = Module.Run<SipCall>("param($c) $c | Get-SipCallStatus", call);
        Assert.Equal((CallState.Connected, 2, 1), (one.State, one.Legs.Count, Up(one)));
        AssertStopped(call, "5", "1000");
        Assert.Equal(["LOSE_RACE", "NORMAL_CLEARING"], Module.Run("param($c) $c | Get-SipCallDetailRecord", call).Select(r => ((SipCallDetailRecord)r.BaseObject).Disposition).Order(StringComparer.Ordinal));

        // All of them end with a call that nobody has answered.
        Module.Run("param($h, $p, $c) Connect-SipServer $h -Type FreeSwitch -Port $p -Credential $c -Name wait -EndpointTemplate 'sofia/gateway/ring/{0},sofia/gateway/ring/{0}'", Server.Host, Server.Port, Credentials.Of(Server.User, Server.Secret));
        SipCall ringing = Make<SipCall>("New-SipCall -Server wait -From 5 -To 1000 | Wait-SipCall -State Ringing -Timeout 15");
        AssertFinal(Stop(ringing), Cleared, "5", "1000");
    }

    protected override void Configure(Hashtable settings)
    {
        base.Configure(settings);
        settings["ReconnectDelay"] = 0.1;
        settings["ReconnectMaxDelay"] = 0.3;
    }

    // Those, and one that rings.
    private SipCall[] Various(out SipRecording recording)
    {
        SipCall[] talking = Talking(out recording);
        SipCall ringing = Make<SipCall>("New-SipCall -From sofia/gateway/ring/1 -To 1000 | Wait-SipCall -State Ringing -Timeout 15");
        Assert.Equal(CallState.Ringing, ringing.State);
        return [.. talking, ringing];
    }

    // A pair that talks and is recorded, one party that waits, and a pair that is held.
    private SipCall[] Talking(out SipRecording recording)
    {
        SipCall talking = Pair();
        recording = Module.Run<SipRecording>("param($c) $c | Start-SipRecording -Path 'contract/{0}.wav'", talking);
        SipCall parked = Call("-To 5 -Application park");
        SipCall held = Change(Pair(), "Suspend-SipCall");
        Assert.Equal([CallState.Connected, CallState.Connected, CallState.OnHold], new[] { talking, parked, held }.Select(c => c.State));
        return [talking, parked, held];
    }

    // A server that shuts down says so of each leg, but not always in time.
    private void AssertGone(SipCall[] calls, SipRecording recording, HangupCause cause)
    {
        foreach ((SipCall call, (string? from, string to)) in calls.Zip<SipCall, (string?, string)>([("5", "sofia/gateway/answer/1"), (null, "5"), ("5", "sofia/gateway/answer/1"), ("sofia/gateway/ring/1", "1000")]))
        {
            SipCall ended = Module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 60", call);
            Verdict why = cause == HangupCause.ServerShutdown && ended.CauseCode is not null
                ? new Verdict(cause, 16, null, "SYSTEM_SHUTDOWN")
                : new Verdict(cause, null, null, cause == HangupCause.ServerShutdown ? "the server shut down or restarted" : "the server was restarted");
            AssertFinal(ended, why, from, to, answered: call.State == CallState.Ringing ? null : call);
            if (call.CallId == recording.CallId) Assert.StartsWith("Stopped", ended.Details["Recording:" + recording.RecordingId], StringComparison.Ordinal);
        }
    }

    private void AssertBack(SipCall[] calls, string core)
    {
        UntilBack();
        Assert.NotEqual(core, Core());
        Assert.Empty(Calls(Module.Run("Get-SipCallStatus")));
        foreach ((SipCall call, string what) in new[] { (calls[0], "Stop-SipRecording"), (calls[0], "Move-SipCall -To 1000"), (calls[2], "Resume-SipCall"), (calls[3], "Stop-SipCall") }) Fails(call, "SipCallEnded", what);
        SipCall[] history = Calls(Module.Run("Get-SipCallHistory"));
        Assert.All(calls, c => Assert.Single(history, h => h.CallId == c.CallId));
        SipCall again = Change(Pair(), "Suspend-SipCall");
        Assert.Equal((CallState.Connected, 2), (Change(again, "Resume-SipCall").State, Up(Now(again))));
        AssertStopped(again, "5", "sofia/gateway/answer/1");
    }

    private void UntilBack()
    {
        DateTime end = DateTime.UtcNow.AddSeconds(90);
        while (true)
        {
            SipServer now = Module.Run<SipServer>("Get-SipServer contract");
            if (now is { State: ConnectionState.Connected, Reconnects: > 0 }) return;
            Assert.True(DateTime.UtcNow < end, $"not back: {now.State}, {now.LastError}");
        }
    }

    // New at every start of the server.
    private string Core() => Api("global_getvar", "core_uuid");

    private void AssertRefused(SipCall call, string reason, string? from, string to)
    {
        Assert.Contains(reason, call.CauseText, StringComparison.Ordinal);
        Assert.StartsWith("DESTINATION_OUT_OF_ORDER: ", call.CauseText, StringComparison.Ordinal);
        AssertFinal(call, new Verdict(HangupCause.DestinationOutOfOrder, 27, null, call.CauseText), from, to);
        Assert.Empty(call.Legs);
    }

    private string[] Dispositions(SipCall call) =>
        [.. Module.Run("param($c) $c | Get-SipCallDetailRecord", call).Select(r => ((SipCallDetailRecord)r.BaseObject).Fields["variable_sip_hangup_disposition"] ?? "-")];
}
