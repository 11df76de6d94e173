using System.Management.Automation;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>The contract of hold by re-INVITE on a real Yate, and what its phones see and hear of it.</summary>
public sealed class YateReinviteLive : YateReinviteContract
{
    private readonly List<IDisposable> _phones = [];

    protected override ContractServer Server => LiveYate.Contract;

    protected override string RefusingPhone => "sip/sip:" + Phone(0x33, "488 Not Acceptable Here").Phone.Address;

    [YateFact]
    public void Phones_are_told_to_hold_and_talk_again_afterwards()
    {
        (SipPhone a, PhoneSound says) = Phone(0x11, "200 OK");
        (SipPhone b, PhoneSound answers) = Phone(0x22, "200 OK");
        SipCall call = Call($"-From sip/sip:{a.Address} -To sip/sip:{b.Address}");
        AssertAnswered(call);
        AssertTalk(says, answers);
        for (int i = 1; i <= 3; i += 2)
        {
            Change(call, "Suspend-SipCall -Method Reinvite");
            Assert.Equal(("sendonly", "sendonly"), (a.Offers[i].Direction, b.Offers[i].Direction));
            // The phone is asked with what it has.
            Assert.Equal((a.Offers[i - 1].Port, b.Offers[i - 1].Port), (a.Offers[i].Port, b.Offers[i].Port));
            says.WaitForSilenceOf(answers);
            answers.WaitForSilenceOf(says);
            Change(call, "Resume-SipCall");
            Assert.Equal(("sendrecv", "sendrecv"), (a.Offers[i + 1].Direction, b.Offers[i + 1].Direction));
            AssertTalk(says, answers);
        }

        Change(call, "Suspend-SipCall -Method Reinvite");
        b.HangUp();
        AssertEnded(WaitForEnd(call), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void A_phone_that_called_is_held_too()
    {
        (SipPhone b, PhoneSound answers) = Phone(0x22, "200 OK");
        (SipPhone a, PhoneSound says) = Phone(0x11, "200 OK");
        Module.Run($"Register-SipRoute phones -Number '6101' {{ 'sip/sip:{b.Address}' }}");
        a.Call("6101");
        SipCall call = Until(() => Ours().SingleOrDefault(c => c is { State: CallState.Connected, To: "6101" }));
        AssertTalk(says, answers);
        Change(call, "Suspend-SipCall -Method Reinvite");
        Assert.Equal(("sendonly", "sendonly"), (a.Offers[0].Direction, b.Offers[1].Direction));
        says.WaitForSilenceOf(answers);
        answers.WaitForSilenceOf(says);
        Change(call, "Resume-SipCall");
        Assert.Equal(("sendrecv", "sendrecv"), (a.Offers[1].Direction, b.Offers[2].Direction));
        AssertTalk(says, answers);
        SipCall ended = Stop(call);
        Assert.Equal((CallState.Terminated, HangupCause.NormalClearing), (ended.State, ended.Cause));
    }

    [YateTheory]
    [InlineData("488 Not Acceptable Here", "refused (Not Acceptable Here)")]
    [InlineData("491 Request Pending", "refused (Request Pending)")]
    [InlineData(null, "refused, or did not answer")]
    public void A_phone_that_refuses_hears_the_other_all_the_same(string? status, string words)
    {
        (SipPhone a, PhoneSound says) = Phone(0x11, "200 OK");
        (SipPhone b, PhoneSound answers) = Phone(0x22, status);
        SipCall call = Call($"-From sip/sip:{a.Address} -To sip/sip:{b.Address}");
        AssertAnswered(call);
        AssertTalk(says, answers);
        ErrorRecord error = Fails(call, "SipHoldFailed", "Suspend-SipCall -Method Reinvite");
        Assert.Contains(words, error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("The parties talk as before", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal(CallState.Connected, Now(call).State);
        // It was not given other ports, and the one that was held before it has been taken back.
        Assert.Single(b.Offers.Select(o => o.Port).Distinct());
        Assert.Equal(["sendonly", "sendrecv"], a.Offers.Skip(1).Select(o => o.Direction));
        AssertTalk(says, answers);
        AssertEnded(Stop(call), HangupCause.NormalClearing, null, null, answered: true);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) _phones.ForEach(p => p.Dispose());
    }

    private static void AssertTalk(PhoneSound one, PhoneSound other)
    {
        one.WaitToHear(other);
        other.WaitToHear(one);
    }

    private static SipCall Until(Func<SipCall?> what)
    {
        DateTime end = DateTime.UtcNow.AddSeconds(15);
        while (true)
        {
            if (what() is { } found) return found;
            Assert.True(DateTime.UtcNow < end, "the call did not come");
        }
    }

    private (SipPhone Phone, PhoneSound Sound) Phone(byte says, string? reinvited)
    {
        var sound = new PhoneSound(says);
        var phone = new SipPhone($"phone{says:x}", LiveYate.SipPort, sound: sound) { Reinvited = reinvited };
        _phones.Add(sound);
        _phones.Add(phone);
        return (phone, sound);
    }
}
