using System.Buffers.Text;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>
/// One line of the external module protocol, over the bytes as they came. Fields are split at colons, which values
/// never hold: % and : and what is below 32 are escaped (wire/yate, framing and escapes; Yate 6.4.1).
/// </summary>
internal readonly ref struct YateLine
{
    /// <summary>Room for the places of the parameters of most messages.</summary>
    public const int MostPlaces = 40;

    private readonly ReadOnlySpan<byte> _parameters;
    private readonly ReadOnlySpan<YateFieldPlace> _places;
    // Where those begin that have no place.
    private readonly int _unplaced;

    private YateLine(YateLineKind kind, ReadOnlySpan<byte> id, ReadOnlySpan<byte> second, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, ReadOnlySpan<byte> parameters, Span<YateFieldPlace> places = default)
    {
        Kind = kind;
        Id = id;
        Second = second;
        Name = name;
        Value = value;
        _parameters = parameters;
        int used = 0;
        while (used < places.Length && _unplaced < parameters.Length)
        {
            ReadOnlySpan<byte> rest = parameters[_unplaced..];
            int length = rest.IndexOf((byte)':');
            if (length < 0) length = rest.Length;
            places[used++] = new YateFieldPlace(_unplaced, rest[..length].IndexOf((byte)'='), length);
            _unplaced += length + 1;
        }

        _places = places[..used];
    }

    /// <summary>What it is.</summary>
    public YateLineKind Kind { get; }

    /// <summary>The message's id; of a local answer its key.</summary>
    public ReadOnlySpan<byte> Id { get; }

    /// <summary>Time of a request, "true" or "false" of an answer.</summary>
    public ReadOnlySpan<byte> Second { get; }

    /// <summary>The message's name. An answer's may differ from what was asked.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>The return value, escaped; of a local answer what stands between keyword and the last field.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>A handler took the message. False does not always mean that it failed.</summary>
    public bool Processed => Second.SequenceEqual("true"u8);

    /// <summary>All of it but the parameters that nobody needs, for readers of raw fields.</summary>
    public ReadOnlySpan<byte> Parameters => _parameters;

    /// <summary>Takes a line apart. A line that does not look like one is <see cref="YateLineKind.Other"/>.</summary>
    /// <param name="line">The line without its end.</param>
    /// <param name="places">Room for the places of its parameters, so that they are looked for once and not with every question; none if left out.</param>
    public static YateLine Parse(ReadOnlySpan<byte> line, Span<YateFieldPlace> places = default)
    {
        if (line.StartsWith("Error in: "u8)) return new YateLine(YateLineKind.Error, default, default, default, line["Error in: ".Length..], default);
        if (line.Length < 3 || line[0] != '%' || line[1] != '%' || line[2] is not ((byte)'<' or (byte)'>')) return default;
        ReadOnlySpan<byte> rest = line[3..];
        ReadOnlySpan<byte> keyword = Next(ref rest);
        if (keyword.SequenceEqual("message"u8))
        {
            ReadOnlySpan<byte> id = Next(ref rest);
            ReadOnlySpan<byte> second = Next(ref rest);
            ReadOnlySpan<byte> name = Next(ref rest);
            ReadOnlySpan<byte> value = Next(ref rest);
            YateLineKind kind = line[2] == '>' ? YateLineKind.Request : id.IsEmpty ? YateLineKind.Watched : YateLineKind.Answer;
            return new YateLine(kind, id, second, name, value, rest, kind == YateLineKind.Answer ? default : places);
        }

        // These are not escaped: what is in the middle may hold colons.
        int last = rest.LastIndexOf((byte)':');
        ReadOnlySpan<byte> end = last < 0 ? rest : rest[(last + 1)..];
        return new YateLine(YateLineKind.Local, keyword, end, default, last < 0 ? default : rest[..last], default);
    }

    /// <summary>A parameter as it stands, escaped; empty if it is not there, or empty.</summary>
    public ReadOnlySpan<byte> Find(ReadOnlySpan<byte> name) => TryFind(name, out ReadOnlySpan<byte> value) ? value : default;

    /// <summary>True if the parameter is there, be it empty.</summary>
    public bool Has(ReadOnlySpan<byte> name) => TryFind(name, out _);

    /// <summary>A parameter as text; null if it is not there, or empty.</summary>
    public string? Text(ReadOnlySpan<byte> name) => Find(name) is { IsEmpty: false } value ? YateText.Decode(value) : null;

    /// <summary>True for the value true.</summary>
    public bool Flag(ReadOnlySpan<byte> name) => Find(name).SequenceEqual("true"u8);

    /// <summary>A whole number; null if there is none.</summary>
    public int? Number(ReadOnlySpan<byte> name) => Utf8Parser.TryParse(Find(name), out int number, out int used) && used == Find(name).Length ? number : null;

    /// <summary>All parameters in order, decoded. The engine's trace of its handlers is left out.</summary>
    public static List<SipField> Fields(ReadOnlySpan<byte> parameters)
    {
        var fields = new List<SipField>();
        while (!parameters.IsEmpty)
        {
            ReadOnlySpan<byte> field = Next(ref parameters);
            int at = field.IndexOf((byte)'=');
            if (at <= 0 || field[..at].SequenceEqual("handlers"u8)) continue;
            fields.Add(new SipField(YateText.Decode(field[..at]), YateText.Decode(field[(at + 1)..])));
        }

        return fields;
    }

    private bool TryFind(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        foreach (ref readonly YateFieldPlace place in _places)
        {
            if (place.NameLength != name.Length || !_parameters.Slice(place.Start, name.Length).SequenceEqual(name)) continue;
            value = _parameters.Slice(place.Start + name.Length + 1, place.Length - name.Length - 1);
            return true;
        }

        ReadOnlySpan<byte> rest = _unplaced < _parameters.Length ? _parameters[_unplaced..] : default;
        while (!rest.IsEmpty)
        {
            ReadOnlySpan<byte> field = Next(ref rest);
            if (field.Length <= name.Length || field[name.Length] != '=' || !field.StartsWith(name)) continue;
            value = field[(name.Length + 1)..];
            return true;
        }

        value = default;
        return false;
    }

    private static ReadOnlySpan<byte> Next(scoped ref ReadOnlySpan<byte> rest)
    {
        int colon = rest.IndexOf((byte)':');
        ReadOnlySpan<byte> field = colon < 0 ? rest : rest[..colon];
        rest = colon < 0 ? default : rest[(colon + 1)..];
        return field;
    }
}

/// <summary>Where a parameter stands.</summary>
/// <param name="Start">Its first byte, counted from that of the first parameter.</param>
/// <param name="NameLength">Bytes of its name; -1 if it has no = and so is none.</param>
/// <param name="Length">Bytes of the whole.</param>
internal readonly record struct YateFieldPlace(int Start, int NameLength, int Length);
