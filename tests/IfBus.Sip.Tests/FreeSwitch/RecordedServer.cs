using System.Text;
using System.Text.RegularExpressions;
using IfBus.Sip.Tests.Asterisk;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>
/// The server's side of one recorded connection as a stream for a session: it says what the server said when the client
/// has said what it said then, cut as asked. Most were recorded with plain events; they are written anew as the JSON that
/// the server makes of the same event, and jobs get the ids that this client gives them. All of it happens on the
/// session's reader, so a replay is the same each time.
/// </summary>
internal sealed partial class RecordedServer : Stream
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<Turn> _turns = new();
    private readonly Cut _cut;
    private readonly StringBuilder _written = new();
    private readonly Dictionary<string, string> _jobs = [];
    private readonly List<byte> _told = [];
    private Action<string>? _say;
    private byte[] _bytes = [];
    private IEnumerator<int>? _ends;
    private int _begin;
    private int _said;
    private int _answered;

    public RecordedServer(Transcript recording, int connection, Cut cut)
    {
        _cut = cut;
        var turn = new Turn([], []);
        byte[] server = [], client = [];
        foreach ((bool fromServer, byte[] bytes) in recording.Conversation(connection))
        {
            if (fromServer)
            {
                server = [.. server, .. bytes];
                int at = 0;
                for (; EslRecord.Take(server.AsSpan(at), out int consumed) is { } record; at += consumed) turn.Messages.Add((record, server[at..(at + consumed)]));
                server = server[at..];
                continue;
            }

            client = [.. client, .. bytes];
            string[] commands = [.. Commands(ref client)];
            if (commands.Length == 0) continue;
            if (turn.Messages.Count > 0)
            {
                _turns.Enqueue(turn);
                turn = new Turn([], []);
            }

            turn.Commands.AddRange(commands);
        }

        _turns.Enqueue(turn);
        // Of what is read at once all had been asked for before.
        if (cut == Cut.Whole) _turns = new Queue<Turn>([new Turn([.. _turns.SelectMany(t => t.Commands)], [.. _turns.SelectMany(t => t.Messages)])]);
        Rest = server;
    }

    /// <summary>What the server was in the middle of when the recording ended.</summary>
    public byte[] Rest { get; }

    /// <summary>All that this session was told, by a reader that is not the product's.</summary>
    public List<EslRecord> Told => EslRecord.All([.. _told]);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Begins; the client's commands are said by the session, in their order, at their time.</summary>
    public void Begin(Action<string> say)
    {
        _say = say;
        _open.SetResult();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!_open.Task.IsCompleted) await _open.Task;
        while (_ends is null || !_ends.MoveNext())
        {
            if (!_turns.TryDequeue(out Turn? turn)) return 0;
            foreach (string command in turn.Commands)
            {
                _said++;
                _say!(command);
            }

            // Among many commands they are carried to the socket by another thread.
            Assert.True(SpinWait.SpinUntil(() => Written().Length >= _said, TimeSpan.FromSeconds(20)), "the session did not send what it was to send");
            _bytes = [.. turn.Messages.SelectMany(m => Now(m.Record, m.Bytes))];
            _told.AddRange(_bytes);
            _begin = 0;
            _ends = Ends(_bytes, _cut).GetEnumerator();
        }

        // A piece that is larger than the reader's room comes in several.
        int end = _ends.Current, count = Math.Min(buffer.Length, end - _begin);
        _bytes.AsMemory(_begin, count).CopyTo(buffer);
        _begin += count;
        if (_begin < end) _ends = Enumerable.Repeat(end, 1).Concat(Others(_ends)).GetEnumerator();
        return count;

        static IEnumerable<int> Others(IEnumerator<int> ends)
        {
            while (ends.MoveNext()) yield return ends.Current;
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_written) _written.Append(Encoding.UTF8.GetString(buffer.Span));
        return default;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // The commands that the session has sent, whole.
    private string[] Written()
    {
        lock (_written) return _written.ToString().Split("\n\n")[..^1];
    }

    // A command ends with an empty line, and after its body if it announces one; only its first line matters to whom it is answered.
    private static List<string> Commands(ref byte[] bytes)
    {
        var commands = new List<string>();
        string text = Encoding.Latin1.GetString(bytes).ReplaceLineEndings("\n");
        while (true)
        {
            string rest = text.TrimStart('\n');
            int end = rest.IndexOf("\n\n", StringComparison.Ordinal);
            if (end < 0) break;
            int length = BodyLength().Match(rest[..end]) is { Success: true } body ? int.Parse(body.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture) : 0;
            if (rest.Length < end + 2 + length) break;
            commands.Add(Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(rest.Split('\n')[0])));
            text = rest[(end + 2 + length)..];
        }

        bytes = Encoding.Latin1.GetBytes(text);
        return commands;
    }

    // A message as the server says it to this client.
    private byte[] Now(EslRecord record, byte[] bytes)
    {
        switch (record.Type)
        {
            case "command/reply" or "api/response":
                string[] asked = _answered < _said ? Written()[_answered++].Split("\nJob-UUID: ") : [""];
                if (record.Type == "api/response" || record.Outer("Job-UUID") is not { } then || asked.Length < 2) return bytes;
                _jobs[then] = asked[1];
                return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace(then, asked[1], StringComparison.Ordinal));
            case "text/event-plain":
                return Message(OfJob(Json(record)));
            case "text/event-json" when record.Body.Contains("\"Event-Name\":\"BACKGROUND_JOB\"", StringComparison.Ordinal):
                return Message(OfJob(Encoding.Latin1.GetBytes(record.Body)));
            default:
                return bytes;
        }
    }

    private static byte[] Message(byte[] json) => [.. Encoding.ASCII.GetBytes($"Content-Length: {json.Length}\nContent-Type: text/event-json\n\n"), .. json];

    private byte[] OfJob(byte[] json)
    {
        string text = Encoding.Latin1.GetString(json);
        foreach ((string then, string now) in _jobs) text = text.Replace($"\"Job-UUID\":\"{then}\"", $"\"Job-UUID\":\"{now}\"", StringComparison.Ordinal);
        return Encoding.Latin1.GetBytes(text);
    }

    // The names and values of a plain event as the server writes them in JSON: bytes that are no UTF-8 as they are, several values of a variable as an array, its body last.
    private static byte[] Json(EslRecord plain)
    {
        int end = plain.Body.IndexOf("\n\n", StringComparison.Ordinal);
        List<string> fields = [.. plain.Body[..end].Split('\n').Select(l => l.Split(": ", 2)).Select(f => $"{Quoted(f[0])}:{Value(Percent().Replace(f[1], m => ((char)Convert.ToByte(m.Groups[1].Value, 16)).ToString()))}")];
        if (end + 2 < plain.Body.Length) fields.Add($"\"_body\":{Quoted(plain.Body[(end + 2)..])}");
        return Encoding.Latin1.GetBytes("{" + string.Join(',', fields) + "}");

        static string Value(string value) => value.StartsWith("ARRAY::", StringComparison.Ordinal) ? "[" + string.Join(',', value["ARRAY::".Length..].Split("|:").Select(Quoted)) + "]" : Quoted(value);

        static string Quoted(string value)
        {
            var text = new StringBuilder("\"");
            foreach (char c in value)
            {
                if (c is '"' or '\\') text.Append('\\').Append(c);
                else if (c < ' ') text.Append(c switch { '\n' => "\\n", '\r' => "\\r", '\t' => "\\t", '\b' => "\\b", '\f' => "\\f", _ => $"\\u{(int)c:x4}" });
                else text.Append(c);
            }

            return text.Append('"').ToString();
        }
    }

    private static IEnumerable<int> Ends(byte[] bytes, Cut cut)
    {
        for (int i = 1; i < bytes.Length && cut != Cut.Whole; i++)
        {
            // Between the two line ends of a head, before it and after it, and inside every character of several bytes.
            if (cut == Cut.ByteByByte || bytes[i - 1] == '\n' || bytes[i] == '\n' || (bytes[i] & 0xC0) == 0x80) yield return i;
        }

        if (bytes.Length > 0) yield return bytes.Length;
    }

    [GeneratedRegex("^Content-Length: *([0-9]+)$", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex BodyLength();

    [GeneratedRegex("%([0-9A-Fa-f]{2})")]
    private static partial Regex Percent();

    private sealed record Turn(List<string> Commands, List<(EslRecord Record, byte[] Bytes)> Messages);
}
