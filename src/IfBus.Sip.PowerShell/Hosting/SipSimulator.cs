using System.Management.Automation;

namespace IfBus.Sip;

/// <summary>A simulated server on this machine. Pipe it to Connect-SipServer; Stop-SipSimulator ends it.</summary>
public sealed class SipSimulator : IAsyncDisposable
{
    private readonly IAsyncDisposable _simulator;
    private readonly Func<int> _activeCalls;

    internal SipSimulator(string name, SipServerType type, string host, int port, string version, PSCredential credential, IAsyncDisposable simulator, Func<int> activeCalls)
    {
        Name = name;
        Type = type;
        Host = host;
        Port = port;
        Version = version;
        Credential = credential;
        _simulator = simulator;
        _activeCalls = activeCalls;
    }

    /// <summary>Its name here; a connection to it has the same name unless another is given.</summary>
    public string Name { get; }

    /// <summary>Kind of server it plays.</summary>
    public SipServerType Type { get; }

    /// <summary>Address it listens on.</summary>
    public string Host { get; }

    /// <summary>TCP port it listens on.</summary>
    public int Port { get; }

    /// <summary>Version it plays.</summary>
    public string Version { get; }

    /// <summary>The login it accepts.</summary>
    public PSCredential Credential { get; }

    /// <summary>Its live calls, now.</summary>
    public int ActiveCalls => _activeCalls();

    /// <summary>Ends it.</summary>
    public ValueTask DisposeAsync() => _simulator.DisposeAsync();

    /// <inheritdoc/>
    public override string ToString() => Name;
}
