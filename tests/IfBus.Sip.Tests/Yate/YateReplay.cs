using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.Yate;
using IfBus.Sip.Tests.Asterisk;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.Yate;

/// <summary>
/// One connection's recording, taken through session, mapper and call table. The recording's own client is somebody else
/// here, so its calls are calls of others. Answers to its local commands are left out: they answer nothing of ours.
/// </summary>
internal sealed class YateReplay
{
    private readonly FakeTimeProvider _time = new();
    private readonly ISipEventSubscription _subscription;
    private readonly YateMapper _mapper;
    private readonly EventHub _hub;

    private YateReplay()
    {
        _hub = new EventHub("replay", SipServerType.Yate, 1_000_000, _time, NullLogger.Instance);
        Calls = new CallTable("replay", SipServerType.Yate, _hub, 100_000, _time, NullLogger.Instance);
        Records = new DetailRecordStore<YateCall>(100_000);
        _mapper = new YateMapper("replay", Calls, _hub, Records, _time);
        _subscription = _hub.Subscribe(SipEventTypes.All);
    }

    public CallTable Calls { get; }

    public DetailRecordStore<YateCall> Records { get; }

    public List<SipEvent> Events { get; } = [];

    public IEnumerable<SipEvent> Changes => Events.Where(e => e.Type == SipEventTypes.CallStateChanged);

    /// <summary>The calls as they stood at the end, by id.</summary>
    public Dictionary<string, SipCall> Final => Changes.GroupBy(c => c.CallId!).ToDictionary(g => g.Key, g => g.Last().Call!);

    /// <summary>What was heard, in order, for comparing.</summary>
    public List<string> Story => [.. Events.Select(e => $"{e.Type} {e.Name} {e.CallId} {e.PreviousState} {e.Call?.State} {e.Call?.Cause} {string.Join("; ", e.Fields)}")];

    /// <summary>Feeds one connection.</summary>
    public static async Task<YateReplay> FeedAsync(Transcript recording, int connection, Cut cut)
    {
        byte[] bytes = Heard(recording.Server(connection));
        var replay = new YateReplay();
        ExtModuleSession session = ExtModuleSession.Over(new CutStream(bytes, Ends(bytes, cut)), "replay", new SipServerConfiguration(), replay._mapper, NullLogger.Instance, replay._time);
        await session.Closed.WaitAsync(TimeSpan.FromMinutes(1));
        // What waits for something that the recording does not have is decided by time.
        for (int i = 0; i < 4; i++)
        {
            replay._time.Advance(TimeSpan.FromSeconds(1));
            replay._mapper.OnTick();
        }

        while (replay._subscription.TryRead(out SipEvent? item)) replay.Events.Add(item!);
        return replay;
    }

    private static byte[] Heard(byte[] bytes)
    {
        var kept = new List<byte>(bytes.Length);
        int begin = 0;
        while (begin < bytes.Length)
        {
            int end = Array.IndexOf(bytes, (byte)'\n', begin);
            end = end < 0 ? bytes.Length : end + 1;
            ReadOnlySpan<byte> line = bytes.AsSpan(begin, end - begin);
            if (line.StartsWith("%%<message"u8) || line.StartsWith("%%>message"u8) || line.StartsWith("Error in"u8)) kept.AddRange(line);
            begin = end;
        }

        return [.. kept];
    }

    private static List<int> Ends(byte[] bytes, Cut cut)
    {
        var ends = new List<int>();
        for (int i = 1; i < bytes.Length && cut != Cut.Whole; i++)
        {
            // Between a line and its newline, after it, inside every escape and every character of several bytes.
            if (cut == Cut.ByteByByte || bytes[i] == '\n' || bytes[i - 1] is (byte)'\n' or (byte)'%' || (bytes[i] & 0xC0) == 0x80) ends.Add(i);
        }

        ends.Add(bytes.Length);
        return ends;
    }
}
