using System.Collections;
using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What a user of Yate is promised, through the cmdlets. One suite, the same verdicts, on the simulator and on a real
/// server: the numbers mean the same on both (40xx answers, 41xx rings, 42xx is busy, 43xx hangs up after 2 s, 44xx
/// declines, 45xx does not exist, 48xx has early media; 1001 a tone, 1004 refused by the routing, 1005 music).
/// </summary>
public abstract class YateContract : ServerContract
{
    protected override string TwoPhones => "-From 4001 -To 4002";

    protected override string? AfterConnect => "$script:others = @(Get-SipCallStatus).CallId";

    protected override void Configure(Hashtable settings)
    {
        settings["Type"] = "Yate";
        settings.Remove("Context");
        settings.Remove("Credential");
    }

    // A test that fails leaves nothing to the next one.
    protected override void Dispose(bool disposing)
    {
        if (disposing) Module.Try("Get-SipCallStatus | Where-Object CallId -NotIn $script:others | Stop-SipCall; Get-SipRoute | Unregister-SipRoute");
        base.Dispose(disposing);
    }

    [YateFact]
    public void Answered_then_ended_by_us()
    {
        SipCall call = Call("-To 4001 -Application dumb");
        AssertAnswered(call);
        Assert.Equal("mulaw", call.Codec);
        SipCall ended = Stop(call);
        AssertEnded(ended, HangupCause.NormalClearing, null, null, answered: true);
        Assert.Equal(("4001", (string?)null), (ended.To, ended.From));
        Assert.Equal(["Hungup", "Hungup"], ended.Legs.Select(l => l.State));
        Assert.NotEmpty(ended.Details["BillId"]);
    }

    [YateTheory]
    [InlineData("-To 1001 -Application dumb")]
    [InlineData("-To tone/dial -Application dumb")]
    [InlineData("-To 4001 -Application tone -ApplicationData dial")]
    [InlineData("-To 4001 -Application moh -ApplicationData default")]
    [InlineData("-From 4001 -To 1005")]
    public void Targets_that_answer_at_once_are_connected(string arguments)
    {
        SipCall call = Call(arguments);
        AssertAnswered(call);
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Far_end_hangs_up_after_early_media()
    {
        SipCall call = Call("-To 4301 -Application dumb");
        AssertAnswered(call);
        SipCall ended = WaitForEnd(call);
        AssertEnded(ended, HangupCause.NormalClearing, 16, null, answered: true);
        Assert.Equal(ended.Legs[1].Id, ended.Details["HungUpBy"]);
    }

    [YateTheory]
    [InlineData("4201", "UserBusy", 486)]
    [InlineData("4401", "CallRejected", 603)]
    [InlineData("4501", "UnallocatedNumber", 404)]
    [InlineData("4601", "NoUserResponding", 480)]
    [InlineData("4701", "TemporaryFailure", 503)]
    public void Refused_by_the_far_end(string number, string cause, int sipStatus)
    {
        AssertEnded(Call($"-From {number} -To 4002"), Enum.Parse<HangupCause>(cause), null, sipStatus, answered: false);
        AssertEnded(Call($"-From 4001 -To {number}"), Enum.Parse<HangupCause>(cause), null, sipStatus, answered: false);
    }

    [YateTheory]
    [InlineData("-From 1004 -To 4002", "UserBusy", "busy")]
    [InlineData("-From 4001 -To 1004", "UserBusy", "busy")]
    [InlineData("-From 5999 -To 4002", "NoRouteToDestination", "the server has no route for 5999")]
    [InlineData("-From 4001 -To 5999", "NoRouteToDestination", "the server has no route for 5999")]
    [InlineData("-From nosuch/1 -To 4002", "DestinationOutOfOrder", "the server has no such driver, or it cannot call there")]
    public void Refused_by_the_server(string arguments, string cause, string text)
    {
        SipCall call = Call(arguments);
        AssertEnded(call, Enum.Parse<HangupCause>(cause), null, null, answered: false);
        Assert.Equal(text, call.CauseText);
        Assert.DoesNotContain(call.Legs, l => l.Id.StartsWith("sip/", StringComparison.Ordinal));
    }

    [YateFact]
    public void A_destination_that_the_server_cannot_call_ends_the_call()
    {
        SipCall call = Call("-From 4001 -To nosuch/1");
        AssertEnded(call, HangupCause.DestinationOutOfOrder, null, null, answered: false);
        Assert.Contains("nosuch/1", call.CauseText, StringComparison.Ordinal);
    }

    [YateFact]
    public void Rings_until_the_time_out()
    {
        SipCall call = Call("-From 4101 -To 4002 -Timeout 1");
        AssertEnded(call, HangupCause.NoAnswer, null, null, answered: false);
        // The server looks once a second.
        Assert.InRange(call.Duration!.Value.TotalSeconds, 0.9, 6);
    }

    [YateFact]
    public void Stopped_while_ringing()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From 4101 -To 4002 | Wait-SipCall -State Ringing -Timeout 10");
        Assert.Equal(CallState.Ringing, call.State);
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: false);
    }

    [YateFact]
    public void Stopped_at_once()
    {
        for (int i = 0; i < 5; i++) AssertEnded(Module.Run<SipCall>("New-SipCall -From 4101 -To 4002 | Stop-SipCall -PassThru"), HangupCause.NormalClearing, null, null, answered: false);
    }

    [YateFact]
    public void Stopped_with_a_cause()
    {
        SipCall call = PairOf();
        SipCall ended = Module.Run<SipCall>("param($c) $c | Stop-SipCall -Cause UserBusy -PassThru", call);
        AssertEnded(ended, HangupCause.UserBusy, null, null, answered: true);
        Module.Fails("SipInvalidArgument", "param($c) $c | Stop-SipCall -Cause MisdialledTrunkPrefix", PairOf());
    }

    [YateFact]
    public void Early_media_is_not_connected()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From 4801 -To 4002 | Wait-SipCall -State Ringing -Timeout 10");
        Assert.Equal((CallState.Ringing, null), (call.State, call.AnsweredAt));
        AssertAnswered(Module.Run<SipCall>("param($c) $c | Wait-SipCall -State Connected -Timeout 10", call));
        Stop(call);
    }

    [YateFact]
    public void Two_numbers_B_answers()
    {
        SipCall call = PairOf();
        // Our silent leg, and the two phones.
        Assert.Equal(3, call.Legs.Count);
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Two_numbers_B_rings_is_not_connected()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From 4001 -To 4101");
        SipCall ringing = Until(call, c => c.Legs.Count == 3 && c.Legs[1].State == "answered" && c.Legs[2].State == "ringing");
        Assert.Equal((CallState.Ringing, null), (ringing.State, ringing.AnsweredAt));
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: false);
    }

    [YateFact]
    public void A_sound_is_played_to_its_end()
    {
        SipCall ended = Module.Run<SipCall>("New-SipCall -To 4001 -Play rec/play.wav -Wait | Wait-SipCall -Timeout 20");
        AssertEnded(ended, HangupCause.NormalClearing, null, null, answered: true);
        Assert.InRange(ended.BillableDuration!.Value.TotalSeconds, 1, 10);
    }

    [YateTheory]
    [InlineData("a:b=c")]
    [InlineData("100% sure%")]
    [InlineData("%%")]
    [InlineData("two\nlines\r\nand\ttab")]
    [InlineData("caf\u00e9 \u6f22 %z %M")]
    [InlineData(" blanks ")]
    public void Values_arrive_as_they_are(string value)
    {
        SipCommandResult result = Module.Run<SipCommandResult>("param($v) Invoke-SipCommand ifbus.echo -Field @{ v = $v }", value);
        Assert.Equal(value, result.Fields["v"]);
        SipCall call = Module.Run<SipCall>("param($v) New-SipCall -To 4001 -Application dumb -Variable @{ myref = $v } -Wait", value);
        AssertAnswered(call);
        Assert.Single(Ours());
        Stop(call);
    }

    [YateTheory]
    [InlineData("New-SipCall -From $v -To 4001", true)]
    [InlineData("New-SipCall -From 4001 -To $v", true)]
    [InlineData("New-SipCall -To $v -Application dumb", true)]
    [InlineData("New-SipCall -From 4001 -To 4002 -Context $v", true)]
    [InlineData("New-SipCall -To 4001 -Application $v", true)]
    [InlineData("New-SipCall -To 4001 -Application tone -ApplicationData $v", true)]
    [InlineData("New-SipCall -To 4001 -Play $v", false)]
    [InlineData("New-SipCall -To 4001 -Application dumb -CallerId \"x <$v>\"", true)]
    [InlineData("New-SipCall -To 4001 -Application dumb -Variable @{ $v = '1' }", true)]
    [InlineData("New-SipCall -To 4001 -Application dumb -Variable @{ osip_Subject = $v }", true)]
    [InlineData("New-SipCall -To 4001 -Application dumb -Variable @{ callto = $v }", true)]
    [InlineData("$call | Move-SipCall -To $v", true)]
    [InlineData("$call | Move-SipCall -To $v -Attended", true)]
    [InlineData("$call | Start-SipRecording -Path $v", false)]
    [InlineData("$call | Join-SipConference $v", true)]
    [InlineData("$call | Send-SipDtmf $v", true)]
    public void Values_that_would_be_something_else_are_refused(string script, bool addressed)
    {
        SipCall call = PairOf();
        string[] values = ["4001\n%%>message:x:0:call.drop::", "4001\r", "4001\0", "../../x.au", "a b", "\"x\"", "1%2", "x:y.au"];
        // An endpoint of the server's own that runs a program, writes a file, or adds a header.
        if (addressed) values = [.. values, "external/nodata/touch", "wave/record/etc.au", "mux/x", "sip/sip:1@127.0.0.1?Replaces=x", "sip/sip:1@127.0.0.1>;tag=x"];
        foreach (string value in values)
        {
            (_, IReadOnlyList<ErrorRecord> errors) = Module.Try("param($call, $v) " + script, call, value);
            Assert.True(errors.Count == 1, $"'{value}' was taken");
            Assert.StartsWith("SipInvalid", errors[0].FullyQualifiedErrorId, StringComparison.Ordinal);
        }

        Assert.Equal(call.CallId, Assert.Single(Ours()).CallId);
        Assert.Equal((CallState.Connected, 2), (Now(call).State, Up(Now(call))));
        Stop(call);
    }

    [YateFact]
    public void Calls_are_not_all_dropped_by_accident()
    {
        SipCall call = PairOf();
        Module.Fails("SipInvalidArgument", "Invoke-SipCommand call.drop");
        Module.Fails("SipInvalidArgument", "Invoke-SipCommand call.drop -Field @{ id = 'sip' }");
        Module.Fails("SipCallNotFound", "Stop-SipCall sip");
        Module.Fails("SipCallNotFound", "Stop-SipCall dumb");
        Assert.Equal(2, Up(Now(call)));
        Stop(call);
    }

    [YateFact]
    public void Detail_record_of_a_call_is_one()
    {
        SipCall call = Stop(Call("-From 4001 -To 4002 -CallerId 'Ann <1001>'"));
        SipCallDetailRecord record = Module.Run<SipCallDetailRecord>("param($c) $c | Get-SipCallDetailRecord", call);
        Assert.Equal((call.CallId, "4001", "4002"), (record.CallId, record.From, record.To));
        Assert.Equal(3, record.Fields.GetAll("chan").Distinct().Count());
        Assert.Equal(call.Legs[^1].Id, record.DestinationChannel);
        Assert.True(record.StartedAt <= record.AnsweredAt && record.AnsweredAt <= record.EndedAt);
        Assert.InRange((call.EndedAt - record.EndedAt)!.Value.TotalSeconds, -2, 2);
        SipCallDetailRecord busy = Module.Run<SipCallDetailRecord>("New-SipCall -From 4201 -To 4001 -Wait | Get-SipCallDetailRecord");
        Assert.Equal((TimeSpan.Zero, (DateTime?)null), (busy.BillableDuration, busy.AnsweredAt));
    }

    [YateFact]
    public void Many_calls_at_once()
    {
        const int Count = 200;
        SipCall[] calls = Calls(Module.Run("param($n) 1..$n | ForEach-Object { [pscustomobject]@{ To = '1001'; Application = 'dumb' } } | New-SipCall -ThrottleLimit $n -Wait", Count));
        Assert.Equal(Count, calls.Select(c => c.CallId).Distinct().Count());
        Assert.All(calls, AssertAnswered);
        Assert.Equal(Count, Ours().Length);
        SipCall[] ended = Calls(Module.Run("param($c) $c | Stop-SipCall -PassThru", new object[] { calls }));
        Assert.Equal(Count, ended.Select(c => c.CallId).Distinct().Count());
        Assert.All(ended, c => AssertEnded(c, HangupCause.NormalClearing, null, null, answered: true));
        Assert.Empty(Ours());
    }

    [YateFact]
    public void Calls_of_others_are_seen_and_followed()
    {
        Module.Run("param($h, $p) Connect-SipServer -ComputerName $h -Type Yate -Port $p -Name other; Set-SipServer -Default contract", Server.Host, Server.Port);
        SipCall theirs = Module.Run<SipCall>("New-SipCall -Server other -From 4001 -To 4002 -Wait");
        string bill = theirs.Details["BillId"];
        SipCall seen = Module.Run<SipCall>("param($id) Get-SipCallStatus -Server contract -CallId $id", bill);
        Assert.Equal((CallState.Connected, bill), (seen.State, seen.CallId));
        Assert.NotNull(seen.AnsweredAt);
        SipCall ended = Module.Run<SipCall>("param($id) Stop-SipCall -Server contract -CallId $id -PassThru", bill);
        Assert.Equal(CallState.Terminated, ended.State);
        Assert.Equal(CallState.Terminated, Module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 10", theirs).State);
        // Made before the connection was.
        SipCall before = Module.Run<SipCall>("New-SipCall -Server other -From 4001 -To 4002 -Wait");
        Module.Run("param($h, $p) Connect-SipServer -ComputerName $h -Type Yate -Port $p -Name late", Server.Host, Server.Port);
        SipCall found = Module.Run<SipCall>("param($id) Get-SipCallStatus -Server late -CallId $id", before.Details["BillId"]);
        Assert.Equal((CallState.Connected, 2), (found.State, found.Legs.Count));
        Assert.Null(found.AnsweredAt);
        Module.Run("param($c) $c | Stop-SipCall", before);
        Assert.Equal(CallState.Terminated, Module.Run<SipCall>("param($c) $c | Wait-SipCall -Server late -Timeout 10", found).State);
    }

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
        Assert.Equal(2, Up(moved));
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

    [YateFact]
    public void The_server_tells_what_it_knows()
    {
        SipCall call = PairOf();
        SipStatistic statistic = Module.Run<SipStatistic>("Get-SipStatistic");
        Assert.StartsWith("Yate 6.4", statistic.Version, StringComparison.Ordinal);
        Assert.True(statistic.ActiveCalls >= 1 && statistic.ActiveChannels >= 2 && statistic.ProcessedCalls >= 2);
        Assert.NotNull(statistic.StartedAt);
        SipServerHealth health = Module.Run<SipServerHealth>("Test-SipServer");
        Assert.NotEqual(HealthState.Critical, health.Health);
        Assert.True(health.ActiveCalls >= 1);
        Stop(call);
    }

    [YateFact]
    public void Raw_commands()
    {
        SipCommandResult status = Module.Run<SipCommandResult>("Invoke-SipCommand engine.status -Field @{ module = 'engine' }");
        Assert.True(status.Success);
        Assert.StartsWith("name=engine", status.Output[0], StringComparison.Ordinal);
        Assert.False(Module.Run<SipCommandResult>("Invoke-SipCommand chan.locate -Field @{ id = 'sip/999999' }").Success);
        Module.Fails("SipInvalidArgument", "Invoke-SipCommand \"a`nb\"");
        Module.Fails("SipInvalidArgument", "Invoke-SipCommand x -Field @{ 'a=b' = 1 }");
    }

    [YateFact]
    public void A_script_says_where_calls_go()
    {
        Module.Run("$target = 'tone/dial'; Register-SipRoute contract -Number '59*' -ScriptBlock { param($q, $more) switch ($q.Called) { '5901' { $using:target } '5902' { @{ Refuse = 'UserBusy' } } '5903' { $more } '5904' { throw 'no' } '5905' { 'external/nodata/x' } '5906' { Read-Host 'who' } } } -ArgumentList 'moh/default'");
        AssertAnswered(Call("-To 5901 -Application dumb"));
        AssertEnded(Call("-To 5902 -Application dumb"), HangupCause.UserBusy, null, null, answered: false);
        AssertAnswered(Call("-To 5903 -Application dumb"));
        foreach (string number in new[] { "5904", "5905", "5906", "5907" }) AssertEnded(Call($"-To {number} -Application dumb"), HangupCause.NoRouteToDestination, null, null, answered: false);
        SipRoute route = Module.Run<SipRoute>("Get-SipRoute contract");
        Assert.True(route is { Active: true, Routed: 2, Late: 0, Skipped: 0 } && route.Refused >= 1 && route.Failed >= 3 && route.Passed >= 1, route.ToString());
        Module.Fails("SipInvalidArgument", "Register-SipRoute contract { }");
        Module.Fails("SipInvalidArgument", "Register-SipRoute x { } -Number 'a:b'");
        Module.Fails("SipInvalidArgument", "Register-SipRoute x { } -Timeout 9");
        Assert.False(Module.Run<SipRoute>("Unregister-SipRoute contract -PassThru").Active);
        AssertEnded(Call("-To 5901 -Application dumb"), HangupCause.NoRouteToDestination, null, null, answered: false);
        Assert.Empty(Module.Run("Get-SipRoute"));
    }

    [YateFact]
    public void A_script_that_sleeps_holds_nobody_up()
    {
        Module.Run("Register-SipRoute sleeper -Number '58*' -Timeout 1 { [Threading.Thread]::Sleep(10000) }");
        Module.Run("param($h, $p) Connect-SipServer -ComputerName $h -Type Yate -Port $p -Name other; Set-SipServer -Default contract", Server.Host, Server.Port);
        SipCall[] calls = Calls(Module.Run("1..20 | ForEach-Object { [pscustomobject]@{ To = \"58$_\"; Application = 'dumb' } } | New-SipCall"));
        Assert.True(Module.Run<SipCommandResult>("Invoke-SipCommand engine.status -Server other -Field @{ module = 'engine' }").Success);
        Assert.All(calls, c => AssertEnded(WaitForEnd(c), HangupCause.NoRouteToDestination, null, null, answered: false));
        SipRoute route = Module.Run<SipRoute>("Get-SipRoute sleeper");
        Assert.Equal(0, route.Routed);
        Assert.True(route.Late > 0);
    }

    private SipCall PairOf()
    {
        SipCall call = Call(TwoPhones);
        AssertAnswered(call);
        return call;
    }

    private void AssertTalking(SipCall call)
    {
        string[] up = [.. call.Legs.Where(l => l.State == "answered").Select(l => l.Id)];
        Assert.Equal(2, up.Length);
        Assert.Equal(up[1], Peer(up[0]));
        Assert.Equal(up[0], Peer(up[1]));
    }

    // By the server's own word.
    private string Peer(string leg)
    {
        SipCommandResult status = Module.Run<SipCommandResult>("param($l) Invoke-SipCommand engine.status -Field @{ module = $l }", leg);
        return status.Output[0].Split(',', ';').Single(p => p.StartsWith("peerid=", StringComparison.Ordinal))["peerid=".Length..];
    }

    private SipCall[] Ours() => Calls(Module.Run("Get-SipCallStatus | Where-Object CallId -NotIn $script:others"));
}
