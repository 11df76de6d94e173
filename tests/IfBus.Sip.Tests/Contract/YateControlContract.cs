using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>What a user of Yate is promised of calls that are up: transfers, hold, rooms, recordings. One suite, the same verdicts, on the simulator and on a real server.</summary>
public abstract class YateControlContract : YateServerContract
{
    [YateFact]
    public void Blind_transfer_is_done_when_the_new_pair_talks()
    {
        SipCall call = PairOf();
        SipCall moved = Change(call, "Move-SipCall -To 4003");
        Assert.Equal((CallState.Connected, call.AnsweredAt, "4003", 2), (moved.State, moved.AnsweredAt, moved.To, Up(moved)));
        Assert.Equal("Hungup", moved.Legs.Single(l => l.Id == call.Legs[2].Id).State);
        SipCall alone = Change(moved, "Move-SipCall -To 1001");
        Assert.Equal((CallState.Connected, 1), (alone.State, Up(Until(alone, c => Up(c) == 1))));
        AssertEnded(Stop(alone), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Blind_transfer_keeps_the_other_party_if_asked()
    {
        SipCall call = PairOf();
        SipCall moved = Change(call, "Move-SipCall -To 4003 -Keep To");
        // From is who was kept, To where it went.
        Assert.Equal((2, call.To, "4003"), (Up(moved), moved.From, moved.To));
        Assert.Equal("Hungup", moved.Legs.Single(l => l.Id == call.Legs[1].Id).State);
        AssertEnded(Stop(moved), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateTheory]
    [InlineData("5999", "SipDestinationNotFound")]
    [InlineData("1004", "SipTransferFailed")]
    [InlineData("4201", "SipTransferFailed")]
    [InlineData("4401", "SipTransferFailed")]
    public void After_a_transfer_that_fails_the_parties_talk_again(string to, string errorId)
    {
        SipCall call = PairOf();
        ErrorRecord error = Fails(call, errorId, $"Move-SipCall -To {to}");
        Assert.Contains(to, error.Exception.Message, StringComparison.Ordinal);
        SipCall back = Now(call);
        Assert.Equal((CallState.Connected, "4002", 2), (back.State, back.To, Up(back)));
        AssertTalking(back);
        Fails(call, errorId, $"Move-SipCall -To {to} -Attended");
        AssertTalking(Now(call));
        AssertEnded(Stop(back), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Transfer_to_a_phone_that_rings_goes_on_after_the_time()
    {
        SipCall call = PairOf();
        Fails(call, "SipTimeout", "Move-SipCall -To 4101 -Timeout 1");
        Assert.Equal(CallState.Transferring, Now(call).State);
        Fails(call, "SipCallTransferring", "Move-SipCall -To 4003");
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Attended_transfer_completed()
    {
        SipCall call = PairOf();
        SipCall consulting = Change(call, "Move-SipCall -To 4003 -Attended");
        Assert.Equal((CallState.Transferring, 3), (consulting.State, Up(consulting)));
        Fails(call, "SipCallNotConnected", "Suspend-SipCall");
        SipCall done = Change(call, "Move-SipCall -Complete");
        Assert.Equal((CallState.Connected, "4003", 2), (done.State, done.To, Up(done)));
        Assert.Equal("Hungup", done.Legs.Single(l => l.Id == call.Legs[2].Id).State);
        AssertTalking(done);
        Fails(call, "SipNoTransfer", "Move-SipCall -Cancel");
        AssertEnded(Stop(done), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Attended_transfer_given_up()
    {
        SipCall call = PairOf();
        Change(call, "Move-SipCall -To 4003 -Attended");
        SipCall back = Change(call, "Move-SipCall -Cancel");
        Assert.Equal((CallState.Connected, "4002"), (back.State, back.To));
        AssertTalking(Until(back, c => Up(c) == 2));
        AssertEnded(Stop(back), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Who_was_consulted_hangs_up_and_the_first_two_talk_again()
    {
        SipCall call = PairOf();
        Change(call, "Move-SipCall -To 4301 -Attended");
        SipCall back = Until(call, c => c.State == CallState.Connected);
        Assert.Equal(("4002", 2), (back.To, Up(back)));
        AssertTalking(back);
        Stop(back);
    }

    [YateFact]
    public void Held_and_resumed()
    {
        SipCall call = PairOf();
        SipCall held = Change(call, "Suspend-SipCall");
        Assert.Equal((CallState.OnHold, call.AnsweredAt, 2), (held.State, held.AnsweredAt, Up(held)));
        Assert.All(call.Legs.Skip(1), l => Assert.StartsWith("moh/", Peer(l.Id), StringComparison.Ordinal));
        Fails(call, "SipCallOnHold", "Suspend-SipCall");
        SipCall back = Change(call, "Resume-SipCall");
        Assert.Equal((CallState.Connected, call.AnsweredAt), (back.State, back.AnsweredAt));
        AssertTalking(back);
        Fails(call, "SipCallNotOnHold", "Resume-SipCall");
        AssertEnded(Stop(back), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void A_party_that_hangs_up_on_hold_ends_the_call_of_the_other()
    {
        SipCall call = Call("-From 4001 -To 4301");
        Change(call, "Suspend-SipCall");
        SipCall ended = WaitForEnd(call);
        Assert.Equal(CallState.Terminated, ended.State);
        Assert.Equal(0, Up(ended));
    }

    [YateFact]
    public void Hold_of_a_call_of_one_leg_is_refused()
    {
        SipCall call = Call("-To 4001 -Application dumb");
        Fails(call, "SipCallNotBridged", "Suspend-SipCall");
        Stop(call);
    }

    [YateFact]
    public void A_conference_of_three_with_one_kicked()
    {
        SipCall one = PairOf(), two = PairOf();
        string room = "room" + Guid.NewGuid().ToString("N")[..8];
        Assert.Equal(room, Change(one, $"Join-SipConference {room}").Details["Conference"]);
        Change(two, $"Join-SipConference {room} -Party From");
        Assert.Equal("Hungup", Until(two, c => Up(c) == 1).Legs[2].State);
        SipConference conference = Module.Run<SipConference>($"Get-SipConference {room}");
        Assert.Equal((3, false), (conference.MemberCount, conference.Recording));
        Assert.Equal(3, conference.Members.Count(m => m.CallId == one.CallId || m.CallId == two.CallId));
        Module.Fails("SipNotSupported", $"Set-SipConference {room} -Locked $true");
        string member = one.Legs[1].Id;
        SipConference muted = Module.Run<SipConference>("param($r, $m) Set-SipConference $r -Muted $true -Member $m -PassThru", room, member);
        Assert.Equal(member, Assert.Single(muted.Members, m => m.Muted).LegId);
        Assert.True(Module.Run<SipConference>($"Set-SipConference {room} -Recording $true -Path rec/{room}.au -PassThru").Recording);
        Assert.Equal(3, Module.Run<SipConference>($"Set-SipConference {room} -Recording $false -PassThru").MemberCount);
        SipConference left = Module.Run<SipConference>("param($r, $m) Set-SipConference $r -Kick -Member $m -PassThru -Confirm:$false", room, member);
        Assert.DoesNotContain(left.Members, m => m.LegId == member);
        Assert.Equal(2, left.MemberCount);
        Assert.Equal(CallState.Connected, Until(one, c => Up(c) == 1).State);
        AssertEnded(Change(two, "Exit-SipConference"), HangupCause.NormalClearing, null, null, answered: true);
        Module.Run($"Set-SipConference {room} -Kick -Confirm:$false");
        WaitForEnd(one);
        Assert.Empty(Module.Run($"Get-SipConference {room}"));
        Module.Fails("SipConferenceNotFound", $"Set-SipConference {room} -Muted $true");
    }

    [YateFact]
    public void Recorded_into_two_files()
    {
        SipCall call = PairOf();
        SipRecording recording = Module.Run<SipRecording>("param($c) $c | Start-SipRecording -Path 'rec/{0}.au'", call);
        Assert.Equal((SipRecordingState.Recording, call.CallId), (recording.State, recording.CallId));
        Assert.Equal([$"rec/{call.CallId}.au", $"rec/{call.CallId}-heard.au"], recording.Files);
        Fails(call, "SipRecordingRuns", "Start-SipRecording -Path rec/again.au");
        Fails(call, "SipNotSupported", "Set-SipRecording -Muted $true");
        SipRecording second = Module.Run<SipRecording>("param($c) $c | Start-SipRecording -Path 'rec/to.au' -Party To", call);
        SipRecording ended = Module.Run<SipRecording>("param($r) $r | Stop-SipRecording -PassThru", recording);
        Assert.Equal((SipRecordingState.Stopped, recording.RecordingId), (ended.State, ended.RecordingId));
        Module.Fails("SipNotRecording", "param($r) $r | Stop-SipRecording", recording);
        Assert.StartsWith("Stopped", Stop(call).Details["Recording:" + second.RecordingId], StringComparison.Ordinal);
    }

    [YateFact]
    public void Digits_are_played()
    {
        SipCall call = PairOf();
        Module.Run("param($c) $c | Send-SipDtmf '12w#'", call);
        Module.Run("param($c) $c | Send-SipDtmf 5 -Party From", call);
        Stop(call);
    }

    [YateFact]
    public void Wrong_moments_are_refused_and_change_nothing()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From 4101 -To 4002 | Wait-SipCall -State Ringing -Timeout 10");
        Fails(call, "SipCallNotConnected", "Suspend-SipCall");
        Fails(call, "SipCallNotOnHold", "Resume-SipCall");
        Fails(call, "SipCallNotConnected", "Move-SipCall -To 4003");
        Fails(call, "SipCallNotConnected", "Start-SipRecording -Path rec/x.au");
        Fails(call, "SipCallNotConnected", "Join-SipConference room1");
        Fails(call, "SipCallNotInConference", "Exit-SipConference");
        Fails(call, "SipCallNotIncoming", "Receive-SipCall");
        Assert.Equal(CallState.Ringing, Now(call).State);
        SipCall ended = Stop(call);
        Fails(ended, "SipCallEnded", "Suspend-SipCall");
        Fails(ended, "SipCallEnded", "Stop-SipCall");
    }

    [YateFact]
    public void What_the_server_cannot_do_is_said()
    {
        SipCall call = PairOf();
        Fails(call, "SipNotSupported", "Get-SipCallVariable x");
        Module.Fails("SipNotSupported", "New-SipCall -From 4001,4002 -To 4003");
        Module.Fails("SipNotSupported", "Get-SipRegistration");
        Module.Fails("SipNotSupported", "Get-SipQueue");
        Stop(call);
    }
}
