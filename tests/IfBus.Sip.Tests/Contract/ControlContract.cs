using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>What a user is promised about living calls: moved, held, in rooms, recorded. The same verdicts on simulator and real server.</summary>
public abstract class ControlContract : ServerContract
{
    [ServerFact]
    public void Blind_transfer_is_done_when_the_new_pair_talks()
    {
        SipCall call = Pair();
        DateTime? answered = call.AnsweredAt;
        SipCall moved = Change(call, "Move-SipCall -To dial-answer");
        Assert.Equal((CallState.Connected, "dial-answer", answered), (moved.State, moved.To, moved.AnsweredAt));
        Assert.Equal(2, Up(moved));
        Assert.Contains(moved.Legs, l => l.State == "Hungup");
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void Blind_transfer_keeps_the_other_party_if_asked()
    {
        SipCall call = Pair();
        string from = call.Legs[0].Id, to = call.Legs[1].Id;
        SipCall moved = Change(call, "Move-SipCall -To dial-answer -Keep To");
        Assert.Equal("Hungup", moved.Legs.Single(l => l.Id == from).State);
        Assert.Equal("Up", moved.Legs.Single(l => l.Id == to).State);
        Assert.Equal(2, Up(moved));
        // From is who was kept, To where it went.
        Assert.Equal(("dial-answer", "dial-answer"), (moved.From, moved.To));
        SipCall alone = Change(moved, "Move-SipCall -To echo");
        Assert.Equal(("dial-answer", "echo"), (alone.From, alone.To));
        AssertStopped(call, "dial-answer", "echo");
    }

    [ServerFact]
    public void One_leg_that_is_moved_is_who_the_call_is_from()
    {
        SipCall call = Call("-To PJSIP/sipp-answer -Application Wait -ApplicationData 100");
        SipCall moved = Change(call, "Move-SipCall -To dial-answer");
        Assert.Equal((2, "PJSIP/sipp-answer", "dial-answer"), (Up(moved), moved.From, moved.To));
        AssertStopped(call, "PJSIP/sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void Transfer_to_an_application_and_from_one()
    {
        SipCall call = Pair();
        SipCall alone = Change(call, "Move-SipCall -To echo");
        Assert.Equal((CallState.Connected, 1, "sipp-answer"), (alone.State, Up(alone), alone.From));
        SipCall again = Change(alone, "Move-SipCall -To dial-answer");
        Assert.Equal((CallState.Connected, 2), (again.State, Up(again)));
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void Transfer_to_a_held_call()
    {
        SipCall call = Change(Pair(), "Suspend-SipCall");
        SipCall moved = Change(call, "Move-SipCall -To dial-answer");
        Assert.Equal((CallState.Connected, 2), (moved.State, Up(moved)));
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void Transfer_to_nobody_changes_nothing()
    {
        SipCall call = Pair();
        ErrorRecord error = Fails(call, "SipDestinationNotFound", "Move-SipCall -To nosuch");
        Assert.Contains("nosuch", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal((CallState.Connected, 2), (Now(call).State, Up(Now(call))));
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void Transfer_to_a_busy_phone_fails_and_says_how()
    {
        SipCall call = Pair();
        ErrorRecord error = Fails(call, "SipTransferFailed", "Move-SipCall -To dial-busy");
        Assert.Contains("UserBusy", error.Exception.Message, StringComparison.Ordinal);
        AssertFinal(Now(call), new Verdict(HangupCause.UserBusy, 17, Is16 ? null : 486, "User busy"), "sipp-answer", "dial-answer", answered: call);
    }

    [ServerFact]
    public void Transfer_to_a_phone_that_rings_goes_on_after_the_time()
    {
        SipCall call = Pair();
        Fails(call, "SipTimeout", "Move-SipCall -To dial-ring -Timeout 1");
        Assert.Equal(CallState.Transferring, Now(call).State);
        Fails(call, "SipCallTransferring", "Move-SipCall -To echo");
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void Attended_transfer_completed()
    {
        SipCall call = Pair();
        SipCall consulting = Change(call, "Move-SipCall -To 601 -Attended");
        Assert.Equal(CallState.Transferring, consulting.State);
        Fails(call, "SipCallNotConnected", "Suspend-SipCall");
        SipCall done = Change(call, "Move-SipCall -Complete");
        Assert.Equal((CallState.Connected, "601"), (done.State, done.To));
        Assert.Equal("Hungup", done.Legs.Single(l => l.Id == call.Legs[1].Id).State);
        Fails(call, "SipNoTransfer", "Move-SipCall -Cancel");
        AssertStopped(call, "sipp-answer", "601");
    }

    [ServerFact]
    public void Attended_transfer_that_keeps_the_other_party()
    {
        SipCall call = Pair();
        SipCall consulting = Change(call, "Move-SipCall -To 601 -Attended -Keep To");
        Assert.Equal(("sipp-answer", "dial-answer"), (consulting.From, consulting.To));
        SipCall done = Change(call, "Move-SipCall -Complete");
        Assert.Equal((CallState.Connected, "dial-answer", "601"), (done.State, done.From, done.To));
        Assert.Equal("Hungup", done.Legs.Single(l => l.Id == call.Legs[0].Id).State);
        AssertStopped(call, "dial-answer", "601");
    }

    [ServerFact]
    public void Attended_transfer_given_up()
    {
        SipCall call = Pair();
        Change(call, "Move-SipCall -To 601 -Attended");
        SipCall back = Change(call, "Move-SipCall -Cancel");
        Assert.Equal((CallState.Connected, "dial-answer"), (back.State, back.To));
        Assert.Equal(2, Up(Until(back, c => Up(c) == 2)));
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void Attended_transfer_to_a_busy_phone_brings_the_parties_back()
    {
        SipCall call = Pair();
        Fails(call, "SipTransferFailed", "Move-SipCall -To 61486 -Attended");
        SipCall back = Until(call, c => Up(c) == 2);
        Assert.Equal((CallState.Connected, "dial-answer"), (back.State, back.To));
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void Attended_transfer_that_the_dialplan_does_not_allow()
    {
        SipCall call = Call("-From sipp-answer -To basic-answer");
        Fails(call, "SipTransferNotAllowed", "Move-SipCall -To 601 -Attended");
        Assert.Equal(CallState.Connected, Now(call).State);
        Fails(call, "SipInvalidNumber", "Move-SipCall -To dial-answer -Attended");
        AssertStopped(call, "sipp-answer", "basic-answer");
    }

    [ServerFact]
    public void Held_and_resumed()
    {
        SipCall call = Pair();
        SipCall held = Change(call, "Suspend-SipCall");
        Assert.Equal((CallState.OnHold, 2), (held.State, Up(held)));
        Fails(call, "SipCallOnHold", "Suspend-SipCall");
        SipCall back = Change(call, "Resume-SipCall");
        Assert.Equal((CallState.Connected, 2, call.AnsweredAt), (back.State, Up(back), back.AnsweredAt));
        Fails(call, "SipCallNotOnHold", "Resume-SipCall");
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerTheory]
    [InlineData("-From Local/601@ifbus -To dial-answer")]
    [InlineData("-From Local/601@ifbus/n -To dial-answer")]
    [InlineData("-From Local/basic-answer@ifbus -To basic-answer")] // nothing keeps the server from taking the Local pair out of the path
    public void Held_and_resumed_with_Local_legs(string who)
    {
        SipCall call = Call(who);
        Assert.Equal(4, Up(Until(call, c => Up(c) == 4)));
        Assert.Equal((CallState.OnHold, 4), (Change(call, "Suspend-SipCall").State, Up(Now(call))));
        Assert.Equal((CallState.Connected, 4), (Change(call, "Resume-SipCall").State, Up(Now(call))));
        SipCall moved = Change(call, "Move-SipCall echo");
        Assert.Equal((CallState.Connected, 3), (moved.State, Up(moved)));
        AssertStopped(call, who.Split(' ')[1], "echo");
    }

    [ServerFact]
    public void A_held_call_ends_when_one_party_hangs_up()
    {
        // It hangs up a second after its answer.
        SipCall call = Call("-From sipp-answer -To dial-bye");
        Change(call, "Suspend-SipCall");
        AssertFinal(WaitForEnd(call), Cleared, "sipp-answer", "dial-bye", answered: call, talked: 1);
    }

    [ServerFact]
    public void One_leg_cannot_be_held()
    {
        SipCall call = Call("-To PJSIP/sipp-answer -Application Wait -ApplicationData 100");
        Fails(call, "SipCallNotBridged", "Suspend-SipCall");
        AssertStopped(call, null, "PJSIP/sipp-answer");
    }

    [ServerFact]
    public void Of_a_call_to_an_endpoint_only_the_called_party_can_be_moved()
    {
        // The server would hang the From party up.
        SipCall call = Call("-From sipp-answer -To PJSIP/sipp-answer");
        foreach (string what in new[] { "Suspend-SipCall", "Move-SipCall echo", "Join-SipConference r1" }) Fails(call, "SipCallNoDialplan", what);
        Assert.Equal((CallState.Connected, 2), (Now(call).State, Up(Now(call))));
        SipCall moved = Change(call, "Move-SipCall echo -Keep To");
        Assert.Equal((CallState.Connected, "echo", 1), (moved.State, moved.To, Up(moved)));
        AssertStopped(call, "PJSIP/sipp-answer", "echo");
    }

    [ServerFact]
    public void A_call_of_one_leg_that_was_moved_is_a_call_like_any_other()
    {
        SipCall call = Change(Call("-To PJSIP/sipp-answer -Application Wait -ApplicationData 100"), "Move-SipCall dial-answer");
        Assert.Equal(CallState.OnHold, Change(call, "Suspend-SipCall").State);
        Assert.Equal((CallState.Connected, 2), (Change(call, "Resume-SipCall").State, Up(Now(call))));
        Stop(call);
    }

    [ServerFact]
    public void A_room_with_the_people_of_a_call()
    {
        SipCall call = Pair();
        string room = "room" + Guid.NewGuid().ToString("N")[..8];
        SipCall inside = Change(call, $"Join-SipConference {room}");
        Assert.Equal((CallState.Connected, room), (inside.State, inside.Details["Conference"]));
        SipConference conference = Module.Run<SipConference>($"Get-SipConference {room}");
        Assert.Equal((2, false), (conference.MemberCount, conference.Locked));
        Assert.All(conference.Members, m => Assert.Equal((call.CallId, false), (m.CallId, m.Muted)));

        SipConference muted = Module.Run<SipConference>($"Set-SipConference {room} -Muted $true -Member {call.Legs[0].Id} -Locked $true -PassThru");
        Assert.True(muted.Locked);
        Assert.Equal(call.Legs[0].Id, Assert.Single(muted.Members, m => m.Muted).LegId);
        Assert.True(Module.Run<SipConference>($"Set-SipConference {room} -Recording $true -PassThru").Recording);
        Module.Fails("SipConferenceFailed", $"Set-SipConference {room} -Recording $true");
        Assert.Null(Module.Run<SipConference>($"Set-SipConference {room} -Recording $false -PassThru").Recording);
        Fails(call, "SipCallNotBridged", "Suspend-SipCall");

        AssertFinal(Change(call, "Exit-SipConference"), Cleared, "sipp-answer", "dial-answer", answered: call);
        Assert.Empty(Module.Run($"Get-SipConference {room}"));
        foreach (string what in new[] { "-Locked $true", "-Kick -Member nobody" })
            Assert.Equal(ErrorCategory.ObjectNotFound, Module.Fails("SipConferenceNotFound", $"Set-SipConference {room} {what}").CategoryInfo.Category);
    }

    [ServerFact]
    public void A_locked_room_lets_nobody_in()
    {
        SipCall first = Pair();
        string room = "room" + Guid.NewGuid().ToString("N")[..8];
        Change(first, $"Join-SipConference {room}");
        Module.Run($"Set-SipConference {room} -Locked $true");
        SipCall second = Pair();
        ErrorRecord error = Fails(second, "SipConferenceLocked", $"Join-SipConference {room}");
        Assert.Contains(room, error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal((CallState.Connected, 2), (Now(second).State, Up(Now(second))));
        Assert.Equal(2, Module.Run<SipConference>($"Get-SipConference {room}").MemberCount);
        Module.Run($"Set-SipConference {room} -Locked $false");
        Change(second, $"Join-SipConference {room}");
        Assert.Equal(4, Module.Run<SipConference>($"Get-SipConference {room}").MemberCount);
        AssertStopped(first, "sipp-answer", "dial-answer");
        AssertStopped(second, "sipp-answer", "dial-answer");
    }

    [ServerTheory]
    [InlineData("$null")]
    [InlineData("''")]
    [InlineData("' '")]
    [InlineData("$none.LegId")]
    [InlineData("all")]
    [InlineData("participants")]
    [InlineData("PJSIP/")]
    [InlineData("PJSIP/sipp-answer")]
    public void Who_names_no_member_changes_nobody(string member)
    {
        SipCall call = Pair();
        string room = "room" + Guid.NewGuid().ToString("N")[..8];
        Change(call, $"Join-SipConference {room}");
        bool empty = member[0] is '$' or '\'';
        foreach (string what in new[] { "-Muted $true", "-Kick" })
        {
            ErrorRecord error = Module.Fails(empty ? "SipInvalidArgument" : "SipConferenceMemberNotFound", $"Set-SipConference {room} {what} -Member {member}");
            Assert.Contains("-Member", error.Exception.Message, StringComparison.Ordinal);
            Assert.Equal(empty ? ErrorCategory.InvalidArgument : ErrorCategory.ObjectNotFound, error.CategoryInfo.Category);
        }

        SipConference after = Module.Run<SipConference>($"Get-SipConference {room}");
        Assert.Equal((2, 0), (after.MemberCount, after.Members.Count(m => m.Muted)));
        // The whole channel, and nothing less, is one member; without -Member it is everybody.
        string channel = after.Members[0].Channel!;
        Assert.Equal(channel, Assert.Single(Module.Run<SipConference>($"Set-SipConference {room} -Muted $true -Member '{channel}' -PassThru").Members, m => m.Muted).Channel);
        Assert.All(Module.Run<SipConference>($"Set-SipConference {room} -Muted $true -PassThru").Members, m => Assert.True(m.Muted));
        Module.Run($"Set-SipConference {room} -Kick");
        // The server says yes before those who were sent out have left.
        Eventually(() => Module.Run($"Get-SipConference {room}").Count == 0, $"{room} is gone", seconds: 10);
    }

    [ServerFact]
    public void Recorded_muted_and_ended()
    {
        SipCall call = Pair();
        SipRecording recording = Module.Run<SipRecording>("param($c) $c | Start-SipRecording", call);
        Assert.Equal((SipRecordingState.Recording, call.CallId), (recording.State, recording.CallId));
        Assert.EndsWith($"/{call.CallId}.wav", recording.Path, StringComparison.Ordinal);
        Assert.Contains(recording.Path, Now(call).Details["Recording:" + recording.RecordingId], StringComparison.Ordinal);
        SipRecording second = Module.Run<SipRecording>("param($c) $c | Start-SipRecording -Path 'contract/{0}.wav' -Party To", call);
        Assert.NotEqual(recording.RecordingId, second.RecordingId);
        Assert.All(Module.Run("param($c) $c | Set-SipRecording -Muted $true -PassThru", call), r => Assert.Equal(SipRecordingState.Muted, ((SipRecording)r.BaseObject).State));
        SipRecording ended = Module.Run<SipRecording>("param($r) $r | Stop-SipRecording -PassThru", recording);
        Assert.Equal((SipRecordingState.Stopped, recording.RecordingId), (ended.State, ended.RecordingId));
        Module.Fails("SipNotRecording", "param($r) $r | Stop-SipRecording", recording);
        Assert.Single(Module.Run("param($c) $c | Stop-SipRecording -PassThru", call));
        Fails(call, "SipNotRecording", "Stop-SipRecording");
        SipRecording last = Module.Run<SipRecording>("param($c) $c | Start-SipRecording -Path 'contract/last-{0}.wav'", call);
        Assert.StartsWith("Stopped", Stop(call).Details["Recording:" + last.RecordingId], StringComparison.Ordinal);
    }

    [ServerFact]
    public void One_of_several_recordings_is_muted_or_none()
    {
        SipCall call = Pair();
        SipRecording? second = null;
        SipRecording from = Record("a"), to = Record("b", "To");
        Mute(to);
        Assert.Equal([to.RecordingId], Muted());
        second = Record("c", "To");
        if (Is16)
        {
            // It would mute the first of the leg, whichever was meant.
            ErrorRecord error = Module.Fails("SipRecordingNotAlone", "param($r) $r | Set-SipRecording -Muted $true", second);
            Assert.Contains("Stop-SipRecording", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
            Fails(call, "SipRecordingNotAlone", "Set-SipRecording -Muted $true");
            Assert.Equal([to.RecordingId], Muted());
            Module.Run("param($r) $r | Stop-SipRecording", to);
        }

        Mute(second);
        Assert.Equal(Is16 ? [second.RecordingId] : [to.RecordingId, second.RecordingId], Muted());
        Mute(from);
        Mute(second, "$false");
        Assert.Equal(Is16 ? [from.RecordingId] : [from.RecordingId, to.RecordingId], Muted());
        Stop(call);

        SipRecording Record(string name, string party = "From") => Module.Run<SipRecording>($"param($c) $c | Start-SipRecording -Path 'contract/{name}-{{0}}.wav' -Party {party}", call);

        void Mute(SipRecording recording, string muted = "$true") => Module.Run($"param($r) $r | Set-SipRecording -Muted {muted}", recording);

        string[] Muted()
        {
            string[] said = [.. new[] { from, to, second }.OfType<SipRecording>().Where(r => Now(call).Details["Recording:" + r.RecordingId].StartsWith("Muted", StringComparison.Ordinal)).Select(r => r.RecordingId)];
            AssertMuted(said);
            return said;
        }
    }

    [ServerFact]
    public void A_recording_ends_with_its_leg()
    {
        SipCall call = Pair();
        SipRecording recording = Module.Run<SipRecording>("param($c) $c | Start-SipRecording -Path 'contract/{0}.wav' -Party To", call);
        SipCall moved = Change(call, "Move-SipCall -To dial-answer");
        Assert.StartsWith("Stopped", moved.Details["Recording:" + recording.RecordingId], StringComparison.Ordinal);
        Module.Fails("SipNotRecording", "param($r) $r | Set-SipRecording -Muted $true", recording);
        Stop(moved);
    }

    [ServerTheory]
    [InlineData("../x.wav")]
    [InlineData("/etc/x.wav")]
    [InlineData("a/../../x.wav")]
    [InlineData("x.mp9")]
    [InlineData("x")]
    [InlineData("x.wav,b,rm")]
    [InlineData("x y.wav")]
    [InlineData("$(id).wav")]
    public void Files_outside_the_folder_and_unknown_formats_are_refused(string path)
    {
        SipCall call = Pair();
        ErrorRecord error = Module.Fails("SipInvalidArgument", "param($c, $p) $c | Start-SipRecording -Path $p", call, path);
        Assert.Contains("-Path", error.Exception.Message, StringComparison.Ordinal);
        Stop(call);
    }

    [ServerFact]
    public void Digits_are_played_without_delaying_anything()
    {
        SipCall call = Pair();
        // Neither * nor #: both phones may send back what they hear, and a feature code of the server's begins with one.
        Module.Run("param($c) $c | Send-SipDtmf 129", call);
        using (var ear = new RawManager(Server.Host, Server.Port, Server.User, Server.Secret, "dtmf"))
        using (var other = new ModuleRunspace())
        using (var player = System.Management.Automation.PowerShell.Create(other.Runspace))
        {
            player.AddScript("param($s, $c) Send-SipDtmf ('345' * 10) -CallId $c -Server $s -Duration 1").AddArgument(Module.Run<SipServer>("Get-SipServer")).AddArgument(call.CallId);
            IAsyncResult playing = player.BeginInvoke();
            ear.Await(m => m.Event == "DTMFBegin" && m["Digit"] == "3");
            // The server does nothing else on a connection while a digit sounds, and there are more to come: half a minute,
            // since a real one has been seen to tell of the first ten seconds late.
            for (int i = 0; i < 5; i++) Module.Run("Invoke-SipCommand Ping -Confirm:$false");
            Assert.False(playing.IsCompleted);
            player.Stop();
        }

        foreach (string bad in new[] { "12x", "1\r\n2", "" }) Assert.NotEmpty(Module.Try("param($c, $d) $c | Send-SipDtmf $d", call, bad).Errors);
        Assert.Equal(CallState.Connected, Now(call).State);
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void Variables_come_back_as_they_were_set()
    {
        SipCall call = Pair();
        foreach (string value in new[] { "plain", "a,b \"c\" \\d ${EPOCH} é", "" })
        {
            Module.Run("param($c, $v) $c | Set-SipCallVariable FOO $v", call, value);
            Assert.Equal(value, Module.Run<string>("param($c) $c | Get-SipCallVariable FOO", call));
        }

        Module.Fails("SipInvalidArgument", "param($c) $c | Get-SipCallVariable 'SHELL(id)'", call);
        Module.Fails("SipInvalidArgument", "param($c) $c | Set-SipCallVariable FOO \"a`r`nAction: Originate\"", call);
        AssertStopped(call, "sipp-answer", "dial-answer");
    }

    [ServerFact]
    public void Wrong_moments_are_refused_and_change_nothing()
    {
        SipCall ringing = Make<SipCall>("New-SipCall -From sipp-ring -To wait | Wait-SipCall -State Ringing -Timeout 10");
        foreach (string what in new[] { "Move-SipCall -To echo", "Suspend-SipCall", "Join-SipConference r1", "Start-SipRecording", "Send-SipDtmf 1" })
            Fails(ringing, "SipCallNotConnected", what);
        Fails(ringing, "SipCallNotOnHold", "Resume-SipCall");
        Fails(ringing, "SipCallNotIncoming", "Receive-SipCall");
        Fails(ringing, "SipCallNotIncoming", "Deny-SipCall");
        Assert.Equal(CallState.Ringing, Now(ringing).State);
        SipCall ended = Stop(ringing);
        AssertFinal(ended, Cleared, "sipp-ring", "wait");
        Fails(ended, "SipCallEnded", "Move-SipCall -To echo");
        Module.Fails("SipCallNotFound", "Move-SipCall -To echo -CallId nobody");
    }

    [ServerFact]
    public void The_server_tells_what_it_knows()
    {
        Assert.NotEmpty(Module.Run("Get-SipGateway"));
        Assert.Contains(Module.Run("Get-SipGateway"), g => ((SipGateway)g.BaseObject) is { Available: false, Name: var name } && name.Contains("unreach", StringComparison.Ordinal));
        Assert.All(Module.Run("Get-SipRegistration"), r => Assert.StartsWith("sip:", ((SipRegistration)r.BaseObject).Contact, StringComparison.Ordinal));
        SipQueue queue = Module.Run<SipQueue>("Get-SipQueue q1");
        Assert.Equal(("ringall", "Ringer"), (queue.Strategy, Assert.Single(queue.Members).Name));
        Assert.Empty(Module.Run("Get-SipQueue none*"));
        SipStatistic before = Module.Run<SipStatistic>("Get-SipStatistic");
        SipCall call = Pair();
        SipStatistic with = Module.Run<SipStatistic>("Get-SipStatistic");
        Assert.Equal(before.ActiveChannels + 2, with.ActiveChannels);
        Assert.NotNull(with.Uptime);
        Stop(call);
        Assert.Equal(call.CallId, Module.Run<SipCall>("Get-SipCallHistory -Last 1").CallId);
        Assert.Empty(Module.Run("Get-SipCallHistory -Cause UserBusy"));
    }

    /// <summary>These recordings, and no other, take down silence: where the server under test can tell.</summary>
    protected virtual void AssertMuted(IReadOnlyCollection<string> recordingIds)
    {
    }
}
