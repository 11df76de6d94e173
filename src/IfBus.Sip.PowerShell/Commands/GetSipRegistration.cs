using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists where phones can be reached.</summary>
[Cmdlet(VerbsCommon.Get, "SipRegistration")]
[OutputType(typeof(SipRegistration))]
public sealed class GetSipRegistration : KnowledgeCmdlet
{
    /// <summary>Only these addresses of record; wildcards.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string? Aor { get; set; }

    private protected override SipCapabilities Needed => SipCapabilities.Registrations;

    private protected override async Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token) =>
        (await adapter.GetRegistrationsAsync(token).ConfigureAwait(false)).Where(r => Wanted.Matches(Aor, r.Aor));
}
