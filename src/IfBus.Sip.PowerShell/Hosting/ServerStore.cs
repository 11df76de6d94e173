using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;
using IfBus.Sip.Simulators;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>The connections and simulators of one runspace. Parallel runspaces do not see each other's.</summary>
internal sealed class ServerStore
{
    private static readonly ConditionalWeakTable<Runspace, ServerStore> Stores = [];
    // A server object that is handed to another runspace ($using:server) brings its connection along.
    private static readonly ConditionalWeakTable<SipServer, Connection> Handed = [];
    private readonly object _gate = new();
    // Never changed, but replaced: it is read with everything that is written, and changed by hand.
    private volatile Connection[] _connections = [];
    private readonly List<Connection> _borrowed = [];
    private readonly List<SipSimulator> _simulators = [];
    private readonly Dictionary<string, int> _turns = new(StringComparer.OrdinalIgnoreCase);
    private string? _default;

    /// <summary>The store of the runspace that this thread runs.</summary>
    public static ServerStore Current => Stores.GetValue(Runspace.DefaultRunspace ?? throw new InvalidOperationException("There is no runspace on this thread."), Make);

    /// <summary>One connection.</summary>
    internal sealed record Connection(string Name, ISipAdapter Adapter, CmdletLog Log, SipServerConfiguration Configuration)
    {
        // A record prints its members; a name is all that anybody needs to see.
        public override string ToString() => Name;
    }

    /// <summary>All connections, as they are now.</summary>
    public IReadOnlyList<Connection> All => _connections;

    /// <summary>All simulators, a copy.</summary>
    public IReadOnlyList<SipSimulator> Simulators
    {
        get
        {
            lock (_gate) return [.. _simulators];
        }
    }

    /// <summary>Closes everything of the runspace that this thread runs.</summary>
    public static void CloseCurrent()
    {
        if (Runspace.DefaultRunspace is { } runspace && Stores.TryGetValue(runspace, out ServerStore? store)) store.Close();
    }

    /// <summary>A connection by name, without regard to case.</summary>
    public Connection? Find(string name) => All.FirstOrDefault(c => c.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Lets a server object of another runspace be used here by its name. The connection stays the other's: it is neither listed nor closed here.</summary>
    public void Borrow(SipServer server)
    {
        if (!Handed.TryGetValue(server, out Connection? connection)) return;
        lock (_gate)
        {
            if (_connections.Contains(connection) || _borrowed.Contains(connection)) return;
            _borrowed.RemoveAll(b => b.Name.Equals(connection.Name, StringComparison.OrdinalIgnoreCase));
            _borrowed.Add(connection);
        }
    }

    /// <summary>Adds a connection.</summary>
    public void Add(Connection connection)
    {
        lock (_gate) _connections = [.. _connections, connection];
    }

    /// <summary>Takes a connection out.</summary>
    public void Remove(Connection connection)
    {
        lock (_gate)
        {
            _connections = [.. _connections.Where(c => c != connection)];
            if (connection.Name.Equals(_default, StringComparison.OrdinalIgnoreCase)) _default = null;
        }
    }

    /// <summary>Adds a simulator.</summary>
    public void Add(SipSimulator simulator)
    {
        lock (_gate) _simulators.Add(simulator);
    }

    /// <summary>Takes a simulator out.</summary>
    public void Remove(SipSimulator simulator)
    {
        lock (_gate) _simulators.Remove(simulator);
    }

    /// <summary>Makes a connection the one that is used when -Server is left out.</summary>
    public void SetDefault(string name)
    {
        lock (_gate) _default = name;
    }

    /// <summary>Whose turn it is among servers that are called in turn: a place among their names.</summary>
    public int Turn(string names)
    {
        lock (_gate) return _turns.GetValueOrDefault(names);
    }

    /// <summary>Notes whose turn is next.</summary>
    public void SetTurn(string names, int place)
    {
        lock (_gate) _turns[names] = place;
    }

    /// <summary>A connection as users see it.</summary>
    public SipServer Describe(Connection connection)
    {
        string? current;
        lock (_gate) current = _default;
        SipServer server = connection.Adapter.Server with { IsDefault = connection.Name.Equals(current, StringComparison.OrdinalIgnoreCase) };
        Handed.AddOrUpdate(server, connection);
        return server;
    }

    /// <summary>The connection for a cmdlet: the named one, the default, or the only one.</summary>
    /// <exception cref="ServerChoiceException">None, or several and no default.</exception>
    public Connection Choose(string? name)
    {
        if (name is not null)
        {
            return Find(name) ?? FindBorrowed(name) ?? throw new ServerChoiceException(
                "SipServerNotConnected", $"There is no connection named '{SipText.Printable(name)}' in this runspace.", Names("Connected: ", "Connect-SipServer makes one."));
        }

        lock (_gate)
        {
            if (_default is not null && Find(_default) is { } chosen) return chosen;
            if (_connections.Length == 1) return _connections[0];
        }

        if (All.Count == 0) throw new ServerChoiceException("SipServerNotConnected", "No server is connected in this runspace.", "Connect-SipServer makes a connection.");
        throw new ServerChoiceException(
            "SipServerAmbiguous", $"Several servers are connected ({string.Join(", ", All.Select(c => c.Name))}) and none is the default.", "Name one with -Server, or make one the default: Set-SipServer -Default <name>.");
    }

    private static ServerStore Make(Runspace runspace)
    {
        var store = new ServerStore();
        // A runspace that is closed without Remove-Module must not leave connections behind.
        runspace.StateChanged += (_, e) =>
        {
            if (e.RunspaceStateInfo.State is RunspaceState.Closed or RunspaceState.Broken) store.Close();
        };
        return store;
    }

    private Connection? FindBorrowed(string name)
    {
        lock (_gate) return _borrowed.Find(b => b.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
    }

    private string Names(string before, string otherwise) => All.Count == 0 ? otherwise : before + string.Join(", ", All.Select(c => c.Name)) + ".";

    private void Close()
    {
        foreach (Connection connection in All)
        {
            Remove(connection);
            // In the background and in short: leaving a module must not wait for a server.
            _ = Task.Run(async () => await connection.Adapter.DisposeAsync().ConfigureAwait(false));
        }

        foreach (SipSimulator simulator in Simulators)
        {
            Remove(simulator);
            simulator.Simulator.Dispose();
        }
    }
}

/// <summary>No server can be chosen.</summary>
internal sealed class ServerChoiceException(string errorId, string message, string action) : Exception(message)
{
    public string ErrorId { get; } = errorId;

    public string Action { get; } = action;
}

/// <summary>Closes what a runspace has open when the module is removed from it.</summary>
public sealed class ModuleCleanup : IModuleAssemblyCleanup
{
    /// <inheritdoc/>
    public void OnRemove(PSModuleInfo psModuleInfo) => ServerStore.CloseCurrent();
}
