using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>What a user of FreeSWITCH is promised about living calls: moved, held, in rooms, recorded, and made by others. The same verdicts on simulator and real server.</summary>
public abstract class FreeSwitchControlContract : FreeSwitchServerContract
{
    [FreeSwitchFact]
    public void Blind_transfer_is_done_when_the_new_pair_talks()
    {
        SipCall call = Pair();
        SipCall moved = Change(call, "Move-SipCall -To sofia/gateway/answer/2");
        Assert.Equal((CallState.Connected, call.AnsweredAt, 2), (moved.State, moved.AnsweredAt, Up(moved)));
        Assert.Equal("Hungup", moved.Legs.Single(l => l.Id == call.Legs[1].Id).State);
        SipCall alone = Change(moved, "Move-SipCall -To 1000");
        Assert.Equal((CallState.Connected, 1), (alone.State, Up(Until(alone, c => Up(c) == 1))));
        AssertStopped(call, "5", "1000");
    }

    [FreeSwitchFact]
    public void Blind_transfer_keeps_the_other_party_if_asked()
    {
        SipCall call = Pair();
        SipCall moved = Change(call, "Move-SipCall -To sofia/gateway/answer/2 -Keep To");
        // From is who was kept, To where it went.
        Assert.Equal((2, "sofia/gateway/answer/1", "sofia/gateway/answer/2"), (Up(moved), moved.From, moved.To));
        Assert.Equal("Hungup", Until(moved, c => c.Legs[0].State == "Hungup").Legs.Single(l => l.Id == call.Legs[0].Id).State);
        AssertStopped(call, "sofia/gateway/answer/1", "sofia/gateway/answer/2");
    }

    [FreeSwitchFact]
    public void One_leg_that_is_moved_is_who_the_call_is_from()
    {
        SipCall call = Call("-To 5 -Application park");
        SipCall moved = Until(Change(call, "Move-SipCall -To sofia/gateway/answer/2"), c => Up(c) == 2);
        Assert.Equal(("5", "sofia/gateway/answer/2"), (moved.From, moved.To));
        AssertStopped(call, "5", "sofia/gateway/answer/2");
    }

    [FreeSwitchFact]
    public void Attended_transfer_that_keeps_the_other_party()
    {
        SipCall call = Pair();
        SipCall consulting = Change(call, "Move-SipCall -To 77 -Attended -Keep To");
        Assert.Equal(("5", "sofia/gateway/answer/1"), (consulting.From, consulting.To));
        SipCall done = Change(call, "Move-SipCall -Complete");
        Assert.Equal((CallState.Connected, "sofia/gateway/answer/1", "77"), (done.State, done.From, done.To));
        Assert.Equal("Hungup", done.Legs.Single(l => l.Id == call.Legs[0].Id).State);
        AssertStopped(call, "sofia/gateway/answer/1", "77");
    }

    [FreeSwitchFact]
    public void Transfer_to_nobody_is_said_so()
    {
        SipCall call = Pair();
        ErrorRecord error = Fails(call, "SipDestinationNotFound", "Move-SipCall -To nosuch");
        Assert.Contains("nosuch", error.Exception.Message, StringComparison.Ordinal);
        AssertFinal(Now(call), new Verdict(HangupCause.NoRouteToDestination, 3, null, "NO_ROUTE_DESTINATION"), "5", "sofia/gateway/answer/1", answered: call);
    }

    [FreeSwitchFact]
    public void Transfer_to_a_phone_that_rings_goes_on_after_the_time()
    {
        SipCall call = Pair();
        Fails(call, "SipTimeout", "Move-SipCall -To sofia/gateway/ring/ring -Timeout 1");
        Assert.Equal(CallState.Transferring, Now(call).State);
        Fails(call, "SipCallTransferring", "Move-SipCall -To 1000");
        AssertStopped(call, "5", "sofia/gateway/answer/1");
    }

    [FreeSwitchFact]
    public void Attended_transfer_completed()
    {
        SipCall call = Pair();
        SipCall consulting = Change(call, "Move-SipCall -To 77 -Attended");
        Assert.Equal((CallState.Transferring, 3), (consulting.State, Up(consulting)));
        Fails(call, "SipCallNotConnected", "Suspend-SipCall");
        SipCall done = Change(call, "Move-SipCall -Complete");
        Assert.Equal((CallState.Connected, "77", 2), (done.State, done.To, Up(done)));
        Assert.Equal("Hungup", done.Legs.Single(l => l.Id == call.Legs[1].Id).State);
        Fails(call, "SipNoTransfer", "Move-SipCall -Cancel");
        AssertStopped(call, "5", "77");
    }

    [FreeSwitchFact]
    public void Attended_transfer_given_up()
    {
        SipCall call = Pair();
        Change(call, "Move-SipCall -To 77 -Attended");
        SipCall back = Change(call, "Move-SipCall -Cancel");
        Assert.Equal(CallState.Connected, back.State);
        Until(back, c => Up(c) == 2);
        AssertStopped(call, "5", "sofia/gateway/answer/1");
    }

    [FreeSwitchFact]
    public void Who_consults_completes_the_transfer_by_its_hang_up()
    {
        SipCall call = Pair();
        SipCall consulting = Change(call, "Move-SipCall -To 77 -Attended");
        HangUpLeg(call.Legs[1].Id);
        SipCall done = Until(call, c => c.State != CallState.Transferring);
        Assert.Equal((CallState.Connected, "77", 2), (done.State, done.To, Up(done)));
        Assert.Equal("Hungup", done.Legs.Single(l => l.Id == call.Legs[1].Id).State);
        Fails(call, "SipNoTransfer", "Move-SipCall -Complete");
        // They are a pair like any other: it is held, and one ends with the other.
        Assert.Equal(CallState.OnHold, Change(call, "Suspend-SipCall").State);
        Assert.Equal(CallState.Connected, Change(call, "Resume-SipCall").State);
        HangUpLeg(call.Legs[0].Id);
        AssertFinal(WaitForEnd(call), Cleared, "5", "77", answered: call);
        Assert.Equal(3, consulting.Legs.Count);
    }

    [FreeSwitchFact]
    public void Completed_the_two_end_with_each_other()
    {
        SipCall call = Pair();
        SipCall consulting = Change(call, "Move-SipCall -To 77 -Attended");
        Change(call, "Move-SipCall -Complete");
        HangUpLeg(call.Legs[0].Id);
        AssertFinal(WaitForEnd(call), Cleared, "5", "77", answered: call);
        Assert.Equal(3, consulting.Legs.Count);
    }

    [FreeSwitchFact]
    public void When_the_party_that_waits_hangs_up_the_other_two_talk_on_and_end_together()
    {
        SipCall call = Pair();
        Change(call, "Move-SipCall -To 77 -Attended");
        HangUpLeg(call.Legs[0].Id);
        SipCall rest = Until(call, c => c.State == CallState.Connected);
        Assert.Equal(("sofia/gateway/answer/1", "77", 2), (rest.From, rest.To, Up(rest)));
        Assert.Equal(CallState.OnHold, Change(call, "Suspend-SipCall").State);
        Assert.Equal(CallState.Connected, Change(call, "Resume-SipCall").State);
        HangUpLeg(call.Legs[1].Id);
        AssertFinal(WaitForEnd(call), Cleared, "sofia/gateway/answer/1", "77", answered: call);
    }

    [FreeSwitchFact]
    public void When_the_one_who_is_consulted_hangs_up_the_parties_talk_again()
    {
        SipCall call = Pair();
        SipCall consulting = Change(call, "Move-SipCall -To 77 -Attended");
        HangUpLeg(consulting.Legs[2].Id);
        SipCall back = Until(call, c => c.State == CallState.Connected);
        Assert.Equal((call.To, 2), (back.To, Up(back)));
        HangUpLeg(call.Legs[1].Id);
        AssertFinal(WaitForEnd(call), Cleared, "5", "sofia/gateway/answer/1", answered: call);
    }

    [FreeSwitchFact]
    public void Attended_transfer_to_a_busy_phone_brings_the_parties_back()
    {
        SipCall call = Pair();
        Fails(call, "SipTransferFailed", "Move-SipCall -To sofia/gateway/busy/busy -Attended");
        SipCall back = Now(call);
        Assert.Equal((CallState.Connected, 2), (back.State, Up(back)));
        AssertStopped(call, "5", "sofia/gateway/answer/1");
    }

    [FreeSwitchFact]
    public void Held_and_resumed()
    {
        SipCall call = Pair();
        SipCall held = Change(call, "Suspend-SipCall");
        Assert.Equal((CallState.OnHold, call.AnsweredAt), (held.State, held.AnsweredAt));
        Fails(call, "SipCallOnHold", "Suspend-SipCall");
        SipCall back = Change(call, "Resume-SipCall");
        Assert.Equal((CallState.Connected, call.AnsweredAt), (back.State, back.AnsweredAt));
        Fails(call, "SipCallNotOnHold", "Resume-SipCall");
        AssertStopped(call, "5", "sofia/gateway/answer/1");
    }

    [FreeSwitchFact]
    public void Hold_of_a_call_of_one_leg_is_refused()
    {
        SipCall call = Call("-To 5 -Application park");
        Fails(call, "SipCallNotBridged", "Suspend-SipCall");
        AssertStopped(call, null, "5");
    }

    [FreeSwitchFact]
    public void A_conference_of_two_calls()
    {
        SipCall one = Pair(), two = Pair();
        string room = "room" + Guid.NewGuid().ToString("N")[..8];
        Assert.Equal(room, Change(one, $"Join-SipConference {room}").Details["Conference"]);
        Change(two, $"Join-SipConference {room} -Party From");
        Assert.Equal("Hungup", Until(two, c => Up(c) == 1).Legs[1].State);
        SipConference conference = Module.Run<SipConference>($"Get-SipConference {room}");
        Assert.Equal((3, false), (conference.MemberCount, conference.Locked));
        Assert.Equal(3, conference.Members.Count(m => m.CallId == one.CallId || m.CallId == two.CallId));
        SipConference locked = Module.Run<SipConference>($"Set-SipConference {room} -Locked $true -PassThru");
        Assert.True(locked.Locked);
        SipCall third = Pair();
        Fails(third, "SipConferenceLocked", $"Join-SipConference {room}");
        Assert.Equal((CallState.Connected, 2), (Now(third).State, Up(Now(third))));
        string member = one.Legs[0].Id;
        SipConference muted = Module.Run<SipConference>("param($r, $m) Set-SipConference $r -Muted $true -Member $m -PassThru", room, member);
        Assert.Equal(member, Assert.Single(muted.Members, m => m.Muted).LegId);
        AssertFinal(Change(two, "Exit-SipConference"), Cleared, "5", "sofia/gateway/answer/1", answered: two);
        Fails(third, "SipCallNotInConference", "Exit-SipConference");
        Module.Run($"Set-SipConference {room} -Kick -Confirm:$false");
        AssertFinal(WaitForEnd(one), Cleared, "5", "sofia/gateway/answer/1", answered: one);
        Assert.Empty(Module.Run($"Get-SipConference {room}"));
        Module.Fails("SipConferenceNotFound", $"Set-SipConference {room} -Locked $true");
        Stop(third);
    }

    [FreeSwitchFact]
    public void A_room_is_recorded_and_its_members_muted_and_sent_out_one_by_one()
    {
        SipCall one = Pair(), two = Pair();
        string room = "room" + Guid.NewGuid().ToString("N")[..8];
        Change(one, $"Join-SipConference {room}");
        // A thread of its own records, which begins and ends a moment after the command.
        Module.Run($"Set-SipConference {room} -Recording $true -Path contract/{room}.wav");
        Eventually(() => Module.Run<SipConference>($"Get-SipConference {room}").Recording == true, "the room is recorded");
        Module.Fails("SipConferenceFailed", $"Set-SipConference {room} -Recording $true -Path contract/{room}.wav");
        Module.Run($"Set-SipConference {room} -Recording $false");
        Eventually(() => Module.Run<SipConference>($"Get-SipConference {room}").Recording == false, "the room is recorded no more");
        Assert.Equal(2, Module.Run<SipConference>($"Set-SipConference {room} -Muted $true -PassThru").Members.Count(m => m.Muted));
        SipConference unmuted = Module.Run<SipConference>("param($r, $m) Set-SipConference $r -Muted $false -Member $m -PassThru", room, one.Legs[1].Id);
        Assert.Equal(one.Legs[0].Id, Assert.Single(unmuted.Members, m => m.Muted).LegId);
        Module.Fails("SipConferenceMemberNotFound", $"Set-SipConference {room} -Kick -Member nobody -Confirm:$false");
        Module.Run($"Set-SipConference {room} -Locked $true");
        Fails(two, "SipConferenceLocked", $"Join-SipConference {room}");
        Assert.False(Module.Run<SipConference>($"Set-SipConference {room} -Locked $false -PassThru").Locked);
        Change(two, $"Join-SipConference {room}");
        Assert.Equal(4, Module.Run<SipConference>($"Get-SipConference {room}").MemberCount);

        // One is sent out, and the others stay.
        Module.Run("param($r, $m) Set-SipConference $r -Kick -Member $m -Confirm:$false", room, one.Legs[1].Id);
        SipCall rest = Until(one, c => Up(c) == 1);
        Assert.Equal((CallState.Connected, "Hungup"), (rest.State, rest.Legs.Single(l => l.Id == one.Legs[1].Id).State));
        Assert.Equal(new[] { one.Legs[0].Id, two.Legs[0].Id, two.Legs[1].Id }.Order(StringComparer.Ordinal), Module.Run<SipConference>($"Get-SipConference {room}").Members.Select(m => m.LegId).Order(StringComparer.Ordinal));
        Module.Run($"Set-SipConference {room} -Kick -Confirm:$false");
        foreach (SipCall call in new[] { one, two }) AssertFinal(WaitForEnd(call), Cleared, "5", "sofia/gateway/answer/1", answered: call);
        Assert.Empty(Module.Run($"Get-SipConference {room}"));
    }

    // Somebody makes it past us: we see all of it, and who connects only now finds it.
    [FreeSwitchTheory]
    [InlineData("null/1", "&park()", 1)]
    [InlineData("sofia/gateway/answer/1", "&bridge(sofia/gateway/answer/2)", 2)]
    public void A_call_that_others_make_is_followed_to_its_end_by_who_was_there_and_by_who_comes_later(string endpoint, string application, int legs)
    {
        string id = Guid.NewGuid().ToString();
        Module.Run("Get-SipServer");
        DateTime asked = DateTime.UtcNow;
        Assert.StartsWith("+OK", Api("originate", $"{{origination_uuid={id},origination_caller_id_number=5550199}}{endpoint}", application), StringComparison.Ordinal);
        Eventually(() => Array.Exists(Ours(), c => c.CallId == id && c.State == CallState.Connected && Up(c) == legs), "the call is seen");
        SipCall call = Ours().Single(c => c.CallId == id);
        AssertAnswered(call);
        Assert.Equal((legs, "5550199", "1", CallDirection.Outbound), (call.Legs.Count, call.From, call.To, call.Direction));
        Assert.InRange(call.AnsweredAt!.Value, asked.AddSeconds(-0.5), DateTime.UtcNow.AddSeconds(0.5));

        using var late = new ModuleRunspace();
        late.Run("param($h, $p, $c) Connect-SipServer $h -Type FreeSwitch -Port $p -Credential $c -Name late", Server.Host, Server.Port, Credentials.Of(Server.User, Server.Secret));
        // The server's list is a moment behind.
        SipCall? seen = null;
        Eventually(() => (seen = Array.Find(Calls(late.Run("Get-SipCallStatus")), c => c.CallId == id)) is not null && Up(seen) == legs, "who comes later finds it");
        SipCall found = seen!;
        // When it was answered it did not see.
        Assert.Equal((CallState.Connected, legs, call.From, call.To, call.Direction, null), (found.State, Up(found), found.From, found.To, found.Direction, found.AnsweredAt));
        Assert.InRange((found.CreatedAt - call.CreatedAt)!.Value.TotalSeconds, -2, 2);

        HangUpLeg(id);
        AssertFinal(WaitForEnd(call), Cleared, "5550199", "1", answered: call, ours: false);
        SipCall ended = late.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 20", found);
        Assert.Equal((CallState.Terminated, Cleared), (ended.State, new Verdict(ended.Cause!.Value, ended.CauseCode, ended.SipStatus, ended.CauseText)));
        Assert.Equal((found.From, found.To, found.CreatedAt, null), (ended.From, ended.To, ended.CreatedAt, ended.AnsweredAt));
    }

    [FreeSwitchFact]
    public void Recorded_muted_and_ended()
    {
        SipCall call = Pair();
        SipRecording recording = Module.Run<SipRecording>("param($c) $c | Start-SipRecording", call);
        Assert.Equal((SipRecordingState.Recording, call.CallId), (recording.State, recording.CallId));
        Assert.EndsWith($"/{call.CallId}.wav", recording.Path, StringComparison.Ordinal);
        SipRecording second = Module.Run<SipRecording>("param($c) $c | Start-SipRecording -Path 'contract/{0}.wav' -Party To", call);
        Assert.NotEqual(recording.RecordingId, second.RecordingId);
        Assert.All(Module.Run("param($c) $c | Set-SipRecording -Muted $true -PassThru", call), r => Assert.Equal(SipRecordingState.Muted, ((SipRecording)r.BaseObject).State));
        SipRecording ended = Module.Run<SipRecording>("param($r) $r | Stop-SipRecording -PassThru", recording);
        Assert.Equal((SipRecordingState.Stopped, recording.RecordingId), (ended.State, ended.RecordingId));
        Module.Fails("SipNotRecording", "param($r) $r | Stop-SipRecording", recording);
        Assert.Single(Module.Run("param($c) $c | Stop-SipRecording -PassThru", call));
        Fails(call, "SipNotRecording", "Stop-SipRecording");
        SipRecording last = Module.Run<SipRecording>("param($c) $c | Start-SipRecording -Path 'contract/last-{0}.wav'", call);
        Fails(call, "SipRecordingRuns", "Start-SipRecording -Path 'contract/last-{0}.wav'");
        Assert.StartsWith("Stopped", Stop(call).Details["Recording:" + last.RecordingId], StringComparison.Ordinal);
    }

    [FreeSwitchFact]
    public void Variables_come_back_as_they_were_set()
    {
        SipCall call = Pair();
        foreach (string value in new[] { "plain", "a,b \"c\" \\d\\n\\ ${uuid} {x} it's \u00e9", "'abc'", "a 'b' c", "\\'", "" })
        {
            Module.Run("param($c, $v) $c | Set-SipCallVariable foo $v", call, value);
            Assert.Equal(value, Module.Run<string>("param($c) $c | Get-SipCallVariable foo", call));
        }

        Module.Fails("SipInvalidArgument", "param($c) $c | Set-SipCallVariable foo \"a`nb\"", call);
        Module.Fails("SipInvalidArgument", "param($c) $c | Set-SipCallVariable foo ' a'", call);
        AssertStopped(call, "5", "sofia/gateway/answer/1");
    }

    [FreeSwitchFact]
    public void Digits_are_played()
    {
        SipCall call = Pair();
        Module.Run("param($c) $c | Send-SipDtmf 12w# -Duration 0.1", call);
        Assert.Equal(CallState.Connected, Now(call).State);
        Stop(call);
    }

    [FreeSwitchFact]
    public void Wrong_moments_are_refused_and_change_nothing()
    {
        SipCall ringing = Make<SipCall>("New-SipCall -From sofia/gateway/ring/ring -To 1000 | Wait-SipCall -State Ringing -Timeout 10");
        foreach (string what in new[] { "Move-SipCall -To 1000", "Suspend-SipCall", "Join-SipConference r1", "Start-SipRecording", "Send-SipDtmf 1" })
            Fails(ringing, "SipCallNotConnected", what);
        Fails(ringing, "SipCallNotOnHold", "Resume-SipCall");
        Fails(ringing, "SipCallNotIncoming", "Receive-SipCall");
        Fails(ringing, "SipCallNotIncoming", "Deny-SipCall");
        Assert.Equal(CallState.Ringing, Now(ringing).State);
        SipCall ended = Stop(ringing);
        AssertFinal(ended, Cleared, "sofia/gateway/ring/ring", "1000");
        Fails(ended, "SipCallEnded", "Move-SipCall -To 1000");
        Module.Fails("SipCallNotFound", "Stop-SipCall -CallId nobody");
    }

    // As if its phone had: not by us.
    private void HangUpLeg(string id) => Assert.StartsWith("+OK", Api("uuid_kill", id), StringComparison.Ordinal);
}
