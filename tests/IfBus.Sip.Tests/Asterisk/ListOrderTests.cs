using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>A list of calls counts at its place in the stream: what is told behind it is newer, however soon it comes.</summary>
public sealed class ListOrderTests
{
    private const string Ids = "Uniqueid: 1.1\r\nLinkedid: 1.1\r\n";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task What_is_told_behind_a_list_is_not_undone_by_it()
    {
        using var peer = new ManagerPeer(q => q is { Name: "CoreShowChannels", Connection: 1 }
            ? ManagerPeer.List(q, "CoreShowChannelsComplete", Channel("Ring", "ConfBridge", "room"))
                + ManagerPeer.Event("Newstate", $"Channel: PJSIP/9-1\r\nChannelStateDesc: Up\r\n{Ids}")
                + ManagerPeer.Event("ConfbridgeLeave", $"Conference: room\r\nChannel: PJSIP/9-1\r\n{Ids}")
            : null);
        await using ISipAdapter adapter = await peer.ConnectAsync();
        await adapter.CheckHealthAsync(default).WaitAsync(Limit);
        for (int i = 0; i < 3; i++)
        {
            await adapter.GetCallsAsync(default).WaitAsync(Limit);
            // A reply is never overtaken by what was said before the question.
            await adapter.CheckHealthAsync(default).WaitAsync(Limit);
            SipCall call = Assert.Single(adapter.KnownCalls);
            Assert.Equal("Up", Assert.Single(call.Legs).State);
            Assert.DoesNotContain("Conference", call.Details.Keys);
        }
    }

    [Fact]
    public async Task A_channel_that_ends_right_behind_the_first_list_is_no_call()
    {
        using var peer = new ManagerPeer(q => q.Name == "CoreShowChannels"
            ? ManagerPeer.List(q, "CoreShowChannelsComplete", Channel("Up", "Wait", "60")) + ManagerPeer.Event("Hangup", $"Channel: PJSIP/9-1\r\n{Ids}Cause: 16\r\n")
            : null);
        await using ISipAdapter adapter = await peer.ConnectAsync();
        await adapter.CheckHealthAsync(default).WaitAsync(Limit);
        Assert.Empty(adapter.KnownCalls);
    }

    [Fact]
    public async Task A_shutdown_right_behind_a_list_is_still_the_cause()
    {
        bool last = false;
        using var peer = new ManagerPeer(q => (q.Name, q.Connection, last) switch
        {
            ("CoreShowChannels", 1, false) => ManagerPeer.List(q, "CoreShowChannelsComplete", Channel("Up", "Wait", "60")),
            ("CoreShowChannels", 1, true) => ManagerPeer.List(q, "CoreShowChannelsComplete", Channel("Up", "Wait", "60")) + "Event: Shutdown\r\nPrivilege: system,all\r\nShutdown: Cleanly\r\nRestart: False\r\n\r\n",
            _ => null,
        });
        await using ISipAdapter adapter = await peer.ConnectAsync();
        last = true;
        Assert.Single(await adapter.GetCallsAsync(default).WaitAsync(Limit));
        await adapter.CheckHealthAsync(default).WaitAsync(Limit);
        peer.Drop();
        SipCall ended = await adapter.WaitForCallAsync("1.1", [], null, default).WaitAsync(Limit);
        Assert.Equal((CallState.Terminated, HangupCause.ServerShutdown), (ended.State, ended.Cause));
    }

    private static string Channel(string state, string application, string data) =>
        $"Event: CoreShowChannel\r\nChannel: PJSIP/9-1\r\nChannelStateDesc: {state}\r\n{Ids}Application: {application}\r\nApplicationData: {data}\r\nDuration: 00:00:05\r\n";
}
