using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters;

/// <summary>
/// What all adapters share: the connection's states, reconnecting, the call table, events, health, metrics, time limits
/// and the checks of capabilities. An adapter opens sessions and carries out requests on them.
/// </summary>
/// <typeparam name="TSession">The adapter's session.</typeparam>
internal abstract partial class SipAdapterBase<TSession> : ISipAdapter
    where TSession : class, ISipSession
{
    private readonly object _gate = new();
    private readonly OperationLog _operations = new();
    private readonly CancellationTokenSource _lifetime = new();

    // Cancelled when the adapter is left; good also when its source is gone.
    private readonly CancellationToken _left;
    private TSession? _session;
    private ConnectionState _state = ConnectionState.Disconnected;
    private string? _lastError;
    private DateTime? _connectedAt;
    private int _reconnects;
    private SipServerInfo _info = SipServerInfo.Unknown;
    private Task _supervisor = Task.CompletedTask;
    private bool _leaving;

    protected SipAdapterBase(SipServerConfiguration configuration, SipServerType type, int port, ILogger log, TimeProvider time)
    {
        _left = _lifetime.Token;
        Configuration = configuration;
        Name = configuration.Name ?? configuration.Host!;
        Type = type;
        Port = port;
        Logger = log;
        Time = time;
        Events = new EventHub(Name, type, configuration.EventBuffer, time, log);
        _limits = new CallGate(Name, time);
        _limits.SetLimits(configuration.MaxCalls, configuration.MaxCallsPerSecond);
        _circuit = new CircuitBreaker(configuration.CircuitCoolDown, time);
        Calls = new CallTable(Name, type, Events, configuration.HistorySize, time, log) { Gate = _limits };
    }

    protected SipServerConfiguration Configuration { get; }

    protected string Name { get; }

    protected SipServerType Type { get; }

    protected int Port { get; }

    protected ILogger Logger { get; }

    protected TimeProvider Time { get; }

    protected EventHub Events { get; }

    protected CallTable Calls { get; }

    /// <inheritdoc/>
    public SipCapabilities Capabilities => _info.Capabilities;

    /// <inheritdoc/>
    public SipServer Server
    {
        get
        {
            (int? maxCalls, double? perSecond, int waiting, bool full) = _limits.Read();
            (_, _, TimeSpan? latency) = _operations.Read();
            lock (_gate)
            {
                return new SipServer
                {
                    Name = Name,
                    Type = Type,
                    Host = Configuration.Host!,
                    Port = Port,
                    User = Configuration.Credential?.UserName,
                    Tls = Configuration.UseTls,
                    State = _state,
                    Version = _info.Version,
                    StartedAt = _info.StartedAt,
                    ConnectedAt = _connectedAt,
                    Reconnects = _reconnects,
                    ActiveCalls = Calls.LiveCount,
                    MaxCalls = maxCalls,
                    MaxCallsPerSecond = perSecond,
                    WaitingCalls = waiting,
                    AtLimit = full,
                    Circuit = _circuit.State,
                    AverageLatency = latency,
                    Capabilities = _info.Capabilities,
                    LastError = _lastError,
                };
            }
        }
    }

    /// <summary>
    /// Connects, logs in, subscribes, learns the capabilities, and brings the call table up to date. Only then are callers let
    /// in, so a login, after a loss too, has its new connection to itself: a lane of its own among the writes, ahead of what
    /// callers send, would have nothing to be ahead of.
    /// </summary>
    protected abstract Task<TSession> OpenAsync(CancellationToken cancellationToken);

    protected abstract Task<SipCall> HangUpAsync(TSession session, string callId, HangupCause cause, CancellationToken cancellationToken);

    protected abstract Task<IReadOnlyList<SipCall>> GetCallsAsync(TSession session, CancellationToken cancellationToken);

    protected abstract Task<IReadOnlyList<SipCallDetailRecord>> GetCallDetailRecordsAsync(TSession session, SipDetailRecordFilter filter, CancellationToken cancellationToken);

    protected abstract Task<SipCommandResult> InvokeCommandAsync(TSession session, SipCommandRequest request, CancellationToken cancellationToken);

    /// <summary>A cheap request; its time is the latency. Adds what it learns to the result; what it asks beside that does not count if it says the Latency itself.</summary>
    protected abstract Task<SipServerHealth> MeasureAsync(TSession session, SipServerHealth health, CancellationToken cancellationToken);

    /// <inheritdoc/>
    public async Task ConnectAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_leaving, this);
            if (_state == ConnectionState.Connected) return;
            if (_state is ConnectionState.Connecting or ConnectionState.Reconnecting)
                throw new SipConnectionException($"{Name} is {_state.ToString().ToLowerInvariant()} already.", errorId: "SipConnectionBusy") { Server = Name };
        }

        SetState(ConnectionState.Connecting, null);
        Log.Connecting(Logger, Name, Configuration.Host!, Port, Configuration.UseTls);
        try
        {
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _left);
            TSession session = await OpenInTimeAsync(both.Token).ConfigureAwait(false);
            if (!await EnterAsync(session).ConfigureAwait(false)) throw WasDisconnected();
            _supervisor = Task.Run(() => SuperviseAsync(session), CancellationToken.None);
        }
        catch (OperationCanceledException) when (_left.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw WasDisconnected();
        }
        catch (Exception e)
        {
            SetState(e is OperationCanceledException ? ConnectionState.Disconnected : ConnectionState.Failed, SipText.Reason(e));
            if (e is SipException sip) sip.Server ??= Name;
            throw;
        }
    }

    /// <inheritdoc/>
    public async Task DisconnectAsync(CancellationToken cancellationToken)
    {
        TSession? session;
        lock (_gate)
        {
            if (_leaving) return;
            _leaving = true;
            session = _session;
        }

        SetState(ConnectionState.Disconnecting, null);
        _limits.Close("disconnected");
        await _lifetime.CancelAsync().ConfigureAwait(false);
        try
        {
            if (session is not null) await session.CloseAsync(cancellationToken).ConfigureAwait(false);
            // An attempt that is under way closes what it opens; it is waited for as long as one takes, and no longer.
            await _supervisor.WaitAsync(Configuration.ConnectTimeout, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            Log.WorkFailed(Logger, e, Name, "ending an attempt to connect");
        }
        finally
        {
            SetState(ConnectionState.Disconnected, null);
            Log.Disconnected(Logger, Name);
            SipConnectionException reason = WasDisconnected();
            Calls.FailWaiters(reason);
            Events.Close(reason);
            _limits.Dispose();
            OnLeft();
        }
    }

    private SipConnectionException WasDisconnected() => new($"{Name} was disconnected.", errorId: "SipDisconnected") { Server = Name };

    /// <summary>Disconnected for good: what the adapter holds besides the session is to be let go.</summary>
    protected virtual void OnLeft()
    {
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await DisconnectAsync(CancellationToken.None).ConfigureAwait(false);
        _lifetime.Dispose();
    }

    /// <inheritdoc/>
    public Task<SipCall> HangUpAsync(string callId, HangupCause cause, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.HangUp, s => HangUpAsync(s, callId, cause, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipCall>> GetCallsAsync(CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.ListCalls, s => GetCallsAsync(s, cancellationToken));

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipCallDetailRecord>> GetCallDetailRecordsAsync(SipDetailRecordFilter filter, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.CallDetailRecords, s => GetCallDetailRecordsAsync(s, filter, cancellationToken), measured: false);

    /// <inheritdoc/>
    public Task<SipCommandResult> InvokeCommandAsync(SipCommandRequest request, CancellationToken cancellationToken) =>
        RunAsync(SipCapabilities.RawCommand, s => InvokeCommandAsync(s, request, cancellationToken));

    /// <inheritdoc/>
    public ISipEventSubscription Subscribe(SipEventTypes types) => Events.Subscribe(types);

    /// <inheritdoc/>
    public IReadOnlyList<SipCall> KnownCalls => Calls.SnapshotLive();

    /// <inheritdoc/>
    public SipCall? FindCall(string callId)
    {
        lock (Calls.Sync) return Calls.TryFind(callId, out TrackedCall? call) ? Calls.Snapshot(call) : null;
    }

    /// <inheritdoc/>
    public async Task<SipCall> WaitForCallAsync(string callId, IReadOnlyCollection<CallState> states, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        if (timeout is { } asked && (asked < TimeSpan.Zero || asked > ISipAdapter.LongestWait))
            throw new SipArgumentException("Timeout", asked.ToString(), $"0 seconds to {ISipAdapter.LongestWait.Days} days; left out: without end.");
        CallWaiter waiter = Calls.Wait(callId, states) ?? throw NoSuchCall(callId);
        try
        {
            return timeout is { } limit
                ? await waiter.Task.WaitAsync(limit, Time, cancellationToken).ConfigureAwait(false)
                : await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            string now = FindCall(callId)?.State.ToString() ?? "gone";
            string seen = $"after {timeout!.Value.TotalSeconds:0.###} s, not {string.Join(" or ", states)}";
            ConnectionState state = _state;
            // Without a connection nobody knows.
            bool known = state == ConnectionState.Connected;
            throw new SipTimeoutException(known ? $"Call {callId} is {now} {seen}. The call goes on." : $"Call {callId} was {now} when it was last seen, and {seen}: {Name} is {state}.", timeout.Value, e)
            {
                Server = Name,
                CallId = callId,
                RecommendedAction = known ? "Wait longer with -Timeout, or end the call with Stop-SipCall." : "Wait longer: what has become of the call is looked up when the connection is back (Get-SipServer).",
            };
        }
        finally
        {
            Calls.StopWaiting(callId, waiter);
        }
    }

    /// <inheritdoc/>
    public async Task<SipServerHealth> CheckHealthAsync(CancellationToken cancellationToken)
    {
        var health = new SipServerHealth { Server = Name, ServerType = Type, Health = HealthState.Critical, State = _state, Version = _info.Version };
        string? message = null;
        try
        {
            TSession session = Current();
            long begin = Time.GetTimestamp();
            health = await ObserveAsync(() => MeasureAsync(session, health, cancellationToken), static h => h.Latency).ConfigureAwait(false);
            health = health with { Latency = health.Latency ?? Time.GetElapsedTime(begin) };
        }
        catch (SipException e)
        {
            message = e.Message;
        }

        (int count, double rate, TimeSpan? average) = _operations.Read();
        return health with
        {
            Health = OperationLog.Judge(_state == ConnectionState.Connected && message is null, rate, average),
            State = _state,
            AverageLatency = average,
            FailureRate = rate,
            Operations = count,
            Message = message ?? (_state == ConnectionState.Connected ? null : _lastError),
        };
    }

    /// <summary>The error for a call that is not there.</summary>
    protected SipCallNotFoundException NoSuchCall(string callId) => new($"{Name} has no call '{SipText.Printable(callId)}'.")
    {
        Server = Name,
        CallId = callId,
        RecommendedAction = "Get-SipCallStatus lists the live calls.",
    };

    private TSession Current()
    {
        lock (_gate)
        {
            if (_session is { } session && _state == ConnectionState.Connected) return session;
            // Between the loss and the first attempt to reconnect the state still says Connected.
            string how = _state == ConnectionState.Connected ? "losing its connection" : _state.ToString().ToLowerInvariant();
            string why = _lastError is null ? "" : $" ({_lastError.TrimEnd('.')})";
            throw new SipConnectionException($"{Name} is {how}{why}. Nothing was sent.", errorId: "SipServerNotConnected")
            {
                Server = Name,
                NothingDone = true,
                RecommendedAction = _state is ConnectionState.Reconnecting or ConnectionState.Connected ? "Wait until it is connected again (Get-SipServer), or connect anew." : "Connect-SipServer.",
            };
        }
    }

    private async Task<T> RunAsync<T>(SipCapabilities needed, Func<TSession, Task<T>> work, bool measured = true)
    {
        try
        {
            TSession session = Current();
            if ((session.Capabilities & needed) != needed) throw Cannot(session, needed);
            return measured ? await ObserveAsync(() => work(session)).ConfigureAwait(false) : await work(session).ConfigureAwait(false);
        }
        catch (SipException e)
        {
            e.Server ??= Name;
            throw;
        }
    }

    private SipNotSupportedException Cannot(TSession session, SipCapabilities needed) => KindLimits.Refuse(Name, Type, needed & ~session.Capabilities) ?? NotSupported(session, needed);

    /// <summary>Why this login cannot do it.</summary>
    protected abstract SipNotSupportedException NotSupported(TSession session, SipCapabilities needed);

    /// <summary>Runs a request and notes how long it took, if the result does not say it, and whether the server failed.</summary>
    private async Task<T> ObserveAsync<T>(Func<Task<T>> request, Func<T, TimeSpan?>? latency = null)
    {
        long begin = Time.GetTimestamp();
        bool failed = false;
        TimeSpan? told = null;
        try
        {
            T result = await request().ConfigureAwait(false);
            told = latency?.Invoke(result);
            return result;
        }
        catch (Exception e)
        {
            failed = e is SipTimeoutException or SipConnectionException or SipProtocolException;
            // Refused before anything was sent, or given up by the caller: says nothing about the server.
            if (!failed && e is not SipRejectedException) begin = 0;
            throw;
        }
        finally
        {
            if (begin != 0)
            {
                TimeSpan taken = told ?? Time.GetElapsedTime(begin);
                _operations.Add(taken, failed);
                SipMeter.RequestLatency.Record(taken.TotalSeconds, new KeyValuePair<string, object?>("server.type", Type.ToString()));
            }
        }
    }

    private sealed record SipServerInfo(string? Version, DateTime? StartedAt, SipCapabilities Capabilities)
    {
        public static SipServerInfo Unknown { get; } = new(null, null, SipCapabilities.None);
    }
}
