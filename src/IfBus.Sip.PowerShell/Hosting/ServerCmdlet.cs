using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Base of the cmdlets that work on one server.</summary>
public abstract class ServerCmdlet : CallServerCmdlet
{
    /// <summary>The connection to use; the default or the only one if left out. A call that is piped in brings its own.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string? Server { get; set; }

    private protected sealed override string[]? NamedServers => Server is null ? null : [Server];

    /// <summary>A call of a connection in one line; its id if it is not known.</summary>
    private protected static string Describe(ServerStore.Connection connection, string id) =>
        connection.Adapter.FindCall(id) is { } call ? $"{Describe(call)} on {connection.Name}" : $"{SipText.Printable(id)} on {connection.Name}";
}
