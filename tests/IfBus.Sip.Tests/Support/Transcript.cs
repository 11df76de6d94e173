using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace IfBus.Sip.Tests.Support;

/// <summary>A recording: what crossed each connection's socket, in order.</summary>
internal sealed class Transcript
{
    private readonly List<(int Connection, bool FromServer, byte[] Bytes)> _chunks = [];
    private readonly List<TimeSpan> _times = [];

    public Transcript(string path)
    {
        Name = Path.GetFileName(path).Split('.')[0];
        using Stream file = File.OpenRead(path);
        using Stream text = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(text, Encoding.UTF8);
        reader.ReadLine();
        // Its bytes that are no UTF-8 are written as the characters of that number (wire/freeswitch, how it was recorded).
        Encoding encoding = Name == "event-invalid-utf8" ? Encoding.Latin1 : Encoding.UTF8;
        while (reader.ReadLine() is { } line)
        {
            using JsonDocument chunk = JsonDocument.Parse(line);
            JsonElement root = chunk.RootElement;
            if (!root.TryGetProperty("text", out JsonElement said)) continue;
            _chunks.Add((root.GetProperty("conn").GetInt32(), root.GetProperty("dir").GetString() == "server", encoding.GetBytes(said.GetString()!)));
            _times.Add(root.TryGetProperty("t", out JsonElement at) ? TimeSpan.FromSeconds(at.GetDouble()) : TimeSpan.Zero);
        }
    }

    public string Name { get; }

    /// <summary>All chunks in their order.</summary>
    public IReadOnlyList<(int Connection, bool FromServer, byte[] Bytes)> Chunks => _chunks;

    public IEnumerable<int> Connections => _chunks.Select(c => c.Connection).Distinct();

    /// <summary>All that the server said on a connection.</summary>
    public byte[] Server(int connection) => [.. _chunks.Where(c => c.Connection == connection && c.FromServer).SelectMany(c => c.Bytes)];

    /// <summary>The same in its pieces, each with when it came, since the recording's beginning.</summary>
    public List<(TimeSpan At, byte[] Bytes)> TimedServer(int connection) =>
        [.. _chunks.Zip(_times).Where(c => c.First.Connection == connection && c.First.FromServer).Select(c => (c.Second, c.First.Bytes))];

    /// <summary>All that the client said on a connection.</summary>
    public byte[] Client(int connection) => [.. _chunks.Where(c => c.Connection == connection && !c.FromServer).SelectMany(c => c.Bytes)];

    /// <summary>What both sides said on a connection, in the order in which it was seen.</summary>
    public IEnumerable<(bool FromServer, byte[] Bytes)> Conversation(int connection) => _chunks.Where(c => c.Connection == connection).Select(c => (c.FromServer, c.Bytes));

    /// <summary>The recordings of a server.</summary>
    public static IEnumerable<string> Files(string server) => Directory.GetFiles(Repository.Transcripts(server)).Order(StringComparer.Ordinal);

    /// <summary>One recording by its scenario.</summary>
    public static Transcript Open(string server, string scenario)
    {
        string path = Path.Combine(Repository.Transcripts(server), scenario + ".jsonl");
        return new Transcript(File.Exists(path) ? path : path + ".gz");
    }
}
