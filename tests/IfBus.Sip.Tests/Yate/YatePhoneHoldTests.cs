using System.Text;
using IfBus.Sip.Adapters;

namespace IfBus.Sip.Tests.Yate;

/// <summary>What a phone's own re-INVITE makes of its call, by the parameters that Yate 6.4.1 tells of each offer.</summary>
public sealed class YatePhoneHoldTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("sdp_sendonly=", "sdp_sendrecv=")]
    [InlineData("sdp_inactive=", "sdp_sendrecv=")]
    // Without a direction an offer means both.
    [InlineData("sdp_sendonly=", "")]
    [InlineData("sdp_inactive=", "")]
    // Who only listens has turned itself off, and holds nobody.
    [InlineData("sdp_sendonly=", "sdp_recvonly=")]
    public async Task Held_and_taken_back(string holds, string takesBack)
    {
        using var peer = new YatePeer((_, usual) => usual ?? "");
        await using ISipAdapter adapter = new SipAdapterFactory().Create(new SipServerConfiguration { Type = SipServerType.Yate, Host = "127.0.0.1", Port = peer.Port, KeepAlive = TimeSpan.FromMinutes(10) }, null);
        await adapter.ConnectAsync(default).WaitAsync(Limit);
        await SayAsync("chan.startup", "id=sip/1:module=sip:status=incoming:billid=7-1:answered=false:direction=incoming:caller=1001:called=1002");
        await SayAsync("chan.startup", "id=sip/2:module=sip:status=outgoing:targetid=sip/1:billid=7-1:answered=false:direction=outgoing:called=1002");
        await SayAsync("chan.connected", "id=sip/1:billid=7-1:peerid=sip/2:direction=incoming");
        await SayAsync("chan.connected", "id=sip/2:billid=7-1:peerid=sip/1:direction=outgoing");
        await SayAsync("call.answered", "id=sip/2:status=answered:billid=7-1:peerid=sip/1:answered=true:direction=outgoing");
        await UntilAsync(CallState.Connected);
        for (int i = 0; i < 2; i++)
        {
            await SayAsync("call.update", $"id=sip/2:status=answered:billid=7-1:peerid=sip/1:operation=notify:mute=false:media=yes:formats=mulaw:rtp_port=20050:{holds}");
            await UntilAsync(CallState.OnHold);
            // Says nothing of the sound.
            await SayAsync("call.update", "id=sip/2:status=answered:billid=7-1:peerid=sip/1:operation=notify:contact_changed=true");
            await SayAsync("call.update", "id=sip/2:status=answered:billid=7-1:peerid=sip/1:operation=cdrbuild");
            await SayAsync("chan.dtmf", "id=sip/2:text=1");
            Assert.Equal(CallState.OnHold, adapter.FindCall("7-1")!.State);
            await SayAsync("call.update", $"id=sip/2:status=answered:billid=7-1:peerid=sip/1:operation=notify:mute=false:media=yes:formats=mulaw:rtp_port=20050:{takesBack}");
            await UntilAsync(CallState.Connected);
        }

        Task SayAsync(string name, string fields) => peer.WriteAsync(Encoding.ASCII.GetBytes($"%%<message::false:{name}::{fields}\n"));

        async Task UntilAsync(CallState state)
        {
            // Its birth may not have been told yet.
            for (DateTime end = DateTime.UtcNow + Limit; adapter.FindCall("7-1")?.State != state; await Task.Delay(10)) Assert.True(DateTime.UtcNow < end, $"never {state}");
        }
    }
}
