using System.Collections.Concurrent;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>
/// Takes an adapter's log messages from any thread and keeps the last of them until a cmdlet can write them: the engine
/// lets only its own thread write. Bounded, so an idle connection cannot fill memory. Warnings are for whoever comes
/// next, the rest for those who asked for it with -Verbose or -Debug.
/// </summary>
internal sealed class CmdletLog : ISipLog
{
    private const int Most = 500;
    private readonly ConcurrentQueue<string> _warnings = new();
    private readonly ConcurrentQueue<(SipLogLevel Level, string Message)> _chat = new();
    private int _listeners;

    /// <summary>A cmdlet with -Verbose or -Debug runs from now on.</summary>
    public void Listen() => Interlocked.Increment(ref _listeners);

    /// <summary>It has ended.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _listeners) == 0) _chat.Clear();
    }

    /// <inheritdoc/>
    public bool IsEnabled(SipLogLevel level) => level >= SipLogLevel.Warning || (level >= SipLogLevel.Debug && Volatile.Read(ref _listeners) > 0);

    /// <inheritdoc/>
    public void Write(SipLogLevel level, int eventId, string message, Exception? exception)
    {
        if (level >= SipLogLevel.Warning)
        {
            _warnings.Enqueue(message);
            if (_warnings.Count > Most) _warnings.TryDequeue(out _);
        }
        else
        {
            _chat.Enqueue((level, message));
            if (_chat.Count > Most) _chat.TryDequeue(out _);
        }
    }

    /// <summary>Writes what has gathered. On the pipeline thread.</summary>
    /// <param name="cmdlet">Writes it.</param>
    /// <param name="listens">It asked for more than warnings.</param>
    public void WriteTo(SipCmdlet cmdlet, bool listens)
    {
        while (_warnings.TryDequeue(out string? warning)) cmdlet.WriteWarning(warning);
        while (listens && _chat.TryDequeue(out (SipLogLevel Level, string Message) entry))
        {
            if (entry.Level == SipLogLevel.Information) cmdlet.WriteVerbose(entry.Message);
            else cmdlet.WriteDebug(entry.Message);
        }
    }
}
