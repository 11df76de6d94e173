using System.Globalization;
using System.Text;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Tests.Asterisk;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>The recordings of FreeSWITCH 1.10.12, in three cuts, to the right final states.</summary>
public sealed class FreeSwitchReplayTests
{
    public static TheoryData<string> Recordings()
    {
        var data = new TheoryData<string>();
        foreach (string file in Transcript.Files("freeswitch")) data.Add(Path.GetFileName(file).Split('.')[0]);
        return data;
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Every_cut_gives_the_same_messages_and_states(string scenario)
    {
        Transcript recording = Transcript.Open("freeswitch", scenario);
        foreach (int connection in recording.Connections)
        {
            FreeSwitchReplay whole = new FreeSwitchReplay().Feed(recording, connection, Cut.Whole);
            AssertSound(whole);
            // There the client keeps the results of its originates from itself by a filter.
            if (scenario != "event-plain-filter") AssertEnded(whole);
            foreach (Cut cut in new[] { Cut.Nasty, Cut.ByteByByte })
            {
                // A megabyte, byte by byte, says no more than the first part of it.
                int limit = cut == Cut.ByteByByte ? 100_000 : int.MaxValue;
                FreeSwitchReplay expected = limit == int.MaxValue ? whole : new FreeSwitchReplay().Feed(recording, connection, Cut.Whole, limit);
                FreeSwitchReplay actual = new FreeSwitchReplay().Feed(recording, connection, cut, limit);
                Assert.Equal(expected.Messages, actual.Messages);
                Assert.Equal(States(expected), States(actual));
            }
        }
    }

    [Theory]
    [InlineData("originate-sofia-busy-486", HangupCause.UserBusy, 17, 486, "USER_BUSY")]
    [InlineData("originate-sofia-603", HangupCause.CallRejected, 21, 603, "CALL_REJECTED")]
    [InlineData("originate-sofia-404", HangupCause.UnallocatedNumber, 1, 404, "UNALLOCATED_NUMBER")]
    [InlineData("originate-sofia-480", HangupCause.NoUserResponding, 18, 480, "NO_USER_RESPONSE")]
    [InlineData("originate-sofia-503", HangupCause.TemporaryFailure, 41, 503, "NORMAL_TEMPORARY_FAILURE")]
    [InlineData("originate-sofia-nobody-listening", HangupCause.TemporaryFailure, 41, 503, "NORMAL_TEMPORARY_FAILURE")]
    [InlineData("originate-sofia-no-answer-timeout", HangupCause.NoAnswer, 19, null, "NO_ANSWER")]
    public void Calls_that_nobody_answers(string scenario, HangupCause cause, int code, int? sipStatus, string text)
    {
        FreeSwitchReplay replay = One(scenario);
        SipCall call = replay.Call;
        Assert.Equal((CallState.Terminated, cause, code, sipStatus, text), (call.State, call.Cause, call.CauseCode, call.SipStatus, call.CauseText));
        Assert.Null(call.AnsweredAt);
        Assert.DoesNotContain(replay.Changes, c => c.Call!.State == CallState.Connected);
        Assert.Empty(replay.Calls.SnapshotLive());
    }

    [Fact]
    public void Thirty_one_sip_answers_give_the_causes_that_the_server_gives()
    {
        // SIP status to cause and Q.850 number (wire/freeswitch, causes).
        var expected = new Dictionary<int, (HangupCause, int?)>
        {
            [400] = (HangupCause.TemporaryFailure, 41),
            [401] = (HangupCause.CallRejected, 21),
            [402] = (HangupCause.CallRejected, 21),
            [403] = (HangupCause.CallRejected, 21),
            [404] = (HangupCause.UnallocatedNumber, 1),
            [405] = (HangupCause.ServiceUnavailable, 63),
            [406] = (HangupCause.ServiceNotImplemented, 79),
            [407] = (HangupCause.CallRejected, 21),
            [408] = (HangupCause.RecoveryOnTimerExpire, 102),
            [410] = (HangupCause.NumberChanged, 22),
            [413] = (HangupCause.Interworking, 127),
            [415] = (HangupCause.ServiceNotImplemented, 79),
            [480] = (HangupCause.NoUserResponding, 18),
            [481] = (HangupCause.TemporaryFailure, 41),
            [482] = (HangupCause.ExchangeRoutingError, 25),
            [483] = (HangupCause.ExchangeRoutingError, 25),
            [484] = (HangupCause.InvalidNumberFormat, 28),
            [485] = (HangupCause.NoRouteToDestination, 3),
            [486] = (HangupCause.UserBusy, 17),
            [487] = (HangupCause.NormalClearing, 16),
            [488] = (HangupCause.IncompatibleDestination, 88),
            [500] = (HangupCause.TemporaryFailure, 41),
            [501] = (HangupCause.ServiceNotImplemented, 79),
            [502] = (HangupCause.NetworkOutOfOrder, 38),
            [503] = (HangupCause.TemporaryFailure, 41),
            [504] = (HangupCause.RecoveryOnTimerExpire, 102),
            [505] = (HangupCause.Interworking, 127),
            [600] = (HangupCause.UserBusy, 17),
            [603] = (HangupCause.CallRejected, 21),
            [604] = (HangupCause.NoRouteToDestination, 3),
            [606] = (HangupCause.IncompatibleDestination, 88),
        };
        // Recorded with the originates' results only: each is the cause by its name.
        var seen = new Dictionary<int, (HangupCause, int?)>();
        Transcript recording = Transcript.Open("freeswitch", "sip-status-cause-map");
        string[] asked = [.. Encoding.UTF8.GetString(recording.Client(1)).Split("\n\n").Where(c => c.StartsWith("bgapi originate", StringComparison.Ordinal))];
        string[] results = [.. new FreeSwitchReplay().Feed(recording, 1, Cut.Whole).Messages.Select(m => EslJson.Text(m, "_body"u8)).OfType<string>()];
        Assert.Equal(asked.Length, results.Length);
        foreach ((string command, string result) in asked.Zip(results))
        {
            int at = command.IndexOf("v_sip_status=", StringComparison.Ordinal) + "v_sip_status=".Length;
            string cause = result["-ERR ".Length..].Trim();
            seen[int.Parse(command.AsSpan(at, 3), CultureInfo.InvariantCulture)] = (FreeSwitchCauses.Of(cause), cause == "ORIGINATOR_CANCEL" ? 16 : FreeSwitchCauses.Q850Of(cause));
        }

        Assert.Equal(expected.OrderBy(e => e.Key), seen.OrderBy(e => e.Key));
    }

    [Fact]
    public void Answered_and_ended_by_us()
    {
        SipCall call = One("originate-sofia-answered").Call;
        Assert.Equal((CallState.Terminated, HangupCause.NormalClearing, 16, null), (call.State, call.Cause, call.CauseCode, call.SipStatus));
        Assert.NotNull(call.AnsweredAt);
        Assert.Equal("PCMU", call.Codec);
    }

    [Fact]
    public void Early_media_is_not_an_answer()
    {
        FreeSwitchReplay replay = One("originate-sofia-early-media-not-ignored");
        SipEvent connected = Assert.Single(replay.Changes, c => c.Call!.State == CallState.Connected);
        Assert.Equal("CHANNEL_ANSWER", connected.Fields["Event-Name"]);
        Assert.Contains(replay.Changes, c => c.Call!.State == CallState.Ringing);
    }

    [Fact]
    public void Early_media_then_an_answer_then_the_far_end_hangs_up()
    {
        FreeSwitchReplay replay = One("originate-sofia-early-media-far-hangup");
        Assert.Equal([CallState.Dialing, CallState.Ringing, CallState.Connected, CallState.Terminated], replay.Changes.Select(c => c.Call!.State));
        Assert.Equal((HangupCause.NormalClearing, null), (replay.Call.Cause!.Value, replay.Call.SipStatus));
        Assert.StartsWith("sofia/internal/1000", replay.Call.Details["HungUpBy"], StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_are_no_utf8_are_read_as_far_as_they_can()
    {
        byte[] json = Assert.Single(One("event-invalid-utf8").Messages, m => m.AsSpan().IndexOf("text/event-json"u8) >= 0);
        Assert.Equal("caf\ufffd", EslJson.Text(json, "Name"u8));
        Assert.Contains(EslJson.Fields(json), f => f is { Name: "Name", Value: "caf\ufffd" });
    }

    [Fact]
    public void A_value_may_be_an_array_and_a_name_may_come_twice()
    {
        byte[] json = Encoding.UTF8.GetBytes("""{"Event-Name":"X","a":["one","t\"wo\\"],"b":"\"b\":\"forged\"","b":"second","c":"\u00e9\n","d":""}""");
        Assert.Equal(["X", "one", "t\"wo\\", "\"b\":\"forged\"", "second", "\u00e9\n", ""], EslJson.Fields(json).Select(f => f.Value));
        Assert.Equal("one", EslJson.Text(json, "a"u8));
        Assert.Equal("\"b\":\"forged\"", EslJson.Text(json, "b"u8));
        Assert.Null(EslJson.Text(json, "d"u8));
        Assert.Null(EslJson.Text(json, "forged"u8));
        for (int i = 0; i < json.Length; i++) Assert.NotNull(EslJson.Fields(json.AsSpan(0, i)));
    }

    [Fact]
    public void The_end_of_a_first_attempt_does_not_end_the_call()
    {
        FreeSwitchReplay replay = new FreeSwitchReplay().Feed(Transcript.Open("freeswitch", "originate-failover"), 1, Cut.Whole);
        string first = replay.Ours[0];
        CallState[] states = [.. replay.Changes.Where(c => c.CallId == first).Select(c => c.Call!.State)];
        Assert.Contains(CallState.Connected, states);
        Assert.Equal(CallState.Terminated, states[^1]);
        Assert.Single(states, CallState.Terminated);
        Assert.Equal(HangupCause.NormalClearing, replay.Final[first].Cause);
        Assert.Equal(2, replay.Final[first].Legs.Count);
    }

    [Fact]
    public void What_fails_before_a_channel_begins_has_its_cause_from_the_job()
    {
        FreeSwitchReplay replay = One("sync-failure-with-uuid");
        (string, HangupCause?)[] ended = [.. replay.Ours.Select(id => (replay.Final[id].CauseText!, replay.Final[id].Cause))];
        Assert.Equal(
            [("USER_BUSY", HangupCause.UserBusy), ("USER_NOT_REGISTERED", HangupCause.SubscriberAbsent), ("INVALID_GATEWAY", HangupCause.Unknown), ("SUBSCRIBER_ABSENT", HangupCause.SubscriberAbsent), ("CHAN_NOT_IMPLEMENTED", HangupCause.ChannelTypeNotImplemented)],
            ended);
        Assert.All(replay.Final.Values, c => Assert.Empty(c.Legs));
    }

    [Fact]
    public void Two_hundred_calls_in_a_burst_end_once_each()
    {
        FreeSwitchReplay replay = One("burst-200-calls");
        Assert.Equal(200, replay.Changes.Where(c => c.Call!.State == CallState.Terminated).Select(c => c.CallId).Distinct().Count());
        Assert.Equal(200, replay.Changes.Count(c => c.Call!.State == CallState.Terminated));
        Assert.Empty(replay.Calls.SnapshotLive());
    }

    [Fact]
    public void A_shutdown_is_the_cause_of_its_calls()
    {
        FreeSwitchReplay replay = One("server-shutdown");
        Assert.NotEmpty(replay.Final);
        Assert.All(replay.Final.Values, c => Assert.Equal((CallState.Terminated, HangupCause.ServerShutdown), (c.State, c.Cause)));
    }

    [Fact]
    public void A_dialplan_bridge_is_one_call_of_two_legs()
    {
        FreeSwitchReplay replay = One("dialplan-bridge");
        SipCall call = Assert.Single(replay.Final.Values, c => c.Legs.Count == 2);
        Assert.Equal((CallState.Terminated, HangupCause.NormalClearing), (call.State, call.Cause));
        SipEvent connected = Assert.Single(replay.Changes, c => c.CallId == call.CallId && c.Call!.State == CallState.Connected);
        Assert.Equal("CHANNEL_BRIDGE", connected.Fields["Event-Name"]);
    }

    [Fact]
    public void A_call_from_outside_is_inbound()
    {
        FreeSwitchReplay replay = One("inbound-call");
        Assert.Contains(replay.Final.Values, c => c is { Direction: CallDirection.Inbound, State: CallState.Terminated });
    }

    [Fact]
    public void Hold_is_seen_and_so_is_its_end()
    {
        FreeSwitchReplay replay = One("uuid-hold");
        Assert.Contains(replay.Changes, c => c.Call!.State == CallState.OnHold);
        Assert.Contains(replay.Changes, c => c is { PreviousState: CallState.OnHold, Call.State: CallState.Connected });
    }

    [Theory]
    [InlineData("originate-sofia-answered", 1019.964)]
    [InlineData("originate-answer-hangup", 1039.998)]
    [InlineData("dialplan-bridge", 620.025)]
    public void Events_that_are_read_late_and_together_do_not_shorten_a_call(string scenario, double milliseconds)
    {
        SipCall call = One(scenario).Final.Values.First(c => c.AnsweredAt is not null);
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), call.BillableDuration);
        Assert.Equal(call.BillableDuration, call.EndedAt - call.AnsweredAt);
        Assert.True(call.CreatedAt <= call.AnsweredAt, $"{call.CreatedAt:O} {call.AnsweredAt:O}");
    }

    [Fact]
    public void Detail_records_are_exact()
    {
        FreeSwitchReplay replay = One("originate-sofia-answered");
        SipCallDetailRecord record = Assert.Single(replay.Records.Find(new SipDetailRecordFilter { CallId = replay.Ours[0] }));
        Assert.Equal("NORMAL_CLEARING", record.Disposition);
        Assert.InRange((record.EndedAt!.Value - record.AnsweredAt!.Value - record.BillableDuration!.Value).TotalMilliseconds, -2, 2);
        Assert.Equal("send_bye", record.Fields["variable_sip_hangup_disposition"]);
    }

    private static FreeSwitchReplay One(string scenario)
    {
        Transcript recording = Transcript.Open("freeswitch", scenario);
        return new FreeSwitchReplay().Feed(recording, recording.Connections.First(), Cut.Whole);
    }

    private static void AssertSound(FreeSwitchReplay replay)
    {
        foreach (IGrouping<string, SipEvent> call in replay.Changes.GroupBy(c => c.CallId!))
        {
            Assert.True(call.Count(c => c.Call!.State == CallState.Terminated) <= 1, $"{call.Key} ended twice");
            Assert.True(call.Count(c => c.Call!.State == CallState.Connected && c.PreviousState is not (CallState.OnHold or CallState.Transferring)) <= 1, $"{call.Key} was connected twice");
            int terminated = call.ToList().FindIndex(c => c.Call!.State == CallState.Terminated);
            Assert.True(terminated < 0 || terminated == call.Count() - 1, $"{call.Key} went on after its end");
        }
    }

    // A call whose channels are all gone has ended.
    private static void AssertEnded(FreeSwitchReplay replay)
    {
        foreach (SipCall live in replay.Calls.SnapshotLive()) Assert.True(live.Legs.Count == 0 || live.Legs.Any(l => l.State != "Hungup"), $"{live.CallId} did not end");
    }

    private static List<string> States(FreeSwitchReplay replay) => [.. replay.Changes.Select(c => $"{c.CallId} {c.PreviousState}>{c.Call!.State} {c.Call.Cause} {c.Call.CauseCode} {c.Call.SipStatus}")];
}
