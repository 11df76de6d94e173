using System.Text;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>The recordings of both versions, in three cuts, to the right final states.</summary>
public sealed class ReplayTests
{
    public static TheoryData<string, string> Recordings()
    {
        var data = new TheoryData<string, string>();
        foreach (string server in new[] { "asterisk", "asterisk16" })
        {
            foreach (string file in Transcript.Files(server)) data.Add(server, Path.GetFileName(file).Split('.')[0]);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Every_cut_gives_the_same_messages_and_states(string server, string scenario)
    {
        Transcript recording = Transcript.Open(server, scenario);
        foreach (int connection in recording.Connections)
        {
            byte[] bytes = recording.Server(connection);
            if (bytes.Length == 0 || !bytes.AsSpan().StartsWith("Asterisk"u8)) continue;
            Replay whole = Replay.Of(recording, connection).Feed(recording, connection, Cut.Whole);
            AssertSound(whole);
            foreach (Cut cut in new[] { Cut.Nasty, Cut.ByteByByte })
            {
                Replay actual = Replay.Of(recording, connection).Feed(recording, connection, cut);
                Assert.Equal(whole.Messages, actual.Messages);
                Assert.Equal(States(whole), States(actual));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public void Every_call_comes_to_its_final_state(string server, string scenario)
    {
        Transcript recording = Transcript.Open(server, scenario);
        foreach (int connection in recording.Connections)
        {
            byte[] bytes = recording.Server(connection);
            if (!bytes.AsSpan().StartsWith("Asterisk"u8)) continue;
            Dictionary<string, SipCall> calls = Replay.Of(recording, connection).Feed(recording, connection, Cut.Whole).All;
            var actual = new SortedDictionary<string, string>(calls.Values.ToDictionary(c => FinalStates.Id(c.CallId), FinalStates.Of), StringComparer.Ordinal);
            Assert.Equal(FinalStates.Expected(server, scenario, connection), actual);
        }
    }

    [Fact]
    public void The_table_of_final_states_has_every_recording_of_a_hang_up()
    {
        string[] told = [.. from server in (string[])["asterisk", "asterisk16"]
                            from file in Transcript.Files(server)
                            let recording = new Transcript(file)
                            where recording.Connections.Any(c => Encoding.UTF8.GetString(recording.Server(c)).Contains("Event: Hangup\r\n", StringComparison.Ordinal))
                            select $"{server}/{recording.Name}"];
        // Each of them, and some that tell of calls but not of their ends.
        Assert.Empty(told.Except(FinalStates.Recordings));
        Assert.Equal(["asterisk/core-status", "asterisk16/core-status"], FinalStates.Recordings.Except(told));
    }

    [Theory]
    [InlineData("asterisk", "PJSIP/sipp-busy", HangupCause.UserBusy, 17, 486)]
    [InlineData("asterisk", "PJSIP/sipp-reject", HangupCause.CallRejected, 21, 603)]
    [InlineData("asterisk", "PJSIP/sipp-ring", HangupCause.NoAnswer, 19, 480)]
    [InlineData("asterisk", "PJSIP/sipp-dead", HangupCause.NoAnswer, 19, 480)]
    [InlineData("asterisk16", "PJSIP/sipp-busy", HangupCause.UserBusy, 17, null)]
    [InlineData("asterisk16", "PJSIP/sipp-reject", HangupCause.CallRejected, 21, null)]
    [InlineData("asterisk16", "PJSIP/sipp-ring", HangupCause.NoAnswer, 0, null)]
    public void Phones_that_do_not_answer(string server, string phone, HangupCause cause, int code, int? sipStatus)
    {
        Transcript recording = Transcript.Open(server, "pjsip-failures");
        string[] ids = [.. ChannelIds(recording)];
        Replay replay = new Replay(ids).Feed(recording, 1, Cut.Whole);
        SipCall call = replay.Final.Values.First(c => c.Legs.Count > 0 && c.Legs[0].Name!.StartsWith(phone, StringComparison.Ordinal));
        Assert.Equal((CallState.Terminated, cause, code, sipStatus), (call.State, call.Cause, call.CauseCode, call.SipStatus));
        Assert.DoesNotContain(replay.Changes, c => c.Call!.State == CallState.Connected && c.CallId == call.CallId);
        Assert.Empty(replay.Calls.SnapshotLive());
        Assert.Equal(ids.Length, replay.Changes.Count(c => c.Call!.State == CallState.Terminated));
    }

    [Theory]
    [InlineData("UserBusy", 17, 486, "sipp-busy")]
    [InlineData("CallRejected", 21, 603, "sipp-reject")]
    public void A_destination_that_refuses_is_the_cause_although_the_first_leg_answered(string cause, int code, int sipStatus, string phone)
    {
        Replay replay = new Replay().Feed(Transcript.Open("asterisk", "dial-failures"), 1, Cut.Whole);
        SipCall call = replay.Final.Values.Single(c => c.Legs.Any(l => l.Name!.Contains(phone, StringComparison.Ordinal)));
        Assert.Equal((cause, code, sipStatus), (call.Cause.ToString(), call.CauseCode, call.SipStatus));
        Assert.DoesNotContain(replay.Changes, c => c.CallId == call.CallId && c.Call!.State == CallState.Connected);
    }

    [Theory]
    [InlineData("rf-1", "Dialing Ringing Connected Transferring Connected Terminated", "sipp-traced")]
    [InlineData("rf-2", "Dialing Ringing Connected Transferring Connected Terminated", "sipp-traced")]
    [InlineData("rf-3", "Dialing Ringing Connected Transferring Terminated", "sipp-traced")]
    public void A_phone_that_sends_the_other_elsewhere_shows_as_a_transfer(string id, string states, string released)
    {
        Replay replay = new Replay(["rf-1", "rf-2", "rf-3"]).Feed(Transcript.Open("asterisk", "refer"), 1, Cut.Whole);
        SipCall[] changes = [.. replay.Changes.Where(c => c.CallId == id).Select(c => c.Call!)];
        Assert.Equal(states, string.Join(' ', changes.Select(c => c.State)));
        if (id == "rf-3")
        {
            Assert.Equal(HangupCause.UserBusy, changes[^1].Cause);
            return;
        }

        SipCall moved = changes.Last(c => c.State == CallState.Connected);
        Assert.Equal("dial-answer", moved.To);
        Assert.Equal("Hungup", moved.Legs.Single(l => l.Name!.Contains(released, StringComparison.Ordinal)).State);
        Assert.Equal(2, moved.Legs.Count(l => l.State == "Up"));
    }

    [Fact]
    public void Connected_comes_once_and_not_before_the_destination_answered()
    {
        Replay replay = new Replay(["cd-1"]).Feed(Transcript.Open("asterisk", "dial-bridge"), 1, Cut.Whole);
        SipEvent connected = Assert.Single(replay.Changes, c => c.Call!.State == CallState.Connected);
        Assert.Equal("DialEnd", connected.Fields["Event"]);
        Assert.NotNull(connected.Fields["Uniqueid"]);
        Assert.Equal(("cd-1", HangupCause.NormalClearing), (replay.Final["cd-1"].CallId, replay.Final["cd-1"].Cause));
        Assert.Equal(2, replay.Final["cd-1"].Legs.Count);
    }

    [Theory]
    [InlineData("asterisk")]
    public void Two_hundred_calls_in_a_burst_end_once_each(string server)
    {
        Transcript recording = Transcript.Open(server, "burst-200");
        Replay replay = new Replay().Feed(recording, recording.Connections.First(), Cut.Whole);
        Assert.Equal(200, replay.Changes.Where(c => c.Call!.State == CallState.Terminated).Select(c => c.CallId).Distinct().Count());
        Assert.Equal(200, replay.Changes.Count(c => c.Call!.State == CallState.Terminated));
        Assert.Empty(replay.Calls.SnapshotLive());
    }

    [Fact]
    public void A_restart_is_the_cause_of_its_calls()
    {
        Replay replay = new Replay(["rs-1"]).Feed(Transcript.Open("asterisk", "restart"), 1, Cut.Whole);
        Assert.Equal((CallState.Terminated, HangupCause.ServerShutdown, 0), (replay.Final["rs-1"].State, replay.Final["rs-1"].Cause, replay.Final["rs-1"].CauseCode));
    }

    [Theory]
    [InlineData("injection-server")]
    [InlineData("injection-client")]
    [InlineData("variable-special")]
    public void Forged_events_change_no_other_call(string scenario)
    {
        // A call that nobody may touch, besides those of the recording.
        Replay replay = new(["ours"]);
        replay.Feed(Transcript.Open("asterisk", scenario), 1, Cut.Whole);
        SipCall ours = Assert.Single(replay.Calls.SnapshotLive(), c => c.CallId == "ours");
        Assert.Equal((CallState.Created, 0), (ours.State, ours.Legs.Count));
    }

    [Theory]
    [InlineData("asterisk")]
    [InlineData("asterisk16")]
    public void A_phone_that_holds_by_itself_is_seen_and_so_is_its_return(string server)
    {
        // Hold comes on one channel, the music on its peer (wire/asterisk, section 7).
        Replay replay = new Replay(["hs-1"]).Feed(Transcript.Open(server, "hold-sip-reinvite"), 1, Cut.Whole);
        CallState[] states = [.. replay.Changes.Where(c => c.CallId == "hs-1").Select(c => c.Call!.State)];
        Assert.Equal([CallState.Connected, CallState.OnHold, CallState.Connected, CallState.Terminated], states[^4..]);
    }

    [Fact]
    public void Detail_records_find_their_call_before_and_after_its_hang_up()
    {
        Replay replay = new Replay(["ifb-1"]).Feed(Transcript.Open("asterisk", "originate-answer-hangup"), 1, Cut.Whole);
        List<SipCallDetailRecord> records = replay.Records.Find(new SipDetailRecordFilter { CallId = "ifb-1" });
        Assert.Equal(["ifb-1", "ifb-2"], records.Select(r => r.LegId));
        Assert.All(records, r => Assert.Equal("ANSWERED", r.Disposition));
    }

    private static void AssertSound(Replay replay)
    {
        foreach (IGrouping<string, SipEvent> call in replay.Changes.GroupBy(c => c.CallId!))
        {
            Assert.True(call.Count(c => c.Call!.State == CallState.Terminated) <= 1, $"{call.Key} ended twice");
            Assert.True(call.Count(c => c.Call!.State == CallState.Connected && c.PreviousState is not (CallState.OnHold or CallState.Transferring)) <= 1, $"{call.Key} was connected twice");
            int terminated = call.ToList().FindIndex(c => c.Call!.State == CallState.Terminated);
            Assert.True(terminated < 0 || terminated == call.Count() - 1, $"{call.Key} went on after its end");
        }

        // A call whose channels have all said Hangup has ended. Of one without channels nothing was told.
        foreach (SipCall live in replay.Calls.SnapshotLive().Where(c => c.Legs.Count > 0)) Assert.Contains(live.Legs, l => l.State != "Hungup");
    }

    private static List<string> States(Replay replay) => [.. replay.Changes.Select(c => $"{c.CallId} {c.PreviousState}>{c.Call!.State} {c.Call.Cause} {c.Call.CauseCode} {c.Call.SipStatus}")];

    private static IEnumerable<string> ChannelIds(Transcript recording)
    {
        string text = Encoding.UTF8.GetString(recording.Server(1));
        return text.Split("\r\n\r\n").Where(m => m.StartsWith("Event: OriginateResponse", StringComparison.Ordinal)).Select(m => m.Split("\r\n").First(l => l.StartsWith("Uniqueid: ", StringComparison.Ordinal))[10..]).Distinct();
    }
}
