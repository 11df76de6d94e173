using System.Globalization;
using System.Text;

namespace IfBus.Sip.Simulators.Kamailio;

/// <summary>The evapi socket: whoever is connected gets every event, who is not misses it.</summary>
internal sealed class EventSocket : ServerSimulator
{
    private readonly object _gate = new();
    private readonly List<EventConnection> _clients = [];
    private readonly SimulatorOptions _options;

    public EventSocket(KamailioSimulatorOptions options)
        : this(options, new KamailioSimulatorOptions { Faults = options.Faults, TimeProvider = options.TimeProvider, WriteTimeout = options.WriteTimeout })
    {
    }

    private EventSocket(KamailioSimulatorOptions kamailio, KamailioSimulatorOptions own)
        : base(own)
    {
        _options = kamailio;
        Listen();
    }

    public override int ActiveChannels => 0;

    public override int ActiveCalls => 0;

    /// <summary>Sends JSON as a netstring.</summary>
    public void Relay(string json)
    {
        byte[] body = Encoding.UTF8.GetBytes(json);
        byte[] head = Encoding.ASCII.GetBytes(body.Length.ToString(CultureInfo.InvariantCulture) + ":");
        Send((byte[])[.. head, .. body, (byte)',']);
    }

    /// <summary>Sends bytes.</summary>
    public void Send(ReadOnlyMemory<byte> bytes)
    {
        lock (_gate) _clients.ForEach(c => c.Write(bytes));
    }

    public void Stop() => StopListening(static c => c.Close());

    public void Resume() => Listen();

    public override Task RestartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void HangUpByPhone(string channel) => throw new NotSupportedException();

    public override string StartIncomingCall(string from, string exten) => throw new NotSupportedException();

    private protected override SimulatorConnection Connect(Stream stream)
    {
        var connection = new EventConnection(stream, _options);
        lock (_gate) _clients.Add(connection);
        return connection;
    }

    private protected override void Disconnected(SimulatorConnection connection)
    {
        lock (_gate) _clients.Remove((EventConnection)connection);
    }

    // What a client sends is dropped: the script of the simulator takes no requests here.
    private sealed class EventConnection(Stream stream, SimulatorOptions options) : SimulatorConnection(stream, options)
    {
        protected override async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
        {
            byte[] buffer = new byte[1024];
            while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) > 0)
            {
                // Read and forgotten.
            }
        }
    }
}
