using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>What becomes of calls when the line to the server is cut while they go on, and the server goes on without us.</summary>
public sealed class ConnectionLossTests
{
    private static readonly SipCallRequest Parked = new() { To = "null/1", Application = "park" };

    [Fact]
    public async Task A_login_that_may_not_list_ends_no_call_however_often_it_reconnects()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync(May("version uptime originate uuid_kill global_getvar"));
        SipCall call = await rig.CallAsync(Parked);
        for (int i = 0; i < 3; i++)
        {
            await rig.CutAsync();
            rig.Time.Advance(TimeSpan.FromSeconds(5));
            await rig.MendAsync();
            await rig.PassAsync(TimeSpan.FromSeconds(5));
        }

        Assert.Equal(CallState.Connected, rig.Now(call).State);
        Assert.Equal(HangupCause.NormalClearing, (await rig.Adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default)).Cause);
    }

    [Theory]
    [InlineData("version uptime originate uuid_kill global_getvar")]
    [InlineData("version uptime originate uuid_kill")]
    public async Task Nor_does_it_keep_the_calls_of_a_server_that_was_started_anew(string may)
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync(May(may));
        SipCall call = await rig.CallAsync(Parked);
        rig.Time.Advance(TimeSpan.FromSeconds(30));
        await rig.Server.KillAsync(default);
        await rig.UntilAsync(() => rig.Now(call).IsEnded);
        Assert.Equal(HangupCause.ServerRestarted, rig.Now(call).Cause);
    }

    [Fact]
    public async Task The_next_endpoint_of_a_list_is_still_the_calls()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.CallAsync(new SipCallRequest { From = "sofia/gateway/ring/1", FromAlternatives = ["sofia/gateway/answer/1"], To = "1000" }, CallState.Ringing);
        await rig.CutAsync();
        await rig.MendAsync();
        await rig.PassAsync(TimeSpan.FromSeconds(3));
        using EslClient other = await EslClient.LogInAsync(rig.Server);
        await other.ApiAsync($"uuid_kill {call.Legs[0].Id} NO_ANSWER");
        await rig.UntilAsync(() => rig.Now(call).State is CallState.Connected or CallState.Terminated);
        SipCall now = rig.Now(call);
        Assert.Equal((CallState.Connected, 2, 1), (now.State, now.Legs.Count, rig.Up(call)));
        Assert.Equal(HangupCause.NormalClearing, (await rig.Adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default)).Cause);
        await Support.Until.TrueAsync(() => rig.Server.ActiveChannels == 0);
    }

    [Fact]
    public async Task An_originate_that_failed_meanwhile_ends()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.CallAsync(new SipCallRequest { From = "sofia/gateway/ring/1", To = "1000" }, CallState.Ringing);
        await rig.CutAsync();
        using EslClient other = await EslClient.LogInAsync(rig.Server);
        await other.ApiAsync($"uuid_kill {call.CallId} NO_ANSWER");
        await rig.MendAsync();
        await rig.UntilAsync(() => rig.Now(call).IsEnded);
        Assert.Equal((HangupCause.EndedUnseen, (DateTime?)null), (rig.Now(call).Cause, rig.Now(call).AnsweredAt));
    }

    [Fact]
    public async Task An_originate_that_fails_after_it_is_told_as_ever()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.CallAsync(new SipCallRequest { From = "sofia/gateway/ring/1", To = "1000" }, CallState.Ringing);
        await rig.CutAsync();
        await rig.MendAsync();
        using EslClient other = await EslClient.LogInAsync(rig.Server);
        await other.ApiAsync($"uuid_kill {call.CallId} NO_ANSWER");
        await rig.UntilAsync(() => rig.Now(call).IsEnded);
        Assert.Equal((HangupCause.NoAnswer, 19), (rig.Now(call).Cause, rig.Now(call).CauseCode));
    }

    [Fact]
    public async Task Answered_meanwhile_the_time_is_the_servers()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        using EslClient other = await EslClient.LogInAsync(rig.Server);
        SipCall call = await rig.CallAsync(new SipCallRequest { From = "sofia/gateway/ring/1", To = "1000" }, CallState.Ringing);
        await rig.CutAsync();
        DateTime cut = DateTime.UtcNow;
        await other.ApiAsync($"uuid_answer {call.CallId}");
        // The adapter is away for an hour by its own clock, which is the server's otherwise.
        TimeSpan away = TimeSpan.FromMinutes(50);
        rig.Time.Advance(away);
        await rig.MendAsync();
        await rig.UntilAsync(() => rig.Now(call).State == CallState.Connected && rig.Now(call).AnsweredAt < rig.Time.GetUtcNow() - (away / 2));
        Assert.InRange(rig.Now(call).AnsweredAt!.Value, cut.AddMinutes(-1), cut.AddMinutes(5));
        Assert.Equal(rig.Now(call).AnsweredAt, (await rig.Adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default)).AnsweredAt);
    }

    [Fact]
    public async Task Brought_into_a_room_and_taken_out_of_one_meanwhile()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        using EslClient other = await EslClient.LogInAsync(rig.Server);
        SipCall goes = await rig.PairAsync(), comes = await rig.PairAsync();
        await rig.Adapter.JoinConferenceAsync(goes.CallId, new SipConferenceJoin { Conference = "before" }, default);
        await rig.CutAsync();
        await other.ApiAsync($"uuid_transfer {comes.Legs[0].Id} -both conference:meanwhile@default inline");
        await other.ApiAsync($"uuid_transfer {goes.Legs[0].Id} 1000 XML default");
        await other.ApiAsync($"uuid_transfer {goes.Legs[1].Id} 1000 XML default");
        await rig.MendAsync();
        Assert.Equal("meanwhile", rig.Now(comes).Details["Conference"]);
        Assert.DoesNotContain("Conference", rig.Now(goes).Details.Keys);
        Assert.Equal("SipCallNotInConference", (await Assert.ThrowsAsync<SipCallStateException>(() => rig.Adapter.LeaveConferenceAsync(goes.CallId, default))).ErrorId);
        Task<SipCall> leaving = rig.Adapter.LeaveConferenceAsync(comes.CallId, default);
        await rig.UntilAsync(() => leaving.IsCompleted);
        Assert.Equal(CallState.Terminated, (await leaving).State);
    }

    [Fact]
    public async Task A_recording_that_ended_meanwhile_has_ended()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        using EslClient other = await EslClient.LogInAsync(rig.Server);
        SipCall call = await rig.PairAsync();
        SipRecording ends = await rig.Adapter.StartRecordingAsync(call.CallId, new SipRecordingRequest { Path = "ends.wav" }, default);
        SipRecording goesOn = await rig.Adapter.StartRecordingAsync(call.CallId, new SipRecordingRequest { Path = "goes-on.wav" }, default);
        await rig.CutAsync();
        Assert.StartsWith("+OK", await other.ApiAsync($"uuid_record {call.Legs[0].Id} stop {ends.Path}"), StringComparison.Ordinal);
        await rig.MendAsync();
        Assert.StartsWith("Stopped", rig.Now(call).Details["Recording:" + ends.RecordingId], StringComparison.Ordinal);
        Assert.StartsWith("Recording", rig.Now(call).Details["Recording:" + goesOn.RecordingId], StringComparison.Ordinal);
        Assert.Equal(goesOn.RecordingId, Assert.Single(await rig.Adapter.StopRecordingAsync(call.CallId, null, default)).RecordingId);
    }

    [Fact]
    public async Task Parted_meanwhile_two_are_no_pair_any_more()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        using EslClient other = await EslClient.LogInAsync(rig.Server);
        SipCall call = await rig.PairAsync();
        await rig.CutAsync();
        await other.ApiAsync($"uuid_transfer {call.Legs[0].Id} -both 1000 XML default");
        await rig.MendAsync();
        Task holding = rig.Adapter.HoldAsync(call.CallId, null, default);
        await rig.UntilAsync(() => holding.IsCompleted);
        Assert.Equal("SipCallNotBridged", (await Assert.ThrowsAsync<SipCallStateException>(() => holding)).ErrorId);
    }

    [Fact]
    public async Task A_leg_that_the_list_lacks_is_asked_for_before_its_call_is_ended()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.CallAsync(Parked);
        // The list lags: it knows of no channel at all.
        rig.Change(command => command.Replace("bgapi show channels as json", "bgapi show tasks as json", StringComparison.Ordinal));
        for (int i = 0; i < 4; i++)
        {
            Assert.Equal(call.CallId, Assert.Single(await rig.Adapter.GetCallsAsync(default)).CallId);
            rig.Time.Advance(TimeSpan.FromSeconds(3));
        }

        // Gone, and not told: what the server does not have by its id has ended.
        rig.Change(command => command.Replace("bgapi show channels as json", "bgapi show tasks as json", StringComparison.Ordinal).Replace("uuid_exists " + call.CallId, "uuid_exists nobody", StringComparison.Ordinal));
        await rig.Adapter.GetCallsAsync(default);
        rig.Time.Advance(TimeSpan.FromSeconds(3));
        Assert.Empty(await rig.Adapter.GetCallsAsync(default));
        Assert.Equal(HangupCause.EndedUnseen, rig.Now(call).Cause);
    }

    private static FreeSwitchSimulatorUser May(string api) => new() { Name = "ops", Password = "x", AllowedApi = api };
}
