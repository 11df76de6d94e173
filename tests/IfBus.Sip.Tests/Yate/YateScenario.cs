using System.Text;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Yate;

/// <summary>
/// Does with a simulator what the client of a recording did with the real server, phones included, and compares what
/// the two servers said: the same lines, and those about one leg in the same order.
/// </summary>
internal sealed class YateScenario(string name, YateSimulator simulator) : IDisposable
{
    private readonly Transcript _recording = Transcript.Open("yate", name);
    private readonly Dictionary<int, RawYateClient> _clients = [];
    private readonly Dictionary<int, List<string>> _expected = [];
    private readonly YateWire _theirs = new();
    private readonly YateWire _ours = new();
    private readonly Dictionary<int, int> _seen = [];
    private readonly Dictionary<int, int> _taken = [];
    private readonly HashSet<string> _phones = [];

    /// <summary>All that differs; empty if nothing does.</summary>
    public async Task<List<string>> RunAsync()
    {
        var partial = new Dictionary<int, string>();
        IReadOnlyList<(int Connection, bool FromServer, byte[] Bytes)> chunks = _recording.Chunks;
        for (int i = 0; i < chunks.Count; i++)
        {
            (int connection, bool fromServer, byte[] bytes) = chunks[i];
            string text = Encoding.Latin1.GetString(bytes);
            if (fromServer)
            {
                // The one byte of the recordings that is no UTF-8 is written there as the character of that number.
                text = text.Replace("v=100\u00c3\u0080", "v=100\u00c0", StringComparison.Ordinal);
                partial[connection] = partial.GetValueOrDefault(connection, "") + text;
                _expected[connection] = [.. partial[connection].Split('\n').Where(l => l.Length > 0)];
                await PhonesAsync(connection);
                continue;
            }

            await CatchUpAsync(i, 8_000);
            Client(connection).Send(Encoding.Latin1.GetBytes(_ours.Translate(text, _theirs)));
        }

        await CatchUpAsync(chunks.Count, 8_000);
        return Differences();
    }

    public void Dispose()
    {
        foreach (RawYateClient client in _clients.Values) client.Dispose();
    }

    private static bool Counts(string line) => !line.Contains(":engine.timer:", StringComparison.Ordinal) && !line.Contains(":module.update:", StringComparison.Ordinal);

    // Told by other threads, earlier or later: the beginning of a phone's call, before or after its routing, in the
    // recordings too; and what a client handles itself, before or after what it sent with its answer has been done.
    private static bool Floats(string text) =>
        text.StartsWith("watch true chan.disconnected ", StringComparison.Ordinal)
        || (text.StartsWith("watch false chan.startup ", StringComparison.Ordinal) && text.Contains(" status=incoming ", StringComparison.Ordinal) && text.Contains(" module=sip ", StringComparison.Ordinal));

    private static string? Field(string line, string name)
    {
        int at = line.IndexOf($":{name}=", StringComparison.Ordinal);
        if (at < 0) return null;
        int from = at + name.Length + 2;
        int end = line.IndexOf(':', from);
        return end < 0 ? line[from..] : line[from..end];
    }

    private RawYateClient Client(int connection)
    {
        if (!_clients.TryGetValue(connection, out RawYateClient? client)) _clients[connection] = client = new RawYateClient(simulator.Host, simulator.Port);
        return client;
    }

    // What phones did: seen only in what the server said of it.
    private async Task PhonesAsync(int connection)
    {
        foreach (string line in _expected[connection].Where(Counts).Skip(_seen.GetValueOrDefault(connection)).ToArray())
        {
            _seen[connection] = _seen.GetValueOrDefault(connection) + 1;
            string id = Field(line, "id") ?? "";
            bool incoming = Field(line, "direction") == "incoming" && id.StartsWith("sip/", StringComparison.Ordinal);
            bool auth = line.Contains(":user.auth:", StringComparison.Ordinal);
            if ((incoming && Field(line, "status") == "incoming" && _phones.Add(id)) || (auth && Field(line, "method") == "INVITE" && _phones.Add(id)))
            {
                await CatchUpAsync(-1, 8_000, except: line);
                simulator.StartIncomingCall(Field(line, "caller")!, Field(line, "called")!);
            }
            else if (auth && Field(line, "method") == "REGISTER" && Field(line, "username") is null)
            {
                await CatchUpAsync(-1, 8_000, except: line);
                _ = simulator.RegisterPhoneAsync("alice", "test-alice-1");
            }
            else if (Field(line, "detected") == "sip-info")
            {
                await CatchUpAsync(-1, 8_000, except: line);
                simulator.PressKeys(Ours(id), Field(line, "text")!);
            }
            else if (line.Contains(":chan.rtp:", StringComparison.Ordinal) && Field(line, "call_direction") == "incoming" && (Field(line, "sdp_sendonly") ?? Field(line, "sdp_sendrecv")) is not null)
            {
                await CatchUpAsync(-1, 8_000, except: line);
                simulator.HoldByPhone(Ours(id), Field(line, "sdp_sendonly") is not null);
            }
            else if (incoming && line.Contains(":chan.hangup:", StringComparison.Ordinal) && Field(line, "peerid") is not null && Field(line, "cause_sip") == "200")
            {
                // The end of its sound is told before.
                string[] known = [.. _expected[connection].Where(Counts)];
                string before = known[Array.LastIndexOf(known, line) - 1];
                await CatchUpAsync(-1, 8_000, except: Field(before, "terminate") is not null ? before : line);
                simulator.HangUpByPhone(Ours(id));
            }
            else if (line.Contains(":engine.stop::nodename", StringComparison.Ordinal) && _phones.Add("stop"))
            {
                await CatchUpAsync(-1, 8_000, except: line);
                _ = simulator.RestartAsync(CancellationToken.None);
            }
        }
    }

    private string Ours(string id)
    {
        Learn();
        return _ours.Translate(id, _theirs);
    }

    // Waits until the simulator has said as much as the server had by then.
    private async Task CatchUpAsync(int next, int timeout, string? except = null)
    {
        foreach ((int connection, List<string> lines) in _expected.ToArray())
        {
            int wanted = lines.Count(Counts) - (except is not null && lines.Contains(except) ? lines.Where(Counts).Reverse().TakeWhile(l => l != except).Count() + 1 : 0);
            if (await HasAsync(connection, wanted, next == -1 ? timeout : 2_500)) continue;
            if (next == -1) continue;
            // A client that says nothing any more may have gone.
            foreach ((int other, RawYateClient idle) in _clients)
            {
                if (other != connection && !_recording.Chunks.Skip(next).Any(c => c.Connection == other)) idle.Dispose();
            }

            await HasAsync(connection, wanted, timeout);
        }

        Learn();
    }

    private async Task<bool> HasAsync(int connection, int wanted, int timeout)
    {
        RawYateClient client = Client(connection);
        DateTime end = DateTime.UtcNow.AddMilliseconds(timeout);
        while (client.Lines.Count(Counts) < wanted && !client.Closed)
        {
            int left = (int)(end - DateTime.UtcNow).TotalMilliseconds;
            if (left <= 0 || !await client.HasAsync(client.Count + 1, left)) return client.Lines.Count(Counts) >= wanted;
        }

        return true;
    }

    // Both sides' ids, as far as both have said.
    private void Learn()
    {
        foreach ((int connection, List<string> lines) in _expected)
        {
            string[] ours = [.. Client(connection).Lines.Where(Counts)];
            string[] theirs = [.. lines.Where(Counts)];
            int from = _taken.GetValueOrDefault(connection);
            int to = Math.Min(ours.Length, theirs.Length);
            for (int i = from; i < to; i++)
            {
                _ours.Compare(ours[i]);
                _theirs.Compare(theirs[i]);
            }

            _taken[connection] = Math.Max(from, to);
        }
    }

    private List<string> Differences()
    {
        var differences = new List<string>();
        foreach ((int connection, List<string> lines) in _expected)
        {
            (string Text, string? Leg)[] theirs = [.. lines.Where(Counts).Select(_theirs.Compare)];
            (string Text, string? Leg)[] ours = [.. Client(connection).Lines.Where(Counts).Select(_ours.Compare)];
            var missing = theirs.Select(l => l.Text).ToList();
            foreach ((string text, _) in ours)
            {
                if (!missing.Remove(text)) differences.Add($"{connection} simulator only: {text}");
            }

            differences.AddRange(missing.Select(text => $"{connection} server only:    {text}"));
            if (differences.Count > 0) continue;
            foreach (string? leg in theirs.Select(l => l.Leg).Distinct())
            {
                string[] first = [.. theirs.Where(l => l.Leg == leg && !Floats(l.Text)).Select(l => l.Text)];
                string[] second = [.. ours.Where(l => l.Leg == leg && !Floats(l.Text)).Select(l => l.Text)];
                for (int i = 0; i < first.Length; i++)
                {
                    if (first[i] != second[i]) differences.Add($"{connection} order of {leg}: {second[i]}\n    where the server said {first[i]}");
                }
            }
        }

        if (simulator.Failure is { } failure) differences.Add(failure.ToString());
        return differences;
    }
}
