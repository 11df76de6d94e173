using System.Globalization;
using System.Text;

namespace IfBus.Sip.Simulators.Yate;

/// <summary>Text as the engine keeps it, bytes of whatever encoding with one character each, and how it is written in a line.</summary>
internal static class YateText
{
    /// <summary>The bytes of a text's UTF-8.</summary>
    public static string Of(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>The text that the bytes are in UTF-8.</summary>
    public static string ToText(string bytes) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(bytes));

    /// <summary>Escapes control bytes, colons and percent signs, and one character more if told to; nothing else.</summary>
    public static void Escape(StringBuilder line, string text, char more = '\0')
    {
        foreach (char c in text)
        {
            if (c < ' ' || c == ':' || (c == more && more != '\0')) line.Append('%').Append((char)(c + 64));
            else if (c == '%') line.Append("%%");
            else line.Append(c);
        }
    }

    /// <summary>
    /// Undoes the escapes; false for a control byte and for an escape that is none. A percent sign at the very end is
    /// taken with the end of the text, byte 0, which less 64 is byte 0xC0 (escapes, e6); alone it is refused (errors).
    /// </summary>
    public static bool TryUnescape(string text, out string plain)
    {
        plain = text;
        if (text.AsSpan().IndexOfAnyInRange('\0', '\x1f') >= 0) return false;
        if (!text.Contains('%', StringComparison.Ordinal)) return true;
        var bytes = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c != '%')
            {
                bytes.Append(c);
                continue;
            }

            if (++i == text.Length)
            {
                if (text.Length == 1) return false;
                bytes.Append('\xC0');
                break;
            }

            c = text[i];
            if (c == '%') bytes.Append('%');
            else if (c is (> '@' and <= '_') or 'z') bytes.Append((char)(c - 64));
            else return false;
        }

        plain = bytes.ToString();
        return true;
    }

    /// <summary>Values in rows of a status: what would end them is percent-encoded in hexadecimal.</summary>
    public static string Row(string? text)
    {
        if (text is null) return "";
        if (text.AsSpan().IndexOfAny("%,;|") < 0 && text.AsSpan().IndexOfAnyInRange('\0', '\x1f') < 0) return text;
        var row = new StringBuilder();
        foreach (char c in text)
        {
            if (c < ' ' || "%,;|".Contains(c, StringComparison.Ordinal)) row.Append(CultureInfo.InvariantCulture, $"%{(int)c:x2}");
            else row.Append(c);
        }

        return row.ToString();
    }

    /// <summary>A whole number in decimal, or null.</summary>
    public static int? Number(string? text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number : null;

    /// <summary>What the engine takes for true or false, or null.</summary>
    public static bool? Boolean(string? text) => text switch
    {
        "true" or "yes" or "on" or "enable" or "t" or "1" => true,
        "false" or "no" or "off" or "disable" or "f" or "0" => false,
        _ => null,
    };

    /// <summary>True and false as the engine writes them.</summary>
    public static string Word(bool value) => value ? "true" : "false";

    /// <summary>A number as the engine writes it.</summary>
    public static string Word(long value) => value.ToString(CultureInfo.InvariantCulture);
}
