using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Adapters.Flexisip;

/// <summary>FlexiAPI's JSON as our objects. Secrets are left out here, so nothing behind can show one.</summary>
internal static class FlexisipMapper
{
    private static readonly HashSet<string> Secrets = new(StringComparer.OrdinalIgnoreCase)
    {
        "password", "provisioning_token", "token", "code", "api_key", "key_secret", "secret", "auth_token", "client_secret", "recovery_code", "confirmation_key", "old_password", "pn_prid",
    };

    private static readonly HashSet<string> Mapped = new(StringComparer.Ordinal)
    {
        "id", "username", "domain", "sip_uri", "email", "activated", "ip_address", "user_agent", "created_at", "updated_at", "display_name", "dtmf_protocol",
        "blocked", "admin", "phone", "provisioning_token_expire_at", "dictionary", "passwords",
    };

    public static SipAccount Account(JsonElement json, string server)
    {
        string? user = Text(json, "username"), domain = Text(json, "domain");
        if (Number(json, "id") is not { } id || user is null || domain is null) throw new SipProtocolException($"{server} gave an account without id, username or domain.");
        return new SipAccount
        {
            Id = id,
            Username = user,
            Domain = domain,
            SipUri = Text(json, "sip_uri") ?? $"sip:{user}@{domain}",
            Server = server,
            DisplayName = Text(json, "display_name"),
            Email = Text(json, "email"),
            Phone = Text(json, "phone"),
            Activated = Flag(json, "activated") ?? false,
            Blocked = Flag(json, "blocked") ?? false,
            Admin = Flag(json, "admin") ?? false,
            DtmfProtocol = Text(json, "dtmf_protocol"),
            Dictionary = Map(json, "dictionary"),
            PasswordAlgorithms = Property(json, "passwords") is { ValueKind: JsonValueKind.Array } passwords ? passwords.EnumerateArray().Select(p => Text(p, "algorithm")).OfType<string>().ToArray() : null,
            HasProvisioningToken = Text(json, "provisioning_token") is { Length: > 0 },
            ProvisioningExpiresAt = Time(json, "provisioning_token_expire_at"),
            IpAddress = Text(json, "ip_address"),
            UserAgent = Text(json, "user_agent"),
            CreatedAt = Time(json, "created_at"),
            UpdatedAt = Time(json, "updated_at"),
            Fields = Fields(json, Mapped),
        };
    }

    public static SipDevice Device(JsonElement json, string account, string server) => new()
    {
        Uuid = Text(json, "uuid") ?? "",
        Account = account,
        Server = server,
        DeviceName = Text(json, "device_name"),
        App = Text(json, "app"),
        Version = Text(json, "version"),
        UserAgent = Text(json, "user_agent"),
        UpdatedAt = Time(json, "update_time"),
    };

    public static SipSpace Space(JsonElement json, string server, DateTime now)
    {
        DateTime? expires = Time(json, "expire_at");
        JsonElement? digest = Property(json, "digest_authentication_configuration");
        return new SipSpace
        {
            Domain = Text(json, "domain") ?? "",
            Server = server,
            Name = Text(json, "name"),
            Host = Text(json, "host"),
            Super = Flag(json, "super") ?? false,
            MaxAccounts = Number(json, "max_accounts") is > 0 and <= int.MaxValue and { } most ? (int)most : null,
            ExpiresAt = expires,
            Expired = expires < now,
            UniqueEmail = Flag(json, "unique_email"),
            PasswordAlgorithm = digest is { } d ? Text(d, "default_password_algorithm") : null,
            Realm = digest is { } e ? Text(e, "realm") : Text(json, "account_realm"),
            Fields = Fields(json, []),
        };
    }

    public static SipCallForwarding Forwarding(JsonElement json, string account, string server) => new()
    {
        Id = Number(json, "id") ?? throw new SipProtocolException($"{server} gave a call forwarding rule without an id."),
        Account = account,
        Server = server,
        Type = Text(json, "type") switch
        {
            "always" => SipForwardingType.Always,
            "no_answer" => SipForwardingType.NoAnswer,
            "busy" => SipForwardingType.Busy,
            { } other => throw new SipProtocolException($"{server} has a call forwarding rule of the unknown kind '{SipText.Printable(other)}'."),
            null => throw new SipProtocolException($"{server} gave a call forwarding rule without its kind."),
        },
        ForwardTo = Text(json, "forward_to"),
        To = Text(json, "sip_uri") ?? Text(json, "contact_sip_uri"),
        Enabled = Flag(json, "enabled") ?? false,
    };

    /// <summary>FlexiAPI's word for a kind of rule.</summary>
    public static string Word(SipForwardingType type) => type switch
    {
        SipForwardingType.Always => "always",
        SipForwardingType.NoAnswer => "no_answer",
        _ => "busy",
    };

    /// <summary>All scalar fields that are not named, without secrets.</summary>
    public static SipFieldCollection Fields(JsonElement json, HashSet<string> without)
    {
        if (json.ValueKind != JsonValueKind.Object) return SipFieldCollection.Empty;
        return new SipFieldCollection(
        [
            .. json.EnumerateObject()
                .Where(p => !without.Contains(p.Name) && !Secrets.Contains(p.Name) && p.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
                .Select(p => new SipField(p.Name, p.Value.ToString())),
        ]);
    }

    /// <summary>JSON as text with every secret replaced.</summary>
    public static string Masked(JsonElement json)
    {
        JsonNode? node = JsonNode.Parse(json.GetRawText());
        Mask(node);
        return node?.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) ?? "null";
    }

    public static JsonElement? Property(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    public static string? Text(JsonElement json, string name) => Property(json, name) switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString(),
        { ValueKind: JsonValueKind.Number } number => number.GetRawText(),
        _ => null,
    };

    public static long? Number(JsonElement json, string name) => Property(json, name) switch
    {
        { ValueKind: JsonValueKind.Number } number when number.TryGetInt64(out long value) => value,
        { ValueKind: JsonValueKind.String } text when long.TryParse(text.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) => value,
        _ => null,
    };

    // MySQL installations have 0 and 1 in places.
    public static bool? Flag(JsonElement json, string name) => Property(json, name) switch
    {
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.Number } number => number.TryGetInt64(out long value) ? value != 0 : null,
        _ => null,
    };

    /// <summary>A time, UTC: "2026-11-22T22:00:06.000000Z", or without T and Z in devices of a call.</summary>
    public static DateTime? Time(JsonElement json, string name) =>
        Text(json, name) is { } text && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out DateTime time) ? time : null;

    private static Dictionary<string, string> Map(JsonElement json, string name)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Property(json, name) is not { ValueKind: JsonValueKind.Object } entries) return map;
        foreach (JsonProperty entry in entries.EnumerateObject()) map[entry.Name] = entry.Value.ToString();
        return map;
    }

    private static void Mask(JsonNode? node)
    {
        if (node is JsonArray list)
        {
            foreach (JsonNode? item in list) Mask(item);
        }
        else if (node is JsonObject map)
        {
            foreach (string name in map.Select(p => p.Key).ToArray())
            {
                if (Secrets.Contains(name) && map[name] is JsonValue) map[name] = "***";
                else Mask(map[name]);
            }
        }
    }
}
