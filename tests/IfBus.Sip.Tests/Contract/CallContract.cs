using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What a user of Asterisk is promised, through the cmdlets. One suite, the same verdicts, on the simulator and on a
/// real server: the numbers mean the same on both (answer, busy, ring, ... as SIPp far ends or as the simulator's).
/// </summary>
public abstract class CallContract : ServerContract
{
    [ServerFact]
    public void Answered_then_ended_by_us()
    {
        SipCall call = Call("-To PJSIP/sipp-answer -Application Wait -ApplicationData 100");
        AssertAnswered(call);
        SipCall ended = Stop(call);
        AssertFinal(ended, Cleared, null, "PJSIP/sipp-answer", answered: call);
        Assert.Single(ended.Legs);
    }

    [ServerFact]
    public void Number_to_extension_that_talks_is_connected_and_ended_by_us()
    {
        SipCall call = Call("-From sipp-answer -To echo");
        AssertAnswered(call);
        AssertFinal(Stop(call), Cleared, "sipp-answer", "echo", answered: call);
    }

    [ServerFact]
    public void Far_end_hangs_up_a_bridged_call()
    {
        SipCall call = Call("-From sipp-answer -To dial-bye");
        AssertAnswered(call);
        AssertFinal(WaitForEnd(call), Cleared, "sipp-answer", "dial-bye", answered: call, talked: 1);
    }

    // Asterisk 22 says cause 0, 16 says 16.
    [ServerFact]
    public void Far_end_hangs_up_in_an_application()
    {
        SipCall call = Call("-From sipp-bye -To wait");
        AssertAnswered(call);
        SipCall ended = WaitForEnd(call);
        AssertFinal(ended, Is16 ? Cleared : new Verdict(HangupCause.Unknown, 0, null, "Unknown"), "sipp-bye", "wait", answered: call, talked: 1);
        Assert.Contains("sipp-bye", ended.Details["HungUpBy"], StringComparison.Ordinal);
    }

    [ServerTheory]
    [InlineData("sipp-busy", "UserBusy", 17, 486, "User busy")]
    [InlineData("sipp-reject", "CallRejected", 21, 603, "Call Rejected")]
    [InlineData("sipp-notfound", "UnallocatedNumber", 1, 404, "Unallocated (unassigned) number")]
    public void Refused_by_the_far_end(string number, string cause, int code, int sipStatus, string text)
    {
        AssertFinal(Call($"-From {number} -To wait"), Refused(cause, code, sipStatus, text), number, "wait");
        // The same of one leg.
        AssertFinal(Call($"-To PJSIP/{number} -Application Wait -ApplicationData 1"), Refused(cause, code, sipStatus, text), null, "PJSIP/" + number);
    }

    [ServerTheory]
    [InlineData("nosuch")]
    [InlineData("sipp-unreach")]
    [InlineData("sipp-nocontact")]
    public void No_channel_at_all(string number)
    {
        SipCall call = Call($"-From {number} -To wait");
        AssertFinal(call, new Verdict(HangupCause.Unknown, null, null, "OriginateResponse reason 0, and no channel was made: unknown or unreachable endpoint"), number, "wait");
        Assert.Empty(call.Legs);
    }

    [ServerTheory]
    [InlineData("sipp-ring")]
    [InlineData("sipp-dead")]
    public void Rings_until_the_time_out(string number)
    {
        SipCall call = Call($"-From {number} -To wait -Timeout 1");
        AssertFinal(call, TimedOut, number, "wait");
        Assert.InRange(call.Duration!.Value.TotalSeconds, 0.9, 5);
    }

    [ServerFact]
    public void Stopped_while_ringing()
    {
        SipCall call = Make<SipCall>("New-SipCall -From sipp-ring -To wait | Wait-SipCall -State Ringing -Timeout 10");
        Assert.Equal(CallState.Ringing, call.State);
        Assert.Null(call.AnsweredAt);
        AssertFinal(Stop(call), Cleared, "sipp-ring", "wait");
    }

    [ServerFact]
    public void Stopped_at_once()
    {
        SipCall call = Make<SipCall>("New-SipCall -From sipp-ring -To wait | Stop-SipCall -PassThru");
        // Before the phone has said anything there is nothing to cancel, and Asterisk 22 then says 603 of its own accord.
        Assert.True(call.SipStatus is null or 603, $"{call.SipStatus}");
        AssertFinal(call, Cleared with { SipStatus = call.SipStatus }, "sipp-ring", "wait");
    }

    [ServerFact]
    public void Two_numbers_B_answers()
    {
        SipCall call = Call("-From sipp-answer -To dial-answer");
        AssertAnswered(call);
        Assert.Equal(2, call.Legs.Count);
        AssertFinal(Stop(call), Cleared, "sipp-answer", "dial-answer", answered: call);
    }

    [ServerFact]
    public void Two_numbers_B_rings_is_not_connected()
    {
        SipCall call = Make<SipCall>("New-SipCall -From sipp-answer -To dial-ring");
        SipCall ringing = Until(call, c => c.Legs.Count == 2 && c.Legs[0].State == "Up" && c.Legs[1].State == "Ringing");
        Assert.Equal(CallState.Ringing, ringing.State);
        Assert.Null(ringing.AnsweredAt);
        AssertFinal(Stop(call), Cleared, "sipp-answer", "dial-ring");
    }

    [ServerTheory]
    [InlineData("dial-busy", "UserBusy", 17, 486, "User busy")]
    [InlineData("dial-reject", "CallRejected", 21, 603, "Call Rejected")]
    public void Two_numbers_B_refuses(string exten, string cause, int code, int sipStatus, string text)
    {
        SipCall call = Call($"-From sipp-answer -To {exten}");
        AssertFinal(call, Refused(cause, code, sipStatus, text), "sipp-answer", exten);
        Assert.Equal(2, call.Legs.Count);
    }

    [ServerFact]
    public void Endpoint_as_destination_is_dialled()
    {
        SipCall call = Call("-From sipp-answer -To PJSIP/sipp-busy");
        AssertFinal(call, Refused("UserBusy", 17, 486, "User busy"), "sipp-answer", "PJSIP/sipp-busy");
    }

    [ServerFact]
    public void Local_channels_are_one_call()
    {
        SipCall call = Call("-From Local/echo@ifbus -To wait");
        AssertAnswered(call);
        Assert.Equal(2, call.Legs.Count);
        Assert.Single(Module.Run("Get-SipCallStatus"), c => ((SipCall)c.BaseObject).CallId == call.CallId);
        AssertFinal(Stop(call), Cleared, "Local/echo@ifbus", "wait", answered: call);
    }

    [ServerTheory]
    [InlineData("busy", "UserBusy", 17, "User busy")]
    [InlineData("congestion", "NoCircuitAvailable", 34, "Circuit/channel congestion")]
    public void Local_failures(string exten, string cause, int code, string text) =>
        AssertFinal(Call($"-From Local/{exten}@ifbus -To wait"), Refused(cause, code, null, text), $"Local/{exten}@ifbus", "wait");

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
        SipCall answered = Call("-From sipp-answer -To echo -CallerId 'Ann <1001>'");
        SipCall call = Stop(answered);
        AssertFinal(call, Cleared, "sipp-answer", "echo", answered: answered);
        Assert.Equal("Ann <1001>", call.CallerId);
        SipCallDetailRecord record = Module.Run<SipCallDetailRecord>("param($c) $c | Get-SipCallDetailRecord", call);
        Assert.Equal((call.CallId, "1001", "echo", "ANSWERED"), (record.CallId, record.From, record.To, record.Disposition));
        // The server tells whole seconds.
        foreach ((DateTime? ours, DateTime? its) in new[] { (call.CreatedAt, record.StartedAt), (call.AnsweredAt, record.AnsweredAt), (call.EndedAt, record.EndedAt) }) Assert.InRange((ours - its)!.Value.TotalSeconds, -1.3, 1.3);
        Assert.InRange((call.BillableDuration - record.BillableDuration)!.Value.TotalSeconds, -1.3, 1.3);
        Assert.InRange((call.Duration - record.Duration)!.Value.TotalSeconds, -1.3, 1.3);
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
        SipStatistic before = Module.Run<SipStatistic>("Get-SipStatistic");
        using var watch = new CallWatch(Module, "New-SipCall -From Local/busy@ifbus -To wait");
        SipCall[] calls = Make<SipCall[]>("param($n) 1..$n | ForEach-Object { [pscustomobject]@{ From = 'sipp-answer'; To = 'wait' } } | New-SipCall -ThrottleLimit $n -Wait", Count);
        Assert.Equal((Count, Count), (calls.Length, calls.Select(c => c.CallId).Distinct().Count()));
        Assert.All(calls, AssertAnswered);
        Assert.Equal(calls.Select(c => c.CallId).Order(StringComparer.Ordinal), Calls(Module.Run("Get-SipCallStatus")).Select(c => c.CallId).Order(StringComparer.Ordinal));
        SipStatistic with = Module.Run<SipStatistic>("Get-SipStatistic");
        Assert.Equal((before.ActiveCalls + Count, before.ActiveChannels + Count), (with.ActiveCalls, with.ActiveChannels));

        SipCall[] ended = Stop(calls);
        Assert.Equal((Count, Count), (ended.Length, ended.Select(c => c.CallId).Distinct().Count()));
        Assert.All(ended, c => AssertFinal(c, Cleared, "sipp-answer", "wait", answered: Array.Find(calls, a => a.CallId == c.CallId)));
        Assert.Empty(Module.Run("Get-SipCallStatus"));
        // Each was answered once, ended once, and has one record.
        HashSet<string> ours = [.. calls.Select(c => c.CallId)];
        Eventually(() => watch.States(ours).Count(s => s == CallState.Terminated) >= Count, "all ends are told");
        foreach (CallState state in new[] { CallState.Connected, CallState.Terminated }) Assert.Equal(Count, watch.States(ours).Count(s => s == state));
        Eventually(() => Records() >= Count, "all records have come");
        Assert.Equal((Count, Count), (Records(), Calls(Module.Run("Get-SipCallHistory")).Count(c => ours.Contains(c.CallId))));

        int Records() => Module.Run("Get-SipCallDetailRecord").Count(r => ours.Contains(((SipCallDetailRecord)r.BaseObject).CallId!));
    }

    // What was on the wire of a call between two numbers is told as it was: once each, in order, and connected when B has answered.
    [ServerTheory]
    [InlineData("dial-answer", "Dialing Ringing Connected HangingUp Terminated")]
    [InlineData("dial-ring", "Dialing Ringing HangingUp Terminated")]
    [InlineData("dial-busy", "Dialing Ringing Terminated")]
    public void Each_step_is_told_once_from_the_first_on(string exten, string states)
    {
        using var watch = new CallWatch(Module, "New-SipCall -From Local/busy@ifbus -To wait");
        SipCall call = Make<SipCall>($"New-SipCall -From sipp-answer -To {exten}");
        if (exten != "dial-busy")
        {
            Until(call, c => c.State == (exten == "dial-ring" ? CallState.Ringing : CallState.Connected) && c.Legs.Count == 2 && c.Legs[1].State is "Up" or "Ringing");
            Stop(call);
        }

        SipCall ended = WaitForEnd(call);
        Eventually(() => watch.States([call.CallId]).Contains(CallState.Terminated), "its end is told");
        Assert.Equal(states, string.Join(' ', watch.States([call.CallId])));
        SipEvent? connected = watch.Events([call.CallId]).Find(e => e.Call!.State == CallState.Connected);
        Assert.Equal((ended.AnsweredAt, ended.AnsweredAt is null), (connected?.Call!.AnsweredAt, connected is null));
        // It was not told before the second leg was up.
        if (connected is not null) Assert.Equal(["Up", "Up"], connected.Call!.Legs.Select(l => l.State));
    }

    // What Asterisk says of a leg that was refused; 16 tells no SIP status.
    private Verdict Refused(string cause, int code, int? sipStatus, string text) => new(Enum.Parse<HangupCause>(cause), code, Is16 ? null : sipStatus, text);

    // 16 tells no cause of a leg that nobody answered in time.
    private Verdict TimedOut => Is16 ? new Verdict(HangupCause.NoAnswer, 0, null, "no answer before the ring time-out") : new Verdict(HangupCause.NoAnswer, 19, 480, "User alerting, no answer");
}
