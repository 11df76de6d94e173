namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>What modules offer, as <c>show api</c>, <c>show application</c> and <c>show file</c> list it.</summary>
internal sealed partial class ApiCommands
{
    private static readonly string[] FileFormats = ["L16", "PCMA", "PCMU", "au", "flac", "gsm", "raw", "silence_stream", "tone_stream", "wav"];

    private IEnumerable<string> Functions => _functions.Keys.Concat(_slow.Keys).Append("reload").Order(StringComparer.Ordinal);

    private List<List<(string Name, string Value)>> Offered(string what) => what switch
    {
        "api" => [.. Functions.Select(n => new List<(string, string)> { ("name", n), ("description", ""), ("syntax", ""), ("ikey", "mod_commands") })],
        "application" => [.. Switchboard.ApplicationNames.Order(StringComparer.Ordinal).Select(n => new List<(string, string)> { ("name", n), ("description", ""), ("syntax", ""), ("ikey", "mod_dptools") })],
        "file" => [.. FileFormats.Select(n => new List<(string, string)> { ("type", "file"), ("name", n), ("ikey", "mod_sndfile") })],
        _ => [],
    };
}
