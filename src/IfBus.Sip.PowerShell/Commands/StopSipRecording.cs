using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Ends recordings of calls.</summary>
[Cmdlet(VerbsLifecycle.Stop, "SipRecording", SupportsShouldProcess = true)]
[OutputType(typeof(SipRecording))]
public sealed class StopSipRecording : EachCallCmdlet
{
    /// <summary>Only this recording; all that we began if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? RecordingId { get; set; }

    /// <summary>Put the recordings out as they are then.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string? Doing => "End the recording";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string callId, CancellationToken token)
    {
        IReadOnlyList<SipRecording> ended = await adapter.StopRecordingAsync(callId, RecordingId, token).ConfigureAwait(false);
        return PassThru ? ended.ToArray() : null;
    }
}
