using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace IfBus.Sip.Simulators.OpenSips;

/// <summary>
/// Brings events to one subscriber's socket: connects at the first event, writes one object after the other with nothing
/// between them, and loses what cannot be brought.
/// </summary>
internal sealed class EventSender : IDisposable
{
    private readonly Channel<string> _queue = Channel.CreateUnbounded<string>();
    private readonly CancellationTokenSource _end = new();
    private readonly SimulatorOptions _options;
    private readonly IPEndPoint _to;
    private Socket? _socket;

    public EventSender(IPEndPoint to, SimulatorOptions options)
    {
        _to = to;
        _options = options;
        _ = Task.Run(RunAsync);
    }

    public void Send(string json) => _queue.Writer.TryWrite(json);

    public void Dispose()
    {
        _end.Cancel();
        _socket?.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var text = new StringBuilder(await _queue.Reader.ReadAsync(_end.Token).ConfigureAwait(false));
                // What came at once goes in one write, as on a busy server.
                while (_queue.Reader.TryRead(out string? more)) text.Append(more);
                await _options.Faults.WaitAsync(_options.TimeProvider, _end.Token).ConfigureAwait(false);
                await WriteAsync(Encoding.UTF8.GetBytes(text.ToString())).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The server stops.
        }
    }

    private async Task WriteAsync(byte[] bytes)
    {
        try
        {
            if (_socket is null || IsGone(_socket))
            {
                _socket?.Dispose();
                _socket = null;
                var socket = new Socket(_to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(_to, _end.Token).ConfigureAwait(false);
                _socket = socket;
            }

            if (!_options.Faults.SplitWrites)
            {
                await _socket.SendAsync(bytes, _end.Token).ConfigureAwait(false);
                return;
            }

            for (int at = 0, size = 1; at < bytes.Length; at += size, size = (size % 7) + 1)
                await _socket.SendAsync(bytes.AsMemory(at, Math.Min(size, bytes.Length - at)), _end.Token).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            // The events are lost; the next one connects again.
            _socket?.Dispose();
            _socket = null;
        }
    }

    private static bool IsGone(Socket socket) => socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0;
}
