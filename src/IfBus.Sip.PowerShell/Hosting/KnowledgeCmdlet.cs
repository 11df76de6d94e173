using System.Collections;
using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Base of cmdlets that show what servers know: of the named ones, or of all that are connected.</summary>
public abstract class KnowledgeCmdlet : SipCmdlet
{
    // Servers asked, not yet answered. On the pipeline's thread.
    private readonly LinkedList<ServerStore.Connection> _open = new();

    /// <summary>Only these connections; all if left out.</summary>
    [Parameter(ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ServerName(FromPipeline = true)]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public virtual string[]? Server { get; set; }

    /// <summary>Whom to ask.</summary>
    private protected virtual string[]? Asked => Server;

    /// <summary>The connections to ask.</summary>
    private protected virtual IReadOnlyList<ServerStore.Connection> Connections => Asked is null ? ThoseThatCan(ChooseEachOrAll(null), Needed) : ChooseEach(Asked);

    /// <summary>Asks one server; a list is written one by one.</summary>
    private protected abstract Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // Side by side: one that is slow or dead keeps only its own answer back.
        foreach (ServerStore.Connection connection in Connections) Begin(_open, connection, connection.Name, () => RowsAsync(connection));
        PumpReady();
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Drain(_open);

    private async Task<object?> RowsAsync(ServerStore.Connection connection)
    {
        object? found = await AskAsync(connection.Adapter, StopToken).ConfigureAwait(false);
        if (found is not IEnumerable list || found is string) return found;
        // Only an array is written one by one.
        object[] rows = [.. list.Cast<object>()];
        foreach (object row in rows) SeenNames.Add(row);
        return rows;
    }
}
