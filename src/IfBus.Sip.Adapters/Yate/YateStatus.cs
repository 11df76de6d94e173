using System.Globalization;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>
/// A module's part of the answer to engine.status: "name=sip,type=varchans,format=Status|Address|Peer;total=5,chans=2;
/// sip/1=answered|127.0.0.1:5790|dumb/1,...": identity, counters, rows (wire/yate, status; Yate 6.4.1). Values with , ; |
/// are escaped as in a URI, by the source.
/// </summary>
internal sealed class YateStatus
{
    private readonly Dictionary<string, string> _identity = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _counters = new(StringComparer.Ordinal);

    private YateStatus(string line)
    {
        string[] parts = line.Split(';', 3);
        Read(parts[0], _identity);
        if (parts.Length > 1) Read(parts[1], _counters);
        string[] format = _identity.TryGetValue("format", out string? names) ? names.Split('|') : [];
        Rows = parts.Length > 2 && parts[2].Length > 0 ? [.. parts[2].Split(',').Select(r => YateStatusRow.Parse(r, format)).OfType<YateStatusRow>()] : [];
    }

    /// <summary>The module.</summary>
    public string Name => _identity.GetValueOrDefault("name", "");

    /// <summary>The rows.</summary>
    public IReadOnlyList<YateStatusRow> Rows { get; }

    /// <summary>All of identity and counters.</summary>
    public IEnumerable<SipField> Fields => _identity.Concat(_counters).Where(p => p.Key != "format").Select(p => new SipField(p.Key, p.Value));

    /// <summary>A value of identity or counters; null if it is not there.</summary>
    public string? this[string name] => _counters.TryGetValue(name, out string? value) || _identity.TryGetValue(name, out value) ? value : null;

    /// <summary>A counter; null if it is not there.</summary>
    public int? Number(string name) => int.TryParse(this[name], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    /// <summary>The modules of an answer, one a line.</summary>
    public static List<YateStatus> Parse(string answer) => [.. answer.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(l => new YateStatus(l))];

    /// <summary>Undoes the escapes of a URI where they are good.</summary>
    public static string Unescape(string value) => value.Contains('%', StringComparison.Ordinal) ? Uri.UnescapeDataString(value) : value;

    private static void Read(string part, Dictionary<string, string> into)
    {
        foreach (string pair in part.Split(','))
        {
            int at = pair.IndexOf('=', StringComparison.Ordinal);
            if (at > 0) into[pair[..at]] = Unescape(pair[(at + 1)..]);
        }
    }
}
