using System.Buffers;
using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>
/// One connection to Yate's external module, role global (wire/yate, connection, commands; Yate 6.4.1). Messages go out
/// with ids of ours, many at a time, and are answered by id; local commands have none, and are known by what they say.
/// </summary>
internal sealed class ExtModuleSession : IWireProtocol, IKeptAlive, IAsyncDisposable
{
    /// <summary>The longest line that the engine takes once asked to; a longer one would close the connection without a word.</summary>
    public const int LongestLine = 65536;

    // A status of many calls is one line, some 70 bytes a leg; nothing else is long, and before the greeting nothing is.
    private const int LongestInput = 16 * 1024 * 1024;
    private const int LongestGreeting = 64 * 1024;

    private readonly ReplyTable<ReplyWaiter<ExtModuleAnswer>> _answers = new();
    private readonly ExtModuleLocals _locals = new();
    private readonly IExtModuleSink _sink;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly string _peer;
    private readonly TimeSpan _requestTimeout;
    private WireConnection? _connection;
    private KeepAlive? _alive;
    private long _lastId;
    private int _scanned;
    private volatile bool _greeted;

    private ExtModuleSession(string peer, SipServerConfiguration configuration, IExtModuleSink sink, ILogger log, TimeProvider time)
    {
        _sink = sink;
        _log = log;
        _time = time;
        _peer = peer;
        _requestTimeout = configuration.RequestTimeout;
    }

    /// <summary>Completes with the reason when the connection is gone.</summary>
    public Task<Exception> Closed => _connection!.Closed;

    /// <summary>
    /// Connects and makes sure that the peer is a Yate that takes messages: a listener without a role never says so
    /// itself, and one with a role, whichever, calls the request for it an error.
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
            Task<ExtModuleAnswer> size = session.LocalAsync("setlocal", $"bufsize:{LongestLine}", cancellationToken);
            // With role=channel the first call.execute would make a channel of us; so it does not, and we are as with any role.
            Task<ExtModuleAnswer> data = session.LocalAsync("setlocal", "setdata:false", cancellationToken);
            await size.ConfigureAwait(false);
            await data.ConfigureAwait(false);
            return session;
        }
        catch (OperationCanceledException e) when (!session._greeted)
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw new OperationCanceledException($"{endpoint} accepts connections but does not answer as Yate's external module does; a Yate that hangs does the same.", e, cancellationToken);
        }
        catch (SipConnectionException e) when (!session._greeted)
        {
            await session.DisposeAsync().ConfigureAwait(false);
            // The waiters are told before the connection itself is: only this is the reason for certain.
            Exception reason = await session.Closed.ConfigureAwait(false);
            if (reason is SipProtocolException wrong) throw new SipProtocolException(wrong.Message, e, wrong.ErrorId);
            throw new SipConnectionException($"{endpoint} closed the connection without a word: it is no listener of Yate's external module, or one for another role. {reason.Message}", e);
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
        session._connection = new WireConnection(stream, session, quickAcknowledge: true);
        session._alive = new KeepAlive(session, session._connection, peer, configuration, time);
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
        var waiter = new ReplyWaiter<ExtModuleAnswer>(message.Name, _peer, limit, _alive!.Now + (long)limit.TotalMilliseconds);
        int waiting = _answers.Add(id, waiter);
        try
        {
            // Who has many messages under way is likely to send more.
            _connection!.Send((id, message), static (writer, s) => s.message.WriteLine(writer, s.id, LongestLine), gather: waiting > 8);
        }
        catch
        {
            _answers.TryTake(id, out _);
            throw;
        }

        Log.ActionSent(_log, message.Name, id);
        waiter.CancelWith(_answers, id, cancellationToken);
        return waiter.Task;
    }

    /// <summary>Sends setlocal, install, uninstall, watch or unwatch and returns what the engine says of it.</summary>
    /// <param name="keyword">The command.</param>
    /// <param name="arguments">Its arguments, of our own making: they are not escaped.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <param name="timeout">How long; the connection's request time if null.</param>
    public Task<ExtModuleAnswer> LocalAsync(string keyword, string arguments, CancellationToken cancellationToken, TimeSpan? timeout = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (arguments.AsSpan().IndexOfAny('\n', '\r', '\0') >= 0) throw new SipArgumentException(null, $"{keyword} '{arguments}'", "it is one line.");
        TimeSpan limit = timeout ?? _requestTimeout;
        var waiter = new ReplyWaiter<ExtModuleAnswer>(keyword, _peer, limit, _alive!.Now + (long)limit.TotalMilliseconds);
        long id = _locals.Add(keyword, arguments, waiter);
        try
        {
            _connection!.Send((keyword, arguments), static (writer, s) =>
            {
                writer.Write("%%>"u8);
                Encoding.UTF8.GetBytes(s.keyword, writer);
                writer.Write(":"u8);
                Encoding.UTF8.GetBytes(s.arguments, writer);
                writer.Write("\n"u8);
            });
        }
        catch
        {
            _locals.Forget(id);
            throw;
        }

        waiter.CancelWith(_locals, id, cancellationToken);
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
        if (_alive is not null) await _alive.DisposeAsync().ConfigureAwait(false);
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
                    int longest = _greeted ? LongestInput : LongestGreeting;
                    if (rest.Length > longest) throw new SipProtocolException($"{_peer} sent a line of more than {longest / 1024} kB.", errorId: _greeted ? "SipProtocolError" : "SipNotYate");
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
        _alive?.Stop();
        _answers.Close(reason);
        _locals.Close(reason);
    }

    bool IKeptAlive.CanAsk => _greeted;

    void IKeptAlive.FailLate(long now)
    {
        _answers.FailLate(now);
        _locals.FailLate(now);
    }

    Task IKeptAlive.AskAsync(TimeSpan limit) => LocalAsync("setlocal", "runid:", CancellationToken.None, limit);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void OnLine(ReadOnlySpan<byte> line)
    {
        Span<YateFieldPlace> places = stackalloc YateFieldPlace[YateLine.MostPlaces];
        YateLine parsed = YateLine.Parse(line, places);
        switch (parsed.Kind)
        {
            case YateLineKind.Watched:
                _sink.OnMessage(parsed, line);
                break;
            case YateLineKind.Answer:
                OnAnswer(parsed);
                break;
            case YateLineKind.Request when !parsed.Id.IsEmpty:
                _sink.OnRequest(this, parsed, line);
                break;
            case YateLineKind.Local:
                OnLocal(parsed, line);
                break;
            case YateLineKind.Error:
                OnError(parsed.Value);
                break;
            default:
                if (!_greeted) throw new SipProtocolException($"{_peer} is no Yate external module: it says '{Shorten(line)}'.", errorId: "SipNotYate");
                Stray(line);
                break;
        }
    }

    private void OnAnswer(in YateLine answer)
    {
        // The result of a message that went with a handler's answer has the engine's id.
        if (!TryReadId(answer.Id, out long id)) return;
        if (_answers.TryTake(id, out ReplyWaiter<ExtModuleAnswer>? waiter)) waiter.Complete(new ExtModuleAnswer(answer.Processed, YateText.Decode(answer.Name), YateText.Decode(answer.Value), new SipFieldCollection(YateLine.Fields(answer.Parameters))), _connection!.Answered);
        else Log.LateReply(_log, id);
    }

    private void OnLocal(in YateLine answer, ReadOnlySpan<byte> line)
    {
        if (_locals.Take(answer) is { } waiter)
        {
            // Before the next line is looked at, so that a status may be as long as it is.
            _greeted = true;
            waiter.Complete(new ExtModuleAnswer(answer.Processed, waiter.What, Encoding.UTF8.GetString(answer.Value), SipFieldCollection.Empty), _connection!.Answered);
        }
        else if (!answer.Id.SequenceEqual("quit"u8))
        {
            Stray(line);
        }
    }

    // No id, no reason; answering it would be an error again.
    private void OnError(ReadOnlySpan<byte> what)
    {
        if (what.SequenceEqual("%%>connect:global"u8)) return;
        ReplyWaiter<ExtModuleAnswer>? waiter = null;
        if (what.StartsWith("%%>message:"u8))
        {
            ReadOnlySpan<byte> rest = what["%%>message:".Length..];
            if (TryReadId(rest[..Math.Max(rest.IndexOf((byte)':'), 0)], out long id)) _answers.TryTake(id, out waiter);
        }
        else
        {
            waiter = _locals.TakeLine(what);
        }

        if (waiter is null) Stray(what);
        else waiter.Complete(new SipRejectedException($"{_peer} did not take {waiter.What}: it could not read the line.", "Error in: " + Shorten(what)), _connection!.Answered);
    }

    // Only as we write them: another number may be the same, and is not ours.
    private static bool TryReadId(ReadOnlySpan<byte> text, out long id)
    {
        id = 0;
        return text.Length > 0 && text[0] is >= (byte)'1' and <= (byte)'9' && Utf8Parser.TryParse(text, out id, out int digits) && digits == text.Length;
    }

    private void Stray(ReadOnlySpan<byte> line) => Log.StrayResponse(_log, Shorten(line));

    private static string Shorten(ReadOnlySpan<byte> line) => SipText.Printable(Encoding.UTF8.GetString(line[..Math.Min(line.Length, 200)]));
}
