using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Makes a link that gives a phone its account, once.</summary>
[Cmdlet(VerbsCommon.New, "SipProvisioning", SupportsShouldProcess = true)]
[OutputType(typeof(SipProvisioning))]
public sealed class NewSipProvisioning : EachAccountCmdlet
{
    /// <summary>The server sends the link to the account's e-mail address, and it is not shown here.</summary>
    [Parameter]
    public SwitchParameter SendEmail { get; set; }

    private protected override string? Doing => SendEmail ? "Send a new provisioning link by e-mail (the one before is void)" : "Make a new provisioning link (the one before is void)";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token) =>
        await adapter.CreateProvisioningAsync(account, SendEmail, token).ConfigureAwait(false);
}

/// <summary>Lists the spaces (tenants) of servers.</summary>
[Cmdlet(VerbsCommon.Get, "SipSpace")]
[OutputType(typeof(SipSpace))]
public sealed class GetSipSpace : KnowledgeCmdlet
{
    /// <summary>Only these domains; wildcards.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string? Domain { get; set; }

    private protected override SipCapabilities Needed => SipCapabilities.Spaces;

    private protected override async Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token) =>
        (await adapter.GetSpacesAsync(token).ConfigureAwait(false)).Where(s => Wanted.Matches(Domain, s.Domain));
}
