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
        int end = _rest.IndexOf("\r\n"u8);
        if (end < 0) end = _rest.Length;
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
}

/// <summary>One message, kept: a copy of its bytes, read when asked.</summary>
internal sealed class AmiMessage(byte[] bytes)
{
    /// <summary>The message as it came, with its closing empty line.</summary>
    public ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>The same, for whoever keeps it.</summary>
    public ReadOnlyMemory<byte> Memory => bytes;

    /// <summary>The first value of a header, as it came; empty if there is none. Names are compared without regard to case.</summary>
    public ReadOnlySpan<byte> Find(ReadOnlySpan<byte> name) => Find(bytes, name);

    /// <summary>The first value of a header as text; null if there is none.</summary>
    public string? Get(ReadOnlySpan<byte> name)
    {
        var headers = new AmiHeaders(bytes);
        while (headers.MoveNext())
        {
            if (Ascii.EqualsIgnoreCase(headers.Name, name)) return Encoding.UTF8.GetString(headers.Value);
        }

        return null;
    }

    /// <summary>All headers as text.</summary>
    public SipFieldCollection ReadFields() => AmiFieldReader.Instance.Read(bytes);

    /// <summary>Same as the instance's, for a message that is still in the buffer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> message, ReadOnlySpan<byte> name)
    {
        var headers = new AmiHeaders(message);
        while (headers.MoveNext())
        {
            if (headers.Name.Length == name.Length && Ascii.EqualsIgnoreCase(headers.Name, name)) return headers.Value;
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
