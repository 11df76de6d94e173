using System.Buffers;
using System.Buffers.Text;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.FreeSwitch;
using Microsoft.Extensions.Logging.Abstractions;

namespace IfBus.Sip.Benchmarks;

/// <summary>Events a second of the Event Socket, as JSON: a bare loop of our own, the session layer, and the session layer with call table and SipEvents.</summary>
internal static class EslDecoding
{
    public static async Task RunAsync(int calls, int rounds)
    {
        var source = new EventSource(Events(calls), calls * EventsPerCall);
        await Decoding.CompareAsync(source, rounds, [("ESL: bare loop", BareAsync), ("ESL: session layer", SessionAsync), ("ESL: session, call table and SipEvent", AdapterAsync)]).ConfigureAwait(false);
    }

    private const int EventsPerCall = 7;

    // An answered call of one leg with the fields, and the lengths, of the recordings.
    private static byte[] Events(int calls)
    {
        var text = new StringBuilder(calls * EventsPerCall * 2400);
        text.Append("Content-Type: auth/request\n\n");
        string variables = string.Concat(Enumerable.Range(0, 30).Select(i => $",\"variable_of_the_call_{i}\":\"value number {i}\""));
        string caller = string.Concat(Enumerable.Range(0, 16).Select(i => $",\"Caller-Channel-Field-{i}\":\"179538617387745{i}\""));
        for (int i = 0; i < calls; i++)
        {
            string id = $"{i:x8}-1111-4222-8333-444455556666";
            void Event(string name, string state, string more)
            {
                string json = $"{{\"Event-Name\":\"{name}\",\"Core-UUID\":\"c098c5ad-7178-479e-94c1-20834d6ea2df\",\"FreeSWITCH-Hostname\":\"localhost\",\"FreeSWITCH-Switchname\":\"localhost\",\"FreeSWITCH-IPv4\":\"127.0.0.1\",\"FreeSWITCH-IPv6\":\"::1\","
                    + "\"Event-Date-Local\":\"2026-11-22 22:22:53\",\"Event-Date-GMT\":\"Sun, 22 Nov 2026 22:22:53 GMT\",\"Event-Date-Timestamp\":\"1795386173877455\",\"Event-Calling-File\":\"switch_core_session.c\",\"Event-Calling-Function\":\"switch_core_session_set_uuid\",\"Event-Calling-Line-Number\":\"2051\",\"Event-Sequence\":\"514678\","
                    + $"\"Channel-State\":\"CS_EXECUTE\",\"Channel-Call-State\":\"{state}\",\"Channel-State-Number\":\"1\",\"Channel-Name\":\"sofia/internal/1001\",\"Unique-ID\":\"{id}\",\"Call-Direction\":\"outbound\",\"Channel-Call-UUID\":\"{id}\",\"Answer-State\":\"answered\""
                    + $",\"Caller-Caller-ID-Number\":\"1001\",\"Caller-Destination-Number\":\"1002\"{caller}{variables}{more}}}";
                text.Append("Content-Length: ").Append(json.Length).Append("\nContent-Type: text/event-json\n\n").Append(json);
            }

            Event("CHANNEL_CREATE", "DOWN", "");
            Event("CHANNEL_PROGRESS", "RINGING", "");
            Event("CHANNEL_ANSWER", "ACTIVE", "");
            Event("CHANNEL_EXECUTE", "ACTIVE", ",\"Application\":\"park\",\"Application-Data\":\"\"");
            Event("CHANNEL_HANGUP", "ACTIVE", ",\"Hangup-Cause\":\"NORMAL_CLEARING\"");
            Event("CHANNEL_HANGUP_COMPLETE", "HANGUP", ",\"Hangup-Cause\":\"NORMAL_CLEARING\",\"variable_hangup_cause_q850\":\"16\",\"variable_billmsec\":\"1000\"" + variables);
            Event("CHANNEL_DESTROY", "HANGUP", ",\"Hangup-Cause\":\"NORMAL_CLEARING\"");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static async Task BareAsync(EventSource source)
    {
        (Socket socket, Action start) = await source.OpenAsync().ConfigureAwait(false);
        using Socket receiver = socket;
        var channel = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        start();
        Task consumer = Task.Run(async () =>
        {
            int left = source.Count;
            while (left > 0 && await channel.Reader.WaitToReadAsync().ConfigureAwait(false))
            {
                while (channel.Reader.TryRead(out _)) left--;
            }
        });
        var reader = PipeReader.Create(new NetworkStream(receiver), new StreamPipeReaderOptions(bufferSize: 128 * 1024));
        int seen = 0;
        while (seen < source.Count)
        {
            ReadResult result = await reader.ReadAsync().ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            while (TryCut(ref buffer, out ReadOnlySequence<byte> body))
            {
                if (body.IsEmpty) continue;
                byte[] copy = body.ToArray();
                if (Field(copy, "\"Event-Name\":\""u8).IsEmpty) throw new InvalidOperationException();
                _ = Field(copy, "\"Unique-ID\":\""u8);
                channel.Writer.TryWrite(copy);
                seen++;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }

        await consumer.ConfigureAwait(false);
    }

    private static bool TryCut(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> body)
    {
        body = default;
        var reader = new SequenceReader<byte>(buffer);
        if (!reader.TryReadTo(out ReadOnlySequence<byte> head, "\n\n"u8)) return false;
        ReadOnlySpan<byte> text = head.IsSingleSegment ? head.FirstSpan : head.ToArray();
        int length = 0;
        if (text.StartsWith("Content-Length: "u8) && !Utf8Parser.TryParse(text["Content-Length: ".Length..], out length, out _)) throw new InvalidOperationException();
        if (reader.Remaining < length) return false;
        body = buffer.Slice(reader.Position, length);
        buffer = buffer.Slice(body.End);
        return true;
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        int at = json.IndexOf(name);
        if (at < 0) return default;
        json = json[(at + name.Length)..];
        return json[..json.IndexOf((byte)'"')];
    }

    private static async Task SessionAsync(EventSource source)
    {
        (Socket socket, Action start) = await source.OpenAsync().ConfigureAwait(false);
        var sink = new Sink();
        await using EslSession session = EslSession.Over(new NetworkStream(socket, ownsSocket: true), "bench", new SipServerConfiguration(), sink, NullLogger.Instance, TimeProvider.System);
        start();
        _ = session.Closed.ContinueWith(t => sink.Events.Writer.TryComplete(t.Result), TaskScheduler.Default);
        int left = source.Count;
        while (left > 0 && await sink.Events.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (sink.Events.Reader.TryRead(out _)) left--;
        }
    }

    private static async Task AdapterAsync(EventSource source)
    {
        (Socket socket, Action start) = await source.OpenAsync().ConfigureAwait(false);
        // Large enough that nothing is dropped: every event is made and handed over.
        var hub = new EventHub("bench", SipServerType.FreeSwitch, 10_000_000, TimeProvider.System, NullLogger.Instance);
        var calls = new CallTable("bench", SipServerType.FreeSwitch, hub, 1000, TimeProvider.System, NullLogger.Instance);
        var mapper = new FreeSwitchMapper("bench", calls, hub, new DetailRecordStore<FreeSwitchCall>(1000), TimeProvider.System);
        using ISipEventSubscription subscription = hub.Subscribe(SipEventTypes.Other);
        await using EslSession session = EslSession.Over(new NetworkStream(socket, ownsSocket: true), "bench", new SipServerConfiguration(), mapper, NullLogger.Instance, TimeProvider.System);
        start();
        for (int left = source.Count; left > 0; left--)
        {
            if (!subscription.TryRead(out _)) await subscription.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        }

        if (calls.LiveCount != 0) throw new InvalidOperationException($"{calls.LiveCount} calls are left");
    }

    private sealed class Sink : IEslEventSink
    {
        public Channel<byte[]> Events { get; } = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

        public void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
        {
            _ = EslJson.Find(json, "Unique-ID"u8);
            Events.Writer.TryWrite(json.ToArray());
        }

        public void OnReadBegins()
        {
        }

        public void OnReadEnds()
        {
        }
    }
}
