using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.Yate;
using Microsoft.Extensions.Logging.Abstractions;

namespace IfBus.Sip.Benchmarks;

/// <summary>Yate's messages a second: a bare loop of our own, the session layer, the session layer with call table while nobody watches, and with SipEvents.</summary>
internal static class YateDecoding
{
    private const int MessagesPerCall = 12;

    public static async Task RunAsync(int calls, int rounds)
    {
        var source = new EventSource(Messages(calls), calls * MessagesPerCall);
        await Decoding.CompareAsync(source, rounds, [("Yate: bare loop", BareAsync), ("Yate: session layer", SessionAsync), ("Yate: session and call table", s => AdapterAsync(s, watched: false)), ("Yate: session, call table and SipEvent", s => AdapterAsync(s, watched: true))]).ConfigureAwait(false);
    }

    // A call of two SIP legs with the fields, and the lengths, of the recordings.
    private static byte[] Messages(int calls)
    {
        const string Handlers = ":handlers=callfork%z20,yrtp%z50,cdrbuild%z50,callgen%z100,dumb%z100,wave%z100,sip%z100,conf%z100";
        var text = new StringBuilder(calls * MessagesPerCall * 420);
        for (int i = 0; i < calls; i++)
        {
            string a = $"sip/{2 * i}", b = $"sip/{(2 * i) + 1}", bill = $"1795385604-{i}";
            string ofA = $"id={a}:module=sip:status=answered:address=127.0.0.1%z5795:billid={bill}:peerid={b}:lastpeerid={b}:answered=true:direction=incoming:domain=127.0.0.1:callid=sip/1-{i}@127.0.0.1/5369SIPpTag001/1337982814";
            string ofB = $"id={b}:module=sip:status=answered:address=127.0.0.1%z5790:targetid={a}:billid={bill}:peerid={a}:lastpeerid={a}:answered=true:direction=outgoing:callid=sip/417933857@127.0.0.1%z5780/{i}/5276SIPpTag011:sip_contact=<sip%z127.0.0.1%z5790;transport=UDP>";
            void Say(string name, string fields) => text.Append("%%<message::false:").Append(name).Append("::").Append(fields).Append(Handlers).Append('\n');
            Say("chan.startup", ofA.Replace("answered=true", "answered=false", StringComparison.Ordinal) + ":caller=1001:called=1002");
            Say("chan.startup", ofB.Replace("answered=true", "answered=false", StringComparison.Ordinal) + ":caller=1001:called=1002:callto=sip/sip%z4001@127.0.0.1%z5790");
            Say("chan.connected", ofA.Replace("answered=true", "answered=false", StringComparison.Ordinal));
            Say("chan.connected", ofB.Replace("answered=true", "answered=false", StringComparison.Ordinal));
            Say("call.ringing", ofB.Replace("answered=true", "answered=false", StringComparison.Ordinal) + ":earlymedia=false");
            Say("call.answered", ofB + ":sip_content-type=application/sdp:media=yes:formats=mulaw:transport=RTP/AVP:rtp_rfc2833=false");
            Say("call.cdr", $"time=1795385604.123:chan={a}:cdrid={i}:runid=1795385604:operation=update:direction=incoming:duration=0.512:billtime=0.000:ringtime=0.302:status=answered:caller=1001:called=1002:billid={bill}");
            Say("chan.disconnected", ofA);
            Say("chan.hangup", ofB + ":rtp_stats=PS=482,OS=77120,PR=502,OR=80320,PL=0");
            Say("chan.hangup", ofA);
            Say("call.cdr", $"time=1795385604.123:chan={a}:cdrid={i}:runid=1795385604:operation=finalize:direction=incoming:duration=1.512:billtime=1.000:ringtime=0.302:status=answered:caller=1001:called=1002:billid={bill}");
            Say("call.cdr", $"time=1795385604.124:chan={b}:cdrid={i}:runid=1795385604:operation=finalize:direction=outgoing:duration=1.511:billtime=1.000:ringtime=0.302:status=answered:caller=1001:called=1002:billid={bill}");
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static async Task BareAsync(EventSource source)
    {
        (Socket socket, Action start) = await source.OpenAsync().ConfigureAwait(false);
        using Socket receiver = socket;
        var channel = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });
        start();
        Task consumer = ConsumeAsync(channel, source.Count);
        var reader = PipeReader.Create(new NetworkStream(receiver), new StreamPipeReaderOptions(bufferSize: 128 * 1024));
        int seen = 0;
        while (seen < source.Count)
        {
            ReadResult result = await reader.ReadAsync().ConfigureAwait(false);
            ReadOnlySequence<byte> buffer = result.Buffer;
            while (TryCut(ref buffer, out ReadOnlySequence<byte> line))
            {
                byte[] copy = line.ToArray();
                if (copy.AsSpan().IndexOf("billid="u8) < 0) throw new InvalidOperationException();
                channel.Writer.TryWrite(copy);
                seen++;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }

        await consumer.ConfigureAwait(false);
    }

    private static bool TryCut(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line)
    {
        line = default;
        if (buffer.PositionOf((byte)'\n') is not { } end) return false;
        line = buffer.Slice(0, end);
        buffer = buffer.Slice(buffer.GetPosition(1, end));
        return true;
    }

    private static async Task SessionAsync(EventSource source)
    {
        (Socket socket, Action start) = await source.OpenAsync().ConfigureAwait(false);
        var sink = new Sink();
        await using ExtModuleSession session = ExtModuleSession.Over(new NetworkStream(socket, ownsSocket: true), "bench", new SipServerConfiguration(), sink, NullLogger.Instance, TimeProvider.System);
        start();
        await ConsumeAsync(sink.Lines, source.Count).ConfigureAwait(false);
    }

    private static async Task AdapterAsync(EventSource source, bool watched)
    {
        (Socket socket, Action start) = await source.OpenAsync().ConfigureAwait(false);
        // Large enough that nothing is dropped: every event is made and handed over.
        var hub = new EventHub("bench", SipServerType.Yate, 10_000_000, TimeProvider.System, NullLogger.Instance);
        var calls = new CallTable("bench", SipServerType.Yate, hub, 1000, TimeProvider.System, NullLogger.Instance);
        var records = new DetailRecordStore<YateCall>(1000);
        var mapper = new YateMapper("bench", calls, hub, records, TimeProvider.System);
        using ISipEventSubscription? subscription = watched ? hub.Subscribe(SipEventTypes.Other) : null;
        await using ExtModuleSession session = ExtModuleSession.Over(new NetworkStream(socket, ownsSocket: true), "bench", new SipServerConfiguration(), mapper, NullLogger.Instance, TimeProvider.System);
        start();
        for (int left = watched ? source.Count : 0; left > 0; left--)
        {
            if (!subscription!.TryRead(out _)) await subscription.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        }

        // The last messages make the record of the last call.
        string last = $"1795385604-{(source.Count / MessagesPerCall) - 1}";
        while (records.Find(new SipDetailRecordFilter { CallId = last }).Count == 0) Thread.Sleep(1);
        if (calls.LiveCount != 0) throw new InvalidOperationException($"{calls.LiveCount} calls are left");
    }

    private static async Task ConsumeAsync(Channel<byte[]> lines, int left)
    {
        while (left > 0 && await lines.Reader.WaitToReadAsync().ConfigureAwait(false))
        {
            while (lines.Reader.TryRead(out _)) left--;
        }
    }

    private sealed class Sink : IExtModuleSink
    {
        public Channel<byte[]> Lines { get; } = Channel.CreateUnbounded<byte[]>(new UnboundedChannelOptions { SingleReader = true, SingleWriter = true });

        public void OnMessage(scoped in YateLine message, ReadOnlySpan<byte> line)
        {
            _ = message.Find("id"u8);
            Lines.Writer.TryWrite(line.ToArray());
        }

        public void OnRequest(ExtModuleSession session, scoped in YateLine message, ReadOnlySpan<byte> line)
        {
        }

        public void OnReadBegins()
        {
        }

        public void OnReadEnds()
        {
        }
    }
}
