using System.Text;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>
/// Text as the server keeps it: bytes of whatever encoding, one character each, so that what is no UTF-8 comes out as
/// it came in.
/// </summary>
internal static class ByteText
{
    /// <summary>The bytes of a text's UTF-8.</summary>
    public static string Of(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>The text that the bytes are in UTF-8.</summary>
    public static string ToText(string bytes) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(bytes));

    /// <summary>A new id.</summary>
    public static string NewId() => Guid.NewGuid().ToString();

    /// <summary>Equal but for case, as the server compares most words.</summary>
    public static bool Is(this string text, string other) => text.Equals(other, StringComparison.OrdinalIgnoreCase);

    /// <summary>Begins with, whatever the case.</summary>
    public static bool Begins(this string text, string start) => text.StartsWith(start, StringComparison.OrdinalIgnoreCase);

    /// <summary>What the server takes for true (switch_true).</summary>
    public static bool IsTrue(string? text) =>
        text is not null && (text.Is("yes") || text.Is("on") || text.Is("true") || text.Is("t") || text.Is("enabled") || text.Is("active") || text.Is("allow") || Number(text) > 0);

    /// <summary>As C's atoi: what the text begins with, else 0.</summary>
    public static int Number(string text)
    {
        ReadOnlySpan<char> digits = text.AsSpan().TrimStart();
        int end = digits.Length > 0 && digits[0] is '-' or '+' ? 1 : 0;
        while (end < digits.Length && char.IsAsciiDigit(digits[end])) end++;
        return int.TryParse(digits[..end], out int number) ? number : 0;
    }

    /// <summary>The first word, and the rest without the space between.</summary>
    public static (string Word, string After) Cut(string text)
    {
        int space = text.IndexOf(' ', StringComparison.Ordinal);
        return space < 0 ? (text, "") : (text[..space], text[(space + 1)..]);
    }
}

/// <summary>Bytes in the making. Not for several threads.</summary>
internal sealed class ByteWriter
{
    private byte[] _bytes = new byte[4096];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void Clear() => Length = 0;

    public void Byte(char c)
    {
        if (Length == _bytes.Length) Array.Resize(ref _bytes, _bytes.Length * 2);
        _bytes[Length++] = (byte)c;
    }

    public void Text(string text)
    {
        int end = Length + text.Length;
        if (end > _bytes.Length) Array.Resize(ref _bytes, Math.Max(end, _bytes.Length * 2));
        Length += Encoding.Latin1.GetBytes(text, _bytes.AsSpan(Length));
    }

    /// <summary>Percent-encoded as header values of text/event-plain are: a % before two upper-case hex digits stays (event-plain-encoding).</summary>
    public void Encoded(string value)
    {
        const string Hex = "0123456789ABCDEF";
        for (int i = 0; i < value.Length; i++)
        {
            char c = value[i];
            bool coded = c == '%' && i + 2 < value.Length && Hex.Contains(value[i + 1], StringComparison.Ordinal) && Hex.Contains(value[i + 2], StringComparison.Ordinal);
            if (coded || (c is > ' ' and < '\x7f' && !"\"#%&+:;<=>?@[\\]^`{|}".Contains(c, StringComparison.Ordinal)))
            {
                Byte(c);
                continue;
            }

            Byte('%');
            Byte(Hex[c >> 4]);
            Byte(Hex[c & 15]);
        }
    }

    /// <summary>A JSON string as cJSON writes it: bytes that are no UTF-8 too are passed on (event-invalid-utf8).</summary>
    public void Quoted(string value)
    {
        Byte('"');
        foreach (char c in value)
        {
            switch (c)
            {
                case '"' or '\\':
                    Byte('\\');
                    Byte(c);
                    break;
                case '\b':
                    Text("\\b");
                    break;
                case '\f':
                    Text("\\f");
                    break;
                case '\n':
                    Text("\\n");
                    break;
                case '\r':
                    Text("\\r");
                    break;
                case '\t':
                    Text("\\t");
                    break;
                case < ' ':
                    Text($"\\u{(int)c:x4}");
                    break;
                default:
                    Byte(c);
                    break;
            }
        }

        Byte('"');
    }
}
