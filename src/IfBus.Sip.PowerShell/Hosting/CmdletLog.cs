using System.Collections.Concurrent;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>
/// Takes an adapter's log messages from any thread and keeps the last of them until a cmdlet that uses the adapter can
/// write them: the engine lets only its own thread write. Bounded, so an idle connection cannot fill memory.
/// </summary>
internal sealed class CmdletLog : ISipLog
{
    private const int Most = 500;
    private readonly ConcurrentQueue<(SipLogLevel Level, string Message)> _messages = new();
    private volatile bool _chatty;

    /// <summary>True while a cmdlet with -Verbose or -Debug runs: Information and Debug are wanted then.</summary>
    public bool Chatty
    {
        get => _chatty;
        set => _chatty = value;
    }

    /// <inheritdoc/>
    public bool IsEnabled(SipLogLevel level) => level >= SipLogLevel.Warning || (_chatty && level >= SipLogLevel.Debug);

    /// <inheritdoc/>
    public void Write(SipLogLevel level, int eventId, string message, Exception? exception)
    {
        _messages.Enqueue((level, message));
        if (_messages.Count > Most) _messages.TryDequeue(out _);
    }

    /// <summary>Writes what has gathered. On the pipeline thread.</summary>
    public void WriteTo(System.Management.Automation.Cmdlet cmdlet)
    {
        while (_messages.TryDequeue(out (SipLogLevel Level, string Message) entry))
        {
            if (entry.Level >= SipLogLevel.Warning) cmdlet.WriteWarning(entry.Message);
            else if (entry.Level == SipLogLevel.Information) cmdlet.WriteVerbose(entry.Message);
            else cmdlet.WriteDebug(entry.Message);
        }
    }
}
