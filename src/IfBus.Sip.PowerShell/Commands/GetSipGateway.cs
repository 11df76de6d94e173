using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists endpoints and trunks and how they stand.</summary>
[Cmdlet(VerbsCommon.Get, "SipGateway")]
[OutputType(typeof(SipGateway))]
public sealed class GetSipGateway : KnowledgeCmdlet
{
    /// <summary>Only these; wildcards.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string? Name { get; set; }

    private protected override SipCapabilities Needed => SipCapabilities.Gateways;

    private protected override async Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token) =>
        (await adapter.GetGatewaysAsync(token).ConfigureAwait(false)).Where(g => Wanted.Matches(Name, g.Name));
}
