using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>Gets the events of a session, on its reader: must be quick, must not block.</summary>
internal interface IAmiEventSink
{
    /// <summary>One event. <paramref name="name"/> and <paramref name="message"/> are only valid during the call.</summary>
    void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> message);

    /// <summary>The events of one read follow.</summary>
    void OnReadBegins()
    {
    }

    /// <summary>All events of the read were given.</summary>
    void OnReadEnds()
    {
    }
}

/// <summary>What came back for an action: the response, and for lists their items.</summary>
internal readonly record struct AmiReply(AmiMessage Response, IReadOnlyList<AmiMessage> Items)
{
    /// <summary>True unless the server said error.</summary>
    public bool IsSuccess => !Response.Find("Response"u8).SequenceEqual("Error"u8);

    /// <summary>The server's words; empty if it said none.</summary>
    public string Message => Response.Get("Message"u8)?.Trim() ?? "";
}

/// <summary>
/// One logged-in AMI connection: correlates by our own ActionIDs, collects lists, keeps alive. A session is strictly
/// serial on the server's side, so nothing slow may be sent on it. ActionIDs are not private to a session there: ours
/// begin with a prefix of this connection's own, and others are never taken for replies (wire/asterisk, section 3).
/// </summary>
internal sealed class AmiSession : IWireProtocol, IKeptAlive, IAsyncDisposable
{
    private const int MaxListItems = 1_000_000;

    private readonly AmiFramer _framer = new();
    private readonly ReplyTable<Waiter> _replies = new();

    // Who gets a reply on the reader, also if nobody waits for it any more.
    private readonly ConcurrentDictionary<long, Action<AmiReply>> _taken = new();
    private readonly IAmiEventSink _sink;
    private readonly ILogger _log;
    private readonly string _peer;
    private readonly TimeSpan _requestTimeout;
    private readonly byte[] _idPrefix;
    private readonly TaskCompletionSource<string> _greeting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _booted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WireConnection? _connection;
    private KeepAlive? _alive;
    private long _lastId;
    private int _openLists;
    private bool _forgeryTold;

    private AmiSession(WireEndpoint endpoint, SipServerConfiguration configuration, IAmiEventSink sink, ILogger log)
    {
        _sink = sink;
        _log = log;
        _peer = endpoint.ToString();
        _requestTimeout = configuration.RequestTimeout;
        // 64 random bits: unique among all clients of the server, so another client's ids are never ours.
        _idPrefix = Encoding.ASCII.GetBytes($"ifb-{Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8))}-");
    }

    /// <summary>Completes with the reason when the connection is gone.</summary>
    public Task<Exception> Closed => _connection!.Closed;

    /// <summary>Completes when the server says FullyBooted; never for a login without class system.</summary>
    public Task FullyBooted => _booted.Task;

    /// <summary>The AMI version of the greeting, for instance 11.0.0.</summary>
    public Task<string> Greeting => _greeting.Task;

    /// <summary>Connects and waits for the greeting. Logging in is for the adapter.</summary>
    public static async Task<AmiSession> OpenAsync(
        WireEndpoint endpoint, SipServerConfiguration configuration, IAmiEventSink sink, ILogger log, TimeProvider time, CancellationToken cancellationToken)
    {
        var session = new AmiSession(endpoint, configuration, sink, log);
        Stream stream = await endpoint.OpenAsync(cancellationToken).ConfigureAwait(false);
        session.Attach(stream, configuration, time);
        try
        {
            await session._greeting.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch (OperationCanceledException e) when (!session._greeting.Task.IsCompleted)
        {
            await session.DisposeAsync().ConfigureAwait(false);
            // Whose time it was that ran out is for the caller to say; why, is known here.
            throw new OperationCanceledException($"{endpoint} accepts connections but does not greet as an Asterisk Manager does; is it a TLS port?", e, cancellationToken);
        }
        catch
        {
            await session.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>A session over a stream that is open already, for tests and benchmarks.</summary>
    internal static AmiSession Over(Stream stream, SipServerConfiguration configuration, IAmiEventSink sink, ILogger log, TimeProvider time)
    {
        var session = new AmiSession(new WireEndpoint("test", 1, false, false), configuration, sink, log);
        session.Attach(stream, configuration, time);
        return session;
    }

    private void Attach(Stream stream, SipServerConfiguration configuration, TimeProvider time)
    {
        _connection = new WireConnection(stream, this);
        _alive = new KeepAlive(this, _connection, _peer, configuration, time);
        _connection.Begin();
    }

    /// <summary>Sends an action and waits for its reply, a list with all its items. What it throws at once, and not by its task, it throws before anything is sent.</summary>
    /// <param name="action">The action.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <param name="timeout">How long to wait; the connection's RequestTimeout if null.</param>
    /// <param name="taken">
    /// Given the reply on the reader, at its place among the events; a single response also when nobody waits for it any more.
    /// Must be quick and must not throw.
    /// </param>
    /// <exception cref="SipTimeoutException">No reply in time. The action may have been carried out; it is not sent again.</exception>
    /// <exception cref="SipConnectionException">The connection is gone. If the action had been sent, OutcomeUnknown is set.</exception>
    public Task<AmiReply> RequestAsync(AmiAction action, CancellationToken cancellationToken, TimeSpan? timeout = null, Action<AmiReply>? taken = null)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TimeSpan limit = timeout ?? _requestTimeout;
        long id = Interlocked.Increment(ref _lastId);
        var waiter = new Waiter(action.Name, _peer, limit, _alive!.Now + (long)limit.TotalMilliseconds) { Id = id };
        // Who has many requests under way is likely to send more.
        bool gather = _replies.Add(id, waiter) > 8;
        if (taken is not null) _taken[id] = taken;
        try
        {
            _connection!.Send((this, action, id), static (writer, s) => s.action.WriteTo(writer, s.Item1._idPrefix, s.id), gather);
        }
        catch
        {
            _replies.TryTake(id, out _);
            _taken.TryRemove(id, out _);
            throw;
        }

        Log.ActionSent(_log, action.Name, id);
        waiter.CancelWith(_replies, id, cancellationToken);
        return waiter.Task;
    }

    /// <summary>Ends the session: the good-bye if the server takes it quickly, then the connection.</summary>
    public async Task LogoffAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RequestAsync(new AmiAction("Logoff"), cancellationToken, TimeSpan.FromSeconds(2)).ConfigureAwait(false);
        }
        catch (SipException)
        {
            // A server that is gone or busy needs no good-bye.
        }
        finally
        {
            await DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Closes at once, with the reason that all waiters get.</summary>
    public void Abort(Exception reason) => _connection!.Abort(reason);

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
        if (!_greeting.Task.IsCompleted)
        {
            if (!AmiFramer.TryReadGreeting(buffer, out taken, out string version)) return 0;
            _greeting.TrySetResult(version);
        }

        _sink.OnReadBegins();
        try
        {
            while (taken < buffer.Length && _framer.TryRead(buffer[taken..], out int length))
            {
                OnMessage(buffer.Slice(taken, length));
                taken += length;
            }
        }
        finally
        {
            _sink.OnReadEnds();
        }

        return taken;
    }

    void IWireProtocol.OnClosed(Exception reason)
    {
        _alive?.Stop();
        _greeting.TrySetException(reason);
        _ = _greeting.Task.Exception;
        _booted.TrySetException(reason);
        _ = _booted.Task.Exception;
        _replies.Close(reason);
    }

    bool IKeptAlive.CanAsk => _greeting.Task.IsCompletedSuccessfully;

    void IKeptAlive.FailLate(long now) => _replies.FailLate(now);

    // Behind a slow action of somebody's the answer comes late but comes: it gets that action's time.
    Task IKeptAlive.AskAsync(TimeSpan limit) => RequestAsync(new AmiAction("Ping"), CancellationToken.None, _replies.Count > 0 && _requestTimeout > limit ? _requestTimeout : limit);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void OnMessage(ReadOnlySpan<byte> message)
    {
        if (message.StartsWith("Event: "u8))
        {
            ReadOnlySpan<byte> name = message["Event: ".Length..];
            name = name[..name.IndexOf("\r\n"u8)];
            if (Volatile.Read(ref _openLists) > 0)
            {
                if (!TryTakeListItem(message)) TellOfForgery(message);
                return;
            }

            if (name.SequenceEqual("FullyBooted"u8)) _booted.TrySetResult();
            _sink.OnEvent(name, message);
        }
        else if (message.StartsWith("Response: "u8))
        {
            OnResponse(message);
        }
        else if (Volatile.Read(ref _openLists) > 0)
        {
            TellOfForgery(message);
        }
        else
        {
            string begin = Encoding.Latin1.GetString(message[..Math.Min(message.Length, 60)]);
            throw new SipProtocolException($"The server sent a message that begins neither with Event nor with Response: '{SipText.Printable(begin)}'.");
        }
    }

    // A session is serial, so the server says nothing else while it says a list (wire/asterisk, section 3): what stands in
    // one and is not of it was put there by a value with line breaks, the arguments of an application for instance.
    private void TellOfForgery(ReadOnlySpan<byte> message)
    {
        if (_forgeryTold) return;
        _forgeryTold = true;
        Log.ForgedInList(_log, _peer, SipText.Printable(Encoding.UTF8.GetString(message[..Math.Min(message.Length, 60)])));
    }

    private void OnResponse(ReadOnlySpan<byte> message)
    {
        if (!TryGetOwnId(AmiMessage.Find(message, "ActionID"u8), out long id))
        {
            Log.StrayResponse(_log, SipText.Printable(Encoding.UTF8.GetString(AmiMessage.Find(message, "Message"u8))));
            return;
        }

        if (AmiMessage.Find(message, "EventList"u8).SequenceEqual("start"u8))
        {
            if (!_replies.TryPeek(id, out Waiter? list))
            {
                _taken.TryRemove(id, out _);
                return;
            }

            list.Response = new AmiMessage(message.ToArray());
            list.Items = [];
            list.Open(this);
            return;
        }

        Answer(id, new AmiReply(new AmiMessage(message.ToArray()), []));
    }

    // An event with the id of a list of ours that is open is an item of it. OriginateResponse carries the id of an
    // Originate whose response has been taken long ago, so it never looks like one.
    private bool TryTakeListItem(ReadOnlySpan<byte> message)
    {
        if (!TryGetOwnId(AmiMessage.Find(message, "ActionID"u8), out long id)) return false;
        if (!_replies.TryPeek(id, out Waiter? waiter) || waiter.Items is null) return false;

        var item = new AmiMessage(message.ToArray());
        if (item.Find("EventList"u8).SequenceEqual("Complete"u8))
        {
            Answer(id, new AmiReply(waiter.Response!, waiter.Items));
            return true;
        }

        if (waiter.Items.Count >= MaxListItems) throw new SipProtocolException($"The server's list has more than {MaxListItems} items.");
        waiter.Items.Add(item);
        return true;
    }

    // Whoever waits goes on when what the reply changes is done.
    private void Answer(long id, AmiReply reply)
    {
        bool awaited = _replies.TryTake(id, out Waiter? waiter);
        if (_taken.TryRemove(id, out Action<AmiReply>? taken)) taken(reply);
        else if (!awaited) Log.LateReply(_log, id);
        waiter?.Complete(reply, _connection!.Answered);
    }

    private bool TryGetOwnId(ReadOnlySpan<byte> value, out long id)
    {
        id = 0;
        return value.StartsWith(_idPrefix)
            && Utf8Parser.TryParse(value[_idPrefix.Length..], out id, out int digits)
            && digits == value.Length - _idPrefix.Length;
    }

    // For lists also what has come of them.
    private sealed class Waiter(string action, string peer, TimeSpan limit, long deadline) : ReplyWaiter<AmiReply>(action, peer, limit, deadline)
    {
        private int _listClosed;
        private volatile AmiSession? _open;

        public long Id { get; init; }

        public AmiMessage? Response { get; set; }

        public List<AmiMessage>? Items { get; set; }

        /// <summary>Its list begins. It may be given up at the same moment: a list that stays open would hide all events.</summary>
        public void Open(AmiSession session)
        {
            Interlocked.Increment(ref session._openLists);
            _open = session;
            Interlocked.MemoryBarrier();
            if (IsDecided) OnOver();
        }

        protected override void OnOver()
        {
            if (_open is not { } session || Interlocked.Exchange(ref _listClosed, 1) != 0) return;
            Interlocked.Decrement(ref session._openLists);
            // The rest of a list that is given up is not read.
            session._taken.TryRemove(Id, out _);
        }
    }
}
