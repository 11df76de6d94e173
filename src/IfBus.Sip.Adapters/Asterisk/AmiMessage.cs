using System.Runtime.CompilerServices;
using System.Text;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>Walks the headers of one message without copying: <c>Name: value</c> lines, values as raw bytes.</summary>
internal ref struct AmiHeaders(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    /// <summary>The current header's name.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>The current header's value, without the one blank after the colon.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Goes to the next header; false at the closing empty line or the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool MoveNext()
    {
        int end = LineEnd(_rest);
        if (end == 0) return false;

        ReadOnlySpan<byte> line = _rest[..end];
        _rest = _rest.Length > end + 2 ? _rest[(end + 2)..] : default;

        int colon = line.IndexOf((byte)':');
        if (colon < 0)
        {
            Name = line;
            Value = default;
            return true;
        }

        Name = line[..colon];
        ReadOnlySpan<byte> value = line[(colon + 1)..];
        Value = value.Length > 0 && value[0] == (byte)' ' ? value[1..] : value;
        return true;
    }

    // Only CR LF ends a line: a value may hold either alone.
    private static int LineEnd(ReadOnlySpan<byte> rest)
    {
        int end = rest.IndexOf((byte)'\r');
        while (end >= 0 && end + 1 < rest.Length && rest[end + 1] != (byte)'\n')
        {
            int next = rest[(end + 1)..].IndexOf((byte)'\r');
            end = next < 0 ? -1 : end + 1 + next;
        }

        return end < 0 ? rest.Length : end;
    }
}

/// <summary>One message, kept: a copy of its bytes, read when asked.</summary>
internal sealed class AmiMessage(byte[] bytes)
{
    /// <summary>The message as it came, with its closing empty line.</summary>
    public ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>The same, for whoever keeps it.</summary>
    public ReadOnlyMemory<byte> Memory => bytes;

    /// <summary>The first value of a header, as it came; empty if there is none. The server always writes a name the same way.</summary>
    public ReadOnlySpan<byte> Find(ReadOnlySpan<byte> name) => Find(bytes, name);

    /// <summary>The first value of a header as text; null if there is none.</summary>
    public string? Get(ReadOnlySpan<byte> name)
    {
        var headers = new AmiHeaders(bytes);
        while (headers.MoveNext())
        {
            if (headers.Name.SequenceEqual(name)) return Encoding.UTF8.GetString(headers.Value);
        }

        return null;
    }

    /// <summary>All headers as text.</summary>
    public SipFieldCollection ReadFields() => AmiFieldReader.Instance.Read(bytes);

    /// <summary>Same as the instance's, for a message that is still in the buffer. One search for the name is several times faster than a walk over all headers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> message, ReadOnlySpan<byte> name)
    {
        int from = 0;
        while (message[from..].IndexOf(name) is >= 0 and int found)
        {
            int begin = from + found;
            int end = begin + name.Length;
            from = begin + 1;
            // A header's name stands at the beginning of a line and before a colon; anything else is part of a value.
            bool isName = end < message.Length && message[end] == (byte)':' && (begin == 0 || (begin >= 2 && message[begin - 1] == (byte)'\n' && message[begin - 2] == (byte)'\r'));
            if (!isName) continue;
            var header = new AmiHeaders(message[begin..]);
            header.MoveNext();
            return header.Value;
        }

        return default;
    }
}

/// <summary>Turns a kept message into fields for a user. "ActionID"s of ours are of no use to anybody and left out.</summary>
internal sealed class AmiFieldReader : SipFieldReader
{
    public static AmiFieldReader Instance { get; } = new();

    public override SipFieldCollection Read(ReadOnlySpan<byte> raw)
    {
        var fields = new List<SipField>(24);
        var headers = new AmiHeaders(raw);
        while (headers.MoveNext())
        {
            if (headers.Name.SequenceEqual("ActionID"u8)) continue;
            fields.Add(new SipField(Encoding.UTF8.GetString(headers.Name), Encoding.UTF8.GetString(headers.Value)));
        }

        return new SipFieldCollection(fields);
    }
}
