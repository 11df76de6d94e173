using System.Text.Json;

namespace IfBus.Sip.Adapters.Http;

/// <summary>A parameter with its JSON type: servers tell a number from a text, and a list from both.</summary>
internal readonly struct RpcValue
{
    private readonly string? _text;
    private readonly long _number;
    private readonly IReadOnlyList<RpcValue>? _list;
    private readonly Kind _kind;

    private RpcValue(Kind kind, string? text = null, long number = 0, IReadOnlyList<RpcValue>? list = null)
    {
        _kind = kind;
        _text = text;
        _number = number;
        _list = list;
    }

    private enum Kind
    {
        Null,
        Text,
        Number,
        Flag,
        List,
    }

    public static implicit operator RpcValue(string? value) => value is null ? default : new(Kind.Text, value);

    public static implicit operator RpcValue(int value) => new(Kind.Number, number: value);

    public static implicit operator RpcValue(long value) => new(Kind.Number, number: value);

    public static implicit operator RpcValue(bool value) => new(Kind.Flag, number: value ? 1 : 0);

    /// <summary>A list of texts.</summary>
    public static implicit operator RpcValue(string[] values) => new(Kind.List, list: [.. values.Select(v => (RpcValue)v)]);

    /// <summary>A list of any values.</summary>
    public static RpcValue List(params RpcValue[] values) => new(Kind.List, list: values);

    /// <summary>Writes it; a text that no server can take whole is refused.</summary>
    /// <exception cref="SipArgumentException">A NUL or half a character.</exception>
    public void Write(Utf8JsonWriter writer, string parameter)
    {
        switch (_kind)
        {
            case Kind.Text:
                Check(_text!, parameter);
                writer.WriteStringValue(_text);
                break;
            case Kind.Number:
                writer.WriteNumberValue(_number);
                break;
            case Kind.Flag:
                writer.WriteBooleanValue(_number != 0);
                break;
            case Kind.List:
                writer.WriteStartArray();
                foreach (RpcValue value in _list!) value.Write(writer, parameter);
                writer.WriteEndArray();
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    // The servers are written in C: a NUL would end the text there, and with it every check that was made of the rest.
    private static void Check(string text, string parameter)
    {
        if (text.Contains('\0', StringComparison.Ordinal) || !CallRules.IsText(text)) throw new SipArgumentException(parameter, text, "text without NUL characters and without halves of characters.");
    }
}

/// <summary>The parameters of one request: by position, by name, or none.</summary>
internal readonly struct RpcParameters
{
    private readonly IReadOnlyList<KeyValuePair<string, RpcValue>>? _named;
    private readonly IReadOnlyList<RpcValue>? _positional;

    private RpcParameters(IReadOnlyList<RpcValue>? positional, IReadOnlyList<KeyValuePair<string, RpcValue>>? named)
    {
        _positional = positional;
        _named = named;
    }

    /// <summary>No params member at all.</summary>
    public static RpcParameters None => default;

    /// <summary>Parameters in order.</summary>
    public static RpcParameters Of(params RpcValue[] values) => new(values, null);

    /// <summary>Parameters with names.</summary>
    public static RpcParameters Named(params (string Name, RpcValue Value)[] values) => new(null, [.. values.Select(v => KeyValuePair.Create(v.Name, v.Value))]);

    /// <summary>Writes the params member; nothing if there are none.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        if (_positional is { Count: > 0 } list)
        {
            writer.WriteStartArray("params");
            for (int i = 0; i < list.Count; i++) list[i].Write(writer, $"Field {i + 1}");
            writer.WriteEndArray();
        }
        else if (_named is { Count: > 0 } named)
        {
            writer.WriteStartObject("params");
            foreach ((string name, RpcValue value) in named)
            {
                writer.WritePropertyName(name);
                value.Write(writer, name);
            }

            writer.WriteEndObject();
        }
    }
}
