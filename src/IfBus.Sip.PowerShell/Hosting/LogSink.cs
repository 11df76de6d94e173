namespace IfBus.Sip.Hosting;

/// <summary>One message that waits to be shown.</summary>
internal readonly record struct LogEntry(SipLogLevel Level, string Message);

/// <summary>
/// Takes the adapters' messages from any thread and keeps them until a cmdlet shows them: at once while one runs,
/// otherwise the next one does. Bounded; the oldest go first.
/// </summary>
internal sealed class LogSink : ISipLog
{
    private const int Most = 200;
    private readonly object _gate = new();
    private readonly Queue<LogEntry> _waiting = new();
    private readonly List<ILogViewer> _viewers = [];
    private int _dropped;
    private volatile SipLogLevel _lowest = SipLogLevel.Information;
    private volatile ILogViewer? _pumping;

    /// <inheritdoc/>
    public bool IsEnabled(SipLogLevel level) => level >= _lowest;

    /// <inheritdoc/>
    public void Write(SipLogLevel level, int eventId, string message, Exception? exception)
    {
        if (!IsEnabled(level)) return;
        lock (_gate)
        {
            _waiting.Enqueue(new LogEntry(level, exception is null ? message : $"{message} ({exception.Message})"));
            if (_waiting.Count > Most)
            {
                _waiting.Dequeue();
                _dropped++;
            }
        }

        _pumping?.Wake();
    }

    /// <summary>A cmdlet begins: from now on, what it wants is kept.</summary>
    public void Attach(ILogViewer viewer)
    {
        lock (_gate)
        {
            _viewers.Add(viewer);
            Judge();
        }
    }

    /// <summary>A cmdlet is done.</summary>
    public void Detach(ILogViewer viewer)
    {
        lock (_gate)
        {
            _viewers.Remove(viewer);
            Judge();
        }
    }

    /// <summary>Names the viewer that shows messages now, and returns the one before: in a pipeline they nest.</summary>
    public ILogViewer? SetPumping(ILogViewer? viewer) => Interlocked.Exchange(ref _pumping!, viewer!);

    /// <summary>Takes the next message.</summary>
    public bool TryTake(out LogEntry entry)
    {
        lock (_gate)
        {
            if (_dropped > 0)
            {
                entry = new LogEntry(SipLogLevel.Warning, $"{_dropped} older messages were dropped because no cmdlet showed them.");
                _dropped = 0;
                return true;
            }

            return _waiting.TryDequeue(out entry);
        }
    }

    // While nobody looks, the story is kept; while somebody looks, only what he wants is made.
    private void Judge() => _lowest = _viewers.Count == 0 ? SipLogLevel.Information : _viewers.Min(v => v.LowestLevel);
}

/// <summary>Somebody who shows messages: a running cmdlet.</summary>
internal interface ILogViewer
{
    /// <summary>The lowest level that would be seen.</summary>
    SipLogLevel LowestLevel { get; }

    /// <summary>There is something to show. Called from any thread.</summary>
    void Wake();
}
