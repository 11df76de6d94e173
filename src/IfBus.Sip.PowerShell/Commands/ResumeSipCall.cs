using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Brings the parties of held calls together again.</summary>
[Cmdlet(VerbsLifecycle.Resume, "SipCall", SupportsShouldProcess = true)]
[OutputType(typeof(SipCall))]
public sealed class ResumeSipCall : ChangeCallCmdlet
{
    private protected override string? Doing => "Resume";

    private protected override Task<SipCall> ChangeAsync(ISipAdapter adapter, string callId, CancellationToken token) => adapter.ResumeAsync(callId, token);
}
