namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>Transfers whose commands fail or are lost half-way: they can be completed or given up after that, and nobody is left waiting.</summary>
public sealed class TransferTroubleTests
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(true, "uuid_setvar")]
    [InlineData(true, "uuid_bridge")]
    [InlineData(false, "uuid_bridge")]
    public async Task What_could_not_be_completed_or_given_up_can_be_tried_again(bool complete, string refused)
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await ConsultAsync(rig);
        rig.Change(command => command.Replace("bgapi " + refused, "bgapi nosuch", StringComparison.Ordinal));
        await Assert.ThrowsAsync<SipRejectedException>(() => EndAsync(rig, call, complete));
        Assert.Equal((CallState.Transferring, 3), (rig.Now(call).State, rig.Up(call)));
        rig.LeaveAlone();
        SipCall after = await EndAsync(rig, call, complete);
        Assert.Equal((CallState.Connected, complete ? "77" : call.To), (after.State, after.To));
        await rig.UntilAsync(() => rig.Up(call) == 2);
        await HangUpAsync(rig, call);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_same_when_the_line_was_cut_meanwhile(bool complete)
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await ConsultAsync(rig);
        rig.Lose("bgapi uuid_bridge");
        Task<SipCall> lost = EndAsync(rig, call, complete);
        await Support.Until.TrueAsync(() => rig.Sent.Last().StartsWith("bgapi uuid_bridge", StringComparison.Ordinal));
        await rig.CutAsync();
        Assert.True((await Assert.ThrowsAsync<SipConnectionException>(() => lost)).OutcomeUnknown);
        rig.LeaveAlone();
        await rig.MendAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(3));
        // They consult as before.
        Assert.Equal((CallState.Transferring, 3), (rig.Now(call).State, rig.Up(call)));
        SipCall after = await EndAsync(rig, call, complete);
        Assert.Equal((CallState.Connected, complete ? "77" : call.To), (after.State, after.To));
        await HangUpAsync(rig, call);
    }

    [Fact]
    public async Task Completed_while_the_line_was_cut_it_is_complete()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await ConsultAsync(rig);
        string kept = call.Legs[0].Id, released = call.Legs[1].Id, consulted = rig.Now(call).Legs[2].Id;
        await WhileCutAsync(rig, $"uuid_bridge {kept} {consulted}");
        await rig.UntilAsync(() => rig.Now(call).State == CallState.Connected && rig.Up(call) == 2);
        SipCall now = rig.Now(call);
        Assert.Equal(("77", "Hungup"), (now.To, now.Legs.Single(l => l.Id == released).State));
        Assert.Equal("SipNoTransfer", (await Assert.ThrowsAsync<SipCallStateException>(() => EndAsync(rig, call, complete: true))).ErrorId);
        await HangUpAsync(rig, call);
    }

    [Fact]
    public async Task Who_consulted_went_away_while_the_line_was_cut_and_the_other_two_talk()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await ConsultAsync(rig);
        await WhileCutAsync(rig, $"uuid_kill {call.Legs[1].Id}");
        await rig.UntilAsync(() => rig.Now(call).State == CallState.Connected);
        Assert.Equal(("77", 2), (rig.Now(call).To, rig.Up(call)));
        await HangUpAsync(rig, call);
    }

    [Fact]
    public async Task Who_was_consulted_went_away_while_the_line_was_cut_and_the_first_two_talk_again()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await ConsultAsync(rig);
        string consulted = rig.Now(call).Legs[2].Id;
        await WhileCutAsync(rig, $"uuid_kill {consulted}");
        await rig.UntilAsync(() => rig.Now(call).State == CallState.Connected);
        Assert.Equal((call.To, 2), (rig.Now(call).To, rig.Up(call)));
        await HangUpAsync(rig, call);
    }

    [Fact]
    public async Task A_blind_transfer_that_the_server_never_did_is_none()
    {
        // Long enough for what the server does answer, on a clock that is moved by hand.
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync(requestTimeout: Long);
        SipCall call = await rig.PairAsync();
        rig.Lose("bgapi uuid_transfer");
        Task<SipCall> lost = rig.Adapter.TransferAsync(call.CallId, new SipTransferRequest { To = "1000" }, default);
        await Support.Until.TrueAsync(() => rig.Sent.Last().StartsWith("bgapi uuid_transfer", StringComparison.Ordinal));
        rig.Time.Advance(Long + TimeSpan.FromSeconds(1));
        Assert.True((await Assert.ThrowsAsync<SipTimeoutException>(() => lost)).OutcomeUnknown);
        await Support.Until.TrueAsync(() => rig.Now(call).State == CallState.Connected);
        Assert.Equal((call.To, 2), (rig.Now(call).To, rig.Up(call)));
        rig.LeaveAlone();
        await HangUpAsync(rig, call);
    }

    [Fact]
    public async Task Nor_is_one_that_was_lost_with_the_line()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.PairAsync();
        rig.Lose("bgapi uuid_transfer");
        Task<SipCall> lost = rig.Adapter.TransferAsync(call.CallId, new SipTransferRequest { To = "1000" }, default);
        await Support.Until.TrueAsync(() => rig.Sent.Last().StartsWith("bgapi uuid_transfer", StringComparison.Ordinal));
        await rig.CutAsync();
        await Assert.ThrowsAsync<SipConnectionException>(() => lost);
        rig.LeaveAlone();
        await rig.MendAsync();
        await rig.UntilAsync(() => rig.Now(call).State == CallState.Connected);
        Assert.Equal((call.To, 2), (rig.Now(call).To, rig.Up(call)));
        await HangUpAsync(rig, call);
    }

    [Fact]
    public async Task A_consultation_that_is_given_up_leaves_no_endpoint_of_the_list_ringing_or_parked()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync(template: "sofia/gateway/ring/{0}|sofia/gateway/answer/{0}");
        SipCall call = await rig.CallAsync(new SipCallRequest { From = "sofia/gateway/answer/1", To = "sofia/gateway/answer/2" });
        Task<SipCall> consulting = rig.Adapter.TransferAsync(call.CallId, new SipTransferRequest { To = "77", Attended = true }, default);
        await rig.UntilAsync(() => rig.Now(call).Legs.Any(l => l.State == "RINGING"));
        Assert.Equal(CallState.Connected, (await rig.Adapter.CancelTransferAsync(call.CallId, default)).State);
        await Assert.ThrowsAsync<SipTransferException>(() => consulting);
        await Support.Until.TrueAsync(() => rig.Server.ActiveChannels == 2);
        Assert.Equal((CallState.Connected, call.To, 2), (rig.Now(call).State, rig.Now(call).To, rig.Up(call)));
        await HangUpAsync(rig, call);
        await Support.Until.TrueAsync(() => rig.Server.ActiveChannels == 0);
    }

    [Fact]
    public async Task Nor_does_one_whose_call_was_ended()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync(template: "sofia/gateway/ring/{0}|sofia/gateway/answer/{0}");
        SipCall call = await rig.CallAsync(new SipCallRequest { From = "sofia/gateway/answer/1", To = "sofia/gateway/answer/2" });
        Task<SipCall> consulting = rig.Adapter.TransferAsync(call.CallId, new SipTransferRequest { To = "77", Attended = true }, default);
        await rig.UntilAsync(() => rig.Now(call).Legs.Any(l => l.State == "RINGING"));
        await HangUpAsync(rig, call);
        await Assert.ThrowsAnyAsync<SipException>(() => consulting);
        await Support.Until.TrueAsync(() => rig.Server.ActiveChannels == 0);
    }

    private static async Task<SipCall> ConsultAsync(FreeSwitchRig rig)
    {
        SipCall call = await rig.PairAsync();
        Task<SipCall> consulting = rig.Adapter.TransferAsync(call.CallId, new SipTransferRequest { To = "77", Attended = true }, default);
        await rig.UntilAsync(() => consulting.IsCompleted);
        Assert.Equal((CallState.Transferring, 3), ((await consulting).State, rig.Up(call)));
        return call;
    }

    // Another client has the server do something that we are not told of.
    private static async Task WhileCutAsync(FreeSwitchRig rig, string command)
    {
        using EslClient other = await EslClient.LogInAsync(rig.Server);
        await rig.CutAsync();
        await other.ApiAsync(command);
        await rig.MendAsync();
    }

    private static Task<SipCall> EndAsync(FreeSwitchRig rig, SipCall call, bool complete) => complete ? rig.Adapter.CompleteTransferAsync(call.CallId, default) : rig.Adapter.CancelTransferAsync(call.CallId, default);

    private static async Task HangUpAsync(FreeSwitchRig rig, SipCall call)
    {
        Task<SipCall> ending = rig.Adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default);
        // Who it is asked of may be gone already, which is asked again on the test's clock.
        await rig.UntilAsync(() => ending.IsCompleted);
        Assert.Equal(CallState.Terminated, (await ending).State);
    }
}
