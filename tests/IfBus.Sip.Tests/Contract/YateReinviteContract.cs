using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>What a user of Yate is promised of Suspend-SipCall -Method Reinvite. One suite, the same verdicts, on the simulator and on a real server.</summary>
public abstract class YateReinviteContract : YateServerContract
{
    /// <summary>An endpoint that answers, and refuses re-INVITEs with 488.</summary>
    protected abstract string RefusingPhone { get; }

    [YateFact]
    public void Held_by_reinvite_and_resumed()
    {
        SipCall call = PairOf();
        for (int i = 0; i < 2; i++)
        {
            SipCall held = Change(call, "Suspend-SipCall -Method Reinvite");
            Assert.Equal((CallState.OnHold, call.AnsweredAt, 2), (held.State, held.AnsweredAt, Up(held)));
            // They are each other's still: who hangs up ends the call.
            AssertTalking(held);
            Fails(call, "SipCallOnHold", "Suspend-SipCall -Method Reinvite");
            Fails(call, "SipCallOnHold", "Suspend-SipCall");
            Fails(call, "SipCallOnHold", "Move-SipCall -To 4003");
            Fails(call, "SipCallOnHold", "Join-SipConference 2099");
            Fails(call, "SipCallOnHold", "Start-SipRecording rec/held.au");
            SipCall back = Change(call, "Resume-SipCall");
            Assert.Equal((CallState.Connected, call.AnsweredAt), (back.State, back.AnsweredAt));
            AssertTalking(back);
            Fails(call, "SipCallNotOnHold", "Resume-SipCall");
        }

        // The other way of holding is as good as before.
        Assert.Equal(CallState.OnHold, Change(call, "Suspend-SipCall -Method Media").State);
        Assert.Equal(CallState.Connected, Change(call, "Resume-SipCall").State);
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_phone_that_refuses_to_be_held_leaves_the_call_as_it_was(bool first)
    {
        string refusing = RefusingPhone;
        SipCall call = Call(first ? $"-From {refusing} -To 4002" : $"-From 4001 -To {refusing}");
        AssertAnswered(call);
        for (int i = 0; i < 2; i++)
        {
            ErrorRecord error = Fails(call, "SipHoldFailed", "Suspend-SipCall -Method Reinvite");
            Assert.Contains("refused (Not Acceptable Here). The parties talk as before.", error.Exception.Message, StringComparison.Ordinal);
            SipCall after = Now(call);
            Assert.Equal((CallState.Connected, 2), (after.State, Up(after)));
            AssertTalking(after);
        }

        Assert.Equal(CallState.OnHold, Change(call, "Suspend-SipCall").State);
        Assert.Equal(CallState.Connected, Change(call, "Resume-SipCall").State);
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Only_phones_can_be_held_by_reinvite()
    {
        SipCall call = Call("-From 4001 -To 1001");
        Fails(call, "SipCallNotBridged", "Suspend-SipCall -Method Reinvite");
        Stop(call);
    }
}
