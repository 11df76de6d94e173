using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>Peers that are not what they should be, at every step: a clear error, at once, or when its time is over where only time can tell.</summary>
public sealed class HostilePeerTests
{
    // Long before any of the time-outs of a test in which time is not what tells.
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(30);

    private const double Never = 600;

    // What a peer has to say, and more than any limit and the buffers of a loopback connection take of it.
    private const long Junk = 300_000_000, MostTaken = 60_000_000;

    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["endless line"] = "Event: X\r\nA: " + new string('x', 1_000_000),
        ["many headers"] = "Event: X\r\n" + string.Concat(Enumerable.Repeat("A: b\r\n", 100_000)),
        ["long message"] = "Response: Success\r\n" + string.Concat(Enumerable.Repeat($"A: {new string('y', 50_000)}\r\n", 20)),
        ["nuls"] = new string('\0', 1_000_000),
        ["not a message"] = "Nonsense: 1\r\n\r\n",
    };

    public static TheoryData<string> AllKinds() => [.. Kinds.Keys];

    [Theory]
    [InlineData("Content-Type: auth/request\n\n")]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("\r\n\r\n")]
    [InlineData("\0\0\0\0")]
    public async Task Other_greetings(string greeting)
    {
        using var peer = new ScriptedPeer(async (stream, _, token) =>
        {
            await ScriptedPeer.SayAsync(stream, greeting);
            await stream.ReadAtLeastAsync(new byte[1], 1, false, token);
        });
        SipProtocolException error = await Assert.ThrowsAsync<SipProtocolException>(() => Connect(peer.Port).WaitAsync(AtOnce));
        Assert.Equal("SipNotAsterisk", error.ErrorId);
    }

    [Fact]
    public async Task A_greeting_without_an_end()
    {
        var flood = new Flood("Asterisk Call Manager/" + new string('1', 1_000_000));
        using var peer = new ScriptedPeer((stream, _, _) => flood.RunAsync(stream));
        SipProtocolException error = await Assert.ThrowsAsync<SipProtocolException>(() => Connect(peer.Port).WaitAsync(AtOnce));
        Assert.Equal("SipNotAsterisk", error.ErrorId);
        Assert.InRange(await flood.Taken.WaitAsync(AtOnce), 0, MostTaken);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Asterisk Call Ma")]
    [InlineData("Asterisk Call Manager/11.0.0")]
    public async Task Silence_in_the_greeting(string greeting)
    {
        using var peer = new ScriptedPeer(async (stream, _, token) =>
        {
            await ScriptedPeer.SayAsync(stream, greeting);
            await stream.CopyToAsync(Stream.Null, token);
        });
        SipTimeoutException error = await TimesOutAsync(peer.Port);
        Assert.Contains("does not greet", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Challenge")]
    [InlineData("Login")]
    [InlineData("ListCommands")]
    [InlineData("CoreShowChannels")]
    public async Task Silence_in_the_login(string from)
    {
        using var peer = new ScriptedPeer((stream, p, token) => p.LogInAsync(stream, (_, _, _) => Task.FromResult(true), token, name => name == from ? Task.Delay(Timeout.Infinite, token) : Task.CompletedTask));
        await TimesOutAsync(peer.Port);
        Assert.Contains($"Action: {from}\r\n", peer.Received, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Asterisk Call Ma")]
    public async Task End_in_the_greeting(string part)
    {
        using var peer = new ScriptedPeer((stream, _, _) => ScriptedPeer.SayAsync(stream, part));
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => Connect(peer.Port).WaitAsync(AtOnce));
        Assert.Equal(("SipConnectionLost", part.Length > 0), (error.ErrorId, error.Message.Contains("middle of a message", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Challenge")]
    [InlineData("Login")]
    [InlineData("ListCommands")]
    public async Task End_in_the_login(string action)
    {
        using var peer = new ScriptedPeer((stream, p, token) => p.LogInAsync(stream, (_, _, _) => Task.FromResult(true), token, async name =>
        {
            if (name != action) return;
            await ScriptedPeer.SayAsync(stream, "Response: Succ");
            throw new IOException("gone");
        }));
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => Connect(peer.Port).WaitAsync(AtOnce));
        Assert.Contains("middle of a message", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public async Task Nonsense_in_the_login_ends_it_with_an_error(string kind)
    {
        var flood = new Flood(Kinds[kind]);
        using var peer = new ScriptedPeer((stream, p, token) => p.LogInAsync(stream, (_, _, _) => Task.FromResult(true), token, name => name == "Login" ? flood.RunAsync(stream) : Task.CompletedTask));
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => Connect(peer.Port).WaitAsync(AtOnce));
        Assert.IsType<SipProtocolException>(error.InnerException);
        Assert.InRange(await flood.Taken.WaitAsync(AtOnce), 0, MostTaken);
    }

    [Theory]
    [MemberData(nameof(AllKinds))]
    public async Task Nonsense_ends_the_connection_with_an_error(string kind)
    {
        var flood = new Flood(Kinds[kind]);
        using ScriptedPeer peer = ScriptedPeer.LogsIn(async (stream, _, _) =>
        {
            await flood.RunAsync(stream);
            return false;
        });
        await using ISipAdapter adapter = await Connect(peer.Port);
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => Ping(adapter).WaitAsync(AtOnce));
        Assert.IsType<SipProtocolException>(error.InnerException);
        Assert.InRange(await flood.Taken.WaitAsync(AtOnce), 0, MostTaken);
    }

    [Theory]
    [InlineData("Event: Newchannel\r\nChannel: PJ")]
    [InlineData("Response: Succ")]
    public async Task End_in_the_middle_of_a_message(string part)
    {
        using ScriptedPeer peer = ScriptedPeer.LogsIn(async (stream, _, _) =>
        {
            await ScriptedPeer.SayAsync(stream, part);
            return false;
        });
        await using ISipAdapter adapter = await Connect(peer.Port);
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => Ping(adapter).WaitAsync(AtOnce));
        Assert.True(error.OutcomeUnknown);
        Assert.Contains("middle of a message", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nuls_in_a_message_are_part_of_it()
    {
        using ScriptedPeer peer = ScriptedPeer.LogsIn(async (stream, _, id) =>
        {
            await ScriptedPeer.SayAsync(stream, $"Event: \0\r\nA\0b: \0\0\r\n\r\nResponse: Success\r\nActionID: {id}\r\nPing: Po\0ng\r\nTimestamp: 1\r\n\r\n");
            return true;
        });
        await using ISipAdapter adapter = await Connect(peer.Port);
        for (int i = 0; i < 2; i++)
        {
            SipCommandResult result = await Ping(adapter).WaitAsync(AtOnce);
            Assert.Equal(("Po\0ng", "1"), (result.Fields["Ping"], result.Fields["Timestamp"]));
        }
    }

    [Fact]
    public async Task A_peer_that_stops_answering_is_given_up_and_nothing_is_sent_twice()
    {
        var answered = new TaskCompletionSource<bool>();
        using ScriptedPeer peer = ScriptedPeer.LogsIn((_, _, _) => answered.Task);
        await using ISipAdapter adapter = await Connect(peer.Port, requestSeconds: 1, keepAlive: 1);
        var watch = Stopwatch.StartNew();
        SipTimeoutException error = await Assert.ThrowsAsync<SipTimeoutException>(() => adapter.MakeCallAsync(new SipCallRequest { From = "1001", To = "1002" }, default).WaitAsync(AtOnce));
        Assert.True(error.OutcomeUnknown);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.9, 10);
        await Until.TrueAsync(() => adapter.Server.State != ConnectionState.Connected);
        Assert.Equal(1, peer.Received.Split("Action: Originate").Length - 1);
        answered.SetResult(false);
    }

    [Fact]
    public async Task A_peer_that_talks_on_and_stops_reading_is_given_up()
    {
        var deaf = new TaskCompletionSource<NetworkStream>();
        using var end = new CancellationTokenSource();
        using ScriptedPeer peer = Deaf(deaf, end.Token);
        ISipAdapter adapter = await Connect(peer.Port, keepAlive: 1);
        Task<SipCommandResult> first = Ping(adapter);
        NetworkStream stream = await deaf.Task.WaitAsync(AtOnce);
        Task talking = Task.Run(async () =>
        {
            // It is heard all the time, so no keep-alive would find out.
            while (true)
            {
                await ScriptedPeer.SayAsync(stream, "Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: x\r\n\r\n");
                await Task.Delay(20, end.Token);
            }
        });

        // More than the buffers on the way and what we let wait.
        Task<SipCommandResult>[] requests = [first, .. Enumerable.Range(0, 400).Select(_ => Task.Run(() => Ping(adapter, 120_000)))];
        var errors = new List<SipConnectionException>();
        foreach (Task<SipCommandResult> request in requests) errors.Add(await Assert.ThrowsAsync<SipConnectionException>(() => request.WaitAsync(AtOnce)));
        Assert.All(errors, e => Assert.Contains("not read", e.Message, StringComparison.Ordinal));
        // What did not fit was not sent, and is said to be so; of the rest nobody knows.
        Assert.All(errors, e => Assert.NotEqual(e.NothingDone, e.OutcomeUnknown));
        Assert.Contains(errors, e => e is { NothingDone: true, ErrorId: "SipServerDoesNotRead" });
        Assert.True(errors[0].OutcomeUnknown);
        await Until.TrueAsync(() => adapter.Server.State != ConnectionState.Connected);
        Assert.Contains("does not read any more: it took nothing of what was sent for 1 s", adapter.Server.LastError, StringComparison.Ordinal);
        await end.CancelAsync();
        await adapter.DisposeAsync().AsTask().WaitAsync(AtOnce);
        await Task.WhenAny(talking).WaitAsync(AtOnce);
    }

    [Fact]
    public async Task Leaving_a_peer_that_stops_reading_takes_no_longer_than_the_good_bye()
    {
        var deaf = new TaskCompletionSource<NetworkStream>();
        using var end = new CancellationTokenSource();
        using ScriptedPeer peer = Deaf(deaf, end.Token);
        var time = new FakeTimeProvider();
        DateTimeOffset begin = time.GetUtcNow();
        ISipAdapter adapter = await Connect(peer.Port, time: time);
        Task<SipCommandResult>[] requests = [.. Enumerable.Range(0, 100).Select(_ => Ping(adapter, 120_000))];
        await deaf.Task.WaitAsync(AtOnce);
        Task leaving = adapter.DisconnectAsync(default);
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return leaving.IsCompleted;
        });
        await leaving;
        Assert.InRange((time.GetUtcNow() - begin).TotalSeconds, 2, Never / 2);
        foreach (Task<SipCommandResult> request in requests) Assert.True((await Assert.ThrowsAsync<SipConnectionException>(() => request.WaitAsync(AtOnce))).OutcomeUnknown);
        await adapter.DisposeAsync().AsTask().WaitAsync(AtOnce);
        await end.CancelAsync();
    }

    [Fact]
    public async Task Replies_of_others_and_late_ones_are_nobodys()
    {
        string? first = null;
        using ScriptedPeer peer = ScriptedPeer.LogsIn(async (stream, _, id) =>
        {
            if (first is null)
            {
                // Foreign ids, ids that look like ours, no id; and no answer to the first question.
                first = id;
                await ScriptedPeer.SayAsync(stream, $"Response: Success\r\nActionID: a1\r\n\r\nResponse: Success\r\nActionID: {id}9\r\n\r\nResponse: Error\r\nMessage: Missing action in request\r\n\r\nResponse: Success\r\nActionID: {id[..4]}AAAAAAAAAAAAAAAA-1\r\n\r\n");
                return true;
            }

            await ScriptedPeer.SayAsync(stream, $"Response: Success\r\nActionID: {first}\r\nPing: late\r\n\r\nResponse: Success\r\nActionID: {id}\r\nPing: Pong\r\n\r\n");
            return true;
        });
        await using ISipAdapter adapter = await Connect(peer.Port, requestSeconds: 1);
        await Assert.ThrowsAsync<SipTimeoutException>(() => adapter.InvokeCommandAsync(new SipCommandRequest("Ping", []), default).WaitAsync(AtOnce));
        SipCommandResult second = await adapter.InvokeCommandAsync(new SipCommandRequest("Ping", []), default).WaitAsync(AtOnce);
        Assert.Equal("Pong", second.Fields["Ping"]);
    }

    [Fact]
    public async Task The_secret_is_nowhere()
    {
        using ScriptedPeer peer = ScriptedPeer.LogsIn(async (stream, _, id) =>
        {
            await ScriptedPeer.SayAsync(stream, $"Response: Success\r\nActionID: {id}\r\n\r\n");
            return true;
        });
        var log = new Capture();
        await using ISipAdapter adapter = await Connect(peer.Port, log: log);
        await adapter.InvokeCommandAsync(new SipCommandRequest("Ping", []), default);
        Assert.DoesNotContain("hush-hush", peer.Received + string.Join('\n', log.Lines) + adapter.Server, StringComparison.Ordinal);
        Assert.NotEmpty(log.Lines);
    }

    [Fact]
    public async Task A_refused_login_ends_reconnecting()
    {
        int connections = 0;
        using var peer = new ScriptedPeer(async (stream, p, token) =>
        {
            // The first is taken, and ended by the first question; the next is not taken any more.
            bool first = ++connections == 1;
            await p.LogInAsync(stream, (_, _, _) => Task.FromResult(false), token, async name =>
            {
                if (first || name != "Login") return;
                string id = p.Received.Split("ActionID: ")[^1].Split("\r\n")[0];
                await ScriptedPeer.SayAsync(stream, $"Response: Error\r\nActionID: {id}\r\nMessage: Authentication failed\r\n\r\n");
                throw new IOException("refused");
            });
        });
        var time = new FakeTimeProvider();
        await using ISipAdapter adapter = await Connect(peer.Port, time: time);
        await Assert.ThrowsAsync<SipConnectionException>(() => Ping(adapter).WaitAsync(AtOnce));
        await Until.TrueAsync(() =>
        {
            if (peer.Connections < 2) time.Advance(TimeSpan.FromMilliseconds(100));
            return adapter.Server.State == ConnectionState.Failed;
        });
        Assert.Contains("refused the login of 'ifbus': Authentication failed", adapter.Server.LastError, StringComparison.Ordinal);

        // Nobody comes any more: who comes next is we.
        time.Advance(TimeSpan.FromHours(1));
        using var own = new TcpClient();
        await own.ConnectAsync(IPAddress.Loopback, peer.Port);
        await own.GetStream().ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(AtOnce);
        Assert.Equal(3, peer.Connections);
    }

    private static Task<ISipAdapter> Connect(int port, double seconds = Never, double requestSeconds = Never, double keepAlive = Never, ISipLog? log = null, TimeProvider? time = null) =>
        Connected.ToAsync(SipServerType.Asterisk, port, seconds, requestSeconds, keepAlive, new NetworkCredential("ifbus", "hush-hush"), log, time);

    private static async Task<SipTimeoutException> TimesOutAsync(int port)
    {
        var watch = Stopwatch.StartNew();
        SipTimeoutException error = await Assert.ThrowsAsync<SipTimeoutException>(() => Connect(port, seconds: 0.5).WaitAsync(AtOnce));
        Assert.Equal(TimeSpan.FromSeconds(0.5), error.Limit);
        Assert.InRange(watch.Elapsed.TotalSeconds, 0.45, 10);
        return error;
    }

    private static Task<SipCommandResult> Ping(ISipAdapter adapter, int bytes = 0) =>
        adapter.InvokeCommandAsync(new SipCommandRequest("Ping", [.. Enumerable.Repeat(KeyValuePair.Create("Variable", new string('x', 1000)), bytes / 1000)]), default);

    // Reads nothing any more from the first question on.
    private static ScriptedPeer Deaf(TaskCompletionSource<NetworkStream> deaf, CancellationToken end) => ScriptedPeer.LogsIn(async (stream, _, _) =>
    {
        deaf.TrySetResult(stream);
        await Task.WhenAny(Task.Delay(Timeout.Infinite, end));
        return false;
    });

    /// <summary>Says the same as long as anybody listens.</summary>
    private sealed class Flood(string junk)
    {
        private readonly TaskCompletionSource<long> _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>How many bytes were taken, once the peer has gone or all was said.</summary>
        public Task<long> Taken => _taken.Task;

        public async Task RunAsync(NetworkStream stream)
        {
            byte[] bytes = Encoding.ASCII.GetBytes(junk);
            // Whole at first: the rest of a message is no beginning of one.
            byte[] rest = bytes.Length > 100_000 ? bytes[^100_000..] : bytes;
            long taken = 0;
            try
            {
                for (byte[] next = bytes; taken < Junk; next = rest)
                {
                    await stream.WriteAsync(next);
                    taken += next.Length;
                }
            }
            finally
            {
                _taken.TrySetResult(taken);
            }
        }
    }

    private sealed class Capture : ISipLog
    {
        public List<string> Lines { get; } = [];

        public bool IsEnabled(SipLogLevel level) => true;

        public void Write(SipLogLevel level, int eventId, string message, Exception? exception)
        {
            lock (Lines) Lines.Add(message + exception);
        }
    }
}
