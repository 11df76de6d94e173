using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

#pragma warning disable CA1711 // a queue of calls is what the field calls it
/// <summary>Lists queues with their members and waiting callers.</summary>
[Cmdlet(VerbsCommon.Get, "SipQueue")]
[OutputType(typeof(SipQueue))]
public sealed class GetSipQueue : KnowledgeCmdlet
#pragma warning restore CA1711
{
    /// <summary>Only these; wildcards.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string? Name { get; set; }

    private protected override SipCapabilities Needed => SipCapabilities.Queues;

    private protected override async Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token) =>
        (await adapter.GetQueuesAsync(null, token).ConfigureAwait(false)).Where(q => Wanted.Matches(Name, q.Name));
}
