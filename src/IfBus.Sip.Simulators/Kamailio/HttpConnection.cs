using System.Globalization;
using System.Text;

namespace IfBus.Sip.Simulators.Kamailio;

/// <summary>
/// One client of the HTTP port, served as xhttp and jsonrpcs do: never chunked, never closed by us, no answer at all to
/// a chunked request, and a connection that just ends for a request that does not fit.
/// </summary>
internal sealed class HttpConnection(Stream stream, RpcCommands commands, KamailioSimulatorOptions options) : SimulatorConnection(stream, options)
{
    private readonly string _basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(options.User + ":" + options.Secret));
    private readonly string _bearer = "Bearer " + options.Secret;

    protected override async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[options.ReadBuffer];
        int filled = 0;
        while (true)
        {
            int end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                string head = Encoding.UTF8.GetString(buffer, 0, end);
                int length = int.TryParse(Header(head, "Content-Length"), NumberStyles.None, CultureInfo.InvariantCulture, out int said) ? said : 0;
                if (end + 4L + length > buffer.Length) return;
                if (filled >= end + 4 + length)
                {
                    Answer(head, buffer.AsMemory(end + 4, length));
                    buffer.AsSpan(end + 4 + length, filled - end - 4 - length).CopyTo(buffer);
                    filled -= end + 4 + length;
                    continue;
                }
            }

            if (filled == buffer.Length) return;
            int count = await stream.ReadAsync(buffer.AsMemory(filled), cancellationToken).ConfigureAwait(false);
            if (count == 0) return;
            filled += count;
        }
    }

    private static string? Header(string head, string name) =>
        head.Split("\r\n").FirstOrDefault(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Trim();

    private void Answer(string head, ReadOnlyMemory<byte> body)
    {
        if (Header(head, "Transfer-Encoding") is not null) return;
        if (Header(head, "Expect") is not null) Write(Encoding.ASCII.GetBytes("HTTP/1.1 100 Continue\r\nSia: SIP/2.0/TCP 127.0.0.1:0\r\nContent-Length: 0\r\n\r\n"));
        string path = head.Split(' ') is { Length: >= 2 } words ? words[1] : "";
        if (path != options.Path)
        {
            Say("404 Not Found", "text/plain", $"no such path {path}\n");
        }
        else if (options.Secret.Length > 0 && Header(head, "Authorization") is var login && login != _basic && login != _bearer)
        {
            Say("401 Unauthorized", "text/plain", "login required\n", "WWW-Authenticate: Basic realm=\"kamailio-test\"\r\n");
        }
        else if (commands.Run(body) is { } reply)
        {
            Say(reply.Status, "application/json", reply.Body);
        }
    }

    private void Say(string status, string type, string body, string more = "")
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        byte[] head = Encoding.UTF8.GetBytes($"HTTP/1.1 {status}\r\nSia: SIP/2.0/TCP 127.0.0.1:0\r\n{more}Content-Type: {type}\r\nServer: kamailio-test\r\nContent-Length: {bytes.Length}\r\n\r\n");
        Write((byte[])[.. head, .. bytes]);
    }
}
