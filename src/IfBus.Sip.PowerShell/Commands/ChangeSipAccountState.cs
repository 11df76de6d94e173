using System.Management.Automation;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Removes accounts.</summary>
[Cmdlet(VerbsCommon.Remove, "SipAccount", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(SipAccount))]
public sealed class RemoveSipAccount : EachAccountCmdlet
{
    /// <summary>Put out the account as it was.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string? Doing => "Remove the account";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token)
    {
        SipAccount removed = await adapter.RemoveAccountAsync(account, token).ConfigureAwait(false);
        KnownAccounts.Remove(removed);
        return PassThru ? removed : null;
    }
}

/// <summary>Lets accounts be used again.</summary>
[Cmdlet(VerbsLifecycle.Enable, "SipAccount", SupportsShouldProcess = true)]
[OutputType(typeof(SipAccount))]
public sealed class EnableSipAccount : EachAccountCmdlet
{
    /// <summary>Activate it too, if it is not.</summary>
    [Parameter]
    public SwitchParameter Activate { get; set; }

    /// <summary>Put out the account as it is then.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string? Doing => Activate ? "Unblock and activate the account" : "Unblock the account";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token)
    {
        SipAccountChange change = await adapter.SetAccountStateAsync(account, Activate ? [SipAccountAction.Unblock, SipAccountAction.Activate] : [SipAccountAction.Unblock], token).ConfigureAwait(false);
        if (!change.Account.Activated) Post(() => WriteWarning($"{change.SipUri} is not blocked, but not activated either, so it cannot be used. Enable-SipAccount -Activate activates it."));
        return PassThru ? change.Account : null;
    }
}

/// <summary>Locks accounts out.</summary>
[Cmdlet(VerbsLifecycle.Disable, "SipAccount", SupportsShouldProcess = true)]
[OutputType(typeof(SipAccount))]
public sealed class DisableSipAccount : EachAccountCmdlet
{
    /// <summary>Deactivate it instead of blocking it. The server's clean-up is made to delete accounts that are not activated.</summary>
    [Parameter]
    public SwitchParameter Deactivate { get; set; }

    /// <summary>Put out the account as it is then.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string? Doing => Deactivate ? "Deactivate the account (the server's clean-up may delete it)" : "Block the account";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token)
    {
        SipAccountChange change = await adapter.SetAccountStateAsync(account, [Deactivate ? SipAccountAction.Deactivate : SipAccountAction.Block], token).ConfigureAwait(false);
        return PassThru ? change.Account : null;
    }
}
