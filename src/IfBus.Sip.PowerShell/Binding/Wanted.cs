using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Binding;

/// <summary>Names with wildcards.</summary>
internal static class Wanted
{
    /// <summary>True if there is no pattern, or the name fits it; without regard to case.</summary>
    public static bool Matches(string? pattern, string name) =>
        string.IsNullOrEmpty(pattern) || WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase).IsMatch(name);
}
