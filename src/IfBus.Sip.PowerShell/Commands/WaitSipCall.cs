using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Waits until calls are in a state, or have ended.</summary>
[Cmdlet(VerbsLifecycle.Wait, "SipCall")]
[OutputType(typeof(SipCall))]
public sealed class WaitSipCall : ServerCmdlet
{
    // Waited for. On the pipeline's thread.
    private readonly LinkedList<(ServerStore.Connection Connection, string CallId)> _open = new();
    private int _count;

    /// <summary>Ids, or if:// addresses.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [CallId]
    [Alias("Id")]
    [ArgumentCompleter(typeof(CallIdCompleter))]
    public string[] CallId { get; set; } = [];

    /// <summary>The states waited for. A call that ends is waited for no longer.</summary>
    [Parameter]
    public CallState[] State { get; set; } = [CallState.Terminated];

    /// <summary>How long; seconds or a TimeSpan, at most 49 days. Without end if left out.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? Timeout { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        CheckTimeout(Timeout);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string id in CallId)
        {
            if (ChooseFor(id) is not { } connection) continue;
            _count++;
            Begin(_open, (connection, id), id, async () => await connection.Adapter.WaitForCallAsync(id, State, Timeout, StopToken).ConfigureAwait(false));
        }

        PumpReady();
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_open.Count == 0) return;
        var progress = new ProgressRecord(1, "Waiting for calls", $"{_count} calls");
        PumpWhile(() =>
        {
            if (_open.Count == 0) return false;
            progress.StatusDescription = $"{_count - _open.Count} of {_count} are {string.Join(" or ", State)}";
            progress.PercentComplete = 100 * (_count - _open.Count) / _count;
            WriteProgress(progress);
            return true;
        });
        progress.RecordType = ProgressRecordType.Completed;
        WriteProgress(progress);
    }

    private protected override string? StillRunning() => GoOn(_open);
}
