using System.Globalization;
using System.Text.Json;

namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>Reads what the server wrote as JSON; nothing in it is taken for granted.</summary>
internal static class MiJson
{
    /// <summary>A member as text, numbers too; null if it is not there, null or empty, or no text.</summary>
    public static string? Text(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out JsonElement value) && Text(value) is { Length: > 0 } text ? text : null;

    /// <summary>A value as text; null for what is no single value.</summary>
    public static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
                _ => null,
            };
        }
        catch (InvalidOperationException)
        {
            // Bytes of a phone that are no UTF-8: the server passes them on as they are.
            return "\uFFFD";
        }
    }

    /// <summary>A whole number, also one that is written as text; null if it is none.</summary>
    public static long? Number(JsonElement from, string name) =>
        Text(from, name) is { } text && long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : null;

    /// <summary>A Unix time in seconds, UTC; null for 0 and for what is none.</summary>
    public static DateTime? Time(JsonElement from, string name) =>
        Number(from, name) is > 0 and < 100_000_000_000 and long seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime : null;

    /// <summary>The items of a list; none if there is no such list.</summary>
    public static JsonElement.ArrayEnumerator Items(JsonElement from, string name) =>
        from.ValueKind == JsonValueKind.Object && from.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray() : default;

    /// <summary>Members as fields: single values as they are, lists and objects as JSON.</summary>
    public static SipFieldCollection Fields(JsonElement from)
    {
        var fields = new List<SipField>();
        if (from.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty member in from.EnumerateObject()) fields.Add(new SipField(member.Name, Shown(member.Value)));
        }
        else if (from.ValueKind == JsonValueKind.Array)
        {
            int index = 0;
            foreach (JsonElement item in from.EnumerateArray()) fields.Add(new SipField((++index).ToString(CultureInfo.InvariantCulture), Shown(item)));
        }

        return new SipFieldCollection(fields);
    }

    /// <summary>A value for people.</summary>
    public static string Shown(JsonElement value) => Text(value) ?? (value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined ? "" : value.GetRawText());
}
