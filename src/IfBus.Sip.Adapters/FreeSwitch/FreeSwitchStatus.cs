using System.Globalization;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>The text of the status command (api-status recording; FreeSWITCH 1.10.12). What is not there is null.</summary>
/// <param name="SinceStartup">Sessions since the start.</param>
/// <param name="Sessions">Sessions now; one a leg.</param>
/// <param name="PeakSessions">The most at once.</param>
/// <param name="SessionsPerSecond">New sessions in the last whole second, refused ones too.</param>
/// <param name="MaxPerSecond">The most that are taken.</param>
/// <param name="MaxSessions">The most at once that are taken.</param>
internal sealed partial record FreeSwitchStatus(long? SinceStartup, int? Sessions, int? PeakSessions, int? SessionsPerSecond, int? MaxPerSecond, int? MaxSessions)
{
    /// <summary>Reads the text.</summary>
    public static FreeSwitchStatus Parse(string text)
    {
        Match now = Now().Match(text);
        Match second = Second().Match(text);
        return new FreeSwitchStatus(Number(Since().Match(text), 1), (int?)Number(now, 1), (int?)Number(now, 2), (int?)Number(second, 1), (int?)Number(second, 2), (int?)Number(Most().Match(text), 1));
    }

    private static long? Number(Match match, int group) =>
        match.Success && int.TryParse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    [GeneratedRegex(@"^(\d+) session\(s\) since startup", RegexOptions.Multiline)]
    private static partial Regex Since();

    [GeneratedRegex(@"^(\d+) session\(s\) - peak (\d+)", RegexOptions.Multiline)]
    private static partial Regex Now();

    [GeneratedRegex(@"^(\d+) session\(s\) per Sec out of max (\d+)", RegexOptions.Multiline)]
    private static partial Regex Second();

    [GeneratedRegex(@"^(\d+) session\(s\) max", RegexOptions.Multiline)]
    private static partial Regex Most();
}
