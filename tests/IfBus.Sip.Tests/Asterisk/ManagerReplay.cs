using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>The clients of a recording, played against a simulator: each says what it said when it had been told what it was told then.</summary>
internal sealed partial class ManagerReplay(Transcript recording, AsteriskSimulator simulator, string replace = "") : IDisposable
{
    // A call that ends by itself takes its time.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly Dictionary<int, Line> _lines = [];
    private readonly Dictionary<int, List<byte>> _recorded = [];

    public async Task<List<string>> RunAsync(IReadOnlyCollection<string> without)
    {
        var differences = new List<string>();
        foreach ((int connection, bool fromServer, byte[] said) in recording.Chunks)
        {
            if (without.Contains($"connection{connection}")) continue;
            byte[] bytes = Encoding.UTF8.GetBytes(Replace(Encoding.UTF8.GetString(said)));
            if (!_lines.TryGetValue(connection, out Line? line))
            {
                if (!await CatchUpAsync(without)) break;
                _lines[connection] = line = await Line.OpenAsync(simulator.Port, Limit);
                _recorded[connection] = [];
            }

            if (fromServer)
            {
                _recorded[connection].AddRange(bytes);
                continue;
            }

            // What the simulator does not do is not asked for.
            string action = Encoding.UTF8.GetString(bytes);
            if (ActionIds().Match(action) is { Success: true } id && without.Contains($"#{id.Groups[1].Value}")) continue;
            // What is missing is a difference; after it nothing can be told from what is said.
            if (!await CatchUpAsync(without)) break;
            await line.SayAsync(Encoding.UTF8.GetBytes(Translate(connection, action)));
        }

        await CatchUpAsync(without);
        foreach ((int connection, Line line) in _lines)
        {
            await line.LastAsync(Limit);
            differences.AddRange(ManagerComparison.Differences(ManagerMessage.All([.. _recorded[connection]]), line.Messages(), without).Select(d => $"connection {connection}, {d}"));
        }

        return differences;
    }

    public void Dispose()
    {
        foreach (Line line in _lines.Values) line.Dispose();
    }

    // What the recording's server was, or had, and the simulator is not, or has not.
    private string Replace(string text)
    {
        foreach (string[] pair in replace.Split('|').Select(p => p.Split("=>")).Where(p => p.Length == 2)) text = text.Replace(pair[0], pair[1], StringComparison.Ordinal);
        return text;
    }

    private async Task<bool> CatchUpAsync(IReadOnlyCollection<string> without)
    {
        bool Counts(ManagerMessage m) => ManagerComparison.IsPlayed(m) && !ManagerComparison.IsLeftOut(m, without);
        foreach ((int connection, Line line) in _lines)
        {
            int wanted = ManagerMessage.All([.. _recorded[connection]]).Count(Counts);
            if (!await line.ReadUntilAsync(m => m.Count(Counts) >= wanted, Limit)) return false;
        }

        return true;
    }

    private string Translate(int connection, string text)
    {
        // What a client says it has seen on any of the connections.
        List<ManagerMessage> theirs = [.. _recorded.Values.SelectMany(b => ManagerMessage.All([.. b]))], ours = [.. _lines.Values.SelectMany(l => l.Messages())];
        text = new ManagerNames(ours).Translate(text, new ManagerNames(theirs));
        return Keys().Replace(text, key =>
        {
            string? then = theirs.LastOrDefault(m => m["Challenge"] is not null)?["Challenge"], now = _lines[connection].Messages().LastOrDefault(m => m["Challenge"] is not null)?["Challenge"];
            return then is not null && now is not null && key.Value == $"Key: {Digest(then)}" ? $"Key: {Digest(now)}" : key.Value;
        });
    }

#pragma warning disable CA5351 // the protocol knows MD5 only
    private static string Digest(string challenge) => Convert.ToHexString(MD5.HashData(Encoding.ASCII.GetBytes(challenge + "ifbus-secret"))).ToLowerInvariant();
#pragma warning restore CA5351

    [GeneratedRegex("^ActionID: *([^\r\n]*)", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex ActionIds();

    [GeneratedRegex("Key: [0-9a-f]{32}")]
    private static partial Regex Keys();

    private sealed class Line(TcpClient client) : IDisposable
    {
        private readonly List<byte> _heard = [];
        private bool _ended;

        /// <summary>Connects; a server that is about to be back is waited for.</summary>
        public static async Task<Line> OpenAsync(int port, TimeSpan limit)
        {
            using var end = new CancellationTokenSource(limit);
            while (true)
            {
                var client = new TcpClient();
                try
                {
                    await client.ConnectAsync(IPAddress.Loopback, port, end.Token);
                    return new Line(client);
                }
                catch (SocketException) when (!end.IsCancellationRequested)
                {
                    client.Dispose();
                    await Task.Yield();
                }
            }
        }

        public List<ManagerMessage> Messages() => ManagerMessage.All([.. _heard]);

        public async Task SayAsync(byte[] bytes)
        {
            if (!_ended) await client.GetStream().WriteAsync(bytes);
        }

        /// <summary>Reads until a condition holds, the server ends the connection, or the limit is over: what is missing then is a difference.</summary>
        public async Task<bool> ReadUntilAsync(Func<IReadOnlyList<ManagerMessage>, bool> condition, TimeSpan limit)
        {
            using var end = new CancellationTokenSource(limit);
            byte[] buffer = new byte[64 * 1024];
            while (!condition(Messages()))
            {
                if (_ended) return false;
                try
                {
                    int count = await client.GetStream().ReadAsync(buffer, end.Token);
                    _ended = count == 0;
                    _heard.AddRange(buffer.AsSpan(0, count));
                }
                catch (IOException)
                {
                    _ended = true;
                }
                catch (OperationCanceledException)
                {
                    return false;
                }
            }

            return true;
        }

        /// <summary>What was said too much has come too: all of it, up to the answer to one more action.</summary>
        public async Task LastAsync(TimeSpan limit)
        {
            if (_ended) return;
            try
            {
                await SayAsync("Action: Ping\r\nActionID: last-of-all\r\n\r\n"u8.ToArray());
            }
            catch (IOException)
            {
                return;
            }

            await ReadUntilAsync(m => m.Any(r => r["ActionID"] == "last-of-all"), limit);
            string text = Encoding.UTF8.GetString([.. _heard]);
            int at = text.LastIndexOf("Response: ", StringComparison.Ordinal);
            if (at >= 0 && text[at..].Contains("last-of-all", StringComparison.Ordinal))
            {
                int over = text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal) + 4;
                _heard.Clear();
                _heard.AddRange(Encoding.UTF8.GetBytes(text[..at] + text[over..]));
            }
        }

        public void Dispose() => client.Dispose();
    }
}
