using System.Net.Sockets;
using IfBus.Sip.Simulators.Kamailio;

namespace IfBus.Sip.Simulators;

/// <summary>
/// Plays a Kamailio's JSON-RPC over HTTP and its evapi socket on 127.0.0.1, as recorded from Kamailio 5.6.3, with its
/// silences and its empty successes. The user of a called address decides what its phone does: busy…, reject…,
/// notfound…, congestion…, ring…, bye…, answer5 as for the other simulators; nosuch… and unreach… are not registered
/// (404 by the server itself); norefer… answers, and calls nobody when it is told to; anything else rings
/// <see cref="SimulatorOptions.RingTime"/> and answers.
/// </summary>
public sealed class KamailioSimulator : ServerSimulator
{
    private readonly KamailioSimulatorOptions _options;
    private readonly ProxyCore _core;
    private readonly EventSocket _events;
    private readonly RpcCommands _commands;

    private KamailioSimulator(KamailioSimulatorOptions options)
        : base(options)
    {
        _options = options;
        _events = new EventSocket(options);
        _core = new ProxyCore(options, _events.Relay, Lifetime.Token);
        _commands = new RpcCommands(_core, options);
        Listen();
    }

    /// <summary>Where the evapi socket is.</summary>
    public string EventAddress => $"{Host}:{_events.Port}";

    /// <inheritdoc/>
    public override int ActiveChannels => 2 * _core.LiveCount;

    /// <inheritdoc/>
    public override int ActiveCalls => _core.LiveCount;

    /// <summary>The path of requests.</summary>
    public string Path => _options.Path;

    /// <summary>The commands taken so far, over all connections, in order: name and parameters as they came.</summary>
    public IReadOnlyList<string> Received => _commands.Taken;

    /// <summary>Connections to the event socket.</summary>
    public int EventConnections => _events.Connections;

    /// <summary>Starts a simulator.</summary>
    /// <exception cref="SocketException">The port is taken.</exception>
    public static KamailioSimulator Start(KamailioSimulatorOptions? options = null) => new(options ?? new KamailioSimulatorOptions());

    /// <summary>Sends bytes to all clients of the event socket as they are, for tests of what a script may do wrong.</summary>
    public void SendEventBytes(ReadOnlyMemory<byte> bytes) => _events.Send(bytes);

    /// <summary>Closes the connections of the event socket.</summary>
    public void DropEventConnections() => _events.DropConnections();

    /// <summary>As a killed process and a new start: connections end, the calls are gone, the port is closed for a while.</summary>
    public override async Task RestartAsync(CancellationToken cancellationToken)
    {
        StopListening(static c => c.Close());
        _events.Stop();
        _core.Restart();
        await Task.Delay(_options.RestartTime, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        _events.Resume();
        Listen();
    }

    /// <summary>The phone at one side of a call hangs up, or gives up while it rings.</summary>
    /// <param name="channel">The tag of its side, or a Call-ID for the caller's.</param>
    public override void HangUpByPhone(string channel) => _core.HangUpByPhone(channel);

    /// <summary>A phone calls another through the proxy. Returns the Call-ID.</summary>
    public override string StartIncomingCall(string from, string exten) => _core.Call($"sip:{from}@{Host}", $"sip:{exten}@{Host}:5060");

    private protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _events.Dispose();
    }

    private protected override SimulatorConnection Connect(Stream stream) => new HttpConnection(stream, _commands, _options);

    private protected override void Disconnected(SimulatorConnection connection)
    {
        // It keeps nothing of a client.
    }
}
