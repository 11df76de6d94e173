using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Has recordings take down silence, or the call again.</summary>
[Cmdlet(VerbsCommon.Set, "SipRecording", SupportsShouldProcess = true)]
[OutputType(typeof(SipRecording))]
public sealed class SetSipRecording : EachCallCmdlet
{
    /// <summary>$true: silence.</summary>
    [Parameter(Mandatory = true)]
    public bool Muted { get; set; }

    /// <summary>Only this recording; all that we began if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? RecordingId { get; set; }

    /// <summary>Put the recordings out as they are then.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override string? Doing => Muted ? "Mute the recording" : "Record again";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string callId, CancellationToken token)
    {
        IReadOnlyList<SipRecording> changed = await adapter.MuteRecordingAsync(callId, RecordingId, Muted, token).ConfigureAwait(false);
        return PassThru ? changed.ToArray() : null;
    }
}
