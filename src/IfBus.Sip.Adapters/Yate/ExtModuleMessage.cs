using System.Buffers;
using System.Buffers.Text;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>A message of ours to the engine: a name and parameters. Names are the adapter's own, or checked; values are escaped.</summary>
internal sealed class ExtModuleMessage(string name) : System.Collections.IEnumerable
{
    private readonly List<(string Key, string Value)> _parameters = [];

    /// <summary>The message's name, for instance call.execute.</summary>
    public string Name { get; } = name;

    /// <summary>Adds a parameter; null adds none.</summary>
    public void Add(string key, string? value)
    {
        if (value is not null) _parameters.Add((key, value));
    }

    /// <summary>Writes the whole line.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="id">The message's id.</param>
    /// <param name="longest">Bytes that the engine takes: for a longer line it would close the connection without a word.</param>
    /// <exception cref="SipArgumentException">It is too long, or a value cannot be written.</exception>
    public void WriteLine(IBufferWriter<byte> writer, long id, int longest)
    {
        writer.Write("%%>message:"u8);
        Span<byte> number = writer.GetSpan(20);
        Utf8Formatter.TryFormat(id, number, out int digits);
        writer.Advance(digits);
        int before = (writer as ArrayBufferWriter<byte>)?.WrittenCount ?? 0;
        Write(writer);
        if (writer is ArrayBufferWriter<byte> buffer && buffer.WrittenCount - before > longest - 64)
            throw new SipArgumentException(null, $"The message {Name} of {buffer.WrittenCount - before} bytes", $"Yate takes at most {longest - 64}, with all its parameters. Nothing was sent.", "SipRequestTooLarge");
        writer.Write("\n"u8);
    }

    /// <summary>Writes what stands after the message's id: time (now), name, no return value, parameters.</summary>
    public void Write(IBufferWriter<byte> writer)
    {
        writer.Write(":0:"u8);
        YateText.Encode(writer, Name, "Name");
        writer.Write(":"u8);
        foreach ((string key, string value) in _parameters)
        {
            writer.Write(":"u8);
            YateText.Encode(writer, key, "Parameter");
            writer.Write("="u8);
            YateText.Encode(writer, value, key);
        }
    }

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => _parameters.GetEnumerator();
}

/// <summary>The engine's answer to a message of ours, or to a local command.</summary>
/// <param name="Processed">A handler took it. For a status it says nothing; look at the value.</param>
/// <param name="Name">The name that the message had in the end.</param>
/// <param name="Value">The return value, decoded.</param>
/// <param name="Fields">All parameters after the handlers' changes.</param>
internal sealed record ExtModuleAnswer(bool Processed, string Name, string Value, SipFieldCollection Fields)
{
    /// <summary>A parameter; null if it is not there, or empty.</summary>
    public string? this[string name] => Fields[name] is { Length: > 0 } value ? value : null;
}
