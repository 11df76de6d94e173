namespace IfBus.Sip.Adapters;

/// <summary>
/// Holds calls back that a connection's limits do not allow yet: calls of ours at once, and calls in a second. What waits
/// leaves by weight, then in the order in which it came. Without limits it costs a look at one field.
/// </summary>
/// <remarks>
/// Calls in a second: at most N, rounded up, are let through in any time of N / rate seconds, which is one second for a
/// whole rate. So no second ever sees more, as a bucket of tokens that begins full would allow.
/// </remarks>
internal sealed class CallGate(string server, TimeProvider time) : IDisposable
{
    private readonly object _sync = new();
    private readonly SortedSet<Waiter> _waiting = [];
    // When those were let through who count for the rate now, oldest first.
    private readonly LinkedList<long> _placed = new();
    private volatile bool _limited;
    private int? _maxCalls;
    private double? _perSecond;
    private int _mostPlaced;
    private long _window;
    private int _held;
    private int _others;
    private long _arrivals;
    private ITimer? _timer;
    private Exception? _closed;
    private bool _disposed;

    /// <summary>False: calls need not come here at all.</summary>
    public bool IsLimited => _limited;

    /// <summary>How it stands.</summary>
    public (int? MaxCalls, double? PerSecond, int Waiting, bool Full) Read()
    {
        if (!_limited) return default;
        lock (_sync) return (_maxCalls, _perSecond, _waiting.Count, _waiting.Count > 0 || !HasRoom());
    }

    /// <summary>Sets the limits, checked before; null: none. Who may leave by the new ones leaves.</summary>
    public void SetLimits(int? maxCalls, double? perSecond)
    {
        lock (_sync)
        {
            _maxCalls = maxCalls;
            _perSecond = perSecond;
            if (perSecond is { } rate)
            {
                _mostPlaced = (int)Math.Ceiling(rate);
                _window = (long)Math.Ceiling(_mostPlaced / rate * time.TimestampFrequency);
            }
            else
            {
                _placed.Clear();
            }

            _limited = maxCalls is not null || perSecond is not null;
            LetThrough();
        }
    }

    /// <summary>Waits until the call may be placed. Null if there are no limits.</summary>
    /// <param name="weight">The higher, the earlier.</param>
    /// <param name="check">Run before it waits: throws if the call cannot be placed anyway.</param>
    /// <param name="cancellationToken">Takes it out of the queue at once.</param>
    /// <exception cref="SipConnectionException">The connection is gone; the call was not placed.</exception>
    public ValueTask<CallSlot?> EnterAsync(double weight, Action check, CancellationToken cancellationToken)
    {
        if (!_limited) return default;
        lock (_sync)
        {
            if (TryEnter() is { } slot) return new ValueTask<CallSlot?>(slot);
        }

        check();
        var waiter = new Waiter(this, -weight);
        lock (_sync)
        {
            if (TryEnter() is { } slot) return new ValueTask<CallSlot?>(slot);
            waiter.Place = _arrivals++;
            _waiting.Add(waiter);
            Arm();
        }

        return new ValueTask<CallSlot?>(WaitAsync(waiter, cancellationToken));
    }

    /// <summary>The connection is gone: fails all who wait, and all who come until it is back.</summary>
    public void Close(string reason)
    {
        lock (_sync)
        {
            _closed = new SipConnectionException(reason);
            foreach (Waiter waiter in _waiting) waiter.TrySetException(NotPlaced());
            _waiting.Clear();
            Arm();
        }
    }

    /// <summary>The connection is there (again).</summary>
    public void Open()
    {
        lock (_sync) _closed = null;
    }

    /// <summary>A call of ours is in the table.</summary>
    public void Came(TrackedCall call)
    {
        if (call.Slot is { } slot) slot.Bind();
        else Interlocked.Increment(ref _others);
    }

    /// <summary>A call of ours has left the live ones.</summary>
    public void Left(TrackedCall call)
    {
        if (call.Slot is { } slot)
        {
            slot.Release();
            return;
        }

        // Placed while there was no limit; it counts if one was set since.
        Interlocked.Decrement(ref _others);
        if (!_limited) return;
        lock (_sync) LetThrough();
    }

    /// <summary>A slot is free.</summary>
    /// <param name="placed">What does not count for the rate, since it was not used.</param>
    public void Release(LinkedListNode<long>? placed)
    {
        lock (_sync)
        {
            _held--;
            if (placed?.List == _placed) _placed.Remove(placed);
            LetThrough();
        }
    }

    public void Dispose()
    {
        lock (_sync)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }

    private static async Task<CallSlot?> WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        using CancellationTokenRegistration given = cancellationToken.UnsafeRegister(static (w, token) => ((Waiter)w!).Gate.GiveUp((Waiter)w, token), waiter);
        return await waiter.Task.ConfigureAwait(false);
    }

    private void GiveUp(Waiter waiter, CancellationToken token)
    {
        // Who takes a waiter out of the queue, and nobody else, completes it: a slot is given away once.
        lock (_sync)
        {
            if (!_waiting.Remove(waiter)) return;
            waiter.TrySetCanceled(token);
            Arm();
        }
    }

    private SipConnectionException NotPlaced() => new($"{server} is not connected any more ({_closed!.Message}) and its limits had held the call back until then: it was not placed. Nothing was sent.", errorId: "SipServerNotConnected")
    {
        Server = server,
        NothingDone = true,
    };

    // All below: under the lock.
    private CallSlot? TryEnter()
    {
        if (_closed is not null) throw NotPlaced();
        return _waiting.Count == 0 ? Take() : null;
    }

    private CallSlot? Take()
    {
        if (!HasRoom()) return null;
        _held++;
        return new CallSlot(this, _perSecond is null ? null : _placed.AddLast(time.GetTimestamp()));
    }

    private bool HasRoom()
    {
        if (_maxCalls is { } most && _held + Volatile.Read(ref _others) >= most) return false;
        if (_perSecond is null) return true;
        long now = time.GetTimestamp();
        while (_placed.First is { } first && now - first.Value >= _window) _placed.RemoveFirst();
        return _placed.Count < _mostPlaced;
    }

    private void LetThrough()
    {
        while (_waiting.Min is { } next && Take() is { } slot)
        {
            _waiting.Remove(next);
            next.TrySetResult(slot);
        }

        Arm();
    }

    // Only the rate needs a clock: a slot that becomes free tells so itself.
    private void Arm()
    {
        if (_waiting.Count == 0 || _perSecond is null || _placed.Count < _mostPlaced || _disposed)
        {
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        // Timers count whole milliseconds; never too early.
        double milliseconds = Math.Ceiling((_placed.First!.Value + _window - time.GetTimestamp()) * 1000.0 / time.TimestampFrequency);
        _timer ??= time.CreateTimer(static gate => ((CallGate)gate!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(TimeSpan.FromMilliseconds(Math.Max(1, milliseconds)), Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        lock (_sync) LetThrough();
    }

    private sealed class Waiter(CallGate gate, double order) : TaskCompletionSource<CallSlot?>(TaskCreationOptions.RunContinuationsAsynchronously), IComparable<Waiter>
    {
        public CallGate Gate => gate;

        public long Place { get; set; }

        private double Order { get; } = order;

        public int CompareTo(Waiter? other) => other is null ? -1 : Order.CompareTo(other.Order) is not 0 and int byWeight ? byWeight : Place.CompareTo(other.Place);
    }
}
