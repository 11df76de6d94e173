using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Tests.Asterisk;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>The recordings of FreeSWITCH 1.10.12, each whole, in three cuts, to the right final states.</summary>
public sealed partial class FreeSwitchReplayTests
{
    public static TheoryData<string> Recordings()
    {
        var data = new TheoryData<string>();
        foreach (string name in Names()) data.Add(name);
        return data;
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public async Task Every_cut_gives_the_same_events_and_the_right_final_states(string scenario)
    {
        Transcript recording = Transcript.Open("freeswitch", scenario);
        var endings = new List<string>();
        foreach (int connection in recording.Connections)
        {
            FreeSwitchReplay whole = await FreeSwitchReplay.PlayAsync(recording, connection, Cut.Whole);
            AssertSound(whole);
            foreach (Cut cut in new[] { Cut.Nasty, Cut.ByteByByte })
            {
                FreeSwitchReplay actual = await FreeSwitchReplay.PlayAsync(recording, connection, cut);
                Assert.Equal(whole.Given.Select(g => g.Name), actual.Given.Select(g => g.Name));
                Assert.Equal(States(whole), States(actual));
                Assert.Equal(Endings(whole), Endings(actual));
            }

            endings.AddRange(Endings(whole));
        }

        string[]? expected = FreeSwitchEndings.Of(scenario);
        Assert.False(expected is null && recording.Connections.SelectMany(c => EslRecord.All(recording.Server(c))).Any(IsEnd), "the end of a channel, and no line in the table");
        if (expected is [{ } each] && each.StartsWith("each ", StringComparison.Ordinal)) expected = [.. endings.Select(e => e.Split(' ')[0] + each["each".Length..])];
        Assert.Equal((expected ?? []).Order(StringComparer.Ordinal), endings.Select(Vague).Order(StringComparer.Ordinal));

        // How long each of a burst was up is not read one by one.
        string Vague(string ending) => expected?.FirstOrDefault()?.Contains(" ~ ", StringComparison.Ordinal) == true ? Milliseconds().Replace(ending, " ~") : ending;
    }

    [Fact]
    public void Every_line_of_the_table_has_its_recording() => Assert.Superset(FreeSwitchEndings.Scenarios.ToHashSet(), Names().ToHashSet());

    [Fact]
    public async Task Answered_and_ended_by_us()
    {
        SipCall call = (await One("originate-sofia-answered")).Call;
        Assert.Equal((CallState.Terminated, "PCMU"), (call.State, call.Codec));
        Assert.DoesNotContain("HungUpBy", call.Details.Keys);
    }

    [Fact]
    public async Task Early_media_is_not_an_answer()
    {
        FreeSwitchReplay replay = await One("originate-sofia-early-media-not-ignored");
        SipEvent connected = Assert.Single(replay.Changes, c => c.Call!.State == CallState.Connected);
        Assert.Equal("CHANNEL_ANSWER", connected.Fields["Event-Name"]);
        Assert.Contains(replay.Changes, c => c.Call!.State == CallState.Ringing);
    }

    [Fact]
    public async Task Early_media_then_an_answer_then_the_far_end_hangs_up()
    {
        FreeSwitchReplay replay = await One("originate-sofia-early-media-far-hangup");
        Assert.Equal([CallState.Dialing, CallState.Ringing, CallState.Connected, CallState.Terminated], replay.Changes.Select(c => c.Call!.State));
        Assert.Equal((HangupCause.NormalClearing, null), (replay.Call.Cause!.Value, replay.Call.SipStatus));
        Assert.StartsWith("sofia/internal/1000", replay.Call.Details["HungUpBy"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Values_that_are_no_utf8_are_read_as_far_as_they_can()
    {
        byte[] json = (await One("event-invalid-utf8")).Given[^1].Json;
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
    public async Task A_dialplan_bridge_is_one_call_of_two_legs()
    {
        FreeSwitchReplay replay = await One("dialplan-bridge");
        SipCall call = Assert.Single(replay.Final.Values, c => c.Legs.Count == 2);
        Assert.Equal((CallState.Terminated, HangupCause.NormalClearing), (call.State, call.Cause));
        SipEvent connected = Assert.Single(replay.Changes, c => c.CallId == call.CallId && c.Call!.State == CallState.Connected);
        Assert.Equal("CHANNEL_BRIDGE", connected.Fields["Event-Name"]);
    }

    [Theory]
    [InlineData("originate-sofia-answered", 1019.964)]
    [InlineData("originate-answer-hangup", 1039.998)]
    [InlineData("dialplan-bridge", 620.025)]
    public async Task Events_that_are_read_late_and_together_do_not_shorten_a_call(string scenario, double milliseconds)
    {
        SipCall call = (await One(scenario)).Final.Values.First(c => c.AnsweredAt is not null);
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), call.BillableDuration);
        Assert.Equal(call.BillableDuration, call.EndedAt - call.AnsweredAt);
        Assert.True(call.CreatedAt <= call.AnsweredAt, $"{call.CreatedAt:O} {call.AnsweredAt:O}");
    }

    [Fact]
    public async Task Detail_records_are_exact()
    {
        FreeSwitchReplay replay = await One("originate-sofia-answered");
        SipCallDetailRecord record = Assert.Single(replay.Records.Find(new SipDetailRecordFilter { CallId = replay.Ours[0] }));
        Assert.Equal("NORMAL_CLEARING", record.Disposition);
        Assert.InRange((record.EndedAt!.Value - record.AnsweredAt!.Value - record.BillableDuration!.Value).TotalMilliseconds, -2, 2);
        Assert.Equal("send_bye", record.Fields["variable_sip_hangup_disposition"]);
    }

    [Fact]
    public async Task Two_hundred_calls_of_a_burst_were_each_connected_and_ended_once()
    {
        FreeSwitchReplay replay = await One("burst-200-calls");
        Assert.Equal(200, replay.Ours.Distinct().Count());
        foreach (CallState state in new[] { CallState.Dialing, CallState.Connected, CallState.Terminated })
            Assert.Equal(replay.Ours.Order(StringComparer.Ordinal), replay.Changes.Where(c => c.Call!.State == state).Select(c => c.CallId!).Order(StringComparer.Ordinal));
        Assert.Equal(replay.Ours.Order(StringComparer.Ordinal), replay.Final.Keys.Order(StringComparer.Ordinal));
        Assert.All(replay.Final.Values, c => Assert.Equal((HangupCause.NormalClearing, 16, "NORMAL_CLEARING"), (c.Cause, c.CauseCode, c.CauseText)));
        Assert.Empty(replay.Calls.SnapshotLive());
    }

    private static IEnumerable<string> Names() => Transcript.Files("freeswitch").Select(f => Path.GetFileName(f).Split('.')[0]);

    private static Task<FreeSwitchReplay> One(string scenario)
    {
        Transcript recording = Transcript.Open("freeswitch", scenario);
        return FreeSwitchReplay.PlayAsync(recording, Assert.Single(recording.Connections), Cut.Whole);
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

    // What the table must say something of: the end of a channel, or of an originate that came to nothing.
    private static bool IsEnd(EslRecord r) => r.Name is "CHANNEL_HANGUP" or "CHANNEL_HANGUP_COMPLETE" or "CHANNEL_DESTROY"
        || (r.Type == "text/event-xml" && r.Body.Contains("<Event-Name>CHANNEL_HANGUP", StringComparison.Ordinal))
        || (r.Name == "BACKGROUND_JOB" && r["Job-Command"] == "originate" && r.EventBody.StartsWith('-'));

    private static List<string> States(FreeSwitchReplay replay) => [.. replay.Changes.Select(c => $"{c.CallId} {c.PreviousState}>{c.Call!.State} {c.Call.Cause} {c.Call.CauseCode} {c.Call.SipStatus}")];

    // The calls as the table writes them.
    private static string[] Endings(FreeSwitchReplay replay) => [.. replay.Final.Values.Select(c =>
    {
        SipEvent[] changes = [.. replay.Changes.Where(e => e.CallId == c.CallId)];
        string path = string.Concat(changes.Select(e => e.Call!.State).Prepend(changes.Length == 0 ? c.State : changes[0].PreviousState!.Value).Select(s => s switch
        {
            CallState.Created => "N",
            CallState.OnHold => "H",
            _ => s.ToString()[..1],
        }));
        string direction = c.Direction switch { CallDirection.Inbound => "in", CallDirection.Outbound => "out", _ => "-" };
        string milliseconds = c.IsEnded && c.AnsweredAt is not null ? c.BillableDuration!.Value.TotalMilliseconds.ToString("0.###", CultureInfo.InvariantCulture) : "-";
        return string.Create(CultureInfo.InvariantCulture, $"{c.CallId[^Math.Min(4, c.CallId.Length)..]} {direction} {path} {c.Cause?.ToString() ?? "-"} {c.CauseCode?.ToString(CultureInfo.InvariantCulture) ?? "-"} {c.SipStatus?.ToString(CultureInfo.InvariantCulture) ?? "-"} {milliseconds} {c.Legs.Count} {c.CauseText ?? "-"}");
    })];

    [GeneratedRegex(" (?:[0-9.]+|-)(?= [0-9]+ [A-Z_]+$)")]
    private static partial Regex Milliseconds();
}
