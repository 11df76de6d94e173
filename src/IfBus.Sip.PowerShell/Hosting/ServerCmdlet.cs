using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Base of the cmdlets that work on one server.</summary>
public abstract class ServerCmdlet : SipCmdlet
{
    /// <summary>The connection to use; the default or the only one if left out. A call that is piped in brings its own.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string? Server { get; set; }

    /// <summary>The server that a call lives on: the named one, else the one that knows it, else the one to choose.</summary>
    private protected ServerStore.Connection? ChooseFor(string callId)
    {
        if (Server is null && Store.All.Count > 1 && Store.All.FirstOrDefault(c => c.Adapter.FindCall(callId) is not null) is { } owner) return owner;
        return Choose(Server);
    }

    /// <summary>A call that the connection knows, live or lately ended; if it does not, the server is asked.</summary>
    /// <exception cref="SipCallNotFoundException">The server does not have it either.</exception>
    private protected SipCall FindOrAsk(ServerStore.Connection connection, string callId)
    {
        if (connection.Adapter.FindCall(callId) is { } known) return known;
        // Perhaps others made it a moment ago.
        Pump(connection.Adapter.GetCallsAsync);
        return connection.Adapter.FindCall(callId) ?? throw new SipCallNotFoundException($"{connection.Name} has no call '{SipText.Printable(callId)}'.")
        {
            CallId = callId,
            Server = connection.Name,
            RecommendedAction = "Get-SipCallStatus without an id lists the live calls.",
        };
    }

    /// <summary>A call of a connection in one line; its id if it is not known.</summary>
    private protected static string Describe(ServerStore.Connection connection, string id) =>
        connection.Adapter.FindCall(id) is { } call ? $"{Describe(call)} on {connection.Name}" : $"{SipText.Printable(id)} on {connection.Name}";
}
