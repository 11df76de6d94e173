using System.Globalization;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>How a connection wants its events.</summary>
internal enum EslFormat
{
    Plain,
    Json,
    Xml,
}

/// <summary>An event: headers in their order, some of them twice, and perhaps a body. Each format's bytes are made once, whoever gets them.</summary>
internal sealed class EslEvent(string name, string? subclass = null)
{
    [ThreadStatic]
    private static ByteWriter? _writer;

    private readonly byte[]?[] _bytes = new byte[]?[3];

    public string Name { get; } = name;

    /// <summary>Event-Subclass of a CUSTOM event.</summary>
    public string? Subclass { get; } = subclass;

    public List<KeyValuePair<string, string>> Headers { get; } = new(64);

    public string? Body { get; init; }

    /// <summary>Adds a header; one without a value is left out.</summary>
    public EslEvent Add(string header, string? value)
    {
        if (!string.IsNullOrEmpty(value)) Headers.Add(new(header, value));
        return this;
    }

    /// <summary>Adds a header.</summary>
    public EslEvent Add(string header, long value) => Add(header, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Adds a header that says true or false.</summary>
    public EslEvent Add(string header, bool value) => Add(header, value ? "true" : "false");

    /// <summary>The first header of a name, whatever its case.</summary>
    public string? this[string header]
    {
        get
        {
            foreach ((string key, string value) in Headers)
            {
                if (key.Is(header)) return value;
            }

            return null;
        }
    }

    /// <summary>The whole message, with the headers that frame it.</summary>
    public ReadOnlyMemory<byte> Message(EslFormat format)
    {
        if (_bytes[(int)format] is { } made) return made;
        ByteWriter writer = _writer ??= new ByteWriter();
        writer.Clear();
        switch (format)
        {
            case EslFormat.Json:
                WriteJson(writer);
                break;
            case EslFormat.Xml:
                WriteXml(writer);
                break;
            default:
                WritePlain(writer, encoded: true);
                break;
        }

        string kind = format == EslFormat.Json ? "json" : format == EslFormat.Xml ? "xml" : "plain";
        byte[] header = System.Text.Encoding.ASCII.GetBytes($"Content-Length: {writer.Length}\nContent-Type: text/event-{kind}\n\n");
        byte[] message = new byte[header.Length + writer.Length];
        header.CopyTo(message, 0);
        writer.Written.CopyTo(message.AsSpan(header.Length));
        _bytes[(int)format] = message;
        return message;
    }

    /// <summary>The payload alone.</summary>
    public string Payload(EslFormat format, bool encoded = true)
    {
        var writer = new ByteWriter();
        if (format == EslFormat.Json) WriteJson(writer);
        else if (format == EslFormat.Xml) WriteXml(writer);
        else WritePlain(writer, encoded);
        return System.Text.Encoding.Latin1.GetString(writer.Written);
    }

    private void WritePlain(ByteWriter writer, bool encoded)
    {
        foreach ((string key, string value) in Headers)
        {
            writer.Text(key);
            writer.Text(": ");
            if (encoded)
            {
                writer.Encoded(value);
            }
            else
            {
                writer.Byte('[');
                writer.Text(value);
                writer.Byte(']');
            }

            writer.Byte('\n');
        }

        if (!string.IsNullOrEmpty(Body)) writer.Text($"Content-Length: {Body.Length}\n");
        writer.Byte('\n');
        if (Body is not null) writer.Text(Body);
    }

    private void WriteJson(ByteWriter writer)
    {
        writer.Byte('{');
        bool first = true;
        void Name(string key)
        {
            if (!first) writer.Byte(',');
            first = false;
            writer.Quoted(key);
            writer.Byte(':');
        }

        foreach ((string key, string value) in Headers)
        {
            Name(key);
            if (!value.StartsWith("ARRAY::", StringComparison.Ordinal))
            {
                writer.Quoted(value);
                continue;
            }

            string separator = "[";
            foreach (string item in value[7..].Split("|:"))
            {
                writer.Text(separator);
                writer.Quoted(item);
                separator = ",";
            }

            writer.Byte(']');
        }

        if (Body is not null)
        {
            Name("Content-Length");
            writer.Quoted(Body.Length.ToString(CultureInfo.InvariantCulture));
            Name("_body");
            writer.Quoted(Body);
        }

        writer.Byte('}');
    }

    private void WriteXml(ByteWriter writer)
    {
        writer.Text("<event>\n  <headers>\n");
        foreach ((string key, string value) in Headers)
        {
            writer.Text($"    <{key}>");
            writer.Encoded(value);
            writer.Text($"</{key}>\n");
        }

        writer.Text("  </headers>\n");
        if (!string.IsNullOrEmpty(Body))
            writer.Text($"  <Content-Length>{Body.Length}</Content-Length>\n  <body>{System.Security.SecurityElement.Escape(Body).TrimEnd('\n')}\n  </body>\n");
        writer.Text("</event>\n");
    }
}
