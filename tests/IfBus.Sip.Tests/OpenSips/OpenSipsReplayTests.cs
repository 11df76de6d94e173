using System.Text;
using System.Text.Json;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.OpenSips;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.OpenSips;

/// <summary>The recordings of OpenSIPS 3.6.8: its event streams cut whole, byte by byte and at bad places, and its lists.</summary>
public sealed class OpenSipsReplayTests
{
    public static TheoryData<string, int> EventStreams()
    {
        var data = new TheoryData<string, int>();
        foreach (string file in Transcript.Files("opensips").Where(f => f.Contains("event-stream.", StringComparison.Ordinal) || f.Contains("-events", StringComparison.Ordinal)))
        {
            // Whole, byte by byte, and in threes.
            foreach (int cut in (int[])[int.MaxValue, 1, 3]) data.Add(Path.GetFileName(file).Split('.')[0], cut);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(EventStreams))]
    public void Every_event_is_taken_whole_however_it_is_cut(string scenario, int cut)
    {
        var replay = new Replay().Feed(scenario, cut);
        Transcript recording = Transcript.Open("opensips", scenario);
        int objects = recording.Connections.Sum(c => Encoding.UTF8.GetString(recording.Client(c)).Split("{\"jsonrpc\"").Length - 1);
        Assert.Equal(objects, replay.Names.Count);
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(1)]
    public void Calls_of_the_event_stream_end_as_they_did(int cut)
    {
        var replay = new Replay().Feed("event-stream", cut);
        (HangupCause?, int?, bool)[] ends = [.. replay.Ended.Select(c => (c.Cause, c.SipStatus, c.AnsweredAt is not null))];
        Assert.Equal(
            [
                (HangupCause.NormalClearing, null, true),
                (HangupCause.UserBusy, 486, false),
                (HangupCause.UnallocatedNumber, 404, false),
                (HangupCause.NormalClearing, 487, false),
                (HangupCause.NormalClearing, null, true),
                (HangupCause.NormalClearing, 487, false),
            ],
            ends);
        Assert.Equal(6, replay.Records.Find(new SipDetailRecordFilter()).Count);
        Assert.All(replay.Records.Find(new SipDetailRecordFilter()), r => Assert.NotNull(r.CallId));
        // From accounting, for one whose addresses could not be asked for.
        Assert.Equal(("caller1", "busy"), (replay.Ended[1].From, replay.Ended[1].To));
        Assert.Empty(replay.Calls.SnapshotLive());
    }

    [Fact]
    public void Hold_and_resume_are_seen_when_both_phones_took_it()
    {
        var replay = new Replay().Feed("callops-hold-events", 7);
        Assert.Equal(
            [CallState.Dialing, CallState.Connected, CallState.OnHold, CallState.Connected, CallState.OnHold, CallState.Terminated],
            replay.Changes.Select(e => e.Call!.State));
    }

    [Theory]
    [InlineData("callops-transfer-callee-events", SipParty.To)]
    [InlineData("callops-transfer-caller-events", SipParty.From)]
    public void A_transferred_call_stays_one_call(string scenario, SipParty keep)
    {
        var replay = new Replay { Keep = keep }.Feed(scenario, int.MaxValue);
        SipCall call = Assert.Single(replay.Ended);
        Assert.Equal("carol", call.To);
        CallState[] states = [.. replay.Changes.Where(e => e.CallId == call.CallId).Select(e => e.Call!.State)];
        Assert.Equal([CallState.Transferring, CallState.Connected, CallState.Terminated], states[^3..]);
        Assert.Equal(2, replay.Records.Find(new SipDetailRecordFilter { CallId = call.CallId }).Count);
    }

    [Fact]
    public void A_transfer_that_fails_ends_the_call_with_what_the_destination_said()
    {
        var replay = new Replay { Keep = SipParty.From }.Feed("callops-transfer-failed-events", int.MaxValue);
        SipCall call = Assert.Single(replay.Ended);
        Assert.Equal((HangupCause.UnallocatedNumber, 404), (call.Cause, call.SipStatus));
    }

    [Fact]
    public void Five_hundred_dialogs_are_read_with_their_addresses()
    {
        List<DialogRow> rows = [.. Replies("dlg-list-500").SelectMany(r => MiJson.Items(r, "Dialogs")).Select(DialogRow.Read).OfType<DialogRow>()];
        Assert.True(rows.Select(r => r.Id).Distinct().Count() >= 500);
        Assert.All(rows, r => Assert.StartsWith("sip:", r.FromUri, StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_held_is_found_in_the_list_with_context()
    {
        JsonElement reply = Replies("callops-hold").Last(r => r.ValueKind == JsonValueKind.Object && r.TryGetProperty("Dialog", out _));
        Assert.True(DialogRow.Read(reply.GetProperty("Dialog"))!.Held);
    }

    [Fact]
    public void A_call_that_the_server_joins_is_read_from_its_list()
    {
        List<ScenarioRow> rows = [.. Replies("b2b-make-call").SelectMany(r => MiJson.Items(r, "Tuples")).Select(ScenarioRow.Read).OfType<ScenarioRow>()];
        Assert.Contains(rows, r => r is { State: ScenarioRow.Bridged, Scenario: "click", Parties: [{ Name: "client1", Confirmed: true }, { Name: "client2", Confirmed: true }] });
        Assert.Contains(rows, r => r is { State: ScenarioRow.Bridged, Parties: [{ Name: "client1" }, { Name: null, Confirmed: true }] });
        Assert.Contains(Replies("b2b-make-call-failed").SelectMany(r => MiJson.Items(r, "Tuples")).Select(ScenarioRow.Read), r => r is { State: ScenarioRow.Cancelled, Parties.Count: 1 });
    }

    [Theory]
    [InlineData("{\"a\":1}x")]
    [InlineData("HTTP/1.1 200 OK")]
    [InlineData("[1]")]
    public void What_is_no_stream_of_objects_is_refused(string text)
    {
        var framer = new EventFramer();
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        Assert.Throws<SipProtocolException>(() =>
        {
            int taken = 0;
            while (framer.TryRead(bytes.AsSpan(taken), out _, out int length)) taken += length;
        });
    }

    [Fact]
    public void Braces_in_texts_and_objects_in_objects_are_no_ends()
    {
        var framer = new EventFramer();
        const string First = "{\"a\":\"}{\\\"}\",\"b\":{\"c\":\"\\\\\"}}";
        byte[] bytes = Encoding.UTF8.GetBytes(First + " \r\n{\"d\":1}");
        Assert.True(framer.TryRead(bytes, out _, out int length));
        Assert.Equal(First.Length, length);
        Assert.True(framer.TryRead(bytes.AsSpan(length), out int begin, out int second));
        Assert.Equal((3, 10), (begin, second));
    }

    [Fact]
    public void An_event_without_end_is_refused()
    {
        var framer = new EventFramer();
        byte[] bytes = Encoding.UTF8.GetBytes("{\"a\":\"" + new string('x', EventFramer.LargestObject));
        Assert.Throws<SipProtocolException>(() => framer.TryRead(bytes, out _, out _));
    }

    private static IEnumerable<JsonElement> Replies(string scenario)
    {
        Transcript recording = Transcript.Open("opensips", scenario);
        foreach (int connection in recording.Connections)
        {
            string text = Encoding.UTF8.GetString(recording.Server(connection));
            foreach (string part in text.Split("HTTP/1.1 200 OK").Skip(1))
            {
                int at = part.IndexOf("{\"jsonrpc\"", StringComparison.Ordinal);
                if (at < 0) continue;
                using JsonDocument document = JsonDocument.Parse(part[at..].TrimEnd());
                if (document.RootElement.TryGetProperty("result", out JsonElement result)) yield return result.Clone();
            }
        }
    }

    private sealed class Replay
    {
        private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 22, 22, 35, 0, TimeSpan.Zero));
        private readonly EventHub _hub;
        private readonly OpenSipsMapper _mapper;
        private readonly ISipEventSubscription _subscription;
        private readonly Queue<string> _asked = new();

        public Replay()
        {
            _hub = new EventHub("replay", SipServerType.OpenSips, 1_000_000, _time, NullLogger.Instance);
            Calls = new CallTable("replay", SipServerType.OpenSips, _hub, 1000, _time, NullLogger.Instance);
            Records = new DetailRecordStore<OpenSipsCall>(1000);
            _mapper = new OpenSipsMapper("replay", Calls, _hub, Records, _time, NullLogger.Instance) { LookUp = (_, id) => _asked.Enqueue(id), HasReasons = true };
            _subscription = _hub.Subscribe(SipEventTypes.CallStateChanged);
        }

        public CallTable Calls { get; }

        public DetailRecordStore<OpenSipsCall> Records { get; }

        public List<string> Names { get; } = [];

        public List<SipEvent> Changes { get; } = [];

        /// <summary>The party that a transfer of ours keeps; null for none.</summary>
        public SipParty? Keep { get; init; }

        public List<SipCall> Ended => Calls.SnapshotEnded();

        public Replay Feed(string scenario, int cut)
        {
            Transcript recording = Transcript.Open("opensips", scenario);
            foreach (int connection in recording.Connections)
            {
                byte[] bytes = recording.Client(connection);
                var framer = new EventFramer();
                int begin = 0;
                for (int end = Math.Min(cut, bytes.Length); begin < bytes.Length; end = (int)Math.Min((long)end + cut, bytes.Length))
                {
                    while (framer.TryRead(bytes.AsSpan(begin, end - begin), out int at, out int length))
                    {
                        Take(bytes.AsMemory(begin + at, length - at));
                        begin += length;
                    }

                    if (end == bytes.Length) break;
                }
            }

            for (int i = 0; i < 8; i++)
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                _mapper.OnTick();
            }

            while (_subscription.TryRead(out SipEvent? item)) Changes.Add(item!);
            return this;
        }

        private void Take(ReadOnlyMemory<byte> raw)
        {
            using JsonDocument document = JsonDocument.Parse(raw);
            string name = document.RootElement.GetProperty("method").GetString()!;
            Names.Add(name);
            _mapper.OnEvent(name, document.RootElement.GetProperty("params"), raw);
            // The server is asked between two events; it does not have the dialog any more.
            while (_asked.TryDequeue(out string? id)) _mapper.Found(id, null);
            if (Keep is not { } keep) return;
            OpenSipsCall? call;
            lock (Calls.Sync) call = Calls.Live.OfType<OpenSipsCall>().FirstOrDefault(c => c.State == CallState.Connected && c.Transfer is null && document.RootElement.GetRawText().Contains("\"new_state\":4", StringComparison.Ordinal));
            if (call is not null) _mapper.BeginTransfer(call, keep, "carol");
        }
    }
}
