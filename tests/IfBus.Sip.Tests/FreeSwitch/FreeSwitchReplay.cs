using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Tests.Asterisk;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>
/// One connection's recording, taken through framer, mapper and call table, without a socket. Most were recorded with
/// plain events; they are written anew as the JSON that the server makes of the same event.
/// </summary>
internal sealed class FreeSwitchReplay
{
    private static readonly JsonSerializerOptions Raw = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly FakeTimeProvider _time = new();
    private readonly EventHub _hub;
    private readonly FreeSwitchMapper _mapper;
    private readonly ISipEventSubscription _subscription;
    private readonly Queue<string> _commands = new();
    private readonly Dictionary<string, string> _jobs = [];

    public FreeSwitchReplay()
    {
        _hub = new EventHub("replay", SipServerType.FreeSwitch, 1_000_000, _time, NullLogger.Instance);
        Calls = new CallTable("replay", SipServerType.FreeSwitch, _hub, 100_000, _time, NullLogger.Instance);
        Records = new DetailRecordStore<FreeSwitchCall>(100_000);
        _mapper = new FreeSwitchMapper("replay", Calls, _hub, Records, _time);
        _subscription = _hub.Subscribe(SipEventTypes.CallStateChanged);
    }

    public CallTable Calls { get; }

    public DetailRecordStore<FreeSwitchCall> Records { get; }

    public List<SipEvent> Changes { get; } = [];

    public List<byte[]> Messages { get; } = [];

    /// <summary>The calls that the recording's client made and gave a uuid.</summary>
    public List<string> Ours { get; } = [];

    /// <summary>The calls as they stood at the end, by id.</summary>
    public Dictionary<string, SipCall> Final => Changes.GroupBy(c => c.CallId!).ToDictionary(g => g.Key, g => g.Last().Call!);

    /// <summary>The one call that the recording is about.</summary>
    public SipCall Call => Final[Assert.Single(Ours)];

    /// <summary>Feeds one connection.</summary>
    public FreeSwitchReplay Feed(Transcript recording, int connection, Cut cut, int limit = int.MaxValue)
    {
        foreach (string command in Encoding.UTF8.GetString(recording.Client(connection)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries)) _commands.Enqueue(command.Trim('\r', '\n'));
        byte[] bytes = recording.Server(connection);
        if (bytes.Length > limit) bytes = bytes[..limit];
        var framer = new EslFramer();
        int begin = 0;
        foreach (int end in Ends(bytes, cut))
        {
            _mapper.OnReadBegins();
            while (begin < end && framer.TryRead(bytes.AsSpan(begin, end - begin), out int head, out int length))
            {
                Take(bytes.AsSpan(begin, head), bytes.AsSpan(begin + head, length - head));
                begin += length;
            }

            _mapper.OnReadEnds();
        }

        // What waits for something that the recording does not have is decided by time.
        for (int i = 0; i < 4; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _mapper.OnTick();
        }

        while (_subscription.TryRead(out SipEvent? item)) Changes.Add(item!);
        return this;
    }

    private void Take(ReadOnlySpan<byte> head, ReadOnlySpan<byte> body)
    {
        Messages.Add([.. head, .. body]);
        string type = Encoding.UTF8.GetString(EslFramer.Header(head, "Content-Type: "u8));
        switch (type)
        {
            case "command/reply" or "api/response":
                if (!_commands.TryDequeue(out string? command)) break;
                string job = Encoding.UTF8.GetString(EslFramer.Header(head, "Job-UUID: "u8));
                int at = command.IndexOf("origination_uuid=", StringComparison.Ordinal);
                if (job.Length == 0 || !command.StartsWith("bgapi originate", StringComparison.Ordinal) || at < 0) break;
                string uuid = new([.. command[(at + "origination_uuid=".Length)..].TakeWhile(c => c is not (',' or '}' or ']'))]);
                if (Ours.Contains(uuid)) break;
                _jobs[job] = uuid;
                Ours.Add(uuid);
                _mapper.Expect(new FreeSwitchCall(uuid, ours: true) { HasDestination = !command.Contains('&', StringComparison.Ordinal), CreatedAt = _time.GetUtcNow().UtcDateTime }, [uuid]);
                break;
            case "text/event-plain":
                Tell(Json(body));
                break;
            case "text/event-json":
                Tell(body.ToArray());
                break;
        }
    }

    private void Tell(byte[] json)
    {
        foreach ((string job, string uuid) in _jobs)
        {
            if (EslJson.Find(json, "Job-UUID"u8).SequenceEqual(Encoding.ASCII.GetBytes(job))) json = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json).Replace($"\"Job-UUID\":\"{job}\"", $"\"Job-UUID\":\"{uuid}\"", StringComparison.Ordinal));
        }

        _mapper.OnEvent(EslJson.Find(json, "Event-Name"u8), json);
    }

    // Name: percent-encoded value, an empty line, a body if there is one.
    private static byte[] Json(ReadOnlySpan<byte> plain)
    {
        string text = Encoding.UTF8.GetString(plain);
        int end = text.IndexOf("\n\n", StringComparison.Ordinal);
        IEnumerable<string> fields = (end < 0 ? text : text[..end]).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line =>
        {
            int colon = line.IndexOf(": ", StringComparison.Ordinal);
            return $"{JsonSerializer.Serialize(line[..colon], Raw)}:{JsonSerializer.Serialize(Uri.UnescapeDataString(line[(colon + 2)..]), Raw)}";
        });
        if (end >= 0 && end + 2 < text.Length) fields = fields.Append($"\"_body\":{JsonSerializer.Serialize(text[(end + 2)..], Raw)}");
        return Encoding.UTF8.GetBytes("{" + string.Join(',', fields) + "}");
    }

    private static IEnumerable<int> Ends(byte[] bytes, Cut cut)
    {
        for (int i = 1; i < bytes.Length && cut != Cut.Whole; i++)
        {
            // Between the two line ends of a head, before it and after it, and inside every character of several bytes.
            if (cut == Cut.ByteByByte || bytes[i - 1] == '\n' || bytes[i] == '\n' || (bytes[i] & 0xC0) == 0x80) yield return i;
        }

        yield return bytes.Length;
    }
}
