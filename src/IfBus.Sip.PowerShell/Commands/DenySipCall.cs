using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Refuses calls that come in.</summary>
[Cmdlet(VerbsLifecycle.Deny, "SipCall", SupportsShouldProcess = true)]
[OutputType(typeof(SipCall))]
public sealed class DenySipCall : ChangeCallCmdlet
{
    /// <summary>What the caller is told.</summary>
    [Parameter]
    public HangupCause Cause { get; set; } = HangupCause.CallRejected;

    private protected override string? Doing => $"Refuse ({Cause})";

    private protected override Task<SipCall> ChangeAsync(ISipAdapter adapter, string callId, CancellationToken token) => adapter.RejectAsync(callId, Cause, token);
}
