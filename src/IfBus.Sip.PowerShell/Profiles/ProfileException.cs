using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Profiles;

/// <summary>Something is wrong with the registered servers, or their file.</summary>
internal sealed class ProfileException(string errorId, ErrorCategory category, string message, Exception? inner = null) : Exception(message, inner)
{
    public string ErrorId { get; } = errorId;

    public ErrorCategory Category { get; } = category;

    /// <summary>What to do about it, if that is not always the same for its id.</summary>
    public string? Action { get; init; }

    /// <summary>The error for a name that nothing is registered under.</summary>
    public static ProfileException NotFound(string name) =>
        new("SipProfileNotFound", ErrorCategory.ObjectNotFound, $"No server is registered as '{SipText.Printable(name)}'.");
}
