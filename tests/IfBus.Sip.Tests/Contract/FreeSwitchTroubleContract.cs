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
    private static readonly (HangupCause Cause, int Code, int[] Statuses)[] Answers =
    [
        (HangupCause.TemporaryFailure, 41, [400, 481, 500, 503]), (HangupCause.CallRejected, 21, [401, 402, 403, 407, 603]), (HangupCause.UnallocatedNumber, 1, [404]),
        (HangupCause.ServiceUnavailable, 63, [405]), (HangupCause.ServiceNotImplemented, 79, [406, 415, 501]), (HangupCause.RecoveryOnTimerExpire, 102, [408, 504]),
        (HangupCause.NumberChanged, 22, [410]), (HangupCause.Interworking, 127, [413, 505]), (HangupCause.ExchangeRoutingError, 25, [482, 483]),
        (HangupCause.InvalidNumberFormat, 28, [484]), (HangupCause.NoRouteToDestination, 3, [485, 604]), (HangupCause.UserBusy, 17, [486, 600]),
        (HangupCause.NormalClearing, 16, [487]), (HangupCause.IncompatibleDestination, 88, [488, 606]), (HangupCause.NetworkOutOfOrder, 38, [502]),
        (HangupCause.NoUserResponding, 18, [480]),
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
        foreach (SipCall call in new[] { talking, parked, held }) AssertEnded(Stop(call), HangupCause.NormalClearing, 16, null, answered: true);
        Assert.Empty(Ours());
    }

    [FreeSwitchFact]
    public void A_paused_server_is_named_as_the_reason()
    {
        Api("fsctl", "pause", "outbound");
        try
        {
            AssertRefused(Call("-From 5 -To 1000"), "paused for outbound calls");
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
            AssertRefused(Call("-From 5 -To 1000"), "limit of 1 sessions (");
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

            Assert.All(calls.Where(c => c.State == CallState.Terminated), c => AssertRefused(c, "limit of 2 sessions per second"));
        }
        finally
        {
            Api("fsctl", "sps", before);
        }

        // In force from the next second on; until then the next test would be refused.
        DateTime soon = DateTime.UtcNow.AddSeconds(15);
        while (Five().Any(c => c.State == CallState.Terminated)) Assert.True(DateTime.UtcNow < soon, "the server still refuses");

        SipCall[] Five() => Calls(Module.Run("1..5 | ForEach-Object { [pscustomobject]@{ To = 'null/1'; Application = 'park' } } | New-SipCall -ThrottleLimit 5 -Wait"));
    }

    [FreeSwitchFact]
    public void A_thousand_calls_are_listed_filtered_and_stopped_and_none_is_lost()
    {
        const int Count = 1000;
        SipCall[] calls = Calls(Module.Run("param($n) 1..$n | ForEach-Object { [pscustomobject]@{ To = \"null/$_\"; Application = 'park' } } | New-SipCall -ThrottleLimit 50 -Wait", Count));
        Assert.Equal(Count, calls.Select(c => c.CallId).Distinct().Count());
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
        Assert.All(stopped.Concat(rest), c => AssertEnded(c, HangupCause.NormalClearing, 16, null, answered: true));
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
        SipCall ended = Stop(moved);
        Assert.Equal((CallState.Terminated, HangupCause.NormalClearing, 16, moved.AnsweredAt), (ended.State, ended.Cause, ended.CauseCode, ended.AnsweredAt));
        if (caller.WaitForEnd() is { } status) Assert.Equal(200, status);
        Assert.Contains("send_bye", Dispositions(call));
    }

    [FreeSwitchTheory]
    [InlineData("UserBusy", 17, 486)]
    [InlineData("CallRejected", 21, 603)]
    public void A_call_that_comes_in_is_refused_with_the_cause_that_was_asked_for(string cause, int code, int status)
    {
        using ICaller caller = CallIn("1002");
        SipCall call = Incoming("1002");
        SipCall ended = Change(call, $"Deny-SipCall -Cause {cause}");
        Assert.Equal((CallState.Terminated, cause, code, (DateTime?)null), (ended.State, ended.Cause.ToString(), ended.CauseCode, ended.AnsweredAt));
        Assert.Equal(["send_refuse"], Dispositions(call));
        if (caller.WaitForEnd() is { } seen) Assert.Equal(status, seen);
    }

    [FreeSwitchFact]
    public void Each_SIP_answer_becomes_its_cause()
    {
        Assert.Equal(31, Statuses.Length);
        string[] endpoints = [.. Statuses.Select(Refusing)];
        SipCall[] calls = Calls(Module.Run("param($e) $e | ForEach-Object { [pscustomobject]@{ From = $_; To = '1000' } } | New-SipCall -ThrottleLimit 8 -Wait", new object[] { endpoints }));
        string[] expected = [.. Answers.SelectMany(a => a.Statuses.Select(s => $"{s} {a.Cause} {a.Code}"))];
        // What the other side said is told beside it.
        string[] found = [.. endpoints.Select(e => Assert.Single(calls, c => c.From == e)).Select(c => $"{c.SipStatus} {c.Cause} {c.CauseCode}")];
        Assert.Equal(expected, found);
        Assert.All(calls, c => Assert.Equal((CallState.Terminated, (DateTime?)null), (c.State, c.AnsweredAt)));
    }

    [FreeSwitchFact]
    public void Busy_after_its_sound_is_busy_and_never_was_connected()
    {
        SipCall call = Call($"-From {EarlyThenBusy} -To 1000");
        AssertEnded(call, HangupCause.UserBusy, 17, 486, answered: false);
        SipCallDetailRecord record = Module.Run<SipCallDetailRecord>("param($c) $c | Get-SipCallDetailRecord", call);
        // The server itself saw the sound.
        Assert.NotEqual("0", record.Fields["variable_progress_media_epoch"]);
        Assert.Null(record.AnsweredAt);
        SipCall second = Call($"-From 5 -To {EarlyThenBusy}");
        AssertEnded(second, HangupCause.UserBusy, 17, 486, answered: false);
    }

    [FreeSwitchFact]
    public void Of_two_phones_that_ring_together_the_one_that_answers_is_the_party()
    {
        // What is asked of the one server is asked before there are several.
        Assert.False(Is16);
        Module.Run("param($h, $p, $c) Connect-SipServer $h -Type FreeSwitch -Port $p -Credential $c -Name race -EndpointTemplate 'sofia/gateway/ring/{0},sofia/gateway/answer/{0}'", Server.Host, Server.Port, Credentials.Of(Server.User, Server.Secret));
        SipCall call = Module.Run<SipCall>("New-SipCall -Server race -From 5 -To 1000 -Wait");
        AssertAnswered(call);
        // Losing is no end of the call, and no cause of it.
        SipCall one = Module.Run<SipCall>("param($c) $c | Get-SipCallStatus", call);
        DateTime end = DateTime.UtcNow.AddSeconds(15);
        while (!one.Legs.Any(l => l.State == "Hungup") && DateTime.UtcNow < end) one = Module.Run<SipCall>("param($c) $c | Get-SipCallStatus", call);
        Assert.Equal((CallState.Connected, 2, 1), (one.State, one.Legs.Count, Up(one)));
        AssertEnded(Stop(call), HangupCause.NormalClearing, 16, null, answered: true);
        Assert.Equal(["LOSE_RACE", "NORMAL_CLEARING"], Module.Run("param($c) $c | Get-SipCallDetailRecord", call).Select(r => ((SipCallDetailRecord)r.BaseObject).Disposition).Order(StringComparer.Ordinal));

        // All of them end with a call that nobody has answered.
        Module.Run("param($h, $p, $c) Connect-SipServer $h -Type FreeSwitch -Port $p -Credential $c -Name wait -EndpointTemplate 'sofia/gateway/ring/{0},sofia/gateway/ring/{0}'", Server.Host, Server.Port, Credentials.Of(Server.User, Server.Secret));
        SipCall ringing = Module.Run<SipCall>("New-SipCall -Server wait -From 5 -To 1000 | Wait-SipCall -State Ringing -Timeout 15");
        SipCall ended = Stop(ringing);
        AssertEnded(ended, HangupCause.NormalClearing, 16, null, answered: false);
        Assert.All(ended.Legs, l => Assert.Equal("Hungup", l.State));
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
        SipCall ringing = Module.Run<SipCall>("New-SipCall -From sofia/gateway/ring/1 -To 1000 | Wait-SipCall -State Ringing -Timeout 15");
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

    private void AssertGone(SipCall[] calls, SipRecording recording, HangupCause cause)
    {
        foreach (SipCall call in calls)
        {
            SipCall ended = Module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 60", call);
            Assert.Equal((CallState.Terminated, cause, call.AnsweredAt), (ended.State, ended.Cause, ended.AnsweredAt));
            Assert.NotNull(ended.EndedAt);
            Assert.All(ended.Legs, l => Assert.Equal("Hungup", l.State));
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
        AssertEnded(Stop(again), HangupCause.NormalClearing, 16, null, answered: true);
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

    private static void AssertRefused(SipCall call, string reason)
    {
        Assert.Equal((CallState.Terminated, HangupCause.DestinationOutOfOrder, 27, (DateTime?)null), (call.State, call.Cause, call.CauseCode, call.AnsweredAt));
        Assert.Contains(reason, call.CauseText, StringComparison.Ordinal);
        Assert.StartsWith("DESTINATION_OUT_OF_ORDER: ", call.CauseText, StringComparison.Ordinal);
        Assert.Empty(call.Legs);
    }

    private string[] Dispositions(SipCall call) =>
        [.. Module.Run("param($c) $c | Get-SipCallDetailRecord", call).Select(r => ((SipCallDetailRecord)r.BaseObject).Fields["variable_sip_hangup_disposition"] ?? "-")];
}
