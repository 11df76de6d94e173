using System.Net;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>Rooms that were joined before the connection, and what the server tells of a recording that has ended.</summary>
public sealed class ConferenceAndRecordingTests
{
    [Fact]
    public async Task Members_who_joined_before_the_connection_are_muted_kicked_and_let_out_like_others()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall one = await rig.PairAsync(), two = await rig.PairAsync();
        foreach (SipCall call in new[] { one, two }) await rig.Adapter.JoinConferenceAsync(call.CallId, new SipConferenceJoin { Conference = "room1" }, default);

        await using ISipAdapter late = await Connected.ToAsync(SipServerType.FreeSwitch, rig.Server.Port, 10, 10, 20, new NetworkCredential("freeswitch", rig.Server.Secret));
        SipConference muted = (await late.SetConferenceAsync("room1", new SipConferenceChange { Muted = true, Member = one.Legs[1].Id }, default))!;
        Assert.Equal(one.Legs[1].Id, Assert.Single(muted.Members, m => m.Muted).LegId);
        await late.SetConferenceAsync("room1", new SipConferenceChange { Kick = true, Member = one.Legs[1].Id }, default);
        await Until.TrueAsync(async () => (await late.GetConferencesAsync("room1", default))[0].MemberCount == 3);
        // To it each leg is a call of its own: it was not told that they belong together.
        SipCall leg = (await late.GetCallsAsync(default)).Single(c => c.Legs.Any(l => l.Id == two.Legs[0].Id));
        Assert.Equal(CallState.Terminated, (await WaitAsync(late, (await late.LeaveConferenceAsync(leg.CallId, default)).CallId)).State);
        Assert.Equal("SipConferenceMemberNotFound", (await Assert.ThrowsAsync<SipArgumentException>(() => late.SetConferenceAsync("room1", new SipConferenceChange { Muted = true, Member = two.Legs[0].Id }, default))).ErrorId);
    }

    [Fact]
    public async Task A_recording_that_has_ended_has_its_length_and_its_size()
    {
        await using FreeSwitchRig rig = await FreeSwitchRig.StartAsync();
        SipCall call = await rig.PairAsync();
        SipRecording begun = await rig.Adapter.StartRecordingAsync(call.CallId, new SipRecordingRequest { Path = "a.wav" }, default);
        Assert.Equal((SipRecordingState.Recording, (TimeSpan?)null, (long?)null), (begun.State, begun.Duration, begun.Size));
        using EslClient other = await EslClient.LogInAsync(rig.Server, "event json RECORD_STOP");
        SipRecording ended = Assert.Single(await rig.Adapter.StopRecordingAsync(call.CallId, begun.RecordingId, default));
        EslRecord told = await other.EventAsync("RECORD_STOP");
        Assert.Equal(SipRecordingState.Stopped, ended.State);
        Assert.Equal(told["variable_record_ms"], ended.Duration!.Value.TotalMilliseconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(told["variable_record_file_size"], ended.Size!.Value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.True(ended.Size > 44);
    }

    private static Task<SipCall> WaitAsync(ISipAdapter adapter, string callId) => adapter.WaitForCallAsync(callId, [CallState.Terminated], TimeSpan.FromSeconds(20), default);
}
