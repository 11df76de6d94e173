using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using IfBus.Sip.Simulators.Asterisk;

namespace IfBus.Sip.Simulators;

/// <summary>
/// Plays an Asterisk's Manager Interface on 127.0.0.1, as recorded from Asterisk 22.10 and 16.28. The number that is
/// called, in <c>PJSIP/number</c>, as extension, or in <c>Local/number@context</c>, decides what its phone does; a
/// leading <c>sipp-</c> or <c>dial-</c> is left out of the reckoning:
/// <list type="table">
/// <item><term>busy…, or …486</term><description>is busy: SIP 486, cause 17</description></item>
/// <item><term>reject…, decline…</term><description>refuses: SIP 603, cause 21</description></item>
/// <item><term>notfound…</term><description>is not known at the far end: SIP 404, cause 1</description></item>
/// <item><term>ring…, noanswer…</term><description>rings for ever</description></item>
/// <item><term>dead…</term><description>never answers at all</description></item>
/// <item><term>nosuch…</term><description>is no endpoint; as extension it does not exist</description></item>
/// <item><term>unreach…, nocontact…</term><description>cannot be reached: no channel is made</description></item>
/// <item><term>answer5</term><description>rings five seconds, then answers</description></item>
/// <item><term>bye, bye3</term><description>answers, and hangs up after one or three seconds</description></item>
/// <item><term>cause34, congestion</term><description>ends with that cause</description></item>
/// <item><term>echo, wait, milliwatt, moh, play</term><description>as extension: an application that answers by itself; play ends after a second</description></item>
/// <item><term>anything else</term><description>a phone that rings <see cref="AsteriskSimulatorOptions.RingTime"/> and answers</description></item>
/// </list>
/// </summary>
public sealed class AsteriskSimulator : IAsyncDisposable, IDisposable
{
    private readonly object _gate = new();
    private readonly List<ManagerConnection> _connections = [];
    private readonly CancellationTokenSource _lifetime = new();
    private readonly AsteriskSimulatorOptions _options;
    private readonly Switchboard _switch;
    private Socket? _listener;

    private AsteriskSimulator(AsteriskSimulatorOptions options)
    {
        _options = options;
        _switch = new Switchboard(options) { RestartWanted = () => _ = RestartAsync(_lifetime.Token) };
        Listen(options.Port);
        Port = ((IPEndPoint)_listener!.LocalEndPoint!).Port;
    }

    /// <summary>Always a loopback address.</summary>
    public string Host { get; } = "127.0.0.1";

    /// <summary>TCP port.</summary>
    public int Port { get; }

    /// <summary>The user that may do everything.</summary>
    public string User => _options.User;

    /// <summary>Its secret.</summary>
    public string Secret => _options.Secret;

    /// <summary>The version played.</summary>
    public string Version => _options.Version;

    /// <summary>True if the port speaks TLS.</summary>
    public bool Tls => _options.Certificate is not null;

    /// <summary>What goes wrong.</summary>
    public SimulatorFaults Faults => _options.Faults;

    /// <summary>Channels that exist.</summary>
    public int ActiveChannels => _switch.ChannelCount;

    /// <summary>Calls that exist.</summary>
    public int ActiveCalls => _switch.CallCount;

    /// <summary>Actions taken so far.</summary>
    public long ActionsReceived => _switch.ActionsReceived;

    /// <summary>Connections.</summary>
    public int Connections
    {
        get
        {
            lock (_gate) return _connections.Count;
        }
    }

    /// <summary>Starts a simulator.</summary>
    /// <exception cref="SocketException">The port is taken.</exception>
    public static AsteriskSimulator Start(AsteriskSimulatorOptions? options = null) => new(options ?? new AsteriskSimulatorOptions());

    /// <summary>Cuts every connection; calls go on.</summary>
    public void DropConnections()
    {
        lock (_gate) _connections.ForEach(c => c.Close());
    }

    /// <summary>As <c>core restart now</c>: ends all calls for the shutdown, says Shutdown, closes, refuses for a while, and is back with FullyBooted after the first logins.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
    {
        _switch.ShutDown(restart: true);
        lock (_gate)
        {
            _listener?.Dispose();
            _listener = null;
            _connections.ForEach(c => c.CloseWhenWritten());
        }

        await Task.Delay(_options.RestartTime, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        _switch.Boot();
        Listen(Port);
        await Task.Delay(_options.RestartTime, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        _switch.Booted();
    }

    /// <summary>The far end of a channel hangs up.</summary>
    public void HangUpByPhone(string uniqueidOrChannel) => _switch.HangUpByPhone(uniqueidOrChannel);

    /// <summary>A phone calls the server and the dialplan takes its call. Returns the Uniqueid of its channel.</summary>
    public string StartIncomingCall(string from, string exten) => _switch.StartIncomingCall(from, exten);

    /// <inheritdoc/>
    public void Dispose()
    {
        // Stopped already: who has it twice stops it twice.
        if (_lifetime.IsCancellationRequested) return;
        _lifetime.Cancel();
        lock (_gate)
        {
            _listener?.Dispose();
            _listener = null;
            _connections.ForEach(c => c.Close());
        }

        _switch.Clear();
        _lifetime.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }

    private void Listen(int port)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
            listener.Listen(100);
        }
        catch
        {
            listener.Dispose();
            throw;
        }

        _listener = listener;
        _ = AcceptAsync(listener);
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
        ManagerConnection? connection = null;
        try
        {
            if (_options.Certificate is { } certificate)
            {
                var tls = new SslStream(stream);
                stream = tls;
                await tls.AuthenticateAsServerAsync(certificate).ConfigureAwait(false);
            }

            connection = new ManagerConnection(stream, _switch, _options);
            lock (_gate) _connections.Add(connection);
            await connection.RunAsync(_lifetime.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or AuthenticationException or ObjectDisposedException or OperationCanceledException or SocketException)
        {
            // A client that is gone is no matter to a server.
        }
        finally
        {
            if (connection is not null)
            {
                _switch.Remove(connection);
                lock (_gate) _connections.Remove(connection);
            }

            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }
}
