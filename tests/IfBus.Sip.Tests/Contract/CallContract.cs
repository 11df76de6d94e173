using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What a user of Asterisk is promised, through the cmdlets. One suite, the same verdicts, on the simulator and on a
/// real server: the numbers mean the same on both (answer, busy, ring, ... as SIPp far ends or as the simulator's).
/// </summary>
public abstract class CallContract : ServerContract
{
    /// <summary>How a far end that hangs up in a dialplan application is told: Asterisk 22 says cause 0, 16 says 16.</summary>
    private int FarEndHangUpCause => Is16 ? 16 : 0;

    [ServerFact]
    public void Answered_then_ended_by_us()
    {
        SipCall call = Call("-To PJSIP/sipp-answer -Application Wait -ApplicationData 100");
        AssertAnswered(call);
        SipCall ended = Stop(call);
        AssertEnded(ended, HangupCause.NormalClearing, 16, null, answered: true);
        Assert.Equal(("PJSIP/sipp-answer", (string?)null), (ended.To, ended.From));
        Assert.Single(ended.Legs);
    }

    [ServerFact]
    public void Number_to_extension_that_talks_is_connected_and_ended_by_us()
    {
        SipCall call = Call("-From sipp-answer -To echo");
        AssertAnswered(call);
        AssertEnded(Stop(call), HangupCause.NormalClearing, 16, null, answered: true);
    }

    [ServerFact]
    public void Far_end_hangs_up_a_bridged_call()
    {
        SipCall call = Call("-From sipp-answer -To dial-bye");
        AssertAnswered(call);
        AssertEnded(WaitForEnd(call), HangupCause.NormalClearing, 16, null, answered: true);
    }

    [ServerFact]
    public void Far_end_hangs_up_in_an_application()
    {
        SipCall call = Call("-From sipp-bye -To wait");
        AssertAnswered(call);
        SipCall ended = WaitForEnd(call);
        AssertEnded(ended, (HangupCause)FarEndHangUpCause, FarEndHangUpCause, null, answered: true);
        Assert.Contains("sipp-bye", ended.Details["HungUpBy"], StringComparison.Ordinal);
    }

    [ServerTheory]
    [InlineData("sipp-busy", "UserBusy", 17, 486)]
    [InlineData("sipp-reject", "CallRejected", 21, 603)]
    [InlineData("sipp-notfound", "UnallocatedNumber", 1, 404)]
    public void Refused_by_the_far_end(string number, string cause, int code, int sipStatus)
    {
        SipCall call = Call($"-From {number} -To wait");
        AssertEnded(call, Enum.Parse<HangupCause>(cause), code, sipStatus, answered: false);
        Assert.Equal((number, "wait"), (call.From, call.To));
    }

    [ServerTheory]
    [InlineData("nosuch")]
    [InlineData("sipp-unreach")]
    public void No_channel_at_all(string number)
    {
        SipCall call = Call($"-From {number} -To wait");
        AssertEnded(call, HangupCause.Unknown, null, null, answered: false);
        Assert.Empty(call.Legs);
        Assert.Contains("no channel was made", call.CauseText, StringComparison.Ordinal);
    }

    [ServerTheory]
    [InlineData("sipp-ring")]
    [InlineData("sipp-dead")]
    public void Rings_until_the_time_out(string number)
    {
        SipCall call = Call($"-From {number} -To wait -Timeout 1");
        AssertEnded(call, HangupCause.NoAnswer, 19, 480, answered: false);
        Assert.InRange(call.Duration!.Value.TotalSeconds, 0.9, 5);
    }

    [ServerFact]
    public void Stopped_while_ringing()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From sipp-ring -To wait | Wait-SipCall -State Ringing -Timeout 10");
        Assert.Equal(CallState.Ringing, call.State);
        Assert.Null(call.AnsweredAt);
        AssertEnded(Stop(call), HangupCause.NormalClearing, 16, null, answered: false);
    }

    [ServerFact]
    public void Stopped_at_once()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From sipp-ring -To wait | Stop-SipCall -PassThru");
        // Before the phone has said anything there is nothing to cancel, and Asterisk 22 then says 603 of its own accord.
        Assert.True(call.SipStatus is null or 603, $"{call.SipStatus}");
        AssertEnded(call, HangupCause.NormalClearing, 16, call.SipStatus, answered: false);
    }

    [ServerFact]
    public void Two_numbers_B_answers()
    {
        SipCall call = Call("-From sipp-answer -To dial-answer");
        AssertAnswered(call);
        Assert.Equal(2, call.Legs.Count);
        AssertEnded(Stop(call), HangupCause.NormalClearing, 16, null, answered: true);
    }

    [ServerFact]
    public void Two_numbers_B_rings_is_not_connected()
    {
        SipCall call = Module.Run<SipCall>("New-SipCall -From sipp-answer -To dial-ring");
        SipCall ringing = Until(call, c => c.Legs.Count == 2 && c.Legs[0].State == "Up" && c.Legs[1].State == "Ringing");
        Assert.Equal(CallState.Ringing, ringing.State);
        Assert.Null(ringing.AnsweredAt);
        SipCall ended = Stop(call);
        AssertEnded(ended, HangupCause.NormalClearing, 16, ended.SipStatus, answered: false);
    }

    [ServerTheory]
    [InlineData("dial-busy", "UserBusy", 17, 486)]
    [InlineData("dial-reject", "CallRejected", 21, 603)]
    public void Two_numbers_B_refuses(string exten, string cause, int code, int sipStatus)
    {
        SipCall call = Call($"-From sipp-answer -To {exten}");
        AssertEnded(call, Enum.Parse<HangupCause>(cause), code, sipStatus, answered: false);
    }

    [ServerFact]
    public void Endpoint_as_destination_is_dialled()
    {
        SipCall call = Call("-From sipp-answer -To PJSIP/sipp-busy");
        AssertEnded(call, HangupCause.UserBusy, 17, 486, answered: false);
    }

    [ServerFact]
    public void Local_channels_are_one_call()
    {
        SipCall call = Call("-From Local/echo@ifbus -To wait");
        AssertAnswered(call);
        Assert.Equal(2, call.Legs.Count);
        Assert.Single(Module.Run("Get-SipCallStatus"), c => ((SipCall)c.BaseObject).CallId == call.CallId);
        AssertEnded(Stop(call), HangupCause.NormalClearing, 16, null, answered: true);
    }

    [ServerTheory]
    [InlineData("busy", "UserBusy", 17)]
    [InlineData("congestion", "NoCircuitAvailable", 34)]
    public void Local_failures(string exten, string cause, int code)
    {
        AssertEnded(Call($"-From Local/{exten}@ifbus -To wait"), Enum.Parse<HangupCause>(cause), code, null, answered: false);
    }

    [ServerFact]
    public void Unknown_extension_is_rejected_at_once()
    {
        ErrorRecord error = Module.Fails("SipCallRejected", "New-SipCall -From sipp-answer -To nosuchextension");
        Assert.Contains("Extension does not exist", error.Exception.Message, StringComparison.Ordinal);
        Assert.Empty(Module.Run("Get-SipCallStatus"));
    }

    [ServerFact]
    public void Detail_record_of_a_call()
    {
        SipCall call = Stop(Call("-From sipp-answer -To echo -CallerId 'Ann <1001>'"));
        SipCallDetailRecord record = Module.Run<SipCallDetailRecord>("param($c) $c | Get-SipCallDetailRecord", call);
        Assert.Equal((call.CallId, "1001", "echo", "ANSWERED"), (record.CallId, record.From, record.To, record.Disposition));
        Assert.InRange((call.EndedAt - record.EndedAt)!.Value.TotalSeconds, -2, 2);
    }

    [ServerFact]
    public void Ended_and_unknown_calls_are_said_so()
    {
        SipCall call = Stop(Call("-From Local/echo@ifbus -To wait"));
        Module.Fails("SipCallEnded", "param($id) Stop-SipCall -CallId $id", call.CallId);
        Module.Fails("SipCallNotFound", "Stop-SipCall -CallId nobody");
        Module.Fails("SipCallNotFound", "Wait-SipCall -CallId nobody");
    }

    [ServerFact]
    public void Many_calls_at_once()
    {
        const int Count = 200;
        SipCall[] calls = Calls(Module.Run(
            "param($n) 1..$n | ForEach-Object { [pscustomobject]@{ From = 'sipp-answer'; To = 'wait' } } | New-SipCall -ThrottleLimit $n -Wait", Count));
        Assert.Equal(Count, calls.Select(c => c.CallId).Distinct().Count());
        Assert.All(calls, AssertAnswered);
        Assert.Equal(Count, Calls(Module.Run("Get-SipCallStatus")).Length);

        SipCall[] ended = Calls(Module.Run("param($c) $c | Stop-SipCall -PassThru", new object[] { calls }));
        Assert.Equal(Count, ended.Select(c => c.CallId).Distinct().Count());
        Assert.All(ended, c => AssertEnded(c, HangupCause.NormalClearing, 16, null, answered: true));
        Assert.Empty(Module.Run("Get-SipCallStatus"));
    }
}
