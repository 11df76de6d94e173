using System.Buffers;

namespace IfBus.Sip.Adapters.Connection;

/// <summary>
/// The one writer of a connection. Commands are appended whole, under a lock, in the order in which they are given; one
/// caller at a time carries what has gathered to the socket, so commands given meanwhile leave in one write.
/// </summary>
internal sealed class WriteLane(Stream stream, int maxPendingBytes, Action<Exception> onFailed) : IThreadPoolWorkItem
{
    // What is handed to the socket at once: less than it takes a slow peer long to read, so that its progress is seen.
    private const int Piece = 256 * 1024;

    private readonly object _gate = new();
    private ArrayBufferWriter<byte> _pending = new(4096);
    private ArrayBufferWriter<byte> _spare = new(4096);
    private bool _writing;
    private long _written;
    private Exception? _closed;

    /// <summary>How many pieces the socket has taken; null if nothing waits to be sent. While it stays the same, the peer does not read.</summary>
    public long? Progress
    {
        get
        {
            lock (_gate) return _writing ? Volatile.Read(ref _written) : null;
        }
    }

    /// <summary>Appends one command. The encoder runs under the lane's lock: what it notes down is in the order of the bytes.</summary>
    /// <param name="state">Given to the encoder.</param>
    /// <param name="encode">Writes the command.</param>
    /// <param name="gather">
    /// True: others are likely to follow at once, so the socket is left to a thread of the pool, and they go in one write.
    /// False: writes here and now, which is the shortest way for one.
    /// </param>
    /// <exception cref="SipConnectionException">Closed, or the peer has not read for so long that the lane is full; nothing of this command was sent.</exception>
    public void Send<TState>(TState state, Action<IBufferWriter<byte>, TState> encode, bool gather = false)
    {
        lock (_gate)
        {
            if (_closed is not null) throw new SipConnectionException($"The connection is closed: {SipText.Reason(_closed)}.", _closed) { NothingDone = true };
            if (_pending.WrittenCount > maxPendingBytes)
                throw new SipConnectionException($"The server has not read for a while: {_pending.WrittenCount} bytes wait to be sent.", errorId: "SipServerDoesNotRead") { NothingDone = true };

            int before = _pending.WrittenCount;
            try
            {
                encode(_pending, state);
            }
            catch when (_pending.WrittenCount != before)
            {
                Cut(before);
                throw;
            }

            if (_writing) return;
            _writing = true;
        }

        if (gather) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else _ = FlushAsync();
    }

    void IThreadPoolWorkItem.Execute() => _ = FlushAsync();

    /// <summary>Refuses further commands.</summary>
    public void Close(Exception reason)
    {
        lock (_gate) _closed ??= reason;
    }

    // A command that failed half-way through its encoding must not reach the wire.
    private void Cut(int length)
    {
        byte[] keep = _pending.WrittenSpan[..length].ToArray();
        _pending.ResetWrittenCount();
        _pending.Write(keep);
    }

    private async Task FlushAsync()
    {
        try
        {
            while (true)
            {
                ArrayBufferWriter<byte> batch;
                lock (_gate)
                {
                    if (_pending.WrittenCount == 0 || _closed is not null)
                    {
                        _writing = false;
                        return;
                    }

                    batch = _pending;
                    _pending = _spare;
                    _spare = batch;
                }

                for (ReadOnlyMemory<byte> rest = batch.WrittenMemory; !rest.IsEmpty;)
                {
                    ReadOnlyMemory<byte> piece = rest.Length > Piece ? rest[..Piece] : rest;
                    await stream.WriteAsync(piece, CancellationToken.None).ConfigureAwait(false);
                    Interlocked.Increment(ref _written);
                    rest = rest[piece.Length..];
                }

                batch.ResetWrittenCount();
            }
        }
#pragma warning disable CA1031 // whatever the stream throws ends the connection; nobody awaits this task
        catch (Exception e)
#pragma warning restore CA1031
        {
            lock (_gate)
            {
                _closed ??= e;
                _writing = false;
            }

            onFailed(e);
        }
    }
}
