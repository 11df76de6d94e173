using System.Text;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>One leg of a dial string: its own variables, the kind of channel, and whom to call.</summary>
internal sealed record DialLeg(IReadOnlyList<KeyValuePair<string, string>> Variables, string Type, string Data);

/// <summary>
/// How the server reads the text of originate, step by step, each taking off a layer of quotes and escapes
/// (originate-quoting, originate-injection): what a pasted comma, brace or backslash does there it does here.
/// </summary>
internal static class OriginateSyntax
{
    /// <summary>Splits several originates.</summary>
    public const string Enterprise = ":_:";

    private const char QuotedComma = '\x01';
    private const char BareComma = '\x02';

    /// <summary>Splits at a delimiter outside quotes (switch_separate_string); <c>^^:</c> in front makes <c>:</c> the delimiter.</summary>
    public static List<string> Separate(string text, char delimiter, int max)
    {
        if (text.StartsWith("^^", StringComparison.Ordinal) && text.Length > 3)
        {
            delimiter = text[2];
            text = text[3..];
        }

        return delimiter == ' ' ? SeparateBlanks(text, max) : SeparateAt(text, delimiter, max);
    }

    /// <summary>Where a bracket at the beginning is closed, counting nested ones; -1 if it is not.</summary>
    public static int FindEnd(string text, int from, char open, char close)
    {
        int i = from;
        while (i < text.Length && text[i] == ' ') i++;
        if (i >= text.Length || text[i] != open) return -1;
        int depth = 1;
        for (i++; i < text.Length; i++)
        {
            if (text[i] == open && open != close) depth++;
            else if (text[i] == close && --depth == 0) return i;
        }

        return -1;
    }

    /// <summary>Reads variables in brackets at the beginning of a text and gives what follows; null if they are not closed.</summary>
    public static string? TakeVariables(string text, char open, char close, char delimiter, List<KeyValuePair<string, string>> variables)
    {
        int end = FindEnd(text, 0, open, close);
        if (end < 0) return null;
        string list = text[1..end];
        if (list.StartsWith("^^", StringComparison.Ordinal) && list.Length > 2)
        {
            delimiter = list[2];
            list = list[3..];
        }

        foreach (string item in Separate(list, delimiter, 1024))
        {
            List<string> pair = Separate(item, '=', 2);
            if (pair.Count != 2) continue;
            // The last one of a name counts; an empty value takes it away.
            variables.RemoveAll(v => v.Key.Is(pair[0]));
            if (pair[1].Length > 0) variables.Add(new(pair[0], pair[1]));
        }

        return text[(end + 1)..];
    }

    /// <summary>Reads the legs of a dial string without its global variables: groups to be tried one after the other, of legs that ring together. Null if it cannot be read.</summary>
    public static List<List<DialLeg>>? Parse(string dialString)
    {
        var groups = new List<List<DialLeg>>();
        foreach (string group in Separate(dialString, '|', 128))
        {
            var legs = new List<DialLeg>();
            foreach (string leg in Separate(HideCommas(group), ',', 128))
            {
                if (ReadLeg(leg) is not { } read) return null;
                legs.Add(read);
            }

            groups.Add(legs);
        }

        return groups;
    }

    private static DialLeg? ReadLeg(string text)
    {
        text = text.TrimStart(' ');
        var variables = new List<KeyValuePair<string, string>>();
        while (text.StartsWith('['))
        {
            int end = FindEnd(text, 0, '[', ']');
            if (end >= 0) text = string.Concat(text[..end].Replace(QuotedComma, ','), text[end..]);
            if (TakeVariables(text, '[', ']', BareComma, variables) is not { } rest) return null;
            text = rest;
        }

        text = text.TrimStart(' ');
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new DialLeg(variables, text, "") : new DialLeg(variables, text[..slash], text[(slash + 1)..]);
    }

    // Commas between [ ] do not part legs.
    private static string HideCommas(string text)
    {
        char[] chars = text.ToCharArray();
        int end = -1;
        bool quoted = false;
        bool other = false;
        for (int i = 0; i < chars.Length; i++)
        {
            if (end < 0 && chars[i] == '[')
            {
                end = FindEnd(text, i, '[', ']');
                other = string.CompareOrdinal(text, i + 1, "^^", 0, 2) == 0;
                quoted = false;
            }

            if (chars[i] == '\'') quoted = !quoted;
            if (i < end && chars[i] == ',' && chars[i - 1] != '\\') chars[i] = quoted || other ? QuotedComma : BareComma;
            if (i == end) end = -1;
        }

        return new string(chars);
    }

    private static List<string> SeparateAt(string text, char delimiter, int max)
    {
        var parts = new List<string>();
        int start = 0;
        while (start < text.Length && parts.Count < max)
        {
            // The last one that there is room for takes the rest.
            int end = parts.Count == max - 1 ? text.Length : FindDelimiter(text, start, delimiter, blanks: false);
            parts.Add(Clean(text[start..end], delimiter));
            start = end + 1;
        }

        return parts;
    }

    private static List<string> SeparateBlanks(string text, int max)
    {
        var parts = new List<string>();
        int start = 0;
        while (start < text.Length && parts.Count < max)
        {
            int from = start;
            while (from < text.Length && text[from] == ' ') from++;
            int end = parts.Count == max - 1 ? text.Length : FindDelimiter(text, from, ' ', blanks: true);
            parts.Add(Clean(text[from..end], '\0'));
            start = end + 1;
            while (start < text.Length && text[start] == ' ') start++;
        }

        return parts;
    }

    private static int FindDelimiter(string text, int from, char delimiter, bool blanks)
    {
        bool quoted = false;
        for (int i = from; i < text.Length; i++)
        {
            if (text[i] == '\\') i++;
            else if (text[i] == '\'' && (blanks || quoted || text.IndexOf('\'', i + 1) >= 0)) quoted = !quoted;
            else if (text[i] == delimiter && !quoted) return i;
        }

        return text.Length;
    }

    // Takes off one layer of quotes and escapes, and spaces at both ends (cleanup_separated_string).
    private static string Clean(string text, char delimiter)
    {
        var clean = new StringBuilder(text.Length);
        int end = 0;
        bool quoted = false;
        int i = 0;
        while (i < text.Length && text[i] == ' ') i++;
        for (; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '\\' && i + 1 < text.Length && Unescape(text[i + 1], delimiter) is { } plain)
            {
                clean.Append(plain);
                end = clean.Length;
                i++;
            }
            else if (c == '\'' && (quoted || text.IndexOf('\'', i + 1) >= 0))
            {
                quoted = !quoted;
                if (quoted) end = clean.Length;
            }
            else
            {
                clean.Append(c);
                if (c != ' ' || quoted) end = clean.Length;
            }
        }

        clean.Length = end;
        return clean.ToString();
    }

    private static char? Unescape(char c, char delimiter) => c switch
    {
        '\'' or '"' or '\\' => c,
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        's' => ' ',
        _ => delimiter != '\0' && c == delimiter ? c : null,
    };
}
