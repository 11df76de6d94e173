using System.Text.Json;

namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>States of a dialog (module dialog).</summary>
internal enum DialogState
{
    /// <summary>INVITE sent on, no reply.</summary>
    New = 1,
    /// <summary>A provisional reply.</summary>
    Early = 2,
    /// <summary>Answered, ACK not seen.</summary>
    Answered = 3,
    /// <summary>Answered, ACK seen.</summary>
    Talking = 4,
    /// <summary>Over; stays in the list for some seconds.</summary>
    Ended = 5,
}

/// <summary>One dialog of dlg_list or dlg_list_ctx.</summary>
internal sealed record DialogRow
{
    public required string Id { get; init; }

    public required string SipCallId { get; init; }

    public DialogState State { get; init; }

    /// <summary>When it was answered.</summary>
    public DateTime? AnsweredAt { get; init; }

    /// <summary>When the server will end it.</summary>
    public DateTime? ExpiresAt { get; init; }

    public string? FromUri { get; init; }

    public string? ToUri { get; init; }

    public string? FromTag { get; init; }

    public string? ToTag { get; init; }

    public string? CallerContact { get; init; }

    public string? CalleeContact { get; init; }

    /// <summary>The server's call_hold holds both legs; null if the list does not tell (only dlg_list_ctx does).</summary>
    public bool? Held { get; init; }

    /// <summary>A dialog's state; null for one that does not exist, which would compare as answered.</summary>
    public static DialogState? ReadState(JsonElement from, string name) =>
        MiJson.Number(from, name) is >= (long)DialogState.New and <= (long)DialogState.Ended and long number ? (DialogState)number : null;

    /// <summary>Reads an item of the list; null if it is none.</summary>
    public static DialogRow? Read(JsonElement item)
    {
        if (MiJson.Text(item, "ID") is not { } id || MiJson.Text(item, "callid") is not { } callId) return null;
        // With forking the last one is who answered.
        JsonElement callee = MiJson.Items(item, "CALLEES").LastOrDefault();
        bool? held = null;
        if (item.TryGetProperty("context", out JsonElement context))
        {
            int legs = 0;
            foreach (JsonElement value in MiJson.Items(context, "values"))
            {
                if (MiJson.Text(value, "call_hold_caller") == "hold" || MiJson.Text(value, "call_hold_callee") == "hold") legs++;
            }

            held = legs == 2;
        }

        return new DialogRow
        {
            Id = id,
            SipCallId = callId,
            State = ReadState(item, "state") ?? 0,
            AnsweredAt = MiJson.Time(item, "timestart"),
            ExpiresAt = MiJson.Time(item, "timeout"),
            FromUri = MiJson.Text(item, "from_uri"),
            ToUri = MiJson.Text(item, "to_uri"),
            FromTag = MiJson.Text(item, "caller_tag"),
            ToTag = MiJson.Text(callee, "callee_tag"),
            CallerContact = MiJson.Text(item, "caller_contact"),
            CalleeContact = MiJson.Text(callee, "callee_contact"),
            Held = held,
        };
    }
}

/// <summary>One party of a call that the server makes: an item of SERVERS or CLIENTS in b2b_list.</summary>
/// <param name="Key">Its key, which is the SIP Call-ID.</param>
/// <param name="Name">scenario_id: client1 or client2; null for one that a bridge brought in.</param>
/// <param name="Confirmed">It has answered.</param>
/// <param name="Uri">Where it was called.</param>
internal sealed record ScenarioParty(string Key, string? Name, bool Confirmed, string? Uri)
{
    /// <summary>Rings, by b2be_list.</summary>
    public bool Early { get; set; }
}

/// <summary>One call that the server makes: a tuple of b2b_list.</summary>
internal sealed record ScenarioRow
{
    /// <summary>Both talk.</summary>
    public const int Bridged = 4;

    /// <summary>It is being given up.</summary>
    public const int Cancelled = 5;

    public required string Key { get; init; }

    public string? Scenario { get; init; }

    public int State { get; init; }

    public IReadOnlyList<ScenarioParty> Parties { get; init; } = [];

    /// <summary>Reads an item of the list; null if it is none.</summary>
    public static ScenarioRow? Read(JsonElement item)
    {
        if (MiJson.Text(item, "key") is not { } key) return null;
        var parties = new List<ScenarioParty>(2);
        foreach (string list in (string[])["SERVERS", "CLIENTS"])
        {
            foreach (JsonElement party in MiJson.Items(item, list))
            {
                if (MiJson.Text(party, "key") is { } callId) parties.Add(new ScenarioParty(callId, MiJson.Text(party, "scenario_id"), MiJson.Number(party, "state") == 1, MiJson.Text(party, "to_uri")));
            }
        }

        return new ScenarioRow { Key = key, Scenario = MiJson.Text(item, "scenario"), State = (int)(MiJson.Number(item, "state") ?? 0), Parties = parties };
    }
}

/// <summary>One leg that the server has: an item of b2be_list.</summary>
/// <param name="SipCallId">Its SIP Call-ID.</param>
/// <param name="State">3 early, 4 confirmed, 5 established, 7 terminated.</param>
internal sealed record EntityRow(string SipCallId, int State)
{
    /// <summary>A provisional reply has come.</summary>
    public const int Early = 3;

    /// <summary>It is over.</summary>
    public const int Terminated = 7;

    /// <summary>Reads an item of the list; null if it is none.</summary>
    public static EntityRow? Read(JsonElement item) => MiJson.Text(item, "callid") is { } callId ? new EntityRow(callId, (int)(MiJson.Number(item, "state") ?? 0)) : null;
}
