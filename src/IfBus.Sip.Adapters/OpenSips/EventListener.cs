using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>
/// Where the server brings its events to: it opens the connection, at the first event, one for all events (module
/// event_stream). Only the server's own addresses are let in.
/// </summary>
internal sealed class EventListener(IPEndPoint address, Func<IPAddress, bool> mayConnect, string server, ILogger log) : IDisposable
{
    private const int MostConnections = 8;

    private readonly object _gate = new();
    private readonly List<Socket> _open = [];
    private Socket? _socket;
    private int _port = address.Port;

    /// <summary>An event: its name, its params, and the bytes of the whole object. On the reader of a connection: must not wait.</summary>
    public Action<string, JsonElement, ReadOnlyMemory<byte>>? OnEvent { get; init; }

    /// <summary>The server has connected; true if it had been connected before.</summary>
    public Action? OnConnected { get; init; }

    /// <summary>A connection of the server has ended, and not by us.</summary>
    public Action? OnLost { get; init; }

    /// <summary>How the server is told to reach it.</summary>
    public string Target => address.AddressFamily == AddressFamily.InterNetworkV6 ? $"tcp:[{address.Address}]:{_port}" : $"tcp:{address.Address}:{_port}";

    /// <summary>Opens the port: the wanted one, or the one of the first time.</summary>
    /// <exception cref="SipConnectionException">It cannot be opened.</exception>
    public void Start()
    {
        lock (_gate)
        {
            if (_socket is not null) return;
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(address.Address, _port));
                socket.Listen(MostConnections);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                throw new SipConnectionException($"Events of {server} cannot be taken at {address.Address}:{_port}: {SipText.Reason(e)}.", e, "SipEventAddressUnusable")
                {
                    Server = server,
                    RecommendedAction = "Give an address of this machine that the server reaches, and a free port, with -EventAddress.",
                };
            }

            _port = ((IPEndPoint)socket.LocalEndPoint!).Port;
            _socket = socket;
            _ = AcceptAsync(socket);
        }
    }

    /// <summary>Closes the port and what came through it. What the server sends now is lost.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _socket?.Dispose();
            _socket = null;
            _open.ForEach(s => s.Dispose());
            _open.Clear();
        }
    }

    public void Dispose() => Stop();

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

            IPAddress from = ((IPEndPoint)socket.RemoteEndPoint!).Address;
            bool welcome = mayConnect(from);
            lock (_gate)
            {
                welcome &= _socket == listener && _open.Count < MostConnections;
                if (welcome) _open.Add(socket);
            }

            if (welcome)
            {
                OnConnected?.Invoke();
                _ = ServeAsync(socket);
            }
            else
            {
                Log.EventsRefused(log, server, from);
                socket.Dispose();
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        int filled = 0;
        var framer = new EventFramer();
        try
        {
            while (true)
            {
                int count = await socket.ReceiveAsync(buffer.AsMemory(filled)).ConfigureAwait(false);
                if (count == 0) break;
                filled += count;
                int taken = 0;
                while (framer.TryRead(buffer.AsSpan(taken, filled - taken), out int begin, out int length))
                {
                    if (Take(buffer.AsSpan(taken + begin, length - begin)) is { } answer) await socket.SendAsync(answer).ConfigureAwait(false);
                    taken += length;
                }

                buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
                filled -= taken;
                if (filled < buffer.Length) continue;
                byte[] larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                buffer.AsSpan(0, filled).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is gone.
        }
        catch (Exception e) when (e is SipProtocolException or JsonException)
        {
            Log.EventsMalformed(log, server, e.Message);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            lock (_gate) _open.Remove(socket);
            socket.Dispose();
            OnLost?.Invoke();
        }
    }

    // With reliable_mode an event has an id and wants an answer.
    private byte[]? Take(ReadOnlySpan<byte> bytes)
    {
        // Bytes of phones that are no UTF-8 are passed on by the server as they are.
        byte[] raw = Utf8.IsValid(bytes) ? bytes.ToArray() : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes));
        using JsonDocument document = JsonDocument.Parse(raw);
        JsonElement root = document.RootElement;
        if (MiJson.Text(root, "method") is { } name) OnEvent?.Invoke(name, root.TryGetProperty("params", out JsonElement parameters) ? parameters : default, raw);
        if (!root.TryGetProperty("id", out JsonElement id) || id.ValueKind is not (JsonValueKind.Number or JsonValueKind.String)) return null;
        return Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"result\":\"OK\",\"id\":{id.GetRawText()}}}");
    }
}
