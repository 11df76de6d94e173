using System.Globalization;
using System.Text;

namespace IfBus.Sip.Simulators.Yate;

/// <summary>One message of the engine: a name, a return value, parameters, and the endpoint that it is about.</summary>
internal sealed class YateMessage(string name, long time) : YateParams
{
    private YateEndpoint? _about;

    public string Name { get; set; } = name;

    /// <summary>The return value.</summary>
    public string Return { get; set; } = "";

    /// <summary>When it was made; microseconds since 1970.</summary>
    public long Time { get; set; } = time;

    /// <summary>All handlers see it, whoever says true.</summary>
    public bool Broadcast { get; init; }

    /// <summary>The client that sent it; null for the engine's own.</summary>
    public ExtModConnection? Sender { get; init; }

    /// <summary>The client's own id of it.</summary>
    public string Id { get; set; } = "";

    /// <summary>The endpoint it is about, which lives at least as long as the message does.</summary>
    public YateEndpoint? About
    {
        get => _about;
        set
        {
            value?.Ref();
            _about?.Deref();
            _about = value;
        }
    }

    /// <summary>Adds a handler to the trace of who saw it.</summary>
    public void Trace(string handler) => Set("handlers", this["handlers"] is { } before ? before + "," + handler : handler);

    /// <summary>The line by which a handler gets it.</summary>
    public string Line(string id)
    {
        var line = new StringBuilder("%%>message:", 512);
        YateText.Escape(line, id);
        line.Append(CultureInfo.InvariantCulture, $":{Time / 1_000_000}:");
        return Rest(line);
    }

    /// <summary>The line by which its sender, or a watcher, which has no id, learns what became of it.</summary>
    public string Answer(string id, bool handled)
    {
        var line = new StringBuilder("%%<message:", 512);
        YateText.Escape(line, id);
        line.Append(handled ? ":true:" : ":false:");
        return Rest(line);
    }

    /// <summary>Reads name, return value and parameters; false if they are not well-formed.</summary>
    public bool TryRead(ReadOnlySpan<char> text)
    {
        int colon = text.IndexOf(':');
        if (colon < 0 || !YateText.TryUnescape(text[..colon].ToString(), out string name)) return false;
        text = text[(colon + 1)..];
        colon = text.IndexOf(':');
        if (!YateText.TryUnescape((colon < 0 ? text : text[..colon]).ToString(), out string value)) return false;
        if (name.Length > 0) Name = name;
        Return = value;
        while (colon >= 0)
        {
            text = text[(colon + 1)..];
            colon = text.IndexOf(':');
            ReadOnlySpan<char> field = colon < 0 ? text : text[..colon];
            if (field.IsEmpty) continue;
            if (!YateText.TryUnescape(field.ToString(), out string plain)) return false;
            int equals = plain.IndexOf('=', StringComparison.Ordinal);
            if (equals == 0) return false;
            if (equals < 0) Clear(plain);
            else Set(plain[..equals], plain[(equals + 1)..]);
        }

        return true;
    }

    private string Rest(StringBuilder line)
    {
        YateText.Escape(line, Name);
        line.Append(':');
        YateText.Escape(line, Return);
        foreach ((string name, string value) in this)
        {
            line.Append(':');
            YateText.Escape(line, name, '=');
            line.Append('=');
            YateText.Escape(line, value);
        }

        return line.ToString();
    }
}
