using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Moves calls into a conference room.</summary>
[Cmdlet(VerbsCommon.Join, "SipConference", SupportsShouldProcess = true)]
[OutputType(typeof(SipCall))]
public sealed class JoinSipConference : ChangeCallCmdlet
{
    /// <summary>The room; made if it is not there.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("Conference", "Room")]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string Name { get; set; } = "";

    /// <summary>Who goes in.</summary>
    [Parameter]
    public SipParty Party { get; set; } = SipParty.Both;

    private protected override string? Doing => $"Move into conference {SipText.Printable(Name)}";

    private protected override Task<SipCall> ChangeAsync(ISipAdapter adapter, string callId, CancellationToken token) => adapter.JoinConferenceAsync(callId, new SipConferenceJoin { Conference = Name, Party = Party }, token);
}
