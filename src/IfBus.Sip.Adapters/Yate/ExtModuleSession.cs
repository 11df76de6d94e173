using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>Takes what the engine tells, on the session's reader.</summary>
internal interface IExtModuleSink
{
    /// <summary>A message that is watched. The line holds only until the return.</summary>
    void OnMessage(scoped in YateLine message, ReadOnlySpan<byte> line);

    /// <summary>
    /// A message that a handler of ours must answer with <see cref="ExtModuleSession.Answer"/>; a thread of the engine
    /// waits for it. The line holds only until the return.
    /// </summary>
    void OnRequest(ExtModuleSession session, scoped in YateLine message, ReadOnlySpan<byte> line);

    /// <summary>The messages of one read follow.</summary>
    void OnReadBegins();

    /// <summary>All messages of the read were given.</summary>
    void OnReadEnds();
}

/// <summary>
/// One connection to Yate's external module, role global (wire/yate, connection, commands; Yate 6.4.1). Messages go out
/// with ids of ours, many at a time, and are answered by id; local commands are answered in their order.
/// </summary>
internal sealed class ExtModuleSession : IWireProtocol, IAsyncDisposable
{
    /// <summary>The longest line that the engine takes once asked to; a longer one would close the connection without a word.</summary>
    public const int LongestLine = 65536;

    // A status of many calls is one line; nothing else is long.
    private const int LongestInput = 64 * 1024 * 1024;

    private readonly ReplyTable<Waiter> _answers = new();
    private readonly ReplyTable<Waiter> _locals = new();
    private readonly IExtModuleSink _sink;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly string _peer;
    private readonly TimeSpan _requestTimeout;
    private readonly TimeSpan _keepAlive;
    private WireConnection? _connection;
    private ITimer? _timer;
    private long _lastId;
    private long _localsSent;
    private long _localsAnswered;
    private int _scanned;
    private long _receivedSeen;
    private long _lastHeard;
    private bool _pinging;
    private bool _greeted;

    private ExtModuleSession(string peer, SipServerConfiguration configuration, IExtModuleSink sink, ILogger log, TimeProvider time)
    {
        _sink = sink;
        _log = log;
        _time = time;
        _peer = peer;
        _requestTimeout = configuration.RequestTimeout;
        _keepAlive = configuration.KeepAlive;
    }

    /// <summary>Completes with the reason when the connection is gone.</summary>
    public Task<Exception> Closed => _connection!.Closed;

    private long Now => (long)_time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>
    /// Connects and makes sure that the peer is a Yate that takes messages: a listener without a role never says so
    /// itself, and one with a role calls the request for it an error.
    /// </summary>
    /// <exception cref="SipProtocolException">It speaks something else.</exception>
    public static async Task<ExtModuleSession> OpenAsync(
        WireEndpoint endpoint, SipServerConfiguration configuration, IExtModuleSink sink, ILogger log, TimeProvider time, CancellationToken cancellationToken)
    {
        Stream stream = await endpoint.OpenAsync(cancellationToken).ConfigureAwait(false);
        ExtModuleSession session = Over(stream, endpoint.ToString(), configuration, sink, log, time);
        try
        {
            session._connection!.Send(session, static (writer, _) => writer.Write("%%>connect:global\n"u8));
            await session.LocalAsync("setlocal", $"bufsize:{LongestLine}", cancellationToken).ConfigureAwait(false);
            session._greeted = true;
            return session;
        }
        catch (OperationCanceledException e) when (!session._greeted)
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw new OperationCanceledException($"{endpoint} accepts connections but does not answer as Yate's external module does; a listener of role channel, or a Yate that hangs, does the same.", e, cancellationToken);
        }
        catch (SipConnectionException e) when (!session._greeted && session.Closed.IsCompleted)
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw new SipConnectionException($"{endpoint} closed the connection without a word: it is no listener of Yate's external module, or one that takes no clients of role global. {e.InnerException?.Message}", e);
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A session over a stream that is open already.</summary>
    internal static ExtModuleSession Over(Stream stream, string peer, SipServerConfiguration configuration, IExtModuleSink sink, ILogger log, TimeProvider time)
    {
        var session = new ExtModuleSession(peer, configuration, sink, log, time);
        session._lastHeard = session.Now;
        session._connection = new WireConnection(stream, session, quickAcknowledge: true);
        TimeSpan tick = TimeSpan.FromMilliseconds(Math.Clamp(Math.Min(session._keepAlive.TotalMilliseconds, session._requestTimeout.TotalMilliseconds) / 10, 10, 250));
        session._timer = time.CreateTimer(static s => ((ExtModuleSession)s!).OnTick(), session, tick, tick);
        session._connection.Begin();
        return session;
    }

    /// <summary>Sends a message and returns the engine's answer, which comes when all its handlers have run.</summary>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Stops waiting; the message may be carried out.</param>
    /// <param name="timeout">How long; the connection's request time if null.</param>
    /// <exception cref="SipTimeoutException">No answer in time. It may have been carried out; it is not sent again.</exception>
    /// <exception cref="SipConnectionException">The connection is gone. If the message had been sent, OutcomeUnknown is set.</exception>
    public Task<ExtModuleAnswer> SendAsync(ExtModuleMessage message, CancellationToken cancellationToken, TimeSpan? timeout = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TimeSpan limit = timeout ?? _requestTimeout;
        long id = Interlocked.Increment(ref _lastId);
        var waiter = new Waiter(message.Name, _peer, limit, Now + (long)limit.TotalMilliseconds);
        int waiting = _answers.Add(id, waiter);
        try
        {
            // Who has many messages under way is likely to send more.
            _connection!.Send((id, message), static (writer, s) => Write(writer, s.id, s.message), gather: waiting > 8);
        }
        catch
        {
            _answers.TryTake(id, out _);
            throw;
        }

        Log.ActionSent(_log, message.Name, id);
        if (cancellationToken.CanBeCanceled) waiter.CancelWith(_answers, id, cancellationToken);
        return waiter.Task;
    }

    /// <summary>Sends setlocal, install, uninstall, watch or unwatch and returns what the engine says, which is in their order.</summary>
    /// <param name="keyword">The command.</param>
    /// <param name="arguments">Its arguments, of our own making: they are not escaped.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    public Task<ExtModuleAnswer> LocalAsync(string keyword, string arguments, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (arguments.AsSpan().IndexOfAny('\n', '\r', '\0') >= 0) throw new SipArgumentException("Command", arguments, "one line.");
        var waiter = new Waiter(keyword, _peer, _requestTimeout, Now + (long)_requestTimeout.TotalMilliseconds);
        _connection!.Send((this, waiter, keyword, arguments), static (writer, s) =>
        {
            long place = s.Item1._localsSent + 1;
            s.waiter.Place = place;
            s.Item1._locals.Add(place, s.waiter);
            s.Item1._localsSent = place;
            writer.Write("%%>"u8);
            Encoding.UTF8.GetBytes(s.keyword, writer);
            writer.Write(":"u8);
            Encoding.UTF8.GetBytes(s.arguments, writer);
            writer.Write("\n"u8);
        });
        if (cancellationToken.CanBeCanceled) waiter.CancelWith(_locals, waiter.Place, cancellationToken);
        return waiter.Task;
    }

    /// <summary>Answers a message that a handler of ours was asked about. Never waits.</summary>
    /// <param name="id">The message's id, as it came.</param>
    /// <param name="processed">True ends the chain of handlers.</param>
    /// <param name="value">The return value, which replaces the old one, also by nothing.</param>
    /// <param name="parameters">Parameters to set.</param>
    /// <param name="before">A message that the engine is to apply to the channel of the one that it asks about.</param>
    public void Answer(byte[] id, bool processed, string value = "", IReadOnlyList<KeyValuePair<string, string>>? parameters = null, ExtModuleMessage? before = null)
    {
        try
        {
            _connection!.Send((id, processed, value, parameters, before), static (writer, s) =>
            {
                if (s.before is { } first)
                {
                    writer.Write("%%>message:"u8);
                    writer.Write(s.id);
                    first.Write(writer);
                    writer.Write("\n"u8);
                }

                writer.Write("%%<message:"u8);
                writer.Write(s.id);
                writer.Write(s.processed ? ":true::"u8 : ":false::"u8);
                YateText.Encode(writer, s.value, "Value");
                foreach ((string key, string text) in s.parameters ?? [])
                {
                    writer.Write(":"u8);
                    YateText.Encode(writer, key, "Parameter");
                    writer.Write("="u8);
                    YateText.Encode(writer, text, key);
                }

                writer.Write("\n"u8);
            });
        }
        catch (SipConnectionException)
        {
            // Gone; the engine goes on by itself.
        }
    }

    /// <summary>Ends the session: the good-bye if the engine takes it quickly, then the connection.</summary>
    public async Task QuitAsync()
    {
        try
        {
            _connection!.Send(this, static (writer, _) => writer.Write("%%>quit\n"u8));
            await _connection.Closed.WaitAsync(TimeSpan.FromSeconds(1), _time).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SipException or TimeoutException)
        {
            // An engine that is gone or busy needs no good-bye.
        }
        finally
        {
            await DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_timer is not null) await _timer.DisposeAsync().ConfigureAwait(false);
        if (_connection is not null) await _connection.DisposeAsync().ConfigureAwait(false);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    int IWireProtocol.OnReceived(ReadOnlySpan<byte> buffer)
    {
        int taken = 0;
        _sink.OnReadBegins();
        try
        {
            while (true)
            {
                ReadOnlySpan<byte> rest = buffer[taken..];
                int end = rest[_scanned..].IndexOf((byte)'\n');
                if (end < 0)
                {
                    // A long line is not searched from its beginning again with every read.
                    _scanned = rest.Length;
                    if (rest.Length > LongestInput) throw new SipProtocolException($"{_peer} sent a line of more than {LongestInput / (1024 * 1024)} MB.");
                    return taken;
                }

                end += _scanned;
                _scanned = 0;
                ReadOnlySpan<byte> line = rest[..end];
                taken += end + 1;
                if (line.Length > 0 && line[^1] == '\r') line = line[..^1];
                if (line.Length > 0) OnLine(line);
            }
        }
        finally
        {
            _sink.OnReadEnds();
        }
    }

    void IWireProtocol.OnClosed(Exception reason)
    {
        _timer?.Dispose();
        _answers.Close(reason);
        _locals.Close(reason);
    }

    private static void Write(IBufferWriter<byte> writer, long id, ExtModuleMessage message)
    {
        writer.Write("%%>message:"u8);
        Span<byte> number = writer.GetSpan(20);
        Utf8Formatter.TryFormat(id, number, out int digits);
        writer.Advance(digits);
        int before = (writer as ArrayBufferWriter<byte>)?.WrittenCount ?? 0;
        message.Write(writer);
        // The engine would close the connection without a word.
        if (writer is ArrayBufferWriter<byte> buffer && buffer.WrittenCount - before > LongestLine - 64)
            throw new SipArgumentException("Command", message.Name, $"at most {LongestLine - 64} bytes with all its parameters; these are {buffer.WrittenCount - before}.");
        writer.Write("\n"u8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void OnLine(ReadOnlySpan<byte> line)
    {
        YateLine parsed = YateLine.Parse(line);
        switch (parsed.Kind)
        {
            case YateLineKind.Watched:
                _sink.OnMessage(parsed, line);
                break;
            case YateLineKind.Answer:
                OnAnswer(parsed);
                break;
            case YateLineKind.Request:
                _sink.OnRequest(this, parsed, line);
                break;
            case YateLineKind.Local:
                OnLocal(parsed);
                break;
            case YateLineKind.Error:
                OnError(parsed.Value);
                break;
            default:
                if (!_greeted && _localsAnswered == 0) throw new SipProtocolException($"{_peer} is no Yate external module: it says '{SipText.Printable(Encoding.UTF8.GetString(line[..Math.Min(line.Length, 200)]))}'.");
                Log.StrayResponse(_log, SipText.Printable(Encoding.UTF8.GetString(line[..Math.Min(line.Length, 200)])));
                break;
        }
    }

    private void OnAnswer(in YateLine answer)
    {
        // The result of a message that went with a handler's answer has the engine's id.
        if (!Utf8Parser.TryParse(answer.Id, out long id, out int digits) || digits != answer.Id.Length) return;
        if (_answers.TryTake(id, out Waiter? waiter)) waiter.Complete(new ExtModuleAnswer(answer.Processed, YateText.Decode(answer.Name), YateText.Decode(answer.Value), new SipFieldCollection(YateLine.Fields(answer.Parameters))));
        else Log.LateReply(_log, id);
    }

    private void OnLocal(in YateLine answer)
    {
        if (answer.Id.SequenceEqual("quit"u8)) return;
        long place = ++_localsAnswered;
        if (_locals.TryTake(place, out Waiter? waiter)) waiter.Complete(new ExtModuleAnswer(answer.Processed, Encoding.UTF8.GetString(answer.Id), Encoding.UTF8.GetString(answer.Value), SipFieldCollection.Empty));
        else if (place > Volatile.Read(ref _localsSent)) throw new SipProtocolException("The server sent an answer to a command that was never sent.");
    }

    // No id, no reason; answering it would be an error again.
    private void OnError(ReadOnlySpan<byte> what)
    {
        if (what.SequenceEqual("%%>connect:global"u8)) return;
        Log.StrayResponse(_log, SipText.Printable("Error in: " + Encoding.UTF8.GetString(what[..Math.Min(what.Length, 200)])));
        if (!what.StartsWith("%%>message:"u8)) return;
        ReadOnlySpan<byte> rest = what["%%>message:".Length..];
        if (Utf8Parser.TryParse(rest, out long id, out int digits) && digits < rest.Length && rest[digits] == ':' && _answers.TryTake(id, out Waiter? waiter))
            waiter.TrySetException(new SipRejectedException($"{_peer} did not take {waiter.What}: it could not read the line.", "Error in: " + SipText.Printable(Encoding.UTF8.GetString(what))));
    }

    private void OnTick()
    {
        if (_connection is not { } connection) return;
        long now = Now;
        _answers.FailLate(now);
        _locals.FailLate(now);
        if (connection.Received != _receivedSeen)
        {
            _receivedSeen = connection.Received;
            _lastHeard = now;
        }
        else if (!_pinging && _greeted && now - _lastHeard >= _keepAlive.TotalMilliseconds)
        {
            _pinging = true;
            _ = KeepAliveAsync();
        }
    }

    private async Task KeepAliveAsync()
    {
        try
        {
            await LocalAsync("setlocal", "runid:", CancellationToken.None).WaitAsync(_keepAlive, _time).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or SipTimeoutException)
        {
            _connection!.Abort(new SipConnectionException($"{_peer} does not answer any more: no reply within {_keepAlive.TotalSeconds:0.#} s.", e, "SipConnectionLost"));
        }
        catch (SipException)
        {
            // Gone already.
        }
        finally
        {
            _pinging = false;
        }
    }

    private sealed class Waiter(string what, string peer, TimeSpan limit, long deadline)
        : TaskCompletionSource<ExtModuleAnswer>(TaskCreationOptions.RunContinuationsAsynchronously), IReplyWaiter
    {
        private CancellationTokenRegistration _cancellation;

        public string What => what;

        public long Place { get; set; }

        public long Deadline => deadline;

        public void CancelWith(ReplyTable<Waiter> table, long id, CancellationToken token)
        {
            _cancellation = token.UnsafeRegister(
                static (state, token) =>
                {
                    (Waiter waiter, ReplyTable<Waiter> table, long id) = ((Waiter, ReplyTable<Waiter>, long))state!;
                    table.TryTake(id, out _);
                    waiter.TrySetCanceled(token);
                },
                (this, table, id));
            if (Task.IsCompleted) _cancellation.Dispose();
        }

        public void Complete(ExtModuleAnswer answer)
        {
            _cancellation.Dispose();
            TrySetResult(answer);
        }

        public void FailLate() =>
            TrySetException(new SipTimeoutException($"{peer} did not answer {what} within {limit.TotalSeconds:0.###} s. It may have been carried out; it is not sent again.", limit)
            {
                OutcomeUnknown = true,
            });

        public void Fail(Exception reason) =>
            TrySetException(new SipConnectionException($"The connection to {peer} was lost before {what} was answered; whether it was carried out is unknown, it is not sent again. {reason.Message}", reason, "SipConnectionLost")
            {
                OutcomeUnknown = true,
            });
    }
}
