using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Profiles;

/// <summary>Something is wrong with the registered servers, or their file.</summary>
internal sealed class ProfileException(string errorId, ErrorCategory category, string message, string action, Exception? inner = null) : Exception(message, inner)
{
    public string ErrorId { get; } = errorId;

    public ErrorCategory Category { get; } = category;

    public string Action { get; } = action;

    /// <summary>The error for a name that nothing is registered under.</summary>
    public static ProfileException NotFound(string name) =>
        new("SipProfileNotFound", ErrorCategory.ObjectNotFound, $"No server is registered as '{SipText.Printable(name)}'.", "Get-SipServer -Registered lists them; Register-SipServer registers one.");
}
