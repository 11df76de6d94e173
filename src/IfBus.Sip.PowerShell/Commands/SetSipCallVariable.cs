using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Sets a variable of calls.</summary>
[Cmdlet(VerbsCommon.Set, "SipCallVariable", SupportsShouldProcess = true)]
public sealed class SetSipCallVariable : EachCallCmdlet
{
    /// <summary>The variable.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    public string Name { get; set; } = "";

    /// <summary>Its value; taken as it is.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [AllowEmptyString]
    public string Value { get; set; } = "";

    /// <summary>Whose.</summary>
    [Parameter]
    [ValidateSet("From", "To")]
    public SipParty Party { get; set; } = SipParty.From;

    private protected override string? Doing => $"Set {SipText.Printable(Name)}";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string callId, CancellationToken token)
    {
        await adapter.SetVariableAsync(callId, Name, Value, Party, token).ConfigureAwait(false);
        return null;
    }
}
