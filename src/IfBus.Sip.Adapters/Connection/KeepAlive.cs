namespace IfBus.Sip.Adapters.Connection;

/// <summary>A session whose connection is watched by a <see cref="KeepAlive"/>.</summary>
internal interface IKeptAlive
{
    /// <summary>True if a question would be answered now: the peer has greeted, and nothing slow is before it.</summary>
    bool CanAsk { get; }

    /// <summary>Fails the requests whose deadline has passed.</summary>
    /// <param name="now">On the clock of <see cref="KeepAlive.Now"/>.</param>
    void FailLate(long now);

    /// <summary>Asks something that the peer answers at once. Any answer will do, a refusal too.</summary>
    /// <param name="limit">How long an answer may take where nothing else is under way.</param>
    /// <exception cref="SipTimeoutException">There was none in time.</exception>
    Task AskAsync(TimeSpan limit);
}

/// <summary>
/// The one timer of a connection: fails requests whose time is over, ends the connection if its peer does not read, and
/// asks a peer that has been silent for the keep-alive time whether it lives, which has as long to answer.
/// </summary>
internal sealed class KeepAlive : IAsyncDisposable
{
    private readonly IKeptAlive _session;
    private readonly WireConnection _connection;
    private readonly string _peer;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private long _receivedSeen;
    private long _lastHeard;
    private volatile bool _asking;

    /// <summary>Watches from now on.</summary>
    /// <param name="session">Whose connection it is.</param>
    /// <param name="connection">The connection.</param>
    /// <param name="peer">For errors.</param>
    /// <param name="configuration">KeepAlive, and RequestTimeout, which requests are failed by.</param>
    /// <param name="time">The clock.</param>
    public KeepAlive(IKeptAlive session, WireConnection connection, string peer, SipServerConfiguration configuration, TimeProvider time)
    {
        _session = session;
        _connection = connection;
        _peer = peer;
        _interval = configuration.KeepAlive;
        _time = time;
        _lastHeard = Now;
        TimeSpan tick = TimeSpan.FromMilliseconds(Math.Clamp(Math.Min(_interval.TotalMilliseconds, configuration.RequestTimeout.TotalMilliseconds) / 10, 10, 250));
        _timer = time.CreateTimer(static s => ((KeepAlive)s!).OnTick(), this, tick, tick);
    }

    /// <summary>The clock that the deadlines of requests are on, in milliseconds.</summary>
    public long Now => (long)_time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>Watches no longer. Does not wait.</summary>
    public void Stop() => _timer.Dispose();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void OnTick()
    {
        long now = Now;
        _session.FailLate(now);
        _connection.CheckWriting(now, _interval, _peer);
        if (_connection.Received != _receivedSeen)
        {
            _receivedSeen = _connection.Received;
            _lastHeard = now;
        }
        else if (!_asking && now - _lastHeard >= _interval.TotalMilliseconds && _session.CanAsk)
        {
            _asking = true;
            _ = AskAsync();
        }
    }

    private async Task AskAsync()
    {
        try
        {
            await _session.AskAsync(_interval).ConfigureAwait(false);
        }
        catch (SipTimeoutException e)
        {
            _connection.Abort(new SipConnectionException($"{_peer} does not answer any more: no reply within {e.Limit.TotalSeconds:0.#} s.", e, "SipConnectionLost"));
        }
        catch (SipException)
        {
            // Gone already.
        }
        finally
        {
            _asking = false;
        }
    }
}
