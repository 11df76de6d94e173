using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists conference rooms with their members.</summary>
[Cmdlet(VerbsCommon.Get, "SipConference")]
[OutputType(typeof(SipConference))]
public sealed class GetSipConference : KnowledgeCmdlet
{
    /// <summary>Only this room.</summary>
    [Parameter(Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("Conference", "Room")]
    public string? Name { get; set; }

    private protected override async Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token) => await adapter.GetConferencesAsync(Name, token).ConfigureAwait(false);
}
