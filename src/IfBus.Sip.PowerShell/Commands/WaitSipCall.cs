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
            Follow(connection, id);
            Begin(_open, (connection, id), id, async () => await connection.Adapter.WaitForCallAsync(id, State, Timeout, StopToken).ConfigureAwait(false));
        }

        PumpReady();
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Drain(_open);

    private protected override string? Activity => "Waiting for calls";

    private protected override string? HowFar() =>
        Progress is { AllIn: true, Begun: 1 } && _open.First?.Value is { } one && one.Connection.Adapter.FindCall(one.CallId) is { } call ? $"{Describe(call)} on {call.Server}: {call.State}, waited for {string.Join(" or ", State)}, {Progress.Elapsed.TotalSeconds:0} s" : null;

    private protected override string? StillRunning() => GoOn(_open);
}
