using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Puts calls on hold.</summary>
[Cmdlet(VerbsLifecycle.Suspend, "SipCall", SupportsShouldProcess = true)]
[OutputType(typeof(SipCall))]
public sealed class SuspendSipCall : ChangeCallCmdlet
{
    /// <summary>How; the server's own way if left out.</summary>
    [Parameter]
    public SipHoldMethod? Method { get; set; }

    private protected override string? Doing => "Hold";

    private protected override Task<SipCall> ChangeAsync(ISipAdapter adapter, string callId, CancellationToken token) => adapter.HoldAsync(callId, Method, token);
}
