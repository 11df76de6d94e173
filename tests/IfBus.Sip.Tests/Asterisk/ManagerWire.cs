using System.Text;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>One message of a Manager Interface: a response, an event, or the greeting.</summary>
internal sealed class ManagerMessage(IReadOnlyList<KeyValuePair<string, string>> headers)
{
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; } = headers;

    /// <summary>Name of the event; null of a response.</summary>
    public string? Event { get; } = headers[0].Key == "Event" ? headers[0].Value : null;

    /// <summary>The first header of a name, or null.</summary>
    public string? this[string name] => Headers.FirstOrDefault(h => h.Key == name).Value;

    public static List<ManagerMessage> All(byte[] bytes)
    {
        string text = Encoding.UTF8.GetString(bytes);
        var messages = new List<ManagerMessage>();
        int at = 0;
        if (text.StartsWith("Asterisk", StringComparison.Ordinal) && text.IndexOf("\r\n", StringComparison.Ordinal) is > 0 and int greeting)
        {
            messages.Add(new ManagerMessage([new("Greeting", text[..greeting])]));
            at = greeting + 2;
        }

        while (text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal) is >= 0 and int end)
        {
            messages.Add(new ManagerMessage([.. text[at..end].Split("\r\n").Select(Header)]));
            at = end + 4;
        }

        return messages;
    }

    private static KeyValuePair<string, string> Header(string line)
    {
        int colon = line.IndexOf(": ", StringComparison.Ordinal);
        return colon < 0 ? new(line, "") : new(line[..colon], line[(colon + 2)..]);
    }
}

/// <summary>Names for what differs from one run to the next: channels, their ids, bridges and recordings, by the order in which they were first seen.</summary>
internal sealed partial class ManagerNames
{
    private readonly Dictionary<string, string> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _actual = [];
    private readonly Dictionary<string, int> _counts = [];

    public ManagerNames(IReadOnlyCollection<ManagerMessage> messages)
    {
        // Where a client chose the id of its call, that is a better name than the order.
        foreach ((ManagerMessage message, string key, string value) in messages.SelectMany(m => m.Headers.Where(h => h.Key.EndsWith("Channel", StringComparison.Ordinal)).Select(h => (m, h.Key, h.Value))))
        {
            if (Channels().Match(value) is { Success: true } named && message[key[..^"Channel".Length] + "Linkedid"] is { } call && !Ids().IsMatch(call)) Add(Key(named), $"{named.Groups["base"].Value} of {call}");
        }

        foreach (ManagerMessage message in messages)
        {
            foreach ((string key, string value) in message.Headers)
            {
                foreach (Match match in Channels().Matches(value)) Add(Key(match), match.Groups["base"].Value);
                foreach (Match match in Things().Matches(value)) Add(match.Value, match.Value[1] == 'x' ? "recording" : "bridge");
                if (!key.EndsWith("Uniqueid", StringComparison.OrdinalIgnoreCase) || !Ids().IsMatch(value)) continue;
                string? channel = message[key[..^"Uniqueid".Length] + "Channel"];
                if (channel is not null && Channels().IsMatch(channel)) Set(value, $"<id of {Canonical(channel)}>");
            }
        }
    }

    /// <summary>A value with the names instead.</summary>
    public string Canonical(string value)
    {
        value = Channels().Replace(value, m => _names.TryGetValue(Key(m), out string? name) ? name + m.Groups["half"].Value : m.Value);
        value = Things().Replace(value, m => _names.GetValueOrDefault(m.Value, m.Value));
        return Ids().Replace(value, m => _names.GetValueOrDefault(m.Value, "<id>"));
    }

    /// <summary>What a client that saw these would say for what one said that saw others.</summary>
    public string Translate(string text, ManagerNames theirs) =>
        Ids().Replace(Things().Replace(Channels().Replace(text, m => Of(Key(m), theirs) is { } channel ? channel + m.Groups["half"].Value : m.Value), Same(theirs)), Same(theirs));

    // Without the half of a Local: both have one number.
    private static string Key(Match channel) => $"{channel.Groups["base"].Value}-{channel.Groups["serial"].Value}";

    private string? Of(string actual, ManagerNames theirs) => theirs._names.TryGetValue(actual, out string? name) ? _actual.GetValueOrDefault(name) : null;

    private MatchEvaluator Same(ManagerNames theirs) => m => Of(m.Value, theirs) ?? m.Value;

    private void Add(string actual, string kind)
    {
        if (_names.ContainsKey(actual)) return;
        int count = _counts[kind] = _counts.GetValueOrDefault(kind) + 1;
        Set(actual, $"{kind}#{count}");
    }

    private void Set(string actual, string name)
    {
        _names[actual] = name;
        _actual[name] = actual;
    }

    [GeneratedRegex(@"(?<base>\b[A-Za-z0-9]+/[^\r\n,|""]*?)-(?<serial>[0-9a-f]{8})(?<half>;[12])?(?![0-9A-Za-z-])")]
    private static partial Regex Channels();

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|0x[0-9a-f]{6,}")]
    private static partial Regex Things();

    [GeneratedRegex(@"(?<![0-9.])[0-9]{10}\.[0-9]{1,5}(?![0-9.])")]
    private static partial Regex Ids();
}
