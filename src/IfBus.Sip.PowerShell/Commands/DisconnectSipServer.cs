using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Disconnects. Calls on the server go on.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "SipServer", SupportsShouldProcess = true, DefaultParameterSetName = "Server")]
public sealed class DisconnectSipServer : SipCmdlet
{
    /// <summary>The connections to end; the only one or the default if left out.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ParameterSetName = "Server")]
    [Alias("Name")]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Server { get; set; }

    /// <summary>All connections of this runspace.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "All")]
    public SwitchParameter All { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (ServerStore.Connection connection in All ? Store.All : [.. (Server ?? [null!]).Select(ChooseOwn).OfType<ServerStore.Connection>()])
        {
            if (!ShouldProcess(connection.Name, "Disconnect")) continue;
            Store.Remove(connection);
            PumpTask(async _ => await connection.Adapter.DisposeAsync().ConfigureAwait(false));
        }
    }
}
