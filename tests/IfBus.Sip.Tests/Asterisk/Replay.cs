using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.Asterisk;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>How a recording is cut on its way into the framer.</summary>
public enum Cut
{
    Whole,
    ByteByByte,
    Nasty,
}

/// <summary>One connection's recording, taken through framer, mapper and call table, without a socket.</summary>
internal sealed class Replay
{
    private readonly FakeTimeProvider _time = new();
    private readonly EventHub _hub;
    private readonly AsteriskMapper _mapper;
    private readonly ISipEventSubscription _subscription;

    public Replay(IReadOnlyCollection<string>? ours = null)
    {
        _hub = new EventHub("replay", SipServerType.Asterisk, 1_000_000, _time, NullLogger.Instance);
        Calls = new CallTable("replay", SipServerType.Asterisk, _hub, 100_000, _time, NullLogger.Instance);
        Records = new DetailRecordStore<AsteriskCall>(100_000);
        _mapper = new AsteriskMapper("replay", Calls, _hub, Records, _time);
        _subscription = _hub.Subscribe(SipEventTypes.CallStateChanged);
        foreach (string id in ours ?? []) _mapper.Expect(new AsteriskCall(id, ours: true) { HasDestination = true, CreatedAt = _time.GetUtcNow().UtcDateTime });
    }

    public CallTable Calls { get; }

    public DetailRecordStore<AsteriskCall> Records { get; }

    public List<SipEvent> Changes { get; } = [];

    public List<byte[]> Messages { get; } = [];

    /// <summary>The calls as they stood at the end, by id.</summary>
    public Dictionary<string, SipCall> Final => Changes.GroupBy(c => c.CallId!).ToDictionary(g => g.Key, g => g.Last().Call!);

    public Replay Feed(byte[] bytes, Cut cut)
    {
        var framer = new AmiFramer();
        int begin = 0, end = 0;
        bool greeted = false;
        foreach (int next in Ends(bytes, cut))
        {
            end = next;
            while (begin < end)
            {
                ReadOnlySpan<byte> buffer = bytes.AsSpan(begin, end - begin);
                if (!greeted)
                {
                    if (!AmiFramer.TryReadGreeting(buffer, out int greeting, out _)) break;
                    greeted = true;
                    begin += greeting;
                    continue;
                }

                if (!framer.TryRead(buffer, out int length)) break;
                Take(buffer[..length]);
                begin += length;
            }
        }

        Assert.True(begin == end || !Encoding.UTF8.GetString(bytes[begin..]).Contains("\r\n\r\n", StringComparison.Ordinal), "bytes of a whole message are left");
        // What waits for something that the recording does not have is decided by time.
        for (int i = 0; i < 4; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _mapper.OnTick();
        }

        while (_subscription.TryRead(out SipEvent? item)) Changes.Add(item!);
        return this;
    }

    private void Take(ReadOnlySpan<byte> message)
    {
        Messages.Add(message.ToArray());
        if (!message.StartsWith("Event: "u8)) return;
        ReadOnlySpan<byte> name = message["Event: ".Length..];
        _mapper.OnEvent(name[..name.IndexOf("\r\n"u8)], message);
    }

    private static IEnumerable<int> Ends(byte[] bytes, Cut cut)
    {
        for (int i = 1; i < bytes.Length && cut != Cut.Whole; i++)
        {
            // Between CR and LF, and inside every character of several bytes.
            if (cut == Cut.ByteByByte || (bytes[i - 1] == '\r' && bytes[i] == '\n') || (bytes[i] & 0xC0) == 0x80) yield return i;
        }

        yield return bytes.Length;
    }
}
