using System.Diagnostics.CodeAnalysis;
using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;

namespace IfBus.Sip.Hosting;

/// <summary>
/// The connections and simulators of one runspace. Not a variable of the session: parallel runspaces do not disturb
/// each other, and no script can overwrite it.
/// </summary>
internal sealed class ServerStore
{
    private const int MostRecent = 200;
    private static readonly ConditionalWeakTable<Runspace, ServerStore> Stores = [];
    // A SipServer handed to another runspace still finds its connection.
    private static readonly ConditionalWeakTable<SipServer, ISipAdapter> Handed = [];

    private readonly object _gate = new();
    private readonly List<(string Name, ISipAdapter Adapter)> _servers = [];
    private readonly List<SipSimulator> _simulators = [];
    private readonly Queue<(string Server, string CallId)> _recent = new();
    private string? _default;

    /// <summary>The log of all connections made here.</summary>
    public LogSink Log { get; } = new();

    /// <summary>The name of the default connection, if one was chosen.</summary>
    public string? Default
    {
        get
        {
            lock (_gate) return _default;
        }
    }

    /// <summary>The store of the runspace that this thread runs.</summary>
    public static ServerStore Current => Runspace.DefaultRunspace is { } runspace ? Stores.GetValue(runspace, Create) : new ServerStore();

    /// <summary>The connection behind a server object that a cmdlet put out, in whichever runspace.</summary>
    public static ISipAdapter? AdapterOf(SipServer server) => Handed.TryGetValue(server, out ISipAdapter? adapter) ? adapter : null;

    /// <summary>All connections, in the order they were made.</summary>
    public IReadOnlyList<(string Name, ISipAdapter Adapter)> Servers
    {
        get
        {
            lock (_gate) return [.. _servers];
        }
    }

    /// <summary>All running simulators.</summary>
    public IReadOnlyList<SipSimulator> Simulators
    {
        get
        {
            lock (_gate) return [.. _simulators];
        }
    }

    /// <summary>Calls that cmdlets put out lately, newest last.</summary>
    public IReadOnlyList<(string Server, string CallId)> RecentCalls
    {
        get
        {
            lock (_gate) return [.. _recent];
        }
    }

    /// <summary>The connection as an object for the user.</summary>
    public SipServer Describe(ISipAdapter adapter)
    {
        SipServer server = adapter.Server;
        lock (_gate) server = server with { IsDefault = string.Equals(server.Name, _default, StringComparison.OrdinalIgnoreCase) };
        Handed.AddOrUpdate(server, adapter);
        return server;
    }

    /// <summary>Finds a connection by name.</summary>
    public bool TryFind(string name, [NotNullWhen(true)] out ISipAdapter? adapter)
    {
        lock (_gate)
        {
            adapter = _servers.Find(s => Same(s.Name, name)).Adapter;
            return adapter is not null;
        }
    }

    /// <summary>The connection for a cmdlet whose -Server was left out.</summary>
    /// <exception cref="SipException">There is none, or it is not clear which.</exception>
    public ISipAdapter Implicit()
    {
        lock (_gate)
        {
            if (_servers.Count == 0) throw ServerErrors.NoConnection();
            if (_default is { } name && _servers.Find(s => Same(s.Name, name)).Adapter is { } chosen) return chosen;
            // One that is down says so better than we could.
            if (_servers.Count == 1) return _servers[0].Adapter;
            var live = _servers.FindAll(s => IsLive(s.Adapter));
            return live.Count == 1 ? live[0].Adapter : throw ServerErrors.Ambiguous([.. _servers.Select(s => s.Name)]);
        }
    }

    /// <summary>Keeps a connection.</summary>
    public void Add(ISipAdapter adapter)
    {
        lock (_gate) _servers.Add((adapter.Server.Name, adapter));
    }

    /// <summary>Forgets a connection.</summary>
    public void Remove(ISipAdapter adapter)
    {
        lock (_gate)
        {
            int at = _servers.FindIndex(s => ReferenceEquals(s.Adapter, adapter));
            if (at < 0) return;
            if (Same(_servers[at].Name, _default)) _default = null;
            _servers.RemoveAt(at);
        }
    }

    /// <summary>Chooses the default connection.</summary>
    public void SetDefault(string? name)
    {
        lock (_gate) _default = name;
    }

    /// <summary>Keeps a simulator.</summary>
    public void Add(SipSimulator simulator)
    {
        lock (_gate) _simulators.Add(simulator);
    }

    /// <summary>Forgets a simulator; false if it is not one of ours.</summary>
    public bool Remove(SipSimulator simulator)
    {
        lock (_gate) return _simulators.Remove(simulator);
    }

    /// <summary>Notes a call for the completion of -CallId.</summary>
    public void Remember(SipCall call)
    {
        lock (_gate)
        {
            _recent.Enqueue((call.Server, call.CallId));
            if (_recent.Count > MostRecent) _recent.Dequeue();
        }
    }

    /// <summary>Ends everything of this runspace. Does not wait for good-byes.</summary>
    public void Close()
    {
        List<IAsyncDisposable> all;
        lock (_gate)
        {
            all = [.. _servers.Select(s => s.Adapter), .. _simulators];
            _servers.Clear();
            _simulators.Clear();
            _recent.Clear();
            _default = null;
        }

        if (all.Count == 0) return;
        Task closing = Task.WhenAll(all.Select(a => Task.Run(async () => await a.DisposeAsync().ConfigureAwait(false))));
        // Long enough for a good-bye on a healthy connection, short enough for Remove-Module.
        try
        {
            closing.Wait(TimeSpan.FromSeconds(2));
        }
        catch (AggregateException)
        {
            // A connection that cannot say good-bye is gone as well.
        }
    }

    /// <summary>True while it serves, or may serve again by itself.</summary>
    public static bool IsLive(ISipAdapter adapter) =>
        adapter.Server.State is ConnectionState.Connected or ConnectionState.Connecting or ConnectionState.Reconnecting;

    private static ServerStore Create(Runspace runspace)
    {
        var store = new ServerStore();
        // A connection would outlive its runspace otherwise: nobody could reach it to close it.
        runspace.StateChanged += (_, e) =>
        {
            if (e.RunspaceStateInfo.State is RunspaceState.Closed or RunspaceState.Broken) store.Close();
        };
        return store;
    }

    private static bool Same(string? a, string? b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
}
