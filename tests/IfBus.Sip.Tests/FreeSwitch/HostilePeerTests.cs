using System.Text;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>Peers without measure: what they may announce and send is limited, and whoever waits for them is told.</summary>
public sealed class HostilePeerTests
{
    private const int Megabyte = 1_000_000;

    // What the sockets of both sides hold, and what the reader takes before it gives up.
    private const int MostTaken = 40 * Megabyte;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("Content-Type: x", "a head of more than 1048576 bytes")]
    [InlineData("Content-Type: api/response\nContent-Length: 268435457\n\n", "a body of '268435457' bytes")]
    public async Task What_has_no_end_is_not_taken_to_its_end(string begin, string said)
    {
        long sent = 0;
        using ScriptedPeer peer = EslPeer.LogsIn(async (stream, _) =>
        {
            await ScriptedPeer.SayAsync(stream, begin);
            byte[] junk = Encoding.ASCII.GetBytes(new string('x', Megabyte));
            for (int i = 0; i < 200; i++)
            {
                await stream.WriteAsync(junk);
                Interlocked.Add(ref sent, junk.Length);
            }

            return true;
        });
        await using ISipAdapter adapter = await EslPeer.ConnectAsync(peer.Port);
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => EslPeer.AskAsync(adapter).WaitAsync(Limit));
        Assert.Contains(said, Assert.IsType<SipProtocolException>(error.InnerException).Message, StringComparison.Ordinal);
        Assert.True(error.OutcomeUnknown);
        Assert.InRange(Interlocked.Read(ref sent), 0, MostTaken);
    }

    [Fact]
    public async Task A_body_that_never_comes_to_its_end_is_given_up()
    {
        using ScriptedPeer peer = EslPeer.LogsIn(async (stream, _) =>
        {
            // As long as one may be; what comes meanwhile is part of it, so the keep-alive has no answer either.
            await ScriptedPeer.SayAsync(stream, $"Content-Type: api/response\nContent-Length: {EslFramer.MaxBody}\n\nContent-Type: api/response\nContent-Length: 1\n\n1");
            return true;
        });
        await using ISipAdapter adapter = await EslPeer.ConnectAsync(peer.Port, requestSeconds: 1, keepAlive: 1);
        using ISipEventSubscription events = adapter.Subscribe(SipEventTypes.ConnectionStateChanged);
        Assert.True((await Assert.ThrowsAsync<SipTimeoutException>(() => EslPeer.AskAsync(adapter).WaitAsync(Limit))).OutcomeUnknown);
        using var limit = new CancellationTokenSource(Limit);
        while (adapter.Server.State == ConnectionState.Connected) await events.ReadAsync(limit.Token);
        Assert.Contains("does not answer any more", adapter.Server.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_hundred_thousand_headers_are_read_past()
    {
        using ScriptedPeer peer = EslPeer.LogsIn(async (stream, _) =>
        {
            await ScriptedPeer.SayAsync(stream, "Content-Type: api/response\n" + string.Concat(Enumerable.Range(0, 100_000).Select(i => $"X: {i % 10}\n")) + "Content-Length: 5\n\nhello");
            return true;
        });
        await using ISipAdapter adapter = await EslPeer.ConnectAsync(peer.Port);
        Assert.Equal("hello", Assert.Single((await EslPeer.AskAsync(adapter).WaitAsync(Limit)).Output));
        Assert.Equal("hello", Assert.Single((await EslPeer.AskAsync(adapter).WaitAsync(Limit)).Output));
    }

    [Theory]
    [InlineData("Content-Type: api/resp", true)]
    [InlineData("Content-Type: api/response\nContent-Length: 10\n", true)]
    [InlineData("Content-Type: api/response\nContent-Length: 10\n\n", true)]
    [InlineData("Content-Type: api/response\nContent-Length: 10\n\n123456789", true)]
    [InlineData("Content-Length: 30\nContent-Type: text/event-json\n\n{\"Event-Name\":\"HEART", true)]
    [InlineData("Content-Length: 18\nContent-Type: text/event-json\n\n{\"Event-Name\":\"X\"}", false)]
    public async Task The_end_in_the_middle_of_a_message(string part, bool middle)
    {
        using ScriptedPeer peer = EslPeer.LogsIn(async (stream, _) =>
        {
            await ScriptedPeer.SayAsync(stream, part);
            return false;
        });
        await using ISipAdapter adapter = await EslPeer.ConnectAsync(peer.Port);
        SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => EslPeer.AskAsync(adapter).WaitAsync(Limit));
        Assert.True(error.OutcomeUnknown);
        Assert.EndsWith(middle ? "The server closed the connection in the middle of a message." : "The server closed the connection.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_peer_that_talks_on_and_stops_reading_is_given_up()
    {
        using var end = new CancellationTokenSource();
        using ScriptedPeer peer = EslPeer.LogsIn(async (stream, _) =>
        {
            // It is heard all the time, so no keep-alive would find out.
            while (!end.IsCancellationRequested)
            {
                await ScriptedPeer.SayAsync(stream, "Content-Length: 26\nContent-Type: text/event-json\n\n{\"Event-Name\":\"HEARTBEAT\"}");
                await Task.WhenAny(Task.Delay(50, end.Token));
            }

            return false;
        });
        await using ISipAdapter adapter = await EslPeer.ConnectAsync(peer.Port, requestSeconds: 20, keepAlive: 1);
        string argument = new('x', 60_000);
        Task<SipCommandResult>[] requests = [.. Enumerable.Range(0, 400).Select(i => Task.Run(() => EslPeer.AskAsync(adapter, i == 0 ? null : argument)))];
        foreach (Task<SipCommandResult> request in requests)
        {
            SipConnectionException error = await Assert.ThrowsAsync<SipConnectionException>(() => request.WaitAsync(Limit));
            // What had not been taken into the lane is known not to have been sent.
            Assert.Contains(error.NothingDone ? "not read" : "does not read any more", error.Message, StringComparison.Ordinal);
            Assert.NotEqual(error.NothingDone, error.OutcomeUnknown);
        }

        await end.CancelAsync();
    }

    [Fact]
    public async Task The_reply_of_a_command_that_was_given_up_is_not_anothers()
    {
        int count = 0;
        using ScriptedPeer peer = EslPeer.LogsIn(async (stream, _) =>
        {
            // The first is answered together with the second.
            if (Interlocked.Increment(ref count) > 1) await ScriptedPeer.SayAsync(stream, "Content-Type: api/response\nContent-Length: 5\n\nfirstContent-Type: api/response\nContent-Length: 6\n\nsecond");
            return true;
        });
        await using ISipAdapter adapter = await EslPeer.ConnectAsync(peer.Port);
        using var giveUp = new CancellationTokenSource();
        Task<SipCommandResult> first = EslPeer.AskAsync(adapter, token: giveUp.Token);
        await Until.TrueAsync(() => Volatile.Read(ref count) == 1);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first.WaitAsync(Limit));
        Assert.Equal("second", Assert.Single((await EslPeer.AskAsync(adapter).WaitAsync(Limit)).Output));
        Assert.Equal(ConnectionState.Connected, adapter.Server.State);
    }
}
