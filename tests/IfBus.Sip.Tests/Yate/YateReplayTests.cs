using IfBus.Sip.Tests.Asterisk;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Yate;

/// <summary>The recordings of Yate 6.4.1, in three cuts, to the right final states.</summary>
public sealed class YateReplayTests
{
    public static TheoryData<string> Recordings()
    {
        var data = new TheoryData<string>();
        foreach (string file in Transcript.Files("yate"))
        {
            string name = Path.GetFileName(file).Split('.')[0];
            // Another protocol.
            if (!name.StartsWith("rmanager", StringComparison.Ordinal)) data.Add(name);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public async Task Every_cut_tells_the_same(string scenario)
    {
        Transcript recording = Transcript.Open("yate", scenario);
        foreach (int connection in recording.Connections)
        {
            foreach (Cut cut in new[] { Cut.Nasty, Cut.ByteByByte })
            {
                YateReplay expected = await YateReplay.FeedAsync(recording, connection, Cut.Whole);
                Assert.Equal(expected.Story, (await YateReplay.FeedAsync(recording, connection, cut)).Story);
            }
        }
    }

    [Theory]
    [InlineData("originate-answer-drop", new[] { "NormalClearing//dropped by client" })]
    [InlineData("originate-progress-remote-hangup", new[] { "NormalClearing//Normal call clearing" })]
    [InlineData("originate-ring-cancel-noanswer", new[] { "Unknown//cancelled", "NoAnswer//noanswer", "RecoveryOnTimerExpire//timeout" })]
    [InlineData("originate-failures", new[] { "UserBusy/486/Busy Here", "Unknown//", "Unknown//", "NoAnswer//noanswer" })]
    [InlineData("click-to-dial", new[] { "NormalClearing//done" })]
    public async Task Calls_end_as_recorded(string scenario, string[] ends)
    {
        YateReplay replay = await WholeAsync(scenario);
        Assert.Equal(ends, replay.Final.Values.Select(c => $"{c.Cause}/{c.SipStatus}/{c.CauseText}"));
        Assert.All(replay.Final.Values, c => Assert.Equal(CallState.Terminated, c.State));
        Assert.Empty(replay.Calls.SnapshotLive());
    }

    [Theory]
    [InlineData("burst-200-calls", 200)]
    // There nobody watched call.cdr.
    [InlineData("burst-200-sip-calls", 0)]
    public async Task Of_a_burst_every_call_ends_once_and_has_its_record(string scenario, int records)
    {
        YateReplay replay = await WholeAsync(scenario);
        SipEvent[] ended = [.. replay.Changes.Where(c => c.Call!.State == CallState.Terminated)];
        Assert.Equal(200, ended.Length);
        Assert.Equal(200, ended.Select(c => c.CallId).Distinct().Count());
        Assert.Empty(replay.Calls.SnapshotLive());
        Assert.Equal(records, replay.Records.Find(new SipDetailRecordFilter()).Count);
    }

    [Fact]
    public async Task Early_media_is_not_an_answer()
    {
        YateReplay replay = await WholeAsync("originate-progress-remote-hangup");
        Assert.Equal([CallState.Dialing, CallState.Ringing, CallState.Connected, CallState.Terminated], replay.Changes.Select(c => c.Call!.State));
        SipCall call = Assert.Single(replay.Final.Values);
        Assert.Equal((16, "sip/9"), (call.CauseCode, call.Details["HungUpBy"]));
        SipCallDetailRecord record = Assert.Single(replay.Records.Find(new SipDetailRecordFilter()));
        Assert.Equal((TimeSpan.FromSeconds(2.011), "sip/9"), (record.BillableDuration, record.DestinationChannel));
    }

    private static async Task<YateReplay> WholeAsync(string scenario)
    {
        Transcript recording = Transcript.Open("yate", scenario);
        return await YateReplay.FeedAsync(recording, recording.Connections.First(), Cut.Whole);
    }
}
