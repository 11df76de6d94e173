using System.Text.Json;

namespace IfBus.Sip.Adapters.Flexisip;

/// <summary>
/// Rows of FlexiAPI's call statistics (2.1). It keeps begin, end, and per device when it rang and how its INVITE ended; no
/// SIP status, no cause, and not the Call-ID. A row without an end is of a call that goes on, or whose end never arrived.
/// </summary>
internal static class FlexisipCalls
{
    private static readonly string[] ByWeight = ["accepted", "declined", "canceled", "error"];

    public static SipCall Call(JsonElement row, string account, string server)
    {
        string id = FlexisipMapper.Text(row, "id") ?? throw new SipProtocolException($"{server} gave a call without an id.");
        string from = Address(row, "from"), to = Address(row, "to");
        JsonElement[] devices = Devices(row);
        DateTime? began = FlexisipMapper.Time(row, "initiated_at"), ended = FlexisipMapper.Time(row, "ended_at");
        DateTime? answered = Answered(devices);
        string? word = Word(devices);
        string own = account.StartsWith("sip:", StringComparison.Ordinal) ? account[4..] : account;
        return new SipCall
        {
            CallId = id,
            Uri = "if://call/" + Uri.EscapeDataString(id),
            Server = server,
            ServerType = SipServerType.Flexisip,
            State = ended is not null ? CallState.Terminated : answered is not null ? CallState.Connected : devices.Any(d => FlexisipMapper.Time(d, "rang_at") is not null) ? CallState.Ringing : CallState.Dialing,
            Direction = from == own ? CallDirection.Outbound : to == own ? CallDirection.Inbound : null,
            From = from,
            To = to,
            CreatedAt = began,
            AnsweredAt = answered,
            EndedAt = ended,
            Duration = Span(began, ended),
            BillableDuration = ended is null ? null : answered is null ? devices.Length > 0 ? TimeSpan.Zero : null : Span(answered, ended),
            Cause = ended is null ? null : Cause(word),
            CauseText = ended is null ? "the server has no end of it: it goes on, or its end never arrived" : word ?? "the server does not tell what became of it",
            Legs = devices.Select(d => new SipCallLeg(FlexisipMapper.Text(d, "device_id") ?? "", null, FlexisipMapper.Text(d, "invite_terminated_state") ?? (FlexisipMapper.Time(d, "rang_at") is null ? null : "ringing"), null)).ToArray(),
        };
    }

    public static IEnumerable<SipCallDetailRecord> Records(JsonElement row, string server)
    {
        string? id = FlexisipMapper.Text(row, "id");
        DateTime? began = FlexisipMapper.Time(row, "initiated_at"), ended = FlexisipMapper.Time(row, "ended_at");
        JsonElement[] devices = Devices(row);
        foreach (JsonElement? device in devices.Length == 0 ? [null] : devices.Select(d => (JsonElement?)d))
        {
            string? word = device is { } told ? FlexisipMapper.Text(told, "invite_terminated_state") : null;
            DateTime? at = device is { } d ? FlexisipMapper.Time(d, "invite_terminated_at") : null;
            DateTime? answered = word == "accepted" ? at : null;
            // A device that did not take the call is done with it when its INVITE ended.
            DateTime? over = word is null or "accepted" ? ended : at;
            yield return new SipCallDetailRecord
            {
                CallId = id,
                Server = server,
                ServerType = SipServerType.Flexisip,
                LegId = device is { } leg ? FlexisipMapper.Text(leg, "device_id") : null,
                From = Address(row, "from"),
                To = Address(row, "to"),
                StartedAt = began,
                AnsweredAt = answered,
                EndedAt = over,
                Duration = Span(began, over),
                BillableDuration = word is null ? null : answered is null ? TimeSpan.Zero : Span(answered, over),
                Disposition = word,
                Fields = new SipFieldCollection([.. FlexisipMapper.Fields(row, []), .. device is { } fields ? FlexisipMapper.Fields(fields, ["id", "call_id"]) : SipFieldCollection.Empty]),
            };
        }
    }

    private static JsonElement[] Devices(JsonElement row) =>
        FlexisipMapper.Property(row, "devices") is { ValueKind: JsonValueKind.Array } devices ? [.. devices.EnumerateArray().Where(d => d.ValueKind == JsonValueKind.Object)] : [];

    private static string Address(JsonElement row, string side) => $"{FlexisipMapper.Text(row, side + "_username")}@{FlexisipMapper.Text(row, side + "_domain")}";

    private static DateTime? Answered(JsonElement[] devices) =>
        devices.Where(d => FlexisipMapper.Text(d, "invite_terminated_state") == "accepted").Select(d => FlexisipMapper.Time(d, "invite_terminated_at")).FirstOrDefault();

    // What became of the call, out of what became of each device's INVITE.
    private static string? Word(JsonElement[] devices)
    {
        string[] words = [.. devices.Select(d => FlexisipMapper.Text(d, "invite_terminated_state")).OfType<string>()];
        return ByWeight.FirstOrDefault(words.Contains) ?? words.FirstOrDefault();
    }

    private static HangupCause Cause(string? word) => word switch
    {
        "declined" => HangupCause.CallRejected,
        // Who ended an answered call, and why, is not kept.
        _ => HangupCause.Unknown,
    };

    private static TimeSpan? Span(DateTime? from, DateTime? to) => from is { } a && to is { } b && b >= a ? b - a : null;
}
