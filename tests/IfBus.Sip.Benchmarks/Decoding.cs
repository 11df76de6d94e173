using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Threading.Channels;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.Asterisk;
using Microsoft.Extensions.Logging.Abstractions;

namespace IfBus.Sip.Benchmarks;

/// <summary>Events a second: a bare loop of our own, the session layer, and the session layer with call table and SipEvents.</summary>
internal static class Decoding
{
    public static async Task RunAsync(int calls, int rounds)
    {
        await CompareAsync(new EventSource(calls), rounds, [("bare loop", BareAsync), ("session layer", SessionAsync), ("session, call table and SipEvent", AdapterAsync)]).ConfigureAwait(false);
    }

    /// <summary>Ways to take the same events, in turn; the first is what the others are held against.</summary>
    public static async Task CompareAsync(EventSource source, int rounds, (string Name, Func<EventSource, Task> Run)[] ways)
    {
        Console.WriteLine($"{source.Count} events, {source.Bytes.Length / source.Count} bytes each, {rounds} rounds in turn");
        var rates = ways.Select(_ => new List<double>()).ToArray();
        var bytes = new double[ways.Length];
        for (int round = -1; round < rounds; round++)
        {
            for (int i = 0; i < ways.Length; i++)
            {
                GC.Collect();
                long allocated = GC.GetTotalAllocatedBytes(precise: true);
                long begin = Stopwatch.GetTimestamp();
                await ways[i].Run(source).ConfigureAwait(false);
                double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
                bytes[i] = (double)(GC.GetTotalAllocatedBytes(precise: true) - allocated) / source.Count;
                if (round >= 0) rates[i].Add(source.Count / seconds);
            }
        }

        for (int i = 0; i < ways.Length; i++) Figures.Row(ways[i].Name, rates[i], "events/s", i == 0 ? null : rates[0], $"{bytes[i]:0} bytes allocated per event");
    }

    public static async Task BareAsync(EventSource source)
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
        bool greeted = false;
        while (seen < source.Count)
        {
            ReadResult result = await reader.ReadAsync().ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            if (!greeted)
            {
                var greeting = new SequenceReader<byte>(buffer);
                if (!greeting.TryReadTo(out ReadOnlySpan<byte> _, "\r\n"u8)) continue;
                buffer = buffer.Slice(greeting.Position);
                greeted = true;
            }

            while (TryCut(ref buffer, out ReadOnlySequence<byte> message))
            {
                byte[] copy = message.ToArray();
                if (Field(copy, "Event: "u8).IsEmpty) throw new InvalidOperationException();
                _ = Field(copy, "Uniqueid: "u8);
                channel.Writer.TryWrite(copy);
                seen++;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }

        await consumer.ConfigureAwait(false);
    }

    public static async Task SessionAsync(EventSource source)
    {
        (Socket socket, Action start) = await source.OpenAsync().ConfigureAwait(false);
        var sink = new Sink();
        await using AmiSession session = AmiSession.Over(new NetworkStream(socket, ownsSocket: true), new SipServerConfiguration(), sink, NullLogger.Instance, TimeProvider.System);
        start();
        _ = session.Closed.ContinueWith(t => sink.Events.Writer.TryComplete(t.Result), TaskScheduler.Default);
        int left = source.Count;
        while (left > 0 && await sink.Events.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (sink.Events.Reader.TryRead(out _)) left--;
        }
    }

    public static async Task AdapterAsync(EventSource source)
    {
        (Socket socket, Action start) = await source.OpenAsync().ConfigureAwait(false);
        // Large enough that nothing is dropped: every event is made and handed over.
        var hub = new EventHub("bench", SipServerType.Asterisk, 10_000_000, TimeProvider.System, NullLogger.Instance);
        var calls = new CallTable("bench", SipServerType.Asterisk, hub, 1000, TimeProvider.System, NullLogger.Instance);
        var mapper = new AsteriskMapper("bench", calls, hub, new DetailRecordStore<AsteriskCall>(1000), TimeProvider.System);
        using ISipEventSubscription subscription = hub.Subscribe(SipEventTypes.Other);
        await using AmiSession session = AmiSession.Over(new NetworkStream(socket, ownsSocket: true), new SipServerConfiguration(), mapper, NullLogger.Instance, TimeProvider.System);
        start();
        for (int left = source.Count; left > 0; left--)
        {
            if (!subscription.TryRead(out _)) await subscription.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        }

        if (calls.LiveCount != 0) throw new InvalidOperationException($"{calls.LiveCount} calls are left");
    }

    private static bool TryCut(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> message)
    {
        if (buffer.IsSingleSegment)
        {
            int end = buffer.FirstSpan.IndexOf("\r\n\r\n"u8);
            message = end < 0 ? default : buffer.Slice(0, end + 4);
            if (end < 0) return false;
            buffer = buffer.Slice(end + 4);
            return true;
        }

        var reader = new SequenceReader<byte>(buffer);
        bool found = reader.TryReadTo(out ReadOnlySequence<byte> _, "\r\n\r\n"u8);
        message = found ? buffer.Slice(0, reader.Position) : default;
        if (found) buffer = buffer.Slice(reader.Position);
        return found;
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> message, ReadOnlySpan<byte> name)
    {
        int at = message.IndexOf(name);
        if (at < 0) return default;
        message = message[(at + name.Length)..];
        return message[..message.IndexOf("\r\n"u8)];
    }

    private sealed class Sink : IAmiEventSink
    {
        public Channel<AmiMessage> Events { get; } = Channel.CreateUnbounded<AmiMessage>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

        public void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> message)
        {
            _ = AmiMessage.Find(message, "Uniqueid"u8);
            Events.Writer.TryWrite(new AmiMessage(message.ToArray()));
        }
    }
}
