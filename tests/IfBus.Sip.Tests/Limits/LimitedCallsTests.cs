using System.Net;
using IfBus.Sip.Adapters;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Limits;

/// <summary>Limits of a connection, with a server behind it: what counts as a call, and when it no longer does.</summary>
public sealed class LimitedCallsTests : IAsyncDisposable
{
    private readonly AsteriskSimulator _simulator = AsteriskSimulator.Start();
    private readonly List<IDisposable> _peers = [];
    private ISipAdapter? _adapter;

    public async ValueTask DisposeAsync()
    {
        if (_adapter is not null) await _adapter.DisposeAsync();
        _peers.ForEach(p => p.Dispose());
        await _simulator.DisposeAsync();
    }

    [Fact]
    public async Task A_call_waits_until_one_has_ended()
    {
        ISipAdapter adapter = await OpenAsync(_simulator.Port, maxCalls: 2);
        SipCall one = await adapter.MakeCallAsync(Request(1), default);
        await adapter.MakeCallAsync(Request(2), default);
        Assert.True(adapter.Server is { AtLimit: true, WaitingCalls: 0, MaxCalls: 2 });
        Task<SipCall> third = adapter.MakeCallAsync(Request(3), default);
        Assert.Equal(1, adapter.Server.WaitingCalls);
        Assert.False(third.IsCompleted);
        await adapter.HangUpAsync(one.CallId, HangupCause.NormalClearing, default);
        await third;
        Assert.True(adapter.Server is { AtLimit: true, WaitingCalls: 0, ActiveCalls: 2 });
    }

    [Fact]
    public async Task Calls_leave_by_relationship()
    {
        var relay = new CountingRelay(_simulator.Port);
        _peers.Add(relay);
        ISipAdapter adapter = await OpenAsync(relay.Port, maxCalls: 1);
        SipCall current = await adapter.MakeCallAsync(Request(0), default);
        SipRelationship[] come = [SipRelationship.None, SipRelationship.Friend, SipRelationship.RulerSubject, SipRelationship.ParentChild, SipRelationship.RulerSubject, SipRelationship.None];
        List<Task<SipCall>> waiting = [.. come.Select((r, i) => adapter.MakeCallAsync(Request(i + 1) with { Relationship = r }, default))];
        while (waiting.Count > 0)
        {
            await adapter.HangUpAsync(current.CallId, HangupCause.NormalClearing, default);
            Task<SipCall> next = await Task.WhenAny(waiting);
            waiting.Remove(next);
            current = await next;
        }

        Assert.Equal([0, 3, 5, 4, 2, 1, 6], relay.Rows);
    }

    [Theory]
    [InlineData("bad\nnumber", typeof(SipArgumentException))]
    [InlineData("", typeof(SipArgumentException))]
    public async Task A_call_that_cannot_be_placed_does_not_wait(string to, Type error)
    {
        ISipAdapter adapter = await OpenAsync(_simulator.Port, maxCalls: 1);
        await adapter.MakeCallAsync(Request(1), default);
        Task<SipCall> refused = adapter.MakeCallAsync(Request(2) with { To = to }, default);
        Assert.True(refused.IsCompleted);
        Assert.IsType(error, await Record.ExceptionAsync(() => refused));
        Assert.Equal(0, adapter.Server.WaitingCalls);
    }

    [Fact]
    public async Task What_fails_gives_its_slot_back()
    {
        ISipAdapter adapter = await OpenAsync(_simulator.Port, maxCalls: 1, rate: 1000);
        for (int i = 0; i < 20; i++)
        {
            await Assert.ThrowsAsync<SipArgumentException>(() => adapter.MakeCallAsync(Request(i) with { CallerId = "a\r\nAction: Originate" }, default));
            // Accepted, and over by itself.
            SipCall call = await adapter.MakeCallAsync(Request(i) with { From = "busy" }, default);
            await adapter.WaitForCallAsync(call.CallId, [], null, default);
        }

        Assert.False(adapter.Server.AtLimit);
    }

    [Fact]
    public async Task Disconnecting_tells_those_who_wait()
    {
        ISipAdapter adapter = await OpenAsync(_simulator.Port, maxCalls: 1);
        await adapter.MakeCallAsync(Request(1), default);
        Task<SipCall> waiting = adapter.MakeCallAsync(Request(2), default);
        await adapter.DisconnectAsync(default);
        SipConnectionException e = await Assert.ThrowsAsync<SipConnectionException>(() => waiting);
        Assert.True(e is { NothingDone: true, OutcomeUnknown: false });
        Assert.Equal(1, _simulator.ActiveCalls);
    }

    [Fact]
    public async Task So_does_the_loss_of_the_connection()
    {
        var relay = new Relay("127.0.0.1", _simulator.Port);
        _peers.Add(relay);
        ISipAdapter adapter = await OpenAsync(relay.Port, maxCalls: 1);
        SipCall call = await adapter.MakeCallAsync(Request(1), default);
        await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], null, default);
        Task<SipCall> waiting = adapter.MakeCallAsync(Request(2), default);
        relay.Cut();
        Assert.True((await Assert.ThrowsAsync<SipConnectionException>(() => waiting)).NothingDone);
        relay.Mend();
        await Until.TrueAsync(() => adapter.Server.State == ConnectionState.Connected);
        // The call lives, and still has its slot.
        Assert.True(adapter.Server is { AtLimit: true, ActiveCalls: 1 });
        await adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default);
        Assert.False(adapter.Server.AtLimit);
    }

    [Fact]
    public async Task A_call_that_may_have_been_placed_keeps_its_slot_until_the_server_is_seen_without_it()
    {
        int originates = 0;
        var peer = ScriptedPeer.LogsIn(
            async (stream, name, id) =>
            {
                if (name == "Originate")
                {
                    Interlocked.Increment(ref originates);
                    return false;
                }

                await ScriptedPeer.SayAsync(stream, $"Response: Success\r\nActionID: {id}\r\n\r\n");
                return true;
            });
        _peers.Add(peer);
        ISipAdapter adapter = await OpenAsync(peer.Port, maxCalls: 1);
        SipConnectionException e = await Assert.ThrowsAsync<SipConnectionException>(() => adapter.MakeCallAsync(Request(1), default));
        Assert.True(e is { OutcomeUnknown: true, NothingDone: false });
        // It is told before the connection is seen as lost, or after: in either case the slot is not free before the list was read.
        await Until.TrueAsync(() => adapter.Server.Reconnects == 1 && adapter.Server.State == ConnectionState.Connected);
        Assert.False(adapter.Server.AtLimit);
        Assert.Equal(1, originates);
        Assert.Equal(CallState.Terminated, adapter.FindCall(e.CallId!)!.State);
    }

    [Fact]
    public async Task An_unanswered_call_keeps_its_slot()
    {
        ISipAdapter adapter = await OpenAsync(_simulator.Port, maxCalls: 1, requestSeconds: 1);
        _simulator.Faults.Stall = true;
        SipTimeoutException e = await Assert.ThrowsAsync<SipTimeoutException>(() => adapter.MakeCallAsync(Request(1), default));
        Assert.True(e is { OutcomeUnknown: true, NothingDone: false });
        Task<SipCall> waiting = adapter.MakeCallAsync(Request(2), default);
        Assert.True(adapter.Server is { AtLimit: true, WaitingCalls: 1 });
        _simulator.Faults.Stall = false;
        await adapter.GetCallsAsync(default);
        Assert.False(waiting.IsCompleted);
        await adapter.HangUpAsync(e.CallId!, HangupCause.NormalClearing, default);
        await waiting;
    }

    [Fact]
    public async Task The_time_of_a_request_does_not_run_while_a_call_waits()
    {
        ISipAdapter adapter = await OpenAsync(_simulator.Port, maxCalls: 1, requestSeconds: 1);
        SipCall first = await adapter.MakeCallAsync(Request(1), default);
        Task<SipCall> waiting = adapter.MakeCallAsync(Request(2), default);
        await Task.Delay(TimeSpan.FromSeconds(1.5));
        Assert.False(waiting.IsCompleted);
        await adapter.HangUpAsync(first.CallId, HangupCause.NormalClearing, default);
        await waiting;
    }

    [Fact]
    public async Task Limits_of_a_living_connection_are_changed()
    {
        ISipAdapter adapter = await OpenAsync(_simulator.Port);
        Assert.True(adapter.Server is { MaxCalls: null, MaxCallsPerSecond: null, AtLimit: false });
        await adapter.MakeCallAsync(Request(1), default);
        adapter.SetLimits(1, null);
        Assert.True(adapter.Server is { MaxCalls: 1, AtLimit: true });
        Task<SipCall> waiting = adapter.MakeCallAsync(Request(2), default);
        adapter.SetLimits(null, null);
        await waiting;
        Assert.Throws<SipArgumentException>(() => adapter.SetLimits(0, null));
        Assert.Throws<SipArgumentException>(() => adapter.SetLimits(null, double.NaN));
    }

    [Fact]
    public async Task The_server_never_has_more_calls_than_allowed()
    {
        ISipAdapter adapter = await OpenAsync(_simulator.Port, maxCalls: 5);
        int most = 0;
        using var watching = new CancellationTokenSource();
        Task watch = Task.Run(async () =>
        {
            while (!watching.IsCancellationRequested)
            {
                most = Math.Max(most, _simulator.ActiveCalls);
                await Task.Delay(1);
            }
        });
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async i =>
        {
            SipCall call = await adapter.MakeCallAsync(Request(i) with { To = "echo" }, default);
            await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], null, default);
            await adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default);
        }));
        await watching.CancelAsync();
        await watch;
        Assert.Equal(5, most);
        Assert.True(adapter.Server is { AtLimit: false, WaitingCalls: 0, ActiveCalls: 0 });
    }

    private static SipCallRequest Request(int row) => new() { From = "1001", To = "1002", Variables = [KeyValuePair.Create("ROW", $"{row}")] };

    private async Task<ISipAdapter> OpenAsync(int port, int? maxCalls = null, double? rate = null, double requestSeconds = 30)
    {
        _adapter = new SipAdapterFactory().Create(
            new SipServerConfiguration
            {
                Type = SipServerType.Asterisk,
                Host = "127.0.0.1",
                Port = port,
                Credential = new NetworkCredential(_simulator.User, _simulator.Secret),
                MaxCalls = maxCalls,
                MaxCallsPerSecond = rate,
                RequestTimeout = TimeSpan.FromSeconds(requestSeconds),
                Reconnect = new SipReconnectPolicy { BaseDelay = TimeSpan.FromMilliseconds(20), MaxDelay = TimeSpan.FromMilliseconds(200) },
            },
            null);
        await _adapter.ConnectAsync(default);
        return _adapter;
    }
}
