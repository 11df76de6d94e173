using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>A server that does not list its calls after a reconnect: nothing is said of them that nobody knows.</summary>
public sealed class UnlistedCallsTests
{
    private const string Ids = "Uniqueid: 1.1\r\nLinkedid: 1.1\r\n";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_list_that_is_refused_is_no_list_without_calls()
    {
        using var peer = new ManagerPeer(q => (q.Name, q.Connection) switch
        {
            ("CoreShowChannels", 1) => OneCall(q),
            ("CoreShowChannels", _) => ManagerPeer.Error(q, "Permission denied"),
            ("CoreStatus", _) => Started(q, "2026-01-01"),
            _ => null,
        });
        await using ISipAdapter adapter = await ConnectAsync(peer);
        peer.Drop();
        await Until.TrueAsync(() => adapter.Server is { State: ConnectionState.Connected, Reconnects: 1 });
        Assert.Equal(CallState.Connected, Assert.Single(adapter.KnownCalls).State);

        peer.Say(ManagerPeer.Event("Newstate", $"Channel: PJSIP/9-1\r\nChannelStateDesc: Up\r\n{Ids}") + ManagerPeer.Event("Hangup", $"Channel: PJSIP/9-1\r\n{Ids}Cause: 16\r\nCause-txt: Normal Clearing\r\n"));
        SipCall ended = await adapter.WaitForCallAsync("1.1", [], null, default).WaitAsync(Limit);
        Assert.Equal((CallState.Terminated, HangupCause.NormalClearing, 16), (ended.State, ended.Cause, ended.CauseCode));
        await adapter.CheckHealthAsync(default).WaitAsync(Limit);
        Assert.Empty(adapter.KnownCalls);
        Assert.Single(adapter.EndedCalls);
    }

    [Fact]
    public async Task Of_a_server_that_was_started_anew_all_calls_are_gone_and_late_events_of_them_are_nobodys()
    {
        using var peer = new ManagerPeer(q => (q.Name, q.Connection) switch
        {
            ("CoreShowChannels", 1) => OneCall(q),
            ("CoreShowChannels", _) => ManagerPeer.Error(q, "Permission denied"),
            ("CoreStatus", _) => Started(q, q.Connection == 1 ? "2026-01-01" : "2026-01-02"),
            _ => null,
        });
        await using ISipAdapter adapter = await ConnectAsync(peer);
        peer.Drop();
        SipCall ended = await adapter.WaitForCallAsync("1.1", [], null, default).WaitAsync(Limit);
        Assert.Equal((CallState.Terminated, HangupCause.ServerRestarted), (ended.State, ended.Cause));
        await AssertLateEventsAreNobodysAsync(adapter, peer);
    }

    [Fact]
    public async Task Late_events_of_a_call_that_a_list_lacked_make_no_other_call()
    {
        using var peer = new ManagerPeer(q => q is { Name: "CoreShowChannels", Connection: 1 } ? OneCall(q) : null);
        await using ISipAdapter adapter = await ConnectAsync(peer);
        peer.Drop();
        SipCall ended = await adapter.WaitForCallAsync("1.1", [], null, default).WaitAsync(Limit);
        Assert.Equal((CallState.Terminated, HangupCause.EndedUnseen), (ended.State, ended.Cause));
        await AssertLateEventsAreNobodysAsync(adapter, peer);
    }

    private static async Task AssertLateEventsAreNobodysAsync(ISipAdapter adapter, ManagerPeer peer)
    {
        await Until.TrueAsync(() => adapter.Server is { State: ConnectionState.Connected, Reconnects: 1 });
        peer.Say(ManagerPeer.Event("Newstate", $"Channel: PJSIP/9-1\r\nChannelStateDesc: Up\r\n{Ids}"));
        await adapter.CheckHealthAsync(default).WaitAsync(Limit);
        Assert.Empty(adapter.KnownCalls);
    }

    private static string OneCall(ManagerQuestion question) => ManagerPeer.List(
        question, "CoreShowChannelsComplete", $"Event: CoreShowChannel\r\nChannel: PJSIP/9-1\r\nChannelStateDesc: Up\r\n{Ids}Application: Echo\r\nApplicationData: \r\nDuration: 00:00:05\r\n");

    private static string Started(ManagerQuestion question, string date) =>
        $"Response: Success\r\nActionID: {question.Id}\r\nCoreStartupDate: {date}\r\nCoreStartupTime: 10:00:00\r\nCoreCurrentCalls: 1\r\n\r\n";

    private static async Task<ISipAdapter> ConnectAsync(ManagerPeer peer)
    {
        ISipAdapter adapter = await peer.ConnectAsync();
        Assert.Equal(CallState.Connected, Assert.Single(adapter.KnownCalls).State);
        return adapter;
    }
}
