using System.Buffers;
using System.Net.Sockets;

namespace IfBus.Sip.Adapters.Connection;

/// <summary>
/// One TCP or TLS connection: one reader that never waits for anybody, one <see cref="WriteLane"/>. It knows no
/// protocol; an <see cref="IWireProtocol"/> cuts and matches. When either side of it fails, the whole is closed, once,
/// with one reason.
/// </summary>
internal sealed class WireConnection : IAsyncDisposable
{
    private const int FirstBuffer = 128 * 1024;
    private const int MaxPendingWrite = 16 * 1024 * 1024;

    private readonly Stream _stream;
    private readonly IWireProtocol _protocol;
    private readonly WriteLane _lane;
    private readonly TaskCompletionSource<Exception> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Exception? _reason;
    private long _received;
    private readonly Socket? _acknowledged;
    private long? _progressSeen;
    private long _progressAt;

    /// <summary>Takes an open stream. Nothing is read before <see cref="Begin"/>.</summary>
    /// <param name="stream">Owned by the connection from now on.</param>
    /// <param name="protocol">Cuts and matches.</param>
    /// <param name="quickAcknowledge">
    /// True for a peer that sends a message in pieces with Nagle's algorithm on: its last piece would wait 40 ms for our
    /// delayed acknowledgement. Linux only.
    /// </param>
    public WireConnection(Stream stream, IWireProtocol protocol, bool quickAcknowledge = false)
    {
        _stream = stream;
        _protocol = protocol;
        _lane = new WriteLane(stream, MaxPendingWrite, Abort);
        if (quickAcknowledge && OperatingSystem.IsLinux() && stream is NetworkStream network) _acknowledged = network.Socket;
    }

    /// <summary>Completes with the reason when the connection is gone and the protocol has been told.</summary>
    public Task<Exception> Closed => _closed.Task;

    /// <summary>How many bytes have come; a keep-alive sees by it that the peer lives.</summary>
    public long Received => Volatile.Read(ref _received);

    /// <summary>Starts reading. A step of its own, since the protocol may want to send on what comes first.</summary>
    /// <remarks>On the pool: a stream that has data at once must not keep the caller reading.</remarks>
    public void Begin() => _ = Task.Run(ReadAsync);

    /// <inheritdoc cref="WriteLane.Send"/>
    public void Send<TState>(TState state, Action<IBufferWriter<byte>, TState> encode, bool gather = false) => _lane.Send(state, encode, gather);

    /// <summary>The waiters that the replies of one read have answered.</summary>
    public ReplyBatch Answered { get; } = new();

    /// <summary>
    /// Ends the connection if the peer has taken nothing of what waits to be sent for so long: it may go on sending, so
    /// no keep-alive notices. Called by the session's one timer.
    /// </summary>
    /// <param name="now">The session's clock, in milliseconds.</param>
    /// <param name="limit">How long.</param>
    /// <param name="peer">For the error.</param>
    public void CheckWriting(long now, TimeSpan limit, string peer)
    {
        long? progress = _lane.Progress;
        if (progress is null || progress != _progressSeen)
        {
            _progressSeen = progress;
            _progressAt = now;
        }
        else if (now - _progressAt >= limit.TotalMilliseconds)
        {
            Abort(new SipConnectionException($"{peer} does not read any more: it took nothing of what was sent for {limit.TotalSeconds:0.#} s.", errorId: "SipServerDoesNotRead"));
        }
    }

    /// <summary>Closes now. The first reason given is the one that all waiters get.</summary>
    public void Abort(Exception reason)
    {
        if (Interlocked.CompareExchange(ref _reason, reason, null) is not null) return;
        _lane.Close(reason);
        // Ends a pending read, which then reports the end to the protocol.
        _stream.Dispose();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Abort(new SipConnectionException("The connection was closed by us.", errorId: "SipDisconnected"));
        await Closed.ConfigureAwait(false);
    }

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[FirstBuffer];
        int start = 0, end = 0;
        try
        {
            while (true)
            {
                // TCP_QUICKACK holds for a while only, so it is asked for anew (tcp(7)).
                _acknowledged?.SetRawSocketOption(6, 12, [1, 0, 0, 0]);
                int count = await _stream.ReadAsync(buffer.AsMemory(end), CancellationToken.None).ConfigureAwait(false);
                if (count == 0)
                {
                    throw new SipConnectionException(
                        end > start ? "The server closed the connection in the middle of a message." : "The server closed the connection.",
                        errorId: "SipConnectionLost");
                }

                Volatile.Write(ref _received, _received + count);
                end += count;
                try
                {
                    start += _protocol.OnReceived(buffer.AsSpan(start, end - start));
                }
                finally
                {
                    // Also those before bytes that are not of the protocol: they were answered.
                    Answered.Flush();
                }

                if (start == end)
                {
                    start = end = 0;
                    if (buffer.Length > FirstBuffer) buffer = new byte[FirstBuffer];
                }
                else if (end == buffer.Length)
                {
                    // The protocol caps what it leaves unread, so this growth is bounded by its limits.
                    byte[] next = start >= buffer.Length / 2 ? buffer : new byte[buffer.Length * 2];
                    buffer.AsSpan(start, end - start).CopyTo(next);
                    buffer = next;
                    end -= start;
                    start = 0;
                }
            }
        }
#pragma warning disable CA1031 // any failure of the reader ends the connection and reaches the waiters as its reason
        catch (Exception e)
#pragma warning restore CA1031
        {
            Abort(e is SipException ? e : new SipConnectionException($"The connection broke: {SipText.Reason(e)}.", e, "SipConnectionLost"));
        }

        Exception reason = _reason!;
        try
        {
            _protocol.OnClosed(reason);
        }
        finally
        {
            _closed.TrySetResult(reason);
        }
    }
}
