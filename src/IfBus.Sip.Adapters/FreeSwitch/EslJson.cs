using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>
/// Reads the JSON of an event where it lies: only what is asked for, without copies. The server writes a flat object of
/// strings, seldom arrays of strings, without blanks; names repeat; bytes of a caller that are no UTF-8 are passed on
/// (wire/freeswitch, subscribing; FreeSWITCH 1.10.12). A general reader would refuse the last two.
/// </summary>
internal static class EslJson
{
    private static readonly SearchValues<byte> EndOrEscape = SearchValues.Create("\"\\"u8);

    /// <summary>
    /// The first value of a name, as it stands between its quotes: escapes are still there. Of an array the first. Empty
    /// if there is none. A quote inside a value has a backslash before it, so no value can look like a name.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        int from = 0;
        while (true)
        {
            int found = json[from..].IndexOf(name);
            if (found < 0) return default;
            int at = from + found;
            int after = at + name.Length;
            from = after;
            if (at == 0 || json[at - 1] != '"' || after + 3 > json.Length || json[after] != '"' || json[after + 1] != ':') continue;
            after += 2;
            if (json[after] == '[') after++;
            if (after >= json.Length || json[after] != '"') return default;
            return Value(json[(after + 1)..]);
        }
    }

    /// <summary>The text of a value, escapes resolved; null if it is empty or not set.</summary>
    public static string? Text(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || value.SequenceEqual("_undef_"u8)) return null;
        return value.Contains((byte)'\\') ? Unescape(value) : Encoding.UTF8.GetString(value);
    }

    /// <summary>The text of a name; null if it is not there or empty.</summary>
    public static string? Text(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name) => Text(Find(json, name));

    /// <summary>The whole number of a name; null if it is none.</summary>
    public static long? Number(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> value = Find(json, name);
        return System.Buffers.Text.Utf8Parser.TryParse(value, out long number, out int used) && used == value.Length && used > 0 ? number : null;
    }

    /// <summary>All fields, in their order; an array gives its name as often as it has values. Reads as far as it is well-formed.</summary>
    public static List<SipField> Fields(ReadOnlySpan<byte> json)
    {
        var fields = new List<SipField>(64);
        int at = json.IndexOf((byte)'{') + 1;
        if (at == 0) return fields;
        while (at < json.Length && json[at] == '"')
        {
            ReadOnlySpan<byte> name = Value(json[(at + 1)..]);
            at += name.Length + 2;
            if (at >= json.Length || json[at] != ':') break;
            at++;
            string text = Unescape(name);
            bool isArray = at < json.Length && json[at] == '[';
            if (isArray) at++;
            while (at < json.Length && json[at] == '"')
            {
                ReadOnlySpan<byte> value = Value(json[(at + 1)..]);
                fields.Add(new SipField(text, Unescape(value)));
                at += value.Length + 2;
                if (!isArray || at >= json.Length || json[at] != ',') break;
                at++;
            }

            if (isArray)
            {
                if (at >= json.Length || json[at] != ']') break;
                at++;
            }

            if (at >= json.Length || json[at] != ',') break;
            at++;
        }

        return fields;
    }

    // What stands before the closing quote.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> rest)
    {
        int at = 0;
        while (true)
        {
            int next = rest[at..].IndexOfAny(EndOrEscape);
            if (next < 0) return rest;
            at += next;
            if (rest[at] == '"') return rest[..at];
            at += 2;
            if (at >= rest.Length) return rest;
        }
    }

    /// <summary>A text as the server writes it in an event, without its quotes: what is found in one can be held against it.</summary>
    public static byte[] Key(string text)
    {
        if (text.AsSpan().IndexOfAny('"', '\\') < 0 && !text.AsSpan().ContainsAnyInRange('\0', '\u001f')) return Encoding.UTF8.GetBytes(text);
        var escaped = new StringBuilder(text.Length + 8);
        foreach (char c in text)
        {
            _ = c switch
            {
                '"' or '\\' => escaped.Append('\\').Append(c),
                '\b' => escaped.Append("\\b"),
                '\f' => escaped.Append("\\f"),
                '\n' => escaped.Append("\\n"),
                '\r' => escaped.Append("\\r"),
                '\t' => escaped.Append("\\t"),
                < ' ' => escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => escaped.Append(c),
            };
        }

        return Encoding.UTF8.GetBytes(escaped.ToString());
    }

    private static string Unescape(ReadOnlySpan<byte> value)
    {
        if (!value.Contains((byte)'\\')) return Encoding.UTF8.GetString(value);
        var text = new StringBuilder(value.Length);
        while (!value.IsEmpty)
        {
            int escape = value.IndexOf((byte)'\\');
            if (escape < 0 || escape + 1 >= value.Length)
            {
                text.Append(Encoding.UTF8.GetString(value));
                break;
            }

            text.Append(Encoding.UTF8.GetString(value[..escape]));
            byte kind = value[escape + 1];
            int used = escape + 2;
            if (kind == 'u' && used + 4 <= value.Length && ushort.TryParse(Encoding.ASCII.GetString(value.Slice(used, 4)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort unit))
            {
                text.Append((char)unit);
                used += 4;
            }
            else
            {
                text.Append(kind switch { (byte)'n' => '\n', (byte)'r' => '\r', (byte)'t' => '\t', (byte)'b' => '\b', (byte)'f' => '\f', _ => (char)kind });
            }

            value = value[used..];
        }

        return text.ToString();
    }
}

/// <summary>Reads the fields of an event for those who look at them.</summary>
internal sealed class EslFieldReader : SipFieldReader
{
    /// <summary>The one reader.</summary>
    public static EslFieldReader Instance { get; } = new();

    /// <inheritdoc/>
    public override SipFieldCollection Read(ReadOnlySpan<byte> raw) => new(EslJson.Fields(raw));
}
