namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>Hang-ups that are not carried out: the call goes on, and is shown so.</summary>
public sealed class RefusedHangUpTests
{
    [Fact]
    public async Task A_refused_one_leaves_the_call_as_it_was()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.PairAsync();
        rig.Change(command => command.Replace("bgapi uuid_kill", "bgapi nosuch", StringComparison.Ordinal));
        SipRejectedException refused = await Assert.ThrowsAsync<SipRejectedException>(() => HangUpAsync(rig, call));
        Assert.Equal(("SipHangUpRejected", call.CallId), (refused.ErrorId, refused.CallId));
        Assert.Equal((CallState.Connected, call.AnsweredAt, 2), (rig.Now(call).State, rig.Now(call).AnsweredAt, rig.Up(call)));
        rig.LeaveAlone();
        Assert.Equal(CallState.OnHold, (await rig.Adapter.HoldAsync(call.CallId, null, default)).State);
        Assert.Equal(CallState.Terminated, (await HangUpAsync(rig, call)).State);
    }

    [Fact]
    public async Task What_is_told_of_the_call_meanwhile_counts()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync(ringTime: TimeSpan.FromMilliseconds(300));
        SipCall call = await rig.CallAsync(new SipCallRequest { To = "sofia/gateway/answer/1", Application = "park" }, CallState.Ringing);
        // The server says for a while that it has no such leg, and is asked again on the test's clock; then that it does not want to.
        string answer = "bgapi uuid_kill nobody";
        rig.Change(command => command.StartsWith("bgapi uuid_kill", StringComparison.Ordinal) ? answer + command[command.IndexOf('\n', StringComparison.Ordinal)..] : command);
        Task<SipCall> ending = HangUpAsync(rig, call);
        await Support.Until.TrueAsync(() => rig.Up(call) == 1);
        Assert.Equal(CallState.HangingUp, rig.Now(call).State);
        answer = "bgapi nosuch";
        await rig.UntilAsync(() => ending.IsCompleted, TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAsync<SipRejectedException>(() => ending);
        Assert.Equal(CallState.Connected, rig.Now(call).State);
        Assert.NotNull(rig.Now(call).AnsweredAt);
    }

    [Fact]
    public async Task One_that_was_lost_with_the_line_is_none()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.PairAsync();
        rig.Lose("bgapi uuid_kill");
        Task<SipCall> lost = HangUpAsync(rig, call);
        await Support.Until.TrueAsync(() => rig.Sent.Last().StartsWith("bgapi uuid_kill", StringComparison.Ordinal));
        await rig.CutAsync();
        Assert.True((await Assert.ThrowsAsync<SipConnectionException>(() => lost)).OutcomeUnknown);
        rig.LeaveAlone();
        await rig.MendAsync();
        Assert.Equal((CallState.Connected, 2), (rig.Now(call).State, rig.Up(call)));
        Assert.Equal(CallState.Terminated, (await HangUpAsync(rig, call)).State);
    }

    private static Task<SipCall> HangUpAsync(FreeSwitchRig rig, SipCall call) => rig.Adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default);
}
