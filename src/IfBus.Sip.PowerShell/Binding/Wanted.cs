using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Binding;

/// <summary>Names with wildcards.</summary>
internal static class Wanted
{
    /// <summary>True if there is no pattern (an empty column of a table is none), or there is a name that fits it; without regard to case.</summary>
    public static bool Matches(string? pattern, string? name) =>
        string.IsNullOrEmpty(pattern) || (name is not null && WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase).IsMatch(name));
}
