using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Diagnostics;

/// <summary>Hands the library's log messages to whoever made the adapter; that side knows no logging package.</summary>
internal sealed class LogBridge(ISipLog log) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && log.IsEnabled(Map(logLevel));

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) log.Write(Map(logLevel), eventId.Id, formatter(state, exception), exception);
    }

    private static SipLogLevel Map(LogLevel level) => level switch
    {
        LogLevel.Trace => SipLogLevel.Trace,
        LogLevel.Debug => SipLogLevel.Debug,
        LogLevel.Information => SipLogLevel.Information,
        LogLevel.Warning => SipLogLevel.Warning,
        _ => SipLogLevel.Error,
    };
}
