using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>The one place where exceptions become error records: stable ids, fitting categories, what to do about it.</summary>
internal static class Errors
{
    /// <summary>The record for an exception.</summary>
    /// <param name="exception">What went wrong.</param>
    /// <param name="target">The call, server or input that it is about.</param>
    public static ErrorRecord Record(Exception exception, object? target)
    {
        (string id, ErrorCategory category, string? action) = exception switch
        {
            ServerChoiceException e => (e.ErrorId, ErrorCategory.ConnectionError, e.Action),
            SipException e => (e.ErrorId, Category(e), e.RecommendedAction),
            OperationCanceledException => ("SipStopped", ErrorCategory.OperationStopped, null),
            _ => ("SipUnexpected", ErrorCategory.NotSpecified, null),
        };
        return new ErrorRecord(exception, id, category, target ?? (exception as SipException)?.CallId ?? (exception as SipException)?.Server)
        {
            ErrorDetails = new ErrorDetails(exception.Message) { RecommendedAction = action ?? "" },
        };
    }

    private static ErrorCategory Category(SipException exception) => exception switch
    {
        { ErrorId: "SipConferenceNotFound" or "SipConferenceMemberNotFound" or "SipAccountNotFound" or "SipDeviceNotFound" or "SipCallForwardingNotFound" or "SipSpaceUnknown" } => ErrorCategory.ObjectNotFound,
        { ErrorId: "SipAccountExists" or "SipAccountNameReserved" } => ErrorCategory.ResourceExists,
        { ErrorId: "SipValidationFailed" } => ErrorCategory.InvalidData,
        { ErrorId: "SipRateLimited" or "SipServerUnavailable" } => ErrorCategory.ResourceUnavailable,
        SipArgumentException or SipConfigurationException => ErrorCategory.InvalidArgument,
        SipCallNotFoundException => ErrorCategory.ObjectNotFound,
        SipAuthenticationException => ErrorCategory.AuthenticationError,
        SipTimeoutException => ErrorCategory.OperationTimeout,
        SipProtocolException => ErrorCategory.ProtocolError,
        SipCallStateException or SipTransferException => ErrorCategory.InvalidOperation,
        SipNotSupportedException => ErrorCategory.NotImplemented,
        SipRejectedException { IsPermission: true } => ErrorCategory.PermissionDenied,
        SipRejectedException => ErrorCategory.InvalidOperation,
        _ => ErrorCategory.ConnectionError,
    };
}
