using System.Globalization;
using System.Text;

namespace IfBus.Sip.Simulators.OpenSips;

/// <summary>
/// One client of the HTTP port, served as httpd on libmicrohttpd does: one process serves all, a second request that comes
/// before the first is answered waits until another one wakes it, and replies without a body never end by themselves.
/// </summary>
internal sealed class MiConnection(Stream stream, ProxyCore core, OpenSipsSimulatorOptions options) : SimulatorConnection(stream, options)
{
    private readonly string _basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(options.User + ":" + options.Secret));
    private readonly string _bearer = "Bearer " + options.Secret;
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _openEnded;
    private bool _continued;

    /// <summary>When it was last used.</summary>
    public long LastUsed { get; private set; } = options.TimeProvider.GetTimestamp();

    /// <summary>Another request has come somewhere: what this connection left undone is done now.</summary>
    public void Wake()
    {
        if (_openEnded)
        {
            _openEnded = false;
            Write("0\r\n\r\n"u8.ToArray());
        }

        _woken.TrySetResult();
    }

    protected override async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        core.Connected(this);
        byte[] buffer = new byte[options.ReceiveBuffer + 8192];
        int filled = 0;
        bool pipelined = false;
        while (!Closed)
        {
            if (TryTake(buffer.AsSpan(0, filled), out string? head, out byte[]? body, out int taken))
            {
                if (pipelined)
                {
                    _woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    await _woken.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
                }

                buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
                filled -= taken;
                LastUsed = options.TimeProvider.GetTimestamp();
                core.OnRequest(this);
                if (!Answer(head!, body!)) return;
                pipelined = filled > 0;
                continue;
            }

            if (filled == buffer.Length)
            {
                Endless("400 Bad Request");
                filled = 0;
            }

            int count = await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken).ConfigureAwait(false);
            if (count == 0) return;
            pipelined = false;
            filled += count;
            if (!_continued && buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8) >= 0 && Encoding.ASCII.GetString(buffer, 0, filled).Contains("100-continue", StringComparison.OrdinalIgnoreCase))
            {
                _continued = true;
                Write("HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray());
            }
        }
    }

    private static string? Header(string head, string name) =>
        head.Split("\r\n").FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();

    private static bool TryTake(ReadOnlySpan<byte> bytes, out string? head, out byte[]? body, out int taken)
    {
        (head, body, taken) = (null, null, 0);
        int end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;
        head = Encoding.UTF8.GetString(bytes[..end]);
        ReadOnlySpan<byte> rest = bytes[(end + 4)..];
        if (Header(head, "Transfer-Encoding")?.Contains("chunked", StringComparison.OrdinalIgnoreCase) == true) return TryChunks(rest, end + 4, out body, out taken);
        int length = int.TryParse(Header(head, "Content-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out int said) ? said : 0;
        if (rest.Length < length) return false;
        body = rest[..length].ToArray();
        taken = end + 4 + length;
        return true;
    }

    private static bool TryChunks(ReadOnlySpan<byte> bytes, int before, out byte[]? body, out int taken)
    {
        (body, taken) = (null, 0);
        var whole = new List<byte>();
        int at = 0;
        while (true)
        {
            int line = bytes[at..].IndexOf("\r\n"u8);
            if (line < 0 || !int.TryParse(Encoding.ASCII.GetString(bytes.Slice(at, line)), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int size)) return false;
            at += line + 2;
            if (bytes.Length < at + size + 2) return false;
            if (size == 0) break;
            whole.AddRange(bytes.Slice(at, size));
            at += size + 2;
        }

        body = [.. whole];
        taken = before + at + 2;
        return true;
    }

    // False if the connection is to end.
    private bool Answer(string head, byte[] body)
    {
        _continued = false;
        string[] words = head.Split("\r\n")[0].Split(' ');
        (string method, string path) = (words[0], words.Length > 1 ? words[1] : "");
        bool last = words is [_, _, "HTTP/1.0"] || Header(head, "Connection")?.Equals("close", StringComparison.OrdinalIgnoreCase) == true;
        if (options.Secret.Length > 0 && Header(head, "Authorization") is var login && login != _basic && login != _bearer)
        {
            Say("401 Unauthorized", "text/html", "<html><body>401 Authorization Required</body></html>"u8.ToArray(), "WWW-Authenticate: Basic realm=\"proxy\"\r\n");
        }
        else if (method is not ("GET" or "POST"))
        {
            Say("406 Not Acceptable", "text/html", "<html><body>Unsupported HTTP request!</body></html>"u8.ToArray());
        }
        else if (path != options.Path && !path.StartsWith(options.Path + "/", StringComparison.Ordinal))
        {
            Say("400 Bad Request", "text/html", "<html><body>Unable to parse URL!</body></html>"u8.ToArray());
        }
        else if (method == "GET")
        {
            Endless("405 Method Not Allowed");
        }
        else if (Header(head, "Content-Type")?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) != true)
        {
            return false;
        }
        else if (body.Length == 0 || head.Length + 4 + body.Length > options.ReceiveBuffer)
        {
            Endless("400 Bad Request");
        }
        else if (core.Commands.Run(body) is not { } reply)
        {
            Endless("202 Accepted");
        }
        else if (reply.Length > options.ReplyBuffer)
        {
            Endless("500 Internal Server Error");
        }
        else
        {
            Say("200 OK", "application/json", reply);
        }

        if (last) CloseWhenWritten();
        return true;
    }

    private void Endless(string status)
    {
        _openEnded = true;
        Write(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nDate: Sun, 22 Nov 2026 22:33:03 GMT\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n"));
    }

    private void Say(string status, string type, byte[] body, string more = "")
    {
        byte[] head = Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nDate: Sun, 22 Nov 2026 22:33:03 GMT\r\n{more}Content-Type: {type}\r\nContent-Length: {body.Length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n");
        Write((byte[])[.. head, .. body]);
    }
}
