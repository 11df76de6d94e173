using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Takes calls out of their conference room.</summary>
[Cmdlet(VerbsCommon.Exit, "SipConference", SupportsShouldProcess = true)]
[OutputType(typeof(SipCall))]
public sealed class ExitSipConference : ChangeCallCmdlet
{
    private protected override string? Doing => "Leave the conference";

    private protected override Task<SipCall> ChangeAsync(ISipAdapter adapter, string callId, CancellationToken token) => adapter.LeaveConferenceAsync(callId, token);
}
