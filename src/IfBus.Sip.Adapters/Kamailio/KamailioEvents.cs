using System.Text.Json;
using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters.Kamailio;

/// <summary>The event socket: netstrings of JSON that the server's script has made. Nothing is ever written to it.</summary>
internal sealed class KamailioEvents(KamailioMapper mapper) : IWireProtocol
{
    public int OnReceived(ReadOnlySpan<byte> buffer)
    {
        int all = 0;
        while (NetstringFramer.TryRead(buffer[all..], out Range content, out int taken))
        {
            Take(buffer[all..][content]);
            all += taken;
        }

        return all;
    }

    public void OnClosed(Exception reason)
    {
        // The session hears of it by the connection.
    }

    // What is no JSON was put together by the script from what a phone sent; it costs this event, not the connection.
    private void Take(ReadOnlySpan<byte> json)
    {
        JsonElement item;
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 16 });
            if (!JsonDocument.TryParseValue(ref reader, out JsonDocument? document)) return;
            using (document) item = document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            mapper.OnBrokenEvent(json, e);
            return;
        }

        if (item.ValueKind == JsonValueKind.Object) mapper.OnEvent(item, json);
    }
}

/// <summary>Reads the members of a JSON object as fields.</summary>
internal sealed class KamailioFieldReader : SipFieldReader
{
    /// <summary>The one instance.</summary>
    public static KamailioFieldReader Instance { get; } = new();

    // What must not be shown, by the names that uac.reg_dump gives it.
    private static readonly string[] Secrets = ["auth_password", "auth_ha1", "password"];

    public override SipFieldCollection Read(ReadOnlySpan<byte> raw)
    {
        try
        {
            var reader = new Utf8JsonReader(raw);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            return Fields(document.RootElement);
        }
        catch (JsonException)
        {
            return new SipFieldCollection([new SipField("Text", System.Text.Encoding.UTF8.GetString(raw))]);
        }
    }

    /// <summary>The members of an object, those of inner objects with the path as name; secrets are masked.</summary>
    public static SipFieldCollection Fields(JsonElement element)
    {
        var fields = new List<SipField>();
        Add(fields, "", element);
        return new SipFieldCollection(fields);
    }

    /// <summary>A value as text.</summary>
    public static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null or JsonValueKind.Undefined => "",
        _ => value.GetRawText(),
    };

    private static void Add(List<SipField> fields, string name, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty member in value.EnumerateObject()) Add(fields, name.Length == 0 ? member.Name : $"{name}.{member.Name}", member.Value);
        }
        else if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in value.EnumerateArray()) Add(fields, name.Length == 0 ? "Item" : name, item);
        }
        else
        {
            bool secret = Secrets.Any(s => name == s || name.EndsWith("." + s, StringComparison.Ordinal)) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } and not "none" and not ".";
            fields.Add(new SipField(name, secret ? "********" : Text(value)));
        }
    }
}
