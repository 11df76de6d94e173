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

/// <summary>
/// One connection's recording, taken through framer, mapper and call table, without a socket, at the times at which it
/// came. What the adapter would have asked the server meanwhile is answered by what the recording says of it.
/// </summary>
internal sealed class Replay
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    // What the extensions of the recordings do once they have answered (wire/asterisk, section 12).
    private static readonly Dictionary<string, (string Application, string Data)> Dialplan = new()
    {
        ["echo"] = ("Echo", ""),
        ["milliwatt"] = ("Milliwatt", ""),
        ["wait"] = ("Wait", "3600"),
        ["ring"] = ("Wait", "3600"),
        ["moh"] = ("MusicOnHold", "default"),
        ["conf"] = ("ConfBridge", "room1"),
        ["queue"] = ("Queue", "q1"),
    };

    private readonly Dictionary<string, (string Exten, string Application, string Data)> _where = [];
    private readonly FakeTimeProvider _time = new();
    private readonly EventHub _hub;
    private readonly AsteriskMapper _mapper;
    private readonly ISipEventSubscription _subscription;
    private readonly DateTimeOffset _begin;

    public Replay(IReadOnlyCollection<string>? ours = null)
    {
        _begin = _time.GetUtcNow();
        _hub = new EventHub("replay", SipServerType.Asterisk, 1_000_000, _time, NullLogger.Instance);
        Calls = new CallTable("replay", SipServerType.Asterisk, _hub, 100_000, _time, NullLogger.Instance);
        Records = new DetailRecordStore<AsteriskCall>(100_000);
        _mapper = new AsteriskMapper("replay", Calls, _hub, Records, _time);
        _subscription = _hub.Subscribe(SipEventTypes.CallStateChanged);
        foreach (string id in ours ?? []) _mapper.Expect(new AsteriskCall(id, ours: true) { HasDestination = true, CreatedAt = _time.GetUtcNow().UtcDateTime });
    }

    /// <summary>A replay that knows the calls of a connection's client as the adapter would: those that it made with an id of its own, and that were not refused.</summary>
    public static Replay Of(Transcript recording, int connection)
    {
        var replay = new Replay();
        HashSet<string> known = [];
        ILookup<string, ManagerMessage> replies = ManagerMessage.All(recording.Server(connection)).Where(m => m.Event is null && m["ActionID"] is not null).ToLookup(m => m["ActionID"]!);
        foreach (string action in Encoding.UTF8.GetString(recording.Client(connection)).ReplaceLineEndings("\n").Split("\n\n"))
        {
            string? Header(string name) => action.Split('\n').FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();
            if (Header("Action") != "Originate" || Header("ChannelId") is not { } id || replies[Header("ActionID")!].Any(r => r["Response"] == "Error") || !known.Add(id)) continue;
            bool hasDestination = Header("Exten") is not null;
            replay._mapper.Expect(new AsteriskCall(id, ours: true) { HasDestination = hasDestination, CreatedAt = replay._time.GetUtcNow().UtcDateTime }, noDialplan: !hasDestination);
        }

        return replay;
    }

    public CallTable Calls { get; }

    public DetailRecordStore<AsteriskCall> Records { get; }

    public List<SipEvent> Changes { get; } = [];

    /// <summary>The messages, their bytes as characters.</summary>
    public List<string> Messages { get; } = [];

    /// <summary>The calls as they stood at the end, by id.</summary>
    public Dictionary<string, SipCall> Final => Changes.GroupBy(c => c.CallId!).ToDictionary(g => g.Key, g => g.Last().Call!);

    /// <summary>The calls as they are now, ended or not, by id.</summary>
    public Dictionary<string, SipCall> All => Calls.SnapshotLive().Concat(Final.Values).DistinctBy(c => c.CallId).ToDictionary(c => c.CallId);

    public Replay Feed(Transcript recording, int connection, Cut cut)
    {
        List<(TimeSpan At, byte[] Bytes)> chunks = recording.TimedServer(connection);
        byte[] bytes = [.. chunks.SelectMany(c => c.Bytes)];
        var framer = new AmiFramer();
        int begin = 0, end = 0, chunk = 0, chunkEnd = chunks[0].Bytes.Length;
        bool greeted = false;
        foreach (int next in Ends(bytes, cut))
        {
            end = next;
            while (begin < end)
            {
                ReadOnlySpan<byte> buffer = bytes.AsSpan(begin, end - begin);
                int length;
                if (!greeted)
                {
                    if (!AmiFramer.TryReadGreeting(buffer, out length, out _)) break;
                    greeted = true;
                }
                else
                {
                    if (!framer.TryRead(buffer, out length)) break;
                    // A message is there when its last byte is.
                    while (begin + length > chunkEnd) chunkEnd += chunks[++chunk].Bytes.Length;
                    WaitUntil(chunks[chunk].At);
                    Take(bytes.AsSpan(begin, length));
                }

                begin += length;
            }
        }

        Assert.True(begin == end || !Encoding.UTF8.GetString(bytes[begin..]).Contains("\r\n\r\n", StringComparison.Ordinal), "bytes of a whole message are left");
        // What waits for something that the recording does not have is decided by time.
        WaitUntil(_time.GetUtcNow() - _begin + TimeSpan.FromSeconds(4));
        while (_subscription.TryRead(out SipEvent? item)) Changes.Add(item!);
        return this;
    }

    private void WaitUntil(TimeSpan at)
    {
        // Between two ticks of a session that waits for nothing nothing happens.
        while (_mapper.HasWatched && _time.GetUtcNow() - _begin + Tick < at)
        {
            _time.Advance(Tick);
            foreach (AsteriskCall call in _mapper.OnTick() ?? []) Answer(call);
        }

        if (_begin + at > _time.GetUtcNow()) _time.SetUtcNow(_begin + at);
    }

    // As the server answers Status: what the first leg does.
    private void Answer(AsteriskCall call)
    {
        (string exten, string application, string data) = _where.GetValueOrDefault(call.Primary!.Id, ("", "", ""));
        if (Dialplan.TryGetValue(exten, out (string, string) step)) (application, data) = step;
        else if (exten.StartsWith("say", StringComparison.Ordinal)) (application, data) = ("Wait", exten[3..]);
        else if (exten.StartsWith("dial-", StringComparison.Ordinal)) application = "Dial";
        _mapper.OnDestination(call, application, data, exten);
    }

    private void Take(ReadOnlySpan<byte> message)
    {
        Messages.Add(Encoding.Latin1.GetString(message));
        if (!message.StartsWith("Event: "u8)) return;
        ReadOnlySpan<byte> name = message["Event: ".Length..];
        name = name[..name.IndexOf("\r\n"u8)];
        var told = new AmiMessage(message.ToArray());
        if (name.SequenceEqual("OriginateResponse"u8) && told.Get("Response"u8) == "Success") _where[told.Get("Uniqueid"u8)!] = (told.Get("Exten"u8) ?? "", told.Get("Application"u8) ?? "", told.Get("Data"u8) ?? "");
        else if (name.SequenceEqual("BlindTransfer"u8) && told.Get("TransfereeUniqueid"u8) is { } moved) _where[moved] = (told.Get("Extension"u8) ?? "", "", "");
        _mapper.OnEvent(name, message);
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
