using System.Buffers;
using System.Text.Json;

namespace IfBus.Sip.Adapters.Kamailio;

/// <summary>What the server tells dialogs apart by; not the same after a restart.</summary>
/// <param name="Entry">h_entry.</param>
/// <param name="Id">h_id.</param>
internal readonly record struct DialogKey(long Entry, long Id);

/// <summary>One side of a dialog.</summary>
/// <param name="Tag">Its tag; null for a callee that has not answered.</param>
/// <param name="Contact">Its Contact URI.</param>
internal readonly record struct DialogSide(string? Tag, string? Contact);

/// <summary>One entry of <c>dlg.list</c> (Kamailio 5.6 and 6.1).</summary>
internal sealed record KamailioDialog(DialogKey Key, string CallId, string? FromUri, string? ToUri, int State, long StartedAt, long CreatedAt, long EndedAt, DialogSide Caller, DialogSide Callee)
{
    private static readonly SearchValues<char> InHashes = SearchValues.Create("0123456789abcdef-");

    /// <summary>The states of a dialog by their numbers.</summary>
    public const int Unconfirmed = 1, Early = 2, ConfirmedNoAck = 3, Confirmed = 4, Deleted = 5;

    /// <summary>True for a dialog that the server began itself, as dlg.bridge_dlg does: its From-tag is a hash and eight hex digits (bridge-dlg and v61-bridge-dlg recordings).</summary>
    public bool IsServersOwn => Caller.Tag is { Length: 41 } tag && tag[32] == '-' && !tag.AsSpan().ContainsAnyExcept(InHashes);

    /// <summary>CSeq of the caller's INVITE, as long as nobody has answered it.</summary>
    public string? CSeq { get; init; }

    /// <summary>Reads one entry; null if it is none.</summary>
    public static KamailioDialog? Read(JsonElement e)
    {
        if (e.ValueKind != JsonValueKind.Object || Number(e, "h_entry") is not { } entry || Number(e, "h_id") is not { } id || Text(e, "call-id") is not { Length: > 0 } callId) return null;
        return new KamailioDialog(
            new DialogKey(entry, id), callId, Text(e, "from_uri"), Text(e, "to_uri"), (int)Math.Clamp(Number(e, "state") ?? 0, 0, 99),
            Number(e, "start_ts") ?? 0, Number(e, "init_ts") ?? 0, Number(e, "end_ts") ?? 0, Side(e, "caller"), Side(e, "callee"))
        {
            CSeq = e.TryGetProperty("caller", out JsonElement caller) && caller.ValueKind == JsonValueKind.Object ? Text(caller, "cseq") : null,
        };
    }

    /// <summary>A text member; null if it is absent, empty, or the server's word for nothing.</summary>
    public static string? Text(JsonElement e, string name) =>
        e.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text and not ("<null>" or "[not set]") ? text : null;

    /// <summary>A number, also one written as text.</summary>
    public static long? Number(JsonElement e, string name)
    {
        if (!e.TryGetProperty(name, out JsonElement value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number)) return number;
        return value.ValueKind == JsonValueKind.String && long.TryParse(value.GetString(), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out number) ? number : null;
    }

    /// <summary>Unix seconds as UTC; null for none, and for what is no time.</summary>
    public static DateTime? Time(long? seconds) => seconds is > 0 and < 100_000_000_000 ? DateTimeOffset.FromUnixTimeSeconds(seconds.Value).UtcDateTime : null;

    private static DialogSide Side(JsonElement e, string name) =>
        e.TryGetProperty(name, out JsonElement side) && side.ValueKind == JsonValueKind.Object ? new DialogSide(Text(side, "tag"), Text(side, "contact")) : default;
}
