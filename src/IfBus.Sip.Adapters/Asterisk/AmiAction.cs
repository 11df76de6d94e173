using System.Buffers;
using System.Text;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>
/// One action to send. Every value is checked when it is added, so that none can become another header or another
/// action: to the server CR LF and LF alone both end a line, NUL cuts it, and a line has at most 1022 bytes, an action
/// at most 128 lines (wire/asterisk, sections 1 and 9).
/// </summary>
internal sealed class AmiAction(string name)
{
    /// <summary>Longest line in bytes, without its line end.</summary>
    public const int MaxLine = 1022;

    /// <summary>Most header lines of an action.</summary>
    public const int MaxLines = 128;

    private static readonly SearchValues<char> LineBreakers = SearchValues.Create("\r\n\0");

    private readonly List<(string Name, string Value)> _headers = [];

    /// <summary>The action's name.</summary>
    public string Name { get; } = name;

    /// <summary>Adds a header.</summary>
    /// <param name="name">Header name.</param>
    /// <param name="value">Its value, as a caller gave it or ours.</param>
    /// <param name="parameter">The caller's parameter that the value comes from, for the error.</param>
    /// <exception cref="SipArgumentException">The value cannot be sent safely.</exception>
    public AmiAction Add(string name, string value, string? parameter = null)
    {
        if (value.AsSpan().IndexOfAny(LineBreakers) >= 0)
            throw new SipArgumentException(parameter ?? name, value, "line breaks (CR, LF) and NUL would end the line and begin another header; leave them out.");
        // Whatever is not above the blank is skipped there after the colon (wire/asterisk, section 1).
        if (value.Length > 0 && value[0] <= ' ')
            throw new SipArgumentException(parameter ?? name, value, "Asterisk leaves out blanks at the beginning of a value; begin it with something else.");
        if (!CallRules.IsText(value))
            throw new SipArgumentException(parameter ?? name, value, "it is not well-formed Unicode text.");
        int length = name.Length + 2 + Encoding.UTF8.GetByteCount(value);
        if (length > MaxLine)
            throw new SipArgumentException(parameter ?? name, value, $"with its header it has {length} bytes; Asterisk takes lines of at most {MaxLine}.");
        // Action and ActionID stand before these.
        if (_headers.Count >= MaxLines - 2)
            throw new SipArgumentException(parameter ?? name, value, $"an action has at most {MaxLines} lines.");
        _headers.Add((name, value));
        return this;
    }

    /// <summary>Writes the action in one piece.</summary>
    public void WriteTo(IBufferWriter<byte> writer, ReadOnlySpan<byte> idPrefix, long id)
    {
        Write(writer, "Action: "u8);
        Write(writer, Name);
        Write(writer, "\r\nActionID: "u8);
        Write(writer, idPrefix);
        Span<byte> digits = writer.GetSpan(20);
        id.TryFormat(digits, out int count, default, System.Globalization.CultureInfo.InvariantCulture);
        writer.Advance(count);
        foreach ((string header, string value) in _headers)
        {
            Write(writer, "\r\n"u8);
            Write(writer, header);
            Write(writer, ": "u8);
            Write(writer, value);
        }

        Write(writer, "\r\n\r\n"u8);
    }

    /// <summary>Name and number of headers: enough for a log, and never a secret.</summary>
    public override string ToString() => Name;

    private static void Write(IBufferWriter<byte> writer, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(writer.GetSpan(bytes.Length));
        writer.Advance(bytes.Length);
    }

    private static void Write(IBufferWriter<byte> writer, string text)
    {
        Span<byte> span = writer.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        writer.Advance(Encoding.UTF8.GetBytes(text, span));
    }
}
