using System.Collections;
using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Base of cmdlets that show what servers know: of the named ones, or of all that are connected.</summary>
public abstract class KnowledgeCmdlet : SipCmdlet
{
    /// <summary>Only these connections; all if left out.</summary>
    [Parameter(ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ServerName(FromPipeline = true)]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public virtual string[]? Server { get; set; }

    /// <summary>Whom to ask.</summary>
    private protected virtual string[]? Asked => Server;

    /// <summary>What a server must be able to do to be asked.</summary>
    private protected virtual SipCapabilities Needed => SipCapabilities.None;

    /// <summary>The connections to ask.</summary>
    private protected virtual IReadOnlyList<ServerStore.Connection> Connections => Asked is null ? ThoseThatCan(ChooseEachOrAll(null), Needed) : ChooseEach(Asked);

    /// <summary>Asks one server; a list is written one by one.</summary>
    private protected abstract Task<object?> AskAsync(ISipAdapter adapter, CancellationToken token);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (ServerStore.Connection connection in Connections)
        {
            try
            {
                object? found = Pump(token => AskAsync(connection.Adapter, token));
                if (found is IEnumerable list and not string)
                {
                    foreach (object item in list)
                    {
                        SeenNames.Add(item);
                        WriteObject(item);
                    }
                }
                else if (found is not null)
                {
                    WriteObject(found);
                }
            }
            catch (SipException e)
            {
                WriteError(Errors.Record(e, connection.Name));
            }
        }
    }
}
