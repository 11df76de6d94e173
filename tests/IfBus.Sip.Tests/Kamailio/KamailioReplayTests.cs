using System.Text;
using System.Text.Json;
using IfBus.Sip.Adapters.Http;
using IfBus.Sip.Adapters.Kamailio;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Kamailio;

/// <summary>The recordings of Kamailio 5.6.3 and 6.1.5.</summary>
public sealed class KamailioReplayTests
{
    private static readonly CallState[] Answered = [CallState.Dialing, CallState.Ringing, CallState.Connected, CallState.Terminated];

    public static TheoryData<string> Recordings => [.. Transcript.Files("kamailio").Select(f => Path.GetFileName(f).Split('.')[0]).Where(n => !n.Contains("evapi", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Recordings))]
    public async Task Every_reply_is_read_alike_whole_and_in_pieces(string scenario)
    {
        Transcript recording = Transcript.Open("kamailio", scenario);
        int replies = 0;
        foreach (int connection in recording.Connections)
        {
            foreach (byte[] body in KamailioReplay.Bodies(recording.Server(connection)))
            {
                JsonElement document;
                try
                {
                    using JsonDocument parsed = JsonDocument.Parse(body);
                    document = parsed.RootElement.Clone();
                }
                catch (JsonException)
                {
                    // text/plain of the script.
                    continue;
                }

                replies++;
                if (!document.TryGetProperty("result", out JsonElement result) || result.ValueKind != JsonValueKind.Array) continue;
                string[] items = [.. result.EnumerateArray().Select(e => e.GetRawText())];
                foreach (int size in (int[])[1, 7, 1460, body.Length])
                {
                    if (size == 1 && body.Length > 20_000) continue;
                    var reader = new RpcListReader<string>([], e => e.GetRawText());
                    await reader.ReadAsync(new Slices(body, size), default);
                    Assert.Equal(items, reader.Items);
                }
            }
        }

        Assert.NotEqual(0, replies);
    }

    [Theory]
    [InlineData("call-ends")]
    [InlineData("v61-call-ends")]
    public void A_poller_sees_each_call_begin_and_end_and_not_why(string scenario)
    {
        KamailioReplay replay = new KamailioReplay().Lists(Transcript.Open("kamailio", scenario));
        SipCall[] calls = [.. replay.Final.Values.OrderBy(c => c.CreatedAt)];
        Assert.Equal(["900", "busy", "nobody", "ring"], calls.Select(c => c.To));
        Assert.All(calls, c => Assert.Equal((CallState.Terminated, HangupCause.Unknown, null, CallDirection.Inbound), (c.State, c.Cause, c.SipStatus, c.Direction)));
        Assert.Equal(Answered, replay.States[calls[0].CallId]);
        Assert.Equal([true, false, false, false], calls.Select(c => c.AnsweredAt is not null));
        // The server's own times: two seconds from the answer to the end.
        Assert.InRange(calls[0].BillableDuration!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.Zero, calls[1].BillableDuration);
        Assert.Empty(replay.Calls.SnapshotLive());
    }

    [Theory]
    [InlineData("evapi-call-events", 1)]
    [InlineData("evapi-call-events", 13)]
    [InlineData("evapi-call-events", 100_000)]
    [InlineData("v61-evapi-call-events", 1)]
    [InlineData("v61-evapi-call-events", 100_000)]
    public void Events_tell_who_ended_a_call_and_with_what(string scenario, int piece)
    {
        Transcript recording = Transcript.Open("kamailio", scenario);
        KamailioReplay replay = new KamailioReplay().Events(recording.Server(recording.Connections.Single()), piece);
        SipCall[] calls = [.. replay.Final.Values.OrderBy(c => c.CreatedAt).ThenBy(c => c.CallId, StringComparer.Ordinal)];
        Assert.Equal(["900", "busy", "nobody", "ring", "900", "ring", "900"], calls.Select(c => c.To));
        // The events of the recording have the source of the BYE and no contact: who it was they do not tell; the server they do.
        Assert.Equal(Answered, replay.States[calls[0].CallId]);
        Assert.Equal((HangupCause.UserBusy, 486), (calls[1].Cause, calls[1].SipStatus));
        Assert.Equal((HangupCause.Unknown, null), (calls[2].Cause, calls[2].SipStatus));
        Assert.Equal((487, "caller"), (calls[3].SipStatus, calls[3].Details["EndedBy"]));
        Assert.Equal("server", calls[4].Details["EndedBy"]);
        // dlg.end_dlg on a call that rings fires a false failure first: the call ends with the true one.
        Assert.Equal([CallState.Dialing, CallState.Ringing, CallState.Terminated], replay.States[calls[5].CallId]);
        Assert.Equal(487, calls[5].SipStatus);
    }

    [Theory]
    [InlineData("bridge-dlg")]
    [InlineData("v61-bridge-dlg")]
    public void A_call_of_ours_is_found_by_its_addresses(string scenario)
    {
        var replay = new KamailioReplay();
        var call = new KamailioCall("ours", ours: true) { From = "alice", To = "bob", Originate = new KamailioOriginate("sip:alice@127.0.0.1:5060", "sip:bob@127.0.0.1:5060", new HashSet<DialogKey>()) };
        replay.Mapper.Expect(call);
        replay.Lists(Transcript.Open("kamailio", scenario));
        Assert.Equal("ours", Assert.Single(replay.Final).Key);
        Assert.Equal([CallState.Dialing, CallState.Connected, CallState.Terminated], replay.States["ours"]);
        Assert.NotNull(replay.Final["ours"].Details["SipCallId"]);
    }

    [Fact]
    public void Failures_of_a_bridge_are_told()
    {
        // Second party unknown; first party unknown: one list each, as recorded.
        KamailioDialog[][] lists = [.. Lists("bridge-dlg-failures")];
        var replay = new KamailioReplay();
        replay.Mapper.Expect(new KamailioCall("second", ours: true) { Originate = new KamailioOriginate("sip:alice@127.0.0.1:5060", "sip:nobody@127.0.0.1:5060", new HashSet<DialogKey>()) });
        replay.List(lists.First(l => l.Any(d => d.ToUri!.StartsWith("sip:nobody", StringComparison.Ordinal))));
        Assert.Equal((CallState.Terminated, null, HangupCause.Unknown), (replay.Final["second"].State, replay.Final["second"].AnsweredAt, replay.Final["second"].Cause));

        replay = new KamailioReplay();
        replay.Mapper.Expect(new KamailioCall("first", ours: true) { Originate = new KamailioOriginate("sip:nobody@127.0.0.1:5060", "sip:bob@127.0.0.1:5060", new HashSet<DialogKey>()) });
        replay.List(lists.First(l => l.Any(d => d.IsServersOwn && d.ToUri!.StartsWith("sip:nobody", StringComparison.Ordinal))));
        Assert.Contains("sip:nobody@127.0.0.1:5060 did not answer; sip:bob@127.0.0.1:5060 was not called.", replay.Final["first"].CauseText, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_that_leads_to_nothing_ends_in_time()
    {
        var replay = new KamailioReplay();
        replay.Mapper.Expect(new KamailioCall("lost", ours: true) { Originate = new KamailioOriginate("sip:a@x", "sip:b@x", new HashSet<DialogKey>()) });
        replay.List([]);
        replay.Pass(KamailioMapper.OriginatePatience - TimeSpan.FromMilliseconds(1));
        Assert.Equal(CallState.Dialing, replay.Final["lost"].State);
        replay.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Contains("shows no call", replay.Final["lost"].CauseText, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dlg-list-500")]
    public void Five_hundred_dialogs(string scenario)
    {
        KamailioDialog[] all = Lists(scenario).MaxBy(l => l.Length)!;
        Assert.Equal(500, all.Length);
        var replay = new KamailioReplay();
        replay.List(all);
        Assert.Equal(500, replay.Calls.SnapshotLive().Count);
        Assert.All(replay.Calls.SnapshotLive(), c => Assert.Equal(2, c.Legs.Count));
        replay.List([]);
        Assert.Empty(replay.Calls.SnapshotLive());
    }

    [Fact]
    public void A_list_of_five_hundred_costs_the_memory_of_its_texts_alone()
    {
        Transcript recording = Transcript.Open("kamailio", "dlg-list-500");
        byte[] body = recording.Connections.SelectMany(c => KamailioReplay.Bodies(recording.Server(c))).MaxBy(b => b.Length)!;
        long Read()
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            var reader = new RpcListReader<KamailioDialog>([], KamailioDialog.Read);
            // Nothing waits: it is read on this thread.
            Assert.True(reader.ReadAsync(new MemoryStream(body), default).IsCompletedSuccessfully);
            Assert.Equal(500, reader.Items.Count);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Read();
        // Seven texts and a record; the entries have 750 bytes each, which a copy would add to.
        Assert.InRange(Read() / 500, 1, 1300);
    }

    private static IEnumerable<KamailioDialog[]> Lists(string scenario)
    {
        Transcript recording = Transcript.Open("kamailio", scenario);
        foreach (byte[] body in recording.Connections.SelectMany(c => KamailioReplay.Bodies(recording.Server(c))))
        {
            using JsonDocument document = JsonDocument.Parse(body);
            if (!document.RootElement.TryGetProperty("result", out JsonElement result) || result.ValueKind != JsonValueKind.Array) continue;
            KamailioDialog[] dialogs = [.. result.EnumerateArray().Select(KamailioDialog.Read).OfType<KamailioDialog>()];
            if (dialogs.Length > 0 && dialogs.All(d => d.State > 0)) yield return dialogs;
        }
    }

    private sealed class Slices(byte[] bytes, int size) : MemoryStream(bytes)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span[..Math.Min(size, buffer.Length)]));
    }
}
