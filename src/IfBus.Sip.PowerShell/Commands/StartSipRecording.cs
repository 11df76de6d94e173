using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Begins to record calls on their server.</summary>
[Cmdlet(VerbsLifecycle.Start, "SipRecording", SupportsShouldProcess = true)]
[OutputType(typeof(SipRecording))]
public sealed class StartSipRecording : EachCallCmdlet
{
    /// <summary>File, relative to the server's recording folder; {0} becomes the call's id. The call's id as a WAV file if left out.</summary>
    [Parameter(Position = 0)]
    public string Path { get; set; } = "{0}.wav";

    /// <summary>Whose leg is recorded; both directions of it are.</summary>
    [Parameter]
    [ValidateSet("From", "To")]
    public SipParty Party { get; set; } = SipParty.From;

    private protected override string? Doing => "Record";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string callId, CancellationToken token) =>
        await adapter.StartRecordingAsync(callId, new SipRecordingRequest { Path = Path.Replace("{0}", adapter.FindCall(callId)?.CallId ?? callId, StringComparison.Ordinal), Party = Party }, token).ConfigureAwait(false);
}
