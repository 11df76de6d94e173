using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace IfBus.Sip.Tests.Support;

/// <summary>A request as it came over the wire.</summary>
/// <param name="Connection">Which connection, from 1.</param>
/// <param name="Head">Everything before the body.</param>
/// <param name="Body">As many bytes as Content-Length said.</param>
internal sealed record HttpPeerRequest(int Connection, string Head, string Body)
{
    public string Line => Head.Split("\r\n")[0];

    public string? Header(string name) => Head.Split("\r\n").FirstOrDefault(l => l.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))?[(name.Length + 2)..];

    /// <summary>The id of a JSON-RPC request.</summary>
    public int Id
    {
        get
        {
            using var document = System.Text.Json.JsonDocument.Parse(Body);
            return document.RootElement.GetProperty("id").GetInt32();
        }
    }
}

/// <summary>An HTTP server on loopback whose every byte a test decides, any number of connections.</summary>
internal sealed class HttpPeer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<HttpPeerRequest> _requests = [];
    private readonly List<TcpClient> _open = [];
    private readonly Func<HttpPeerRequest, Stream, Task<bool>> _answer;
    private readonly X509Certificate2? _certificate;
    private int _connections;

    /// <param name="answer">Writes what it wants; false closes the connection.</param>
    /// <param name="certificate">For TLS.</param>
    public HttpPeer(Func<HttpPeerRequest, Stream, Task<bool>> answer, X509Certificate2? certificate = null)
    {
        _answer = answer;
        _certificate = certificate;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Connections => Volatile.Read(ref _connections);

    public List<HttpPeerRequest> Requests
    {
        get
        {
            lock (_requests) return [.. _requests];
        }
    }

    /// <summary>A reply of JSON-RPC with its status.</summary>
    public static Task<bool> SayAsync(Stream stream, string body, string status = "200 OK", string type = "application/json", string more = "") =>
        RawAsync(stream, $"HTTP/1.1 {status}\r\nContent-Type: {type}\r\n{more}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    public static async Task<bool> RawAsync(Stream stream, string text)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
        return true;
    }

    /// <summary>Closes what lies idle, as a server does when its time is up.</summary>
    public void CloseConnections()
    {
        lock (_open)
        {
            _open.ForEach(c => c.Dispose());
            _open.Clear();
        }
    }

    public void Dispose()
    {
        _listener.Stop();
        CloseConnections();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync();
                int number = Interlocked.Increment(ref _connections);
                lock (_open) _open.Add(client);
                _ = ServeAsync(client, number);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private async Task ServeAsync(TcpClient client, int number)
    {
        using TcpClient _ = client;
        try
        {
            Stream stream = client.GetStream();
            if (_certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(_certificate);
                stream = tls;
            }

            while (await ReadAsync(stream, number) is { } request)
            {
                lock (_requests) _requests.Add(request);
                if (!await _answer(request, stream)) return;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
        {
            // The client has gone.
        }
    }

    private static async Task<HttpPeerRequest?> ReadAsync(Stream stream, int number)
    {
        var head = new List<byte>();
        byte[] one = new byte[1];
        while (head.Count < 4 || !head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            if (await stream.ReadAsync(one) == 0) return null;
            head.Add(one[0]);
        }

        string text = Encoding.UTF8.GetString([.. head]);
        string? length = text.Split("\r\n").FirstOrDefault(l => l.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))?["Content-Length: ".Length..];
        byte[] body = new byte[int.Parse(length ?? "0", System.Globalization.CultureInfo.InvariantCulture)];
        await stream.ReadExactlyAsync(body);
        return new HttpPeerRequest(number, text, Encoding.UTF8.GetString(body));
    }
}
