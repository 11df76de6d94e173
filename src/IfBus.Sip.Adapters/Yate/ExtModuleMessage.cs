using System.Buffers;

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
