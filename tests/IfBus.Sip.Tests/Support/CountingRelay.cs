using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Tests.Support;

/// <summary>
/// Stands before a simulator and counts, on the wire, which rows of a campaign calls were asked for, whatever the protocol:
/// each row's call has the variable ROW.
/// </summary>
internal sealed partial class CountingRelay : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly object _gate = new();
    private readonly List<StringBuilder> _heard = [];
    private readonly List<TcpClient> _open = [];
    private readonly int _port;

    public CountingRelay(int port)
    {
        _port = port;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The rows that calls were asked for, in the order in which they came; one that came twice is there twice.</summary>
    public List<int> Rows
    {
        get
        {
            lock (_gate) return [.. _heard.SelectMany(text => Originate().Matches(text.ToString()).Select(m => int.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture)))];
        }
    }

    public void Dispose()
    {
        _listener.Stop();
        lock (_gate) _open.ForEach(c => c.Dispose());
    }

    // AMI, the Event Socket and Yate's external module. Yate sends the first party on with chan.masquerade, which does not match.
    [GeneratedRegex(@"(?:Action: Originate\r\n(?:[^\r\n]+\r\n)*?[^\r\n]*|bgapi originate [^\n]*|%%>message:[^:\n]*:[^:\n]*:call\.execute:[^\n]*)\bROW=([0-9]+)")]
    private static partial Regex Originate();

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
            await server.ConnectAsync(IPAddress.Loopback, _port);
            client.NoDelay = server.NoDelay = true;
            var heard = new StringBuilder();
            lock (_gate)
            {
                _heard.Add(heard);
                _open.AddRange([client, server]);
            }

            await Task.WhenAny(ListenAsync(client.GetStream(), server.GetStream(), heard), server.GetStream().CopyToAsync(client.GetStream()));
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

    // What the server cannot be given any more is counted too: it was sent.
    private async Task ListenAsync(NetworkStream from, NetworkStream to, StringBuilder heard)
    {
        byte[] buffer = new byte[16 * 1024];
        while (await from.ReadAsync(buffer) is > 0 and int count)
        {
            lock (_gate) heard.Append(Encoding.Latin1.GetString(buffer, 0, count));
            await to.WriteAsync(buffer.AsMemory(0, count));
        }
    }
}
