using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace IfBus.Sip.Simulators;

/// <summary>A simulated server of whatever kind: it listens on 127.0.0.1, serves its clients, and its phones can be made to call and to hang up.</summary>
public abstract class ServerSimulator : IAsyncDisposable, IDisposable
{
    private readonly object _gate = new();
    private readonly List<SimulatorConnection> _connections = [];
    private readonly SimulatorOptions _options;
    private Socket? _listener;

    private protected ServerSimulator(SimulatorOptions options) => _options = options;

    /// <summary>Always a loopback address.</summary>
    public string Host { get; } = "127.0.0.1";

    /// <summary>TCP port.</summary>
    public int Port { get; private set; }

    /// <summary>The user that may do everything.</summary>
    public string User => _options.User;

    /// <summary>Its secret.</summary>
    public string Secret => _options.Secret;

    /// <summary>The version played.</summary>
    public string Version => _options.Version;

    /// <summary>True if the port speaks TLS.</summary>
    public virtual bool Tls => false;

    /// <summary>What goes wrong.</summary>
    public SimulatorFaults Faults => _options.Faults;

    /// <summary>Channels that exist.</summary>
    public abstract int ActiveChannels { get; }

    /// <summary>Calls that exist.</summary>
    public abstract int ActiveCalls { get; }

    /// <summary>Connections.</summary>
    public int Connections
    {
        get
        {
            lock (_gate) return _connections.Count;
        }
    }

    /// <summary>Ends with the simulator.</summary>
    private protected CancellationTokenSource Lifetime { get; } = new();

    /// <summary>Cuts every connection; calls go on.</summary>
    public void DropConnections()
    {
        lock (_gate) _connections.ForEach(c => c.Close());
    }

    /// <summary>Ends all calls as the server's own shutdown does, closes, refuses for a while, and is back.</summary>
    public abstract Task RestartAsync(CancellationToken cancellationToken);

    /// <summary>The far end of a channel hangs up.</summary>
    /// <param name="channel">Id or name of the channel.</param>
    public abstract void HangUpByPhone(string channel);

    /// <summary>A phone calls the server and the dialplan takes its call. Returns the id of its channel.</summary>
    public abstract string StartIncomingCall(string from, string exten);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
        return default;
    }

    /// <summary>Closes the port and the connections, then ends what the server keeps.</summary>
    private protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        Lifetime.Cancel();
        StopListening(c => c.Close());
        Lifetime.Dispose();
    }

    /// <summary>One client's connection, that has not begun yet. The stream is the socket's, or what <see cref="SecureAsync"/> made of it.</summary>
    private protected abstract SimulatorConnection Connect(Stream stream);

    /// <summary>The connection is over.</summary>
    private protected abstract void Disconnected(SimulatorConnection connection);

    /// <summary>Puts TLS on the stream if the server speaks it.</summary>
    private protected virtual Task<Stream> SecureAsync(Stream stream) => Task.FromResult(stream);

    /// <summary>Opens the port: the wanted one, or the one of the first time.</summary>
    private protected void Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(IPAddress.Loopback, Port == 0 ? _options.Port : Port));
            listener.Listen(100);
        }
        catch
        {
            listener.Dispose();
            throw;
        }

        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _listener = listener;
        _ = AcceptAsync(listener);
    }

    /// <summary>Closes the port, and the connections as told.</summary>
    private protected void StopListening(Action<SimulatorConnection> close)
    {
        lock (_gate)
        {
            _listener?.Dispose();
            _listener = null;
            _connections.ForEach(close);
        }
    }

    private async Task AcceptAsync(Socket listener)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await listener.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            if (Faults.RefuseConnections) socket.Dispose();
            else _ = ServeAsync(socket);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        socket.NoDelay = true;
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        SimulatorConnection? connection = null;
        try
        {
            stream = await SecureAsync(stream).ConfigureAwait(false);
            connection = Connect(stream);
            lock (_gate) _connections.Add(connection);
            await connection.RunAsync(Lifetime.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or AuthenticationException or ObjectDisposedException or OperationCanceledException or SocketException)
        {
            // A client that is gone is no matter to a server.
        }
        finally
        {
            if (connection is not null)
            {
                Disconnected(connection);
                lock (_gate) _connections.Remove(connection);
            }

            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }
}
