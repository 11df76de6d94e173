using System.Net;
using System.Net.Sockets;

namespace IfBus.Sip.Tests.Support;

/// <summary>Stands between a client and a server, and can cut the line between them: the server goes on, the client sees nothing.</summary>
internal sealed class Relay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly object _gate = new();
    private readonly List<TcpClient> _open = [];
    private readonly string _host;
    private readonly int _port;
    private readonly Func<NetworkStream, NetworkStream, Task> _fromClient;
    private bool _cut;

    /// <summary>Listens.</summary>
    /// <param name="host">The server.</param>
    /// <param name="port">Its port.</param>
    /// <param name="fromClient">Hands on what a client sends, until it ends; as it comes if null.</param>
    public Relay(string host, int port, Func<NetworkStream, NetworkStream, Task>? fromClient = null)
    {
        _fromClient = fromClient ?? (static (client, server) => client.CopyToAsync(server));
        _host = host;
        _port = port;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Cuts what is connected, and whatever tries to connect until <see cref="Mend"/>.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            _cut = true;
            _open.ForEach(c => c.Dispose());
            _open.Clear();
        }
    }

    public void Mend()
    {
        lock (_gate) _cut = false;
    }

    public void Dispose()
    {
        Cut();
        _listener.Stop();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        var server = new TcpClient();
        try
        {
            await server.ConnectAsync(_host, _port);
            client.NoDelay = server.NoDelay = true;
            lock (_gate)
            {
                if (_cut) return;
                _open.AddRange([client, server]);
            }

            await Task.WhenAny(_fromClient(client.GetStream(), server.GetStream()), server.GetStream().CopyToAsync(client.GetStream()));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One side is gone: the other goes too.
        }
        finally
        {
            client.Dispose();
            server.Dispose();
        }
    }
}
