namespace IfBus.Sip.Tests.Contract;

/// <summary>What the contracts assert of a call that has ended does not let one wrong property pass.</summary>
public sealed class AssertFinalTests : ServerContract
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    protected override ContractServer Server { get; } = Simulated.Asterisk("22.10.1");

    [Fact]
    public void One_wrong_property_is_enough_to_fail()
    {
        SipCall call = Call("-From sipp-answer -To dial-answer");
        SipCall ended = Stop(call);
        AssertFinal(ended, Cleared, "sipp-answer", "dial-answer", answered: call);
        foreach (SipCall wrong in new[]
        {
            ended with { State = CallState.HangingUp }, ended with { Cause = HangupCause.UserBusy }, ended with { CauseCode = null }, ended with { SipStatus = 200 }, ended with { CauseText = "normal clearing" },
            ended with { From = null }, ended with { To = "sipp-answer" }, ended with { Direction = null }, ended with { CallerId = "x" }, ended with { Uri = "if://call/x" }, ended with { Server = "other" },
            ended with { CreatedAt = ended.CreatedAt + TimeSpan.FromTicks(1) }, ended with { AnsweredAt = ended.AnsweredAt + TimeSpan.FromTicks(1) }, ended with { AnsweredAt = null },
            ended with { EndedAt = ended.EndedAt + TimeSpan.FromTicks(1) }, ended with { Duration = ended.BillableDuration }, ended with { BillableDuration = ended.Duration }, ended with { BillableDuration = TimeSpan.Zero },
            ended with { Legs = [ended.Legs[1], ended.Legs[0]] }, ended with { Legs = [ended.Legs[0], ended.Legs[1] with { State = "Up" }] }, ended with { Legs = [] },
        }) Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertFinal(wrong, Cleared, "sipp-answer", "dial-answer", answered: call));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertFinal(ended, Cleared, "sipp-answer", "dial-answer"));
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertFinal(ended, Cleared, "sipp-answer", "dial-answer", answered: call, talked: 3600));
    }

    [Fact]
    public void Times_that_only_agree_with_each_other_are_not_enough()
    {
        SipCall call = Call("-From sipp-answer -To dial-answer");
        SipCall ended = Stop(call);
        SipCall early = ended with { AnsweredAt = ended.AnsweredAt - Hour, BillableDuration = ended.BillableDuration + Hour };
        SipCall late = ended with { EndedAt = ended.EndedAt + Hour, Duration = ended.Duration + Hour, BillableDuration = ended.BillableDuration + Hour };
        SipCall made = ended with { CreatedAt = ended.CreatedAt - Hour, Duration = ended.Duration + Hour };
        foreach (SipCall wrong in new[] { early, late, made })
            Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertFinal(wrong, Cleared, "sipp-answer", "dial-answer", answered: call with { AnsweredAt = wrong.AnsweredAt, CreatedAt = wrong.CreatedAt }));
    }
}
