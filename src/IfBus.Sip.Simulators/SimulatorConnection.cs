using System.Threading.Channels;

namespace IfBus.Sip.Simulators;

/// <summary>
/// One client's connection to a simulated server. What is to be written gathers in a queue of its own, so a client that
/// does not read blocks nobody; when the socket takes nothing for the write time-out it is cut off in the middle of a
/// message, as real servers do.
/// </summary>
internal abstract class SimulatorConnection(Stream stream, SimulatorOptions options)
{
    // Reached only by a client that is stalled on purpose.
    private const long MaxUnread = 256 * 1024 * 1024;
    private const int WriteSize = 64 * 1024;

    private readonly object _gate = new();
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private List<ReadOnlyMemory<byte>> _unsent = [];
    private long _unsentBytes;
    private bool _closeWhenWritten;

    /// <summary>The connection is over.</summary>
    protected bool Closed { get; private set; }

    /// <summary>Done when the connection is over.</summary>
    protected Task Over => _over.Task;

    /// <summary>Done when nothing more is written: all was said that was to be said before the close, or the client is gone.</summary>
    protected Task Written { get; private set; } = Task.CompletedTask;

    /// <summary>Serves the client until it goes.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Written = WriteAsync(cancellationToken);
        try
        {
            await ReadAsync(stream, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Close();
            await Written.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Adds bytes to what is to be sent. They are not copied: one event goes to many clients.</summary>
    public void Write(ReadOnlyMemory<byte> bytes)
    {
        lock (_gate)
        {
            if (Closed) return;
            _unsent.Add(bytes);
            _unsentBytes += bytes.Length;
        }

        _signal.Writer.TryWrite(true);
    }

    /// <summary>Closes if more is waiting for the client than it can still want.</summary>
    public void CloseIfUnread()
    {
        bool far;
        lock (_gate) far = _unsentBytes > MaxUnread;
        if (far) Close();
    }

    /// <summary>Closes now.</summary>
    public void Close()
    {
        lock (_gate)
        {
            if (Closed) return;
            Closed = true;
        }

        stream.Dispose();
        _over.TrySetResult();
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Closes when all that was said has been sent.</summary>
    public void CloseWhenWritten()
    {
        lock (_gate) _closeWhenWritten = true;
        _signal.Writer.TryWrite(true);
    }

    /// <summary>Greets, reads and answers until the client goes or is to go.</summary>
    protected abstract Task ReadAsync(Stream stream, CancellationToken cancellationToken);

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[WriteSize];
        List<ReadOnlyMemory<byte>> sending = [];
        while (true)
        {
            await _signal.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            await options.Faults.WaitAsync(options.TimeProvider, cancellationToken).ConfigureAwait(false);
            if (options.Faults.Stall) continue;
            bool last;
            lock (_gate)
            {
                (sending, _unsent) = (_unsent, sending);
                _unsentBytes = 0;
                last = _closeWhenWritten;
                if (Closed && sending.Count == 0) return;
            }

            if (!await SendAsync(sending, buffer, cancellationToken).ConfigureAwait(false)) return;
            sending.Clear();
            if (!last) continue;
            Close();
            return;
        }
    }

    // Many small messages in one write; or each cut to pieces.
    private async Task<bool> SendAsync(List<ReadOnlyMemory<byte>> messages, byte[] buffer, CancellationToken cancellationToken)
    {
        bool split = options.Faults.SplitWrites;
        int filled = 0;
        int written = 0;
        foreach (ReadOnlyMemory<byte> message in messages)
        {
            for (int at = 0; at < message.Length;)
            {
                int size = split ? 1 + (written % 7) : buffer.Length;
                int length = Math.Min(size - filled, message.Length - at);
                message.Span.Slice(at, length).CopyTo(buffer.AsSpan(filled));
                filled += length;
                at += length;
                if (filled < size) continue;
                if (!await TryWriteAsync(buffer.AsMemory(0, filled), cancellationToken).ConfigureAwait(false)) return false;
                written += filled;
                filled = 0;
            }
        }

        return filled == 0 || await TryWriteAsync(buffer.AsMemory(0, filled), cancellationToken).ConfigureAwait(false);
    }

    // False, and closed, if the client has not read for so long that the socket takes no more.
    private async Task<bool> TryWriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        ValueTask writing = stream.WriteAsync(bytes, cancellationToken);
        if (writing.IsCompletedSuccessfully) return true;
        Task task = writing.AsTask();
        try
        {
            await task.WaitAsync(options.WriteTimeout, options.TimeProvider, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (TimeoutException)
        {
            Close();
            return false;
        }
    }
}
