using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Base of cmdlets that do one thing to each call that comes: many at once, each call's failure its own error.</summary>
public abstract class EachCallCmdlet : ServerCmdlet
{
    // Under way. On the pipeline's thread.
    private readonly LinkedList<(ServerStore.Connection Connection, string CallId)> _open = new();

    // Behind what a cmdlet of its own asks for: calls mostly come by the pipeline.
    /// <summary>Ids, or if:// addresses.</summary>
    [Parameter(Mandatory = true, Position = 9, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [CallId]
    [Alias("Id")]
    [ArgumentCompleter(typeof(CallIdCompleter))]
    public string[] CallId { get; set; } = [];

    /// <summary>What is done, for -WhatIf and for messages; null if nothing is changed.</summary>
    private protected abstract string? Doing { get; }

    /// <summary>Does it, and returns what is to be written: null for nothing, an array for several.</summary>
    private protected abstract Task<object?> DoAsync(ISipAdapter adapter, string callId, CancellationToken token);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string id in CallId)
        {
            if (ChooseFor(id) is not { } connection) continue;
            if (Doing is { } doing && !ShouldProcess(Describe(connection, id), doing)) continue;
            if (Doing is not null) Follow(connection, id);
            Begin(_open, (connection, id), id, () => DoAsync(connection.Adapter, id, StopToken));
        }

        PumpReady();
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Drain(_open);

    private protected override string? Activity => MyInvocation.MyCommand.Name;

    private protected override string? StillRunning() => _open.Count == 0 || Doing is null
        ? null
        : $"Stopped. {Doing} was asked for {(_open.Count == 1 ? "one call" : $"{_open.Count} calls")} and may go on; Get-SipCallStatus shows how {(_open.Count == 1 ? "it stands" : "they stand")}.";
}

/// <summary>Base of those that change a call and show it only if they are asked to.</summary>
public abstract class ChangeCallCmdlet : EachCallCmdlet
{
    /// <summary>Put the calls out as they are then.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Does it.</summary>
    private protected abstract Task<SipCall> ChangeAsync(ISipAdapter adapter, string callId, CancellationToken token);

    private protected sealed override async Task<object?> DoAsync(ISipAdapter adapter, string callId, CancellationToken token)
    {
        SipCall call = await ChangeAsync(adapter, callId, token).ConfigureAwait(false);
        return PassThru ? call : null;
    }
}
