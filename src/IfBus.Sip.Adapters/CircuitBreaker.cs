namespace IfBus.Sip.Adapters;

/// <summary>
/// Counts the calls in a row that failed by the server's fault. Three open the circuit for a cool-down; then one call is
/// let through, and its outcome decides. Asked only where a caller has another server.
/// </summary>
internal sealed class CircuitBreaker(TimeSpan coolDown, TimeProvider time)
{
    /// <summary>Failures in a row that open it.</summary>
    public const int Limit = 3;

    private readonly object _sync = new();
    private int _failures;
    private long _openedAt;
    private bool _open;
    private bool _trying;

    public CircuitState State
    {
        get
        {
            lock (_sync) return !_open ? CircuitState.Closed : IsCooling ? CircuitState.Open : CircuitState.HalfOpen;
        }
    }

    private bool IsCooling => time.GetElapsedTime(_openedAt) < coolDown;

    /// <summary>Asks to be let through.</summary>
    /// <param name="trial">True for the one call that a half-open circuit lets through: its outcome must be told.</param>
    public bool TryPass(out bool trial)
    {
        lock (_sync)
        {
            trial = false;
            if (!_open) return true;
            if (_trying || IsCooling) return false;
            return trial = _trying = true;
        }
    }

    /// <summary>The server has answered a call, if only by refusing it. True if that closes the circuit.</summary>
    public bool Answered()
    {
        if (Volatile.Read(ref _failures) == 0) return false;
        lock (_sync)
        {
            bool closes = _open;
            _failures = 0;
            _open = _trying = false;
            return closes;
        }
    }

    /// <summary>A call failed by the server's fault. True if that opens the circuit.</summary>
    public bool Failed()
    {
        lock (_sync)
        {
            _failures++;
            if (_failures < Limit) return false;
            bool opens = !_open || !IsCooling;
            _open = true;
            _trying = false;
            if (opens) _openedAt = time.GetTimestamp();
            return opens;
        }
    }

    /// <summary>What became of the call let through says nothing about the server: another may try.</summary>
    public void Undecided()
    {
        lock (_sync) _trying = false;
    }
}
