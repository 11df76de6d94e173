using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>One message of the Event Socket, as the tests look at it.</summary>
/// <param name="Type">Content-Type.</param>
/// <param name="Headers">Outer headers.</param>
/// <param name="Body">The body's bytes, one character each.</param>
internal sealed record EslRecord(string Type, IReadOnlyList<KeyValuePair<string, string>> Headers, string Body)
{
    private readonly Lazy<IReadOnlyList<KeyValuePair<string, string>>> _event = new(() => ReadEvent(Type, Body));

    public bool IsEvent => Type.StartsWith("text/event-", StringComparison.Ordinal);

    /// <summary>Event-Name, or empty.</summary>
    public string Name => IsEvent ? this["Event-Name"] ?? "" : "";

    /// <summary>Headers of the event inside, in their order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Fields => _event.Value;

    public string? Reply => Outer("Reply-Text");

    /// <summary>The body inside an event.</summary>
    public string EventBody => Type == "text/event-json" ? this["_body"] ?? "" : Body[(Body.IndexOf("\n\n", StringComparison.Ordinal) + 2)..];

    /// <summary>The last field of a name: PRIVATE_COMMAND and the like have their own after another's.</summary>
    public string? this[string name] => Fields.LastOrDefault(f => f.Key == name).Value;

    public string? Outer(string name) => Headers.FirstOrDefault(h => h.Key == name).Value;

    /// <summary>Cuts one message off; null if it is not all there. Consumed says how many bytes it had.</summary>
    public static EslRecord? Take(ReadOnlySpan<byte> bytes, out int consumed)
    {
        consumed = 0;
        int end = bytes.IndexOf("\n\n"u8);
        if (end < 0) return null;
        List<KeyValuePair<string, string>> headers = Lines(Encoding.Latin1.GetString(bytes[..end]));
        string? length = headers.Find(h => h.Key == "Content-Length").Value;
        int body = length is null ? 0 : int.Parse(length, CultureInfo.InvariantCulture);
        if (bytes.Length < end + 2 + body) return null;
        consumed = end + 2 + body;
        return new EslRecord(headers.Find(h => h.Key == "Content-Type").Value, headers, Encoding.Latin1.GetString(bytes.Slice(end + 2, body)));
    }

    public static List<EslRecord> All(byte[] bytes)
    {
        var records = new List<EslRecord>();
        for (int at = 0; Take(bytes.AsSpan(at), out int consumed) is { } record; at += consumed) records.Add(record);
        return records;
    }

    public override string ToString() => IsEvent
        ? $"{Name} {this["Action"]} {this["Unique-ID"]} {this["Channel-State"]} {this["Channel-Call-State"]} {this["Answer-State"]} {this["Hangup-Cause"]} {this["Application"]}"
        : $"{Type} {Reply} {Body}";

    private static List<KeyValuePair<string, string>> Lines(string text) =>
        [.. text.Split('\n').Select(l => l.Split(": ", 2)).Select(p => new KeyValuePair<string, string>(p[0], p.Length > 1 ? p[1] : ""))];

    private static List<KeyValuePair<string, string>> ReadEvent(string type, string body)
    {
        if (type == "text/event-plain") return [.. Lines(body[..body.IndexOf("\n\n", StringComparison.Ordinal)]).Select(f => new KeyValuePair<string, string>(f.Key, Decode(f.Value)))];
        if (type != "text/event-json") return [];
        // The last of a name wins in a JsonDocument's look-up, but all are listed. What a caller sent that is no UTF-8 is not refused.
        using JsonDocument json = JsonDocument.Parse(Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(body)));
        return [.. json.RootElement.EnumerateObject().Select(p => new KeyValuePair<string, string>(p.Name, p.Value.ValueKind == JsonValueKind.String ? p.Value.GetString()! : p.Value.GetRawText()))];
    }

    private static string Decode(string value)
    {
        var bytes = new List<byte>();
        for (int i = 0; i < value.Length; i++)
        {
            if (value[i] == '%' && i + 2 < value.Length && byte.TryParse(value.AsSpan(i + 1, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out byte b))
            {
                bytes.Add(b);
                i += 2;
            }
            else
            {
                bytes.Add((byte)value[i]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}

/// <summary>A raw socket to a simulator. Every wait has a deadline.</summary>
internal sealed class EslClient : IDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly TcpClient _client = new();
    private readonly List<EslRecord> _records = [];
    private readonly NetworkStream _stream;
    private byte[] _buffer = new byte[64 * 1024];
    private int _start;
    private int _end;
    private int _next;

    private EslClient(int port)
    {
        _client.Connect("127.0.0.1", port);
        _stream = _client.GetStream();
    }

    /// <summary>All that came so far.</summary>
    public IReadOnlyList<EslRecord> Records => _records;

    /// <summary>The server has closed.</summary>
    public bool Ended { get; private set; }

    public Socket Socket => _client.Client;

    public static EslClient Open(ServerSimulator simulator) => new(simulator.Port);

    /// <summary>Connects and logs in.</summary>
    public static async Task<EslClient> LogInAsync(ServerSimulator simulator, params string[] commands)
    {
        var client = new EslClient(simulator.Port);
        await client.NextAsync(r => r.Type == "auth/request");
        Assert.Equal("+OK accepted", await client.CommandAsync("auth " + simulator.Secret));
        foreach (string command in commands) Assert.StartsWith("+OK", await client.CommandAsync(command), StringComparison.Ordinal);
        return client;
    }

    public Task SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    public async Task SendAsync(byte[] bytes)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        await _stream.WriteAsync(bytes, deadline.Token);
    }

    /// <summary>Sends a command and gives its Reply-Text.</summary>
    public async Task<string> CommandAsync(string command)
    {
        await SendAsync(command + "\n\n");
        return (await NextAsync(r => r.Type == "command/reply")).Reply!;
    }

    /// <summary>Sends an api command and gives its body.</summary>
    public async Task<string> ApiAsync(string command)
    {
        await SendAsync($"api {command}\n\n");
        return (await NextAsync(r => r.Type == "api/response")).Body;
    }

    /// <summary>The next message that fits, of those not given yet; what is before it is passed over.</summary>
    public async Task<EslRecord> NextAsync(Func<EslRecord, bool> wanted)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            while (_next < _records.Count)
            {
                if (wanted(_records[_next++])) return _records[_next - 1];
            }

            Assert.True(await ReadAsync(deadline.Token), "The server closed before it said what was awaited.");
        }
    }

    /// <summary>The next event of a name.</summary>
    public Task<EslRecord> EventAsync(string name) => NextAsync(r => r.Name == name);

    /// <summary>Reads until there are so many messages that count.</summary>
    public async Task<bool> ReadUntilAsync(Func<IReadOnlyList<EslRecord>, bool> enough, TimeSpan limit)
    {
        using var deadline = new CancellationTokenSource(limit);
        try
        {
            while (!enough(_records))
            {
                if (!await ReadAsync(deadline.Token)) return enough(_records);
            }

            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Reads to the end of the connection.</summary>
    public async Task ReadToEndAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (await ReadAsync(deadline.Token))
        {
        }
    }

    /// <summary>Waits until something is so at the server.</summary>
    public static async Task UntilAsync(Func<bool> condition, string what)
    {
        DateTime end = DateTime.UtcNow + Deadline;
        while (!condition())
        {
            Assert.True(DateTime.UtcNow < end, "It never came to it that " + what);
            await Task.Delay(2);
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (_end == _buffer.Length)
        {
            byte[] room = _end - _start > _buffer.Length / 2 ? new byte[_buffer.Length * 2] : _buffer;
            _buffer.AsSpan(_start, _end - _start).CopyTo(room);
            (_buffer, _start, _end) = (room, 0, _end - _start);
        }

        int count;
        try
        {
            count = await _stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        }
        catch (IOException)
        {
            count = 0;
        }

        if (count == 0)
        {
            Ended = true;
            return false;
        }

        _end += count;
        while (EslRecord.Take(_buffer.AsSpan(_start, _end - _start), out int consumed) is { } record)
        {
            _records.Add(record);
            _start += consumed;
        }

        return true;
    }
}
