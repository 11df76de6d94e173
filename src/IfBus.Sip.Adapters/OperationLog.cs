namespace IfBus.Sip.Adapters;

/// <summary>The last 100 operations: what health is judged by.</summary>
internal sealed class OperationLog
{
    private const int Size = 100;
    private readonly object _gate = new();
    private readonly double[] _milliseconds = new double[Size];
    private readonly bool[] _failed = new bool[Size];
    private int _next;
    private int _count;

    /// <summary>Notes one operation. A refusal by the server is not a failure of the server.</summary>
    public void Add(TimeSpan latency, bool failed)
    {
        lock (_gate)
        {
            _milliseconds[_next] = latency.TotalMilliseconds;
            _failed[_next] = failed;
            _next = (_next + 1) % Size;
            _count = Math.Min(_count + 1, Size);
        }
    }

    /// <summary>How many operations, the failed part of them, and the average latency of the others.</summary>
    public (int Count, double FailureRate, TimeSpan? Average) Read()
    {
        lock (_gate)
        {
            if (_count == 0) return (0, 0, null);
            int failed = 0;
            double sum = 0;
            for (int i = 0; i < _count; i++)
            {
                if (_failed[i]) failed++;
                else sum += _milliseconds[i];
            }

            return (_count, (double)failed / _count, failed == _count ? null : TimeSpan.FromMilliseconds(sum / (_count - failed)));
        }
    }

    /// <summary>The verdict: see <see cref="HealthState"/> for the limits.</summary>
    public static HealthState Judge(bool connected, double failureRate, TimeSpan? average)
    {
        double milliseconds = average?.TotalMilliseconds ?? 0;
        if (!connected || failureRate > 0.20 || milliseconds > 300) return HealthState.Critical;
        return failureRate >= 0.05 || milliseconds >= 100 ? HealthState.Degraded : HealthState.Healthy;
    }
}
