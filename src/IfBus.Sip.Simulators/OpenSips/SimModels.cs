using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.OpenSips;

/// <summary>A call that passes through.</summary>
internal sealed class SimDialog
{
    public required string Id { get; init; }

    public required string DbId { get; init; }

    public required string CallId { get; init; }

    public required string From { get; init; }

    public required string To { get; init; }

    public required string FromTag { get; init; }

    public required string ToTag { get; init; }

    /// <summary>The old dialog's id that a transfer put on the To.</summary>
    public string? Osid { get; init; }

    public long Number { get; init; }

    public int State { get; set; } = 1;

    public bool IsReplied { get; set; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? AnsweredAt { get; set; }

    public DateTimeOffset? EndedAt { get; set; }

    public HashSet<string> Held { get; } = [];

    public JsonObject Show(bool context, string host)
    {
        long start = AnsweredAt?.ToUnixTimeSeconds() ?? 0;
        var shown = new JsonObject
        {
            ["ID"] = Id,
            ["db_id"] = DbId,
            ["state"] = State,
            ["user_flags"] = "",
            ["timestart"] = start,
        };
        if (start > 0) shown["datestart"] = AnsweredAt!.Value.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", System.Globalization.CultureInfo.InvariantCulture);
        shown["timeout"] = start > 0 && State < 5 ? start + 3600 : 0;
        shown["callid"] = CallId;
        shown["from_uri"] = $"sip:{From}@{host}";
        shown["to_uri"] = $"sip:{To}@{host}" + (Osid is null ? "" : ";osid=" + Osid);
        shown["caller_tag"] = FromTag;
        shown["caller_contact"] = $"sip:{From}@127.0.0.1:5090";
        shown["callee_cseq"] = "0";
        shown["caller_route_set"] = "";
        shown["caller_bind_addr"] = "udp:" + host;
        shown["caller_sdp"] = "v=0\r\no=uac 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 16200 RTP/AVP 0 8\r\n";
        shown["CALLEES"] = !IsReplied ? new JsonArray() : new JsonArray(new JsonObject
        {
            ["callee_tag"] = ToTag,
            ["callee_contact"] = start > 0 ? $"sip:{To}@127.0.0.1:5070" : "",
            ["caller_cseq"] = "1",
            ["callee_route_set"] = "",
            ["callee_bind_addr"] = "udp:" + host,
        });
        if (context)
        {
            shown["context"] = new JsonObject
            {
                ["values"] = new JsonArray([.. Held.Select(h => (JsonNode)new JsonObject { ["call_hold_" + h] = "hold" })]),
                ["profiles"] = new JsonArray(new JsonObject { ["caller"] = From }, new JsonObject { ["inbound"] = "" }),
            };
        }

        return shown;
    }
}

/// <summary>One party of calls that the server makes.</summary>
internal sealed class SimEntity
{
    public required string Key { get; init; }

    public string? Name { get; init; }

    public required string Uri { get; init; }

    public string? FromUri { get; set; }

    public required string Number { get; init; }

    /// <summary>1 new, 3 early, 5 established, 7 terminated, as in b2be_list.</summary>
    public int State { get; set; } = 1;

    public SimEntity? Peer { get; set; }

    public JsonObject Show(int index)
    {
        var shown = new JsonObject { ["index"] = index };
        if (Name is not null) shown["scenario_id"] = Name;
        shown["key"] = Key;
        shown["disconnected"] = 0;
        shown["state"] = State == 5 ? 1 : 0;
        shown["no"] = index;
        shown["type"] = 1;
        if (Peer is not null) shown["peer"] = Peer.Key;
        shown["to_uri"] = Uri;
        if (FromUri is not null) shown["from_uri"] = FromUri;
        return shown;
    }

    public JsonObject ShowEntity(string logicKey) => new()
    {
        ["dlg"] = 1,
        ["logic_key"] = logicKey,
        ["mod_name"] = logicKey.Length == 0 ? "b2b_entities" : "b2b_logic",
        ["state"] = State,
        ["last_invite_cseq"] = 2,
        ["callid"] = Key,
        ["from_uri"] = FromUri ?? "",
        ["to_uri"] = Uri,
    };
}

/// <summary>A call that the server makes of two.</summary>
internal sealed class SimTuple
{
    public required string Key { get; init; }

    public required string Scenario { get; init; }

    /// <summary>3 bridging, 4 bridged, 5 given up.</summary>
    public int State { get; set; } = 3;

    public List<SimEntity> Clients { get; } = [];

    public JsonObject Show() => new()
    {
        ["id"] = 0,
        ["key"] = Key,
        ["state"] = State,
        ["lifetime"] = State == 5 ? 32 : 43201,
        ["db_flag"] = 2,
        ["scenario"] = Scenario,
        ["SERVERS"] = new JsonArray(),
        ["CLIENTS"] = new JsonArray([.. Clients.Select((c, i) => (JsonNode)c.Show(i))]),
        ["BRIDGE_ENTITIES"] = new JsonArray([.. Clients.Select((c, i) => (JsonNode)c.Show(i))]),
    };
}

/// <summary>A contact of a registration.</summary>
internal sealed record SimContact(string Uri, int Expires, DateTimeOffset Since)
{
    public JsonObject Show(DateTimeOffset now) => new()
    {
        ["Contact"] = Uri,
        ["ContactID"] = "4465107924305317509",
        [nameof(Expires)] = Expires == 0 ? "permanent" : (JsonNode)(int)Math.Max(0, Expires - (now - Since).TotalSeconds),
        ["Q"] = "1",
        ["Callid"] = "dfjrewr12386fd6-343@opensips.mi",
        ["Cseq"] = 1,
        ["User-agent"] = "OpenSIPS MI Server",
        ["State"] = "CS_NEW",
        ["Flags"] = 0,
        ["Cflags"] = "",
        ["Methods"] = 0,
    };
}
