using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.Kamailio;

/// <summary>One dialog of the simulated proxy.</summary>
internal sealed class SimDialog
{
    public required int Entry { get; init; }

    public required int Id { get; init; }

    public required string CallId { get; init; }

    public required string FromUri { get; init; }

    public required string ToUri { get; init; }

    public required string FromTag { get; init; }

    public required string FromContact { get; init; }

    public required PhoneBehaviour Phone { get; init; }

    public required long InitTs { get; init; }

    public string? ToTag { get; set; }

    public string? ToContact { get; set; }

    public int State { get; set; } = 1;

    public long StartTs { get; set; }

    public long EndTs { get; set; }

    /// <summary>Who is to be called when a bridge's first party has answered.</summary>
    public string? ReferTo { get; init; }

    /// <summary>An entry of dlg.list. A callee that has not answered has nothing but null.</summary>
    public JsonObject Show(long now) => new()
    {
        ["h_entry"] = Entry,
        ["h_id"] = Id,
        ["ref"] = 2,
        ["call-id"] = CallId,
        ["from_uri"] = FromUri,
        ["to_uri"] = ToUri,
        ["state"] = State,
        ["start_ts"] = StartTs,
        ["init_ts"] = InitTs,
        ["end_ts"] = EndTs,
        ["duration"] = StartTs == 0 ? 0 : (EndTs == 0 ? now : EndTs) - StartTs,
        ["timeout"] = StartTs == 0 ? 0 : StartTs + 3600,
        ["lifetime"] = 3600,
        ["dflags"] = 1667,
        ["sflags"] = 0,
        ["iflags"] = 1,
        ["caller"] = Side(FromTag, FromContact, "1", ""),
        ["callee"] = Side(ToTag, ToContact, ToTag is null ? null : "0", ToTag is null ? null : ""),
        ["profiles"] = new JsonArray(),
        ["variables"] = new JsonArray(),
    };

    private static JsonObject Side(string? tag, string? contact, string? cseq, string? routes) => new()
    {
        ["tag"] = tag,
        ["contact"] = contact,
        ["cseq"] = cseq,
        ["route_set"] = routes,
        ["socket"] = tag is null ? null : "udp:127.0.0.1:5060",
    };
}
