using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Shows the counters of servers.</summary>
[Cmdlet(VerbsCommon.Get, "SipStatistic")]
[OutputType(typeof(SipStatistic))]
public sealed class GetSipStatistic : KnowledgeCmdlet
{
    private protected override SipCapabilities Needed => SipCapabilities.Statistics;

    private protected override async Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token) => await adapter.GetStatisticsAsync(token).ConfigureAwait(false);
}
