using System.Net;
using IfBus.Sip.Adapters;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>Calls of which the caller does not know whether the server took them: none is left in the table that the server does not have.</summary>
public sealed class DoubtfulCallsTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static readonly SipCallRequest Request = new() { From = "1001", To = "1002" };

    [Fact]
    public async Task Given_up_before_it_was_sent_it_is_not_there()
    {
        using AsteriskSimulator simulator = AsteriskSimulator.Start();
        await using ISipAdapter adapter = await Connected.ToAsync(SipServerType.Asterisk, simulator.Port, 5, 5, 15, new NetworkCredential(simulator.User, simulator.Secret));
        long before = simulator.ActionsReceived;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => adapter.MakeCallAsync(Request, new CancellationToken(canceled: true)));
        Assert.Empty(adapter.KnownCalls);
        // A session does one thing after the other, so an Originate would have been counted by then.
        await adapter.CheckHealthAsync(default).WaitAsync(Limit);
        Assert.Equal(before + 2, simulator.ActionsReceived);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_refusal_that_comes_too_late_ends_it_and_frees_its_place(bool cancelled)
    {
        var time = new FakeTimeProvider();
        ManagerQuestion? open = null;
        using var peer = new ManagerPeer(q =>
        {
            if (q.Name != "Originate" || open is not null) return null;
            open = q;
            return "";
        });
        await using ISipAdapter adapter = await ConnectAsync(peer, time, maxCalls: 1);
        using var given = new CancellationTokenSource();
        Task<SipCall> placing = adapter.MakeCallAsync(Request, given.Token);
        await Until.TrueAsync(() => open is not null);
        if (cancelled) await given.CancelAsync();
        else time.Advance(TimeSpan.FromSeconds(6));
        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => placing.WaitAsync(Limit));
        Assert.True(cancelled ? error is OperationCanceledException : error is SipTimeoutException { OutcomeUnknown: true }, error.ToString());
        SipCall doubtful = Ours(adapter);
        Assert.Equal(CallState.Created, doubtful.State);
        Task<SipCall> waiting = adapter.WaitForCallAsync(doubtful.CallId, [], null, default);

        peer.Say(ManagerPeer.Error(open!, "Extension does not exist."));
        SipCall ended = await waiting.WaitAsync(Limit);
        Assert.Equal((CallState.Terminated, HangupCause.Unknown, "the server refused it: Extension does not exist."), (ended.State, ended.Cause, ended.CauseText));
        SipCall next = await adapter.MakeCallAsync(Request, default).WaitAsync(Limit);
        Assert.Equal(next.CallId, Ours(adapter).CallId);
    }

    [Fact]
    public async Task Taken_after_the_caller_gave_up_it_is_followed()
    {
        ManagerQuestion? open = null;
        using var peer = new ManagerPeer(q =>
        {
            if (q.Name != "Originate") return null;
            open = q;
            return "";
        });
        await using ISipAdapter adapter = await ConnectAsync(peer, TimeProvider.System);
        string id = await GiveUpAsync(adapter, () => open is not null);
        peer.Say($"Response: Success\r\nActionID: {open!.Id}\r\n\r\n" + ManagerPeer.Event("Newchannel", $"Channel: PJSIP/1001-1\r\nChannelStateDesc: Down\r\nUniqueid: {id}\r\nLinkedid: {id}\r\n"));
        await Until.TrueAsync(() => adapter.FindCall(id)!.State == CallState.Dialing);
        peer.Say(ManagerPeer.Event("Hangup", $"Channel: PJSIP/1001-1\r\nUniqueid: {id}\r\nLinkedid: {id}\r\nCause: 17\r\nCause-txt: User busy\r\n"));
        await Until.TrueAsync(() => adapter.FindCall(id)!.Cause == HangupCause.UserBusy);
    }

    [Fact]
    public async Task Of_which_nothing_is_ever_told_it_is_looked_for()
    {
        var time = new FakeTimeProvider();
        using var peer = new ManagerPeer(q => q.Name == "Originate" ? "" : null);
        await using ISipAdapter adapter = await ConnectAsync(peer, time);
        string id = await GiveUpAsync(adapter, () => peer.Asked.Any(q => q.Name == "Originate"));
        Task<SipCall> waiting = adapter.WaitForCallAsync(id, [], null, default);

        // Neither the tick nor a list that somebody asks for says anything of it before its time.
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Contains(await adapter.GetCallsAsync(default).WaitAsync(Limit), c => c.CallId == id);
        time.Advance(TimeSpan.FromSeconds(2));
        SipCall ended = await waiting.WaitAsync(Limit);
        Assert.Equal((CallState.Terminated, HangupCause.EndedUnseen), (ended.State, ended.Cause));
        Assert.Equal("the server did not say whether it took the call, and has none", ended.CauseText);
    }

    private static SipCall Ours(ISipAdapter adapter) => Assert.Single(adapter.KnownCalls, c => c.CallId != "1.1");

    // A call whose caller gives up before the server has said anything.
    private static async Task<string> GiveUpAsync(ISipAdapter adapter, Func<bool> sent)
    {
        using var given = new CancellationTokenSource();
        Task<SipCall> placing = adapter.MakeCallAsync(Request, given.Token);
        await Until.TrueAsync(sent);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => placing.WaitAsync(Limit));
        return Ours(adapter).CallId;
    }

    // To a server that has told of somebody else's call, so that the login counts as one that is told of calls.
    private static async Task<ISipAdapter> ConnectAsync(ManagerPeer peer, TimeProvider time, int? maxCalls = null)
    {
        ISipAdapter adapter = new SipAdapterFactory(time).Create(
            new SipServerConfiguration { Type = SipServerType.Asterisk, Host = "127.0.0.1", Port = peer.Port, Credential = new NetworkCredential("u", "s"), RequestTimeout = TimeSpan.FromSeconds(5), MaxCalls = maxCalls }, null);
        await adapter.ConnectAsync(default).WaitAsync(Limit);
        peer.Say(ManagerPeer.Event("Newchannel", "Channel: PJSIP/9-1\r\nChannelStateDesc: Ring\r\nUniqueid: 1.1\r\nLinkedid: 1.1\r\n"));
        await Until.TrueAsync(() => adapter.KnownCalls.Count == 1);
        return adapter;
    }
}
