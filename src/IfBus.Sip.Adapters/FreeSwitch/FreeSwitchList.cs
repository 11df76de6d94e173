using System.Text.Json;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>A list that the server wrote as JSON (show ... as json): an array of rows, each an object of strings; without any row it has no array.</summary>
internal static class FreeSwitchList
{
    /// <summary>The rows that are what a row should be.</summary>
    /// <exception cref="SipProtocolException">It is no such list.</exception>
    public static IReadOnlyList<JsonElement> Rows(string json)
    {
        try
        {
            using JsonDocument list = JsonDocument.Parse(json);
            return list.RootElement.TryGetProperty("rows", out JsonElement rows) ? [.. rows.Clone().EnumerateArray().Where(r => r.ValueKind == JsonValueKind.Object)] : [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new SipProtocolException($"The server's list is no JSON: '{SipText.Printable(json)}'.", e);
        }
    }

    /// <summary>A value of an object; null if it is not there, empty, or no text.</summary>
    /// <exception cref="SipProtocolException">Its text is none: half a character.</exception>
    public static string? Text(JsonElement row, string name) => row.TryGetProperty(name, out JsonElement value) && Text(value) is { Length: > 0 } text ? text : null;

    /// <summary>A value as text; null if it is none.</summary>
    /// <exception cref="SipProtocolException">Its text is none: half a character.</exception>
    public static string? Text(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException e)
        {
            throw new SipProtocolException("The server's list has half a character in a value.", e);
        }
    }
}
