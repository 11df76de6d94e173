using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Shows the routes that were registered, with their counters. Asks the server nothing.</summary>
[Cmdlet(VerbsCommon.Get, "SipRoute")]
[OutputType(typeof(SipRoute))]
public sealed class GetSipRoute : KnowledgeCmdlet
{
    /// <summary>Names of routes; * and ? are wildcards. All if left out.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string? Name { get; set; }

    private protected override Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token)
    {
        WildcardPattern? wanted = Name is null ? null : WildcardPattern.Get(Name, WildcardOptions.IgnoreCase);
        return Task.FromResult<object?>(adapter.Routes.Where(r => wanted?.IsMatch(r.Name) != false).ToArray());
    }
}
