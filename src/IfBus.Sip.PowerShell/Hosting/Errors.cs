using System.Management.Automation;
using IfBus.Sip.PowerShell.Profiles;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>The one place where exceptions become error records: stable ids, fitting categories, what to do about it.</summary>
internal static class Errors
{
    /// <summary>The record for an exception.</summary>
    /// <param name="exception">What went wrong.</param>
    /// <param name="target">The call, server or input that it is about.</param>
    /// <param name="otherwise">What can be done, if the exception does not say; null: what is usual for its id.</param>
    public static ErrorRecord Record(Exception exception, object? target, string? otherwise = null)
    {
        (string id, ErrorCategory category, string? action) = exception switch
        {
            ProfileException e => (e.ErrorId, e.Category, e.Action),
            ServerChoiceException e => (e.ErrorId, ErrorCategory.ConnectionError, e.Action),
            SipException e => (e.ErrorId, Category(e), e.RecommendedAction),
            OperationCanceledException => ("SipStopped", ErrorCategory.OperationStopped, null),
            _ => ("SipUnexpected", ErrorCategory.NotSpecified, null),
        };
        return new ErrorRecord(exception, id, category, target ?? (exception as SipException)?.CallId ?? (exception as SipException)?.Server)
        {
            // The exception stays in the record for those who look; what is shown are words.
            ErrorDetails = new ErrorDetails(Sentence(Words(exception))) { RecommendedAction = string.IsNullOrEmpty(action) ? otherwise ?? ErrorActions.For(id) : action },
        };
    }

    /// <summary>
    /// The record as a cmdlet's user reads it: a value that was refused further down, and of which this cmdlet has no parameter, is
    /// called by its name there without a dash, which would make it one.
    /// </summary>
    public static ErrorRecord For(ErrorRecord record, CommandInfo command)
    {
        if (record.Exception is SipArgumentException { Parameter: { } parameter } && !command.Parameters.ContainsKey(parameter))
            record.ErrorDetails = new ErrorDetails(record.ErrorDetails.Message.TrimStart('-')) { RecommendedAction = record.ErrorDetails.RecommendedAction };
        return record;
    }

    private static string Words(Exception exception) => exception switch
    {
        SipArgumentException or SipConfigurationException => exception.Message,
        // Whom it is about is always said.
        SipException { Server: { } server } when !exception.Message.Contains(server, StringComparison.OrdinalIgnoreCase) => $"{server}: {exception.Message}",
        SipException or ServerChoiceException or ProfileException => exception.Message,
        OperationCanceledException => "It was given up before it was done.",
        _ => $"This failed in a way that the module does not expect: {SipText.Reason(exception)}.",
    };

    // A server's words stand at the end of some, as the server wrote them.
    private static string Sentence(string text) => text.Length > 0 && (char.IsLetterOrDigit(text[^1]) || text[^1] is '\'' or '"') ? text + "." : text;

    private static ErrorCategory Category(SipException exception) => exception switch
    {
        { ErrorId: "SipConferenceNotFound" or "SipConferenceMemberNotFound" or "SipAccountNotFound" or "SipDeviceNotFound" or "SipCallForwardingNotFound" or "SipSpaceUnknown" } => ErrorCategory.ObjectNotFound,
        { ErrorId: "SipGatewayNotFound" or "SipRegistrationNotFound" or "SipDestinationNotFound" or "SipNumberNotRegistered" or "SipNotFound" } => ErrorCategory.ObjectNotFound,
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
