using System.Management.Automation;

namespace IfBus.Sip.Hosting;

/// <summary>The one place that turns an exception into an error record.</summary>
internal static class ErrorMapper
{
    /// <summary>Makes the record.</summary>
    /// <param name="exception">What went wrong.</param>
    /// <param name="target">What it is about; where null, the call or server that the exception names.</param>
    public static ErrorRecord ToRecord(Exception exception, object? target)
    {
        exception = Unwrap(exception);
        if (exception is IContainsErrorRecord { ErrorRecord: { } own } and not SipException) return own;
        var sip = exception as SipException;
        var record = new ErrorRecord(exception, ErrorId(exception), Category(exception), target ?? sip?.CallId ?? sip?.Server);
        if ((sip?.RecommendedAction ?? DefaultAction(exception)) is { } action)
            record.ErrorDetails = new ErrorDetails(exception.Message) { RecommendedAction = action };
        return record;
    }

    /// <summary>The exception that says something, out of those that only carry it.</summary>
    public static Exception Unwrap(Exception exception)
    {
        while (exception is AggregateException { InnerExceptions.Count: 1 } aggregate) exception = aggregate.InnerExceptions[0];
        return exception;
    }

    private static string ErrorId(Exception exception) => exception switch
    {
        SipException sip => sip.ErrorId,
        OperationCanceledException => "SipStopped",
        FileNotFoundException => "SipModuleIncomplete",
        _ => "SipUnexpectedError",
    };

    private static ErrorCategory Category(Exception exception) => exception switch
    {
        SipArgumentException or SipConfigurationException => ErrorCategory.InvalidArgument,
        SipAuthenticationException => ErrorCategory.AuthenticationError,
        SipConnectionException => ErrorCategory.ConnectionError,
        SipTimeoutException => ErrorCategory.OperationTimeout,
        SipProtocolException => ErrorCategory.ProtocolError,
        SipCallNotFoundException => ErrorCategory.ObjectNotFound,
        SipNotSupportedException => ErrorCategory.NotImplemented,
        SipRejectedException rejected => rejected.ServerText.Contains("ermission", StringComparison.Ordinal) ? ErrorCategory.PermissionDenied : ErrorCategory.InvalidOperation,
        OperationCanceledException => ErrorCategory.OperationStopped,
        FileNotFoundException => ErrorCategory.ObjectNotFound,
        _ => ErrorCategory.NotSpecified,
    };

    private static string? DefaultAction(Exception exception) => exception switch
    {
        SipAuthenticationException => "Check user and secret, and what the server allows this user and address.",
        SipConnectionException { OutcomeUnknown: true } or SipTimeoutException { OutcomeUnknown: true } => "It may have been carried out: look with Get-SipCallStatus before doing it again.",
        _ => null,
    };
}

/// <summary>Errors of the cmdlet layer that belong to no adapter.</summary>
internal static class ServerErrors
{
    /// <summary>There is no connection at all.</summary>
    public static SipConnectionException NoConnection() => new("No SIP server is connected in this session.", errorId: "SipServerNotConnected")
    {
        RecommendedAction = "Connect with Connect-SipServer. Connections belong to the session (runspace) that made them; hand one to a parallel script block with -Server $using:server.",
    };

    /// <summary>The named connection does not exist.</summary>
    public static SipConnectionException Unknown(string name, IReadOnlyCollection<string> known) => new(
        known.Count == 0
            ? $"No SIP server named '{SipText.Printable(name)}' is connected in this session; none is."
            : $"No SIP server named '{SipText.Printable(name)}' is connected in this session. Connected: {string.Join(", ", known)}.",
        errorId: "SipServerNotConnected")
    {
        Server = name,
        RecommendedAction = "Get-SipServer lists the connections; Connect-SipServer makes one.",
    };

    /// <summary>Several connections and nobody said which.</summary>
    public static SipAmbiguousServerException Ambiguous(IReadOnlyCollection<string> names) =>
        new($"Several SIP servers are connected ({string.Join(", ", names)}) and none is the default: say which with -Server.")
        {
            RecommendedAction = $"Use -Server {names.First()}, or choose a default: Set-SipServer -Default {names.First()}.",
        };
}

/// <summary>-Server was left out, and more than one connection could be meant.</summary>
public sealed class SipAmbiguousServerException : SipException
{
    /// <summary>Makes the error.</summary>
    public SipAmbiguousServerException(string message)
        : base("SipServerAmbiguous", message)
    {
    }
}
