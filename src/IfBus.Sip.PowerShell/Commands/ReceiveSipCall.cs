using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Answers calls that come in.</summary>
[Cmdlet(VerbsCommunications.Receive, "SipCall", SupportsShouldProcess = true)]
[OutputType(typeof(SipCall))]
public sealed class ReceiveSipCall : ChangeCallCmdlet
{
    private protected override string? Doing => "Answer";

    private protected override Task<SipCall> ChangeAsync(ISipAdapter adapter, string callId, CancellationToken token) => adapter.AnswerAsync(callId, token);
}
