using System.Globalization;
using System.Text;

namespace IfBus.Sip.Simulators.Flexisip;

/// <summary>One client's HTTP/1.1 connection: requests one after the other, bodies by Content-Length.</summary>
internal sealed class FlexisipConnection(Stream stream, FlexiApi api, FlexisipSimulatorOptions options) : SimulatorConnection(stream, options)
{
    private const int MostHead = 64 * 1024;
    private const int MostBody = 16 * 1024 * 1024;

    private byte[] _buffer = new byte[8192];
    private int _filled;

    protected override async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            int end;
            while ((end = _buffer.AsSpan(0, _filled).IndexOf("\r\n\r\n"u8)) < 0)
            {
                if (_filled > MostHead || !await FillAsync(stream, cancellationToken).ConfigureAwait(false)) return;
            }

            string[] lines = Encoding.Latin1.GetString(_buffer, 0, end).Split("\r\n");
            string[] first = lines[0].Split(' ');
            if (first.Length != 3) return;
            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (string line in lines.Skip(1))
            {
                int colon = line.IndexOf(':', StringComparison.Ordinal);
                if (colon > 0) headers[line[..colon]] = line[(colon + 1)..].Trim();
            }

            int length = headers.TryGetValue("Content-Length", out string? said) && int.TryParse(said, NumberStyles.None, CultureInfo.InvariantCulture, out int told) ? told : 0;
            if (length > MostBody) return;
            int begin = end + 4;
            while (_filled < begin + length)
            {
                if (!await FillAsync(stream, cancellationToken).ConfigureAwait(false)) return;
            }

            byte[] body = _buffer.AsSpan(begin, length).ToArray();
            _buffer.AsSpan(begin + length, _filled - begin - length).CopyTo(_buffer);
            _filled -= begin + length;

            bool close = headers.TryGetValue("Connection", out string? connection) && connection.Equals("close", StringComparison.OrdinalIgnoreCase);
            Answer(api.Handle(new FlexiRequest(first[0], first[1], headers, body, "127.0.0.1")), close);
            if (!close) continue;
            CloseWhenWritten();
            await Over.WaitAsync(cancellationToken).ConfigureAwait(false);
            return;
        }
    }

    private void Answer(FlexiResponse response, bool close)
    {
        byte[] body = Encoding.UTF8.GetBytes(response.Body);
        var head = new StringBuilder();
        head.Append(CultureInfo.InvariantCulture, $"HTTP/1.1 {response.Status} {Reason(response.Status)}\r\n");
        foreach ((string name, string value) in response.Headers) head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        head.Append(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\nConnection: {(close ? "close" : "keep-alive")}\r\n\r\n");
        Write(new ReadOnlyMemory<byte>([.. Encoding.Latin1.GetBytes(head.ToString()), .. body]));
    }

    private async Task<bool> FillAsync(Stream stream, CancellationToken cancellationToken)
    {
        if (_filled == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        int count = await stream.ReadAsync(_buffer.AsMemory(_filled), cancellationToken).ConfigureAwait(false);
        _filled += count;
        return count > 0;
    }

    private static string Reason(int status) => status switch
    {
        200 => "OK",
        201 => "Created",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Status",
    };
}
