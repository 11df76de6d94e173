using System.Globalization;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Tests.Yate;

/// <summary>
/// Lines of one side, a recording or a simulator, made comparable: ids by the order in which they first came, numbers
/// that are different in every run left out. Read by rules of its own, not by the code under test.
/// </summary>
internal sealed partial class YateWire
{
    private static readonly HashSet<string> Volatile = ["time", "duration", "billtime", "ringtime", "runid", "cdrid", "rtpid", "localport", "remoteport", "rtp_port", "stats", "rtp_stats", "nonce", "response", "handlers"];

    private readonly Dictionary<string, string> _names = [];
    private readonly Dictionary<string, string> _ids = [];
    private readonly Dictionary<string, int> _counts = [];

    /// <summary>What an id of this side is called in comparison.</summary>
    public string? NameOf(string id) => _names.GetValueOrDefault(id);

    /// <summary>The id of this side that is called so.</summary>
    public string? IdOf(string name) => _ids.GetValueOrDefault(name);

    /// <summary>A line without what differs from run to run, and the legs that it is about.</summary>
    public (string Text, string? Leg) Compare(string line)
    {
        Match message = Message().Match(line);
        if (!message.Success) return (Runs().Replace(Names(line), "RUN"), null);
        string head = message.Groups[1].Value == ">" ? "ask " : message.Groups[2].Length == 0 ? "watch " : $"answer {Asked(message.Groups[2].Value)} ";
        if (message.Groups[1].Value == ">") Name(message.Groups[2].Value, "ask");
        string processed = message.Groups[1].Value == ">" ? "" : message.Groups[3].Value + " ";
        string[] fields = message.Groups[4].Value.Split(':');
        string name = fields[0];
        string value = fields.Length > 1 ? fields[1] : "";
        if (name is "engine.status" or "engine.command") value = Digits().Replace(Names(value), "N");
        string? leg = null;
        var parameters = new List<string>();
        foreach (string field in fields.Skip(2))
        {
            int equals = field.IndexOf('=', StringComparison.Ordinal);
            string key = equals < 0 ? field : field[..equals];
            string said = equals < 0 ? "" : field[(equals + 1)..];
            if (key is "id" or "chan") leg ??= Names(said);
            if (Volatile.Contains(key)) said = "~";
            else if (key is "callid" or "sip_callid" or "sip_from" or "sip_to" or "sip_contact") said = Digits().Replace(said, "N");
            parameters.Add($"{key}={Names(said)}");
        }

        return ($"{head}{processed}{name} {Names(value)} {string.Join(' ', parameters)}", leg);
    }

    /// <summary>Replaces the ids of another side by those of this one.</summary>
    public string Translate(string text, YateWire other) =>
        Asks().Replace(Legs().Replace(text, m => Mine(m.Value, other)), m => Mine(m.Value, other));

    private string Mine(string id, YateWire other) => other.NameOf(id) is { } name && IdOf(name) is { } mine ? mine : id;

    private string Asked(string id) => Asks().IsMatch(id) ? NameOf(id) ?? id : id;

    private string Names(string text) => Bills().Replace(Legs().Replace(text, m => Name(m.Value, m.Groups[1].Value)), m => Name(m.Value, "bill"));

    private string Name(string id, string kind)
    {
        if (_names.TryGetValue(id, out string? known)) return known;
        _counts[kind] = _counts.GetValueOrDefault(kind) + 1;
        string name = string.Create(CultureInfo.InvariantCulture, $"{kind}#{_counts[kind]}");
        _names[id] = name;
        _ids[name] = id;
        return name;
    }

    [GeneratedRegex("^%%([<>])message:([^:]*):([^:]*):(.*)$", RegexOptions.Singleline)]
    private static partial Regex Message();

    [GeneratedRegex(@"\b(sip|dumb|tone|wave|conf|moh|park)/\d+\b(?!@)")]
    private static partial Regex Legs();

    [GeneratedRegex(@"\b1\d{9}-\d+\b")]
    private static partial Regex Bills();

    [GeneratedRegex(@"0x[0-9a-f]+\.\d+")]
    private static partial Regex Asks();

    [GeneratedRegex(@"\b1\d{9}\b")]
    private static partial Regex Runs();

    [GeneratedRegex(@"\d+")]
    private static partial Regex Digits();
}
