using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Reads a variable of calls.</summary>
[Cmdlet(VerbsCommon.Get, "SipCallVariable")]
[OutputType(typeof(string))]
public sealed class GetSipCallVariable : EachCallCmdlet
{
    /// <summary>The variable.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    public string Name { get; set; } = "";

    /// <summary>Whose.</summary>
    [Parameter]
    [ValidateSet("From", "To")]
    public SipParty Party { get; set; } = SipParty.From;

    private protected override string? Doing => null;

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string callId, CancellationToken token) => await adapter.GetVariableAsync(callId, Name, Party, token).ConfigureAwait(false);
}
