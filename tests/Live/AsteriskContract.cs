using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>The contract on a real Asterisk 22 with SIPp far ends.</summary>
public sealed class AsteriskContract : CallContract
{
    protected override ContractServer Server => LiveServer.Contract;
}

/// <summary>The contract of call control on a real Asterisk 22 with SIPp far ends.</summary>
public sealed class AsteriskControl : ControlContract
{
    protected override ContractServer Server => LiveServer.Contract;
}

/// <summary>The contract of ids on a real Asterisk.</summary>
public sealed class AsteriskIds : ManagerIdsContract
{
    protected override ContractServer Server => LiveServer.Contract;
}

/// <summary>The contract of trouble on a real Asterisk 22 with SIPp far ends.</summary>
public sealed class AsteriskTrouble : TroubleContract
{
    protected override ContractServer Real => LiveServer.Contract;

    [ServerFact]
    public void A_phone_holds_meanwhile()
    {
        using FarEnd phone = FarEnd.Play("held");
        Assert.Single(Other.Run("Get-SipServer"));
        SipCall call = Call("-From sipp-answer -To dial-traced");
        Cut();
        UntilOther(call, c => c.State == CallState.OnHold);
        Mend();
        Assert.Equal(CallState.OnHold, Now(call).State);
        Fails(call, "SipCallHeldByPhone", "Resume-SipCall");
        // Who comes only now sees it too.
        Other.Run("Disconnect-SipServer");
        Assert.Equal(CallState.OnHold, Other.Run<SipCall>("param($h, $p, $c, $id) $null = Connect-SipServer $h -Port $p -Credential $c -Name other -Context ifbus; Get-SipCallStatus $id", Real.Host, Real.Port, Credentials.Of(Real.User, Real.Secret), call.CallId).State);
        Stop(call);
    }

    [ServerFact]
    public void A_phone_takes_a_held_call_back_meanwhile()
    {
        Assert.Single(Other.Run("Get-SipServer"));
        SipCall call = Call("-From sipp-answer -To dial-hold");
        Until(call, c => c.State == CallState.OnHold);
        Cut();
        UntilOther(call, c => c.State == CallState.Connected);
        Mend();
        Assert.Equal(CallState.Connected, Now(call).State);
        Stop(call);
    }

    protected override void WaitUntilBack()
    {
        base.WaitUntilBack();
        LiveServer.WaitForFarEnds(Module);
    }
}
