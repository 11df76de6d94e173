using System.Net;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>Hang-ups that the server refuses: the call goes on, and is shown so.</summary>
public sealed class RefusedHangUpTests
{
    [Fact]
    public async Task A_refused_one_leaves_the_call_as_it_was()
    {
        using var server = new RefusingManager();
        await using ISipAdapter adapter = await Connected.ToAsync(SipServerType.Asterisk, server.Port, 5, 5, 15, new NetworkCredential("ops", "x"));
        SipCall call = await server.CallAsync(adapter);
        SipRejectedException refused = await Assert.ThrowsAsync<SipRejectedException>(() => adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default));
        Assert.Equal(("SipHangUpRejected", "refused"), (refused.ErrorId, refused.ServerText));
        Assert.Equal((CallState.Connected, call.AnsweredAt), (adapter.FindCall(call.CallId)!.State, adapter.FindCall(call.CallId)!.AnsweredAt));
    }
}
