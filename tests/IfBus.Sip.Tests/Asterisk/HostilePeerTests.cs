using System.Net;
using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>Peers that are not what they should be: a clear error within the deadline, nothing hangs, memory is bounded.</summary>
public sealed class HostilePeerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

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
        SipProtocolException error = await Assert.ThrowsAsync<SipProtocolException>(() => Connect(peer.Port).WaitAsync(Limit));
        Assert.Equal("SipNotAsterisk", error.ErrorId);
    }

    [Fact]
    public async Task Silence_in_the_handshake()
    {
        using var peer = new ScriptedPeer((stream, _, token) => stream.ReadAtLeastAsync(new byte[1], 1, false, token).AsTask());
        SipTimeoutException error = await Assert.ThrowsAsync<SipTimeoutException>(() => Connect(peer.Port, seconds: 1).WaitAsync(Limit));
        Assert.Equal(TimeSpan.FromSeconds(1), error.Limit);
        Assert.Contains("does not greet", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Silence_after_the_greeting()
    {
        using var peer = new ScriptedPeer(async (stream, _, token) =>
        {
            await ScriptedPeer.SayAsync(stream, "Asterisk Call Manager/11.0.0\r\n");
            await stream.CopyToAsync(Stream.Null, token);
        });
        await Assert.ThrowsAsync<SipTimeoutException>(() => Connect(peer.Port, seconds: 1).WaitAsync(Limit));
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
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => adapter.InvokeCommandAsync(new SipCommandRequest("Ping", []), default).WaitAsync(Limit));
        Assert.True(error.OutcomeUnknown);
        Assert.Contains("middle of a message", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("endless line")]
    [InlineData("many headers")]
    [InlineData("nuls")]
    [InlineData("not a message")]
    public async Task Nonsense_ends_the_connection_with_an_error(string kind)
    {
        using ScriptedPeer peer = ScriptedPeer.LogsIn(async (stream, _, _) =>
        {
            byte[] junk = Encoding.ASCII.GetBytes(kind switch
            {
                "endless line" => "Event: X\r\nA: " + new string('x', 1_000_000),
                "many headers" => "Event: X\r\n" + string.Concat(Enumerable.Repeat("A: b\r\n", 100_000)),
                "nuls" => new string('\0', 1_000_000),
                _ => "Nonsense: 1\r\n\r\n",
            });
            for (int i = 0; i < 100; i++) await stream.WriteAsync(junk);
            return false;
        });
        long before = GC.GetTotalMemory(forceFullCollection: true);
        await using ISipAdapter adapter = await Connect(peer.Port);
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => adapter.InvokeCommandAsync(new SipCommandRequest("Ping", []), default).WaitAsync(Limit));
        Assert.IsType<SipProtocolException>(error.InnerException);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64 * 1024 * 1024);
    }

    [Fact]
    public async Task A_peer_that_stops_reading_and_answering_is_given_up_and_nothing_is_sent_twice()
    {
        using var silent = new SemaphoreSlim(0);
        using ScriptedPeer peer = ScriptedPeer.LogsIn(async (_, _, _) =>
        {
            await silent.WaitAsync(Limit);
            return false;
        });
        await using ISipAdapter adapter = await Connect(peer.Port, requestSeconds: 1, keepAlive: 1);
        SipTimeoutException error = await Assert.ThrowsAsync<SipTimeoutException>(() => adapter.MakeCallAsync(new SipCallRequest { From = "1001", To = "1002" }, default).WaitAsync(Limit));
        Assert.True(error.OutcomeUnknown);
        using ISipEventSubscription events = adapter.Subscribe(SipEventTypes.ConnectionStateChanged);
        using var limit = new CancellationTokenSource(Limit);
        while (adapter.Server.State == ConnectionState.Connected) await events.ReadAsync(limit.Token);
        Assert.Equal(1, peer.Received.Split("Action: Originate").Length - 1);
        silent.Release(100);
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
        await Assert.ThrowsAsync<SipTimeoutException>(() => adapter.InvokeCommandAsync(new SipCommandRequest("Ping", []), default).WaitAsync(Limit));
        SipCommandResult second = await adapter.InvokeCommandAsync(new SipCommandRequest("Ping", []), default).WaitAsync(Limit);
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
            connections++;
            await ScriptedPeer.SayAsync(stream, "Asterisk Call Manager/11.0.0\r\n");
            string challenge = await p.ReadActionAsync(stream, token);
            await ScriptedPeer.SayAsync(stream, $"Response: Error\r\n{challenge.Split("\r\n")[1]}\r\nMessage: Authentication failed\r\n\r\n");
        });
        using ScriptedPeer first = ScriptedPeer.LogsIn((_, _, _) => Task.FromResult(false));
        await Assert.ThrowsAsync<SipAuthenticationException>(() => Connect(peer.Port).WaitAsync(Limit));
        Assert.Equal(1, connections);
    }

    private static Task<ISipAdapter> Connect(int port, double seconds = 5, double requestSeconds = 5, double keepAlive = 15, ISipLog? log = null) =>
        Connected.ToAsync(SipServerType.Asterisk, port, seconds, requestSeconds, keepAlive, new NetworkCredential("ifbus", "hush-hush"), log);

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
