using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Simulators.Flexisip;

/// <content>Devices, pushes, messages, spaces, external accounts, call forwarding, voicemail slots.</content>
internal sealed partial class FlexiApi
{
    private readonly Dictionary<string, JsonObject> _slots = [];
    private int _nextForwarding = 1;
    private int _nextExternal = 1;
    private int _nextMessage = 2;

    public void RegisterDevice(string address, string uuid, string userAgent, DateTime? at)
    {
        lock (_gate)
        {
            FlexiAccount account = _accounts.First(a => a.Address == address);
            var device = new JsonObject { ["uuid"] = uuid, ["update_time"] = FlexiStore.Time(at ?? Now), ["user_agent"] = userAgent };
            if (!_is20)
            {
                Match told = Agent().Match(userAgent);
                device["app"] = told.Success ? told.Groups[1].Value : null;
                device["version"] = told.Success ? told.Groups[2].Value : null;
                device["device_name"] = told.Groups[3].Success ? told.Groups[3].Value : null;
            }

            account.Devices[uuid] = device;
        }
    }

    private void AddDevices(string path, Role role, Func<Context, FlexiAccount> find, int at)
    {
        Add("GET", path + "/devices", role, c =>
        {
            var map = new JsonObject();
            foreach ((string uuid, JsonObject device) in find(c).Devices) map[uuid] = device.DeepClone();
            return FlexiResponse.Json(map);
        });
        Add("DELETE", path + "/devices/{uuid}", role, c => FlexiResponse.Text(200, find(c).Devices.Remove(c.Values[at]) && !_is20 ? "1" : ""));
    }

    private FlexiResponse Push(Context c)
    {
        JsonObject body = c.Request.Json;
        var errors = new JsonObject();
        foreach (string field in new[] { "pn_provider", "type" })
        {
            if (Said(body, field) is null) errors[field] = new JsonArray(Required(c, field));
        }

        if (errors.Count > 0) return Invalid(errors);
        if (Said(body, "pn_provider") is not ("apns" or "apns.dev" or "fcm")) return Invalid(new JsonObject { ["pn_provider"] = new JsonArray("The selected pn provider is invalid.") });
        if (Said(body, "type") is not ("background" or "message" or "call")) return Invalid(new JsonObject { ["type"] = new JsonArray("The selected type is invalid.") });
        if (Said(body, "pn_param") is not { } param || Said(body, "pn_prid") is not { } prid) return FlexiResponse.Error(500, "Server Error");
        if (prid.StartsWith("fail", StringComparison.Ordinal)) return FlexiResponse.Error(503, "");
        _pushes.Add($"{Said(body, "pn_provider")} {param} {Said(body, "type")}");
        return FlexiResponse.Text(200, "");
    }

    private void AddOtherRoutes()
    {
        if (_options.Messages)
        {
            Add("POST", "api/messages", Role.Admin, c =>
            {
                string to = Said(c.Request.Json, "to") ?? "";
                if (to.StartsWith("nobody", StringComparison.Ordinal)) return FlexiResponse.Json(new JsonObject { ["message"] = "Cannot create chat room", ["errors"] = new JsonArray(new JsonArray("Cannot create chat room")) }, 422);
                _messages.Add($"{to} {Said(c.Request.Json, "body")}");
                return FlexiResponse.Json(new JsonObject { ["id"] = Number(_nextMessage++) });
            });
        }

        Add("GET", "api/spaces", Role.Super, _ => FlexiResponse.Json(new JsonArray([.. _options.Spaces.Select(Show)])));
        Add("GET", "api/spaces/{domain}", Role.Super, c => _options.Spaces.FirstOrDefault(s => s.Domain == c.Values[0]) is { } space ? FlexiResponse.Json(Show(space)) : Missing("[App\\Space]."));
        Add("GET", "api/accounts/{id}/external", Role.Admin, c => Find(c, c.Values[0]).External is { } external ? FlexiResponse.Json(external.DeepClone()) : Missing("[App\\ExternalAccount]."));
        Add("POST", "api/accounts/{id}/external", Role.Admin, SetExternal);
        Add("DELETE", "api/accounts/{id}/external", Role.Admin, c =>
        {
            Find(c, c.Values[0]).External = null;
            return FlexiResponse.Text(200, "");
        });
        if (_is20) return;
        AddForwardings("api/accounts/me", Role.User, c => c.Who, 0);
        AddForwardings("api/accounts/{id}", Role.Admin, c => Find(c, c.Values[0]), 1);
        Add("POST", "api/wizard", Role.Admin, c =>
        {
            string token = FlexiStore.Word(8);
            return FlexiResponse.Json(new JsonObject { ["provisioning_account_id"] = null, ["sip"] = Said(c.Request.Json, "sip"), ["linphone_action"] = Said(c.Request.Json, "linphone_action"), ["linphone_use_sips"] = null, ["token"] = token, ["url"] = $"http://{c.Request.Header("Host")}/wizard/{token}" }, 201);
        });
        Add("POST", "api/accounts/{id}/voicemails", Role.Admin, NewSlot);
        Add("POST", "api/files/{uuid}", Role.Admin, FillSlot);
    }

    private FlexiResponse SetExternal(Context c)
    {
        FlexiAccount account = Find(c, c.Values[0]);
        JsonObject body = c.Request.Json;
        bool first = account.External is null;
        string user = Said(body, "username") ?? "", domain = Said(body, "domain") ?? "", realm = Said(body, "realm") ?? domain;
        account.External = new JsonObject
        {
            ["account_id"] = account.Id,
            ["username"] = user,
            ["domain"] = domain,
            ["realm"] = Said(body, "realm"),
            ["registrar"] = Said(body, "registrar"),
            ["outbound_proxy"] = Said(body, "outbound_proxy"),
            ["protocol"] = Said(body, "protocol"),
            ["algorithm"] = "MD5",
            ["password"] = FlexiStore.Hash("MD5", $"{user}:{realm}:{Said(body, "password")}"),
            ["updated_at"] = FlexiStore.Time(Now),
            ["created_at"] = FlexiStore.Time(Now),
            ["id"] = _nextExternal++,
        };
        return FlexiResponse.Json(account.External.DeepClone(), first ? 201 : 200);
    }

    private void AddForwardings(string path, Role role, Func<Context, FlexiAccount> find, int at)
    {
        Add("GET", path + "/call_forwardings", role, c => FlexiResponse.Json(new JsonArray([.. find(c).Forwardings.Select(Stored)])));
        Add("POST", path + "/call_forwardings", role, c =>
        {
            FlexiAccount account = find(c);
            if (ForwardingErrors(c, account, null) is { } wrong) return wrong;
            JsonObject body = c.Request.Json;
            var rule = new JsonObject
            {
                ["type"] = Said(body, "type"),
                ["forward_to"] = Said(body, "forward_to"),
                ["sip_uri"] = Said(body, "sip_uri"),
                ["enabled"] = Flag(body, "enabled"),
                ["contact_id"] = null,
                ["updated_at"] = FlexiStore.Time(Now),
                ["created_at"] = FlexiStore.Time(Now),
                ["id"] = _nextForwarding++,
                ["contact_sip_uri"] = null,
            };
            account.Forwardings.Add(Stored(rule));
            return FlexiResponse.Json(rule, 201);
        });
        Add("PUT", path + "/call_forwardings/{fid}", role, c =>
        {
            FlexiAccount account = find(c);
            if (account.Forwardings.FirstOrDefault(f => f["id"]!.ToString() == c.Values[at]) is not { } rule) return Missing($"[App\\CallForwarding] {c.Values[at]}");
            if (ForwardingErrors(c, account, rule) is { } wrong) return wrong;
            rule["forward_to"] = "sip_uri";
            rule["sip_uri"] = Said(c.Request.Json, "sip_uri");
            rule["enabled"] = Flag(c.Request.Json, "enabled");
            rule["updated_at"] = FlexiStore.Time(Now);
            return FlexiResponse.Json(rule.DeepClone());
        });
        Add("DELETE", path + "/call_forwardings/{fid}", role, c => FlexiResponse.Text(200, Number(find(c).Forwardings.RemoveAll(f => f["id"]!.ToString() == c.Values[at]))));
    }

    // As the database gives it: in another order than what was just made.
    private static JsonObject Stored(JsonObject rule)
    {
        var stored = new JsonObject();
        foreach (string name in new[] { "id", "type", "forward_to", "sip_uri", "enabled", "contact_id", "created_at", "updated_at", "contact_sip_uri" }) stored[name] = rule[name]?.DeepClone();
        return stored;
    }

    private static FlexiResponse? ForwardingErrors(Context c, FlexiAccount account, JsonObject? itself)
    {
        JsonObject body = c.Request.Json;
        var errors = new JsonObject();
        string? type = Said(body, "type"), to = Said(body, "forward_to"), uri = Said(body, "sip_uri");
        if (type is not ("always" or "no_answer" or "busy")) errors["type"] = new JsonArray("The selected type is invalid.");
        else if (account.Forwardings.Any(f => f != itself && (string?)f["type"] == type)) errors["type"] = new JsonArray("The type has already been taken.");
        if (itself is null ? to is not ("sip_uri" or "contact" or "voicemail") : to != "sip_uri") errors["forward_to"] = new JsonArray("The selected forward to is invalid.");
        if (to == "sip_uri" && (uri is null || !uri.StartsWith("sip:", StringComparison.Ordinal) || FlexiStore.Split(uri[4..]) is null)) errors["sip_uri"] = new JsonArray("The sip uri must be a valid SIP URI");
        if (Flag(body, "enabled") is not { } enabled) errors["enabled"] = new JsonArray("The enabled field is required.");
        else if (enabled && account.Forwardings.Any(f => f != itself && (bool)f["enabled"]! && ((string?)f["type"] == "always") != (type == "always"))) errors["enabled"] = new JsonArray("The always and the no_answer or busy call forwardings cannot be enabled together");
        return errors.Count == 0 ? null : Invalid(errors);
    }

    private FlexiResponse NewSlot(Context c)
    {
        FlexiAccount account = Find(c, c.Values[0]);
        if (account.Email is null) return FlexiResponse.Json(new JsonObject { ["message"] = "The account must have an email" }, 422);
        string id = Guid.NewGuid().ToString();
        _slots[id] = new JsonObject { ["sip_from"] = Said(c.Request.Json, "sip_from"), ["content_type"] = Said(c.Request.Json, "content_type"), ["account"] = account.Id };
        return FlexiResponse.Json(
            new JsonObject
            {
                ["sip_from"] = Said(c.Request.Json, "sip_from"),
                ["content_type"] = Said(c.Request.Json, "content_type"),
                ["id"] = id,
                ["created_at"] = FlexiStore.Time(Now),
                ["download_url"] = null,
                ["upload_url"] = $"http://{c.Request.Header("Host")}/api/files/{id}",
                ["max_upload_size"] = 8 * 1024 * 1024,
            },
            201);
    }

    private FlexiResponse FillSlot(Context c)
    {
        string id = c.Values[0];
        if (!_slots.Remove(id, out JsonObject? slot) || _accounts.FirstOrDefault(a => a.Id == (int)slot["account"]!) is not { } account) return Missing("[App\\AccountFile].");
        string text = Encoding.Latin1.GetString(c.Request.Body);
        int begin = text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        int end = text.LastIndexOf("\r\n--", StringComparison.Ordinal);
        string name = FlexiStore.Word(8) + "_" + (FileName().Match(text) is { Success: true } given ? given.Groups[1].Value : "file");
        return FlexiResponse.Json(new JsonObject
        {
            ["id"] = id,
            ["name"] = name,
            ["size"] = Math.Max(0, end - begin),
            ["content_type"] = slot["content_type"]?.DeepClone(),
            ["sip_from"] = slot["sip_from"]?.DeepClone(),
            ["uploaded_at"] = FlexiStore.Time(Now),
            ["created_at"] = FlexiStore.Time(Now),
            ["download_url"] = $"http://{c.Request.Header("Host")}/f/{id}/{name}/download",
            ["account"] = Show(account, View.Full),
        });
    }

    private JsonObject Show(FlexisipSimulatorSpace space)
    {
        var json = new JsonObject
        {
            ["domain"] = space.Domain,
            ["super"] = space.Super,
            ["created_at"] = FlexiStore.Time(Now),
            ["updated_at"] = FlexiStore.Time(Now),
            ["disable_chat_feature"] = false,
            ["disable_meetings_feature"] = false,
            ["disable_broadcast_feature"] = true,
            ["max_account"] = 0,
            ["hide_settings"] = false,
            ["hide_account_settings"] = false,
            ["disable_call_recordings_feature"] = false,
            ["only_display_sip_uri_username"] = false,
            ["assistant_hide_create_account"] = false,
            ["assistant_disable_qr_code"] = false,
            ["assistant_hide_third_party_account"] = false,
            ["host"] = space.Host,
            ["max_accounts"] = space.MaxAccounts,
            ["expire_at"] = space.ExpiresAt is { } at ? FlexiStore.Time(at) : null,
            ["copyright_text"] = null,
            ["intro_registration_text"] = null,
            ["newsletter_registration_address"] = null,
            ["account_proxy_registrar_address"] = null,
        };
        if (_is20)
        {
            foreach ((string name, JsonNode? value) in new (string, JsonNode?)[] { ("account_realm", null), ("custom_provisioning_entries", null), ("custom_provisioning_overwrite_all", 0), ("provisioning_use_linphone_provisioning_header", 1), ("custom_theme", 0), ("web_panel", 1), ("public_registration", 1), ("phone_registration", 1), ("intercom_features", 0), ("name", space.Name), ("email_server", null) }) json[name] = value;
            return json;
        }

        foreach ((string name, JsonNode? value) in new (string, JsonNode?)[] { ("custom_provisioning_entries", null), ("custom_provisioning_overwrite_all", false), ("web_panel", true), ("public_registration", true), ("phone_registration", true), ("intercom_features", false), ("name", space.Name), ("carddav_user_credentials", false), ("theme_hue", 22), ("logo", null), ("unique_email", space.UniqueEmail), ("client_certificate_authentication", false), ("email_server", null), ("carddav_servers", new JsonArray()) }) json[name] = value;
        json["digest_authentication_configuration"] = new JsonObject { ["realm"] = space.Domain, ["default_password_algorithm"] = space.Algorithm };
        json["oidc_authentication_configuration"] = space.OpenIdConnect is { } oidc
            ? new JsonObject { ["server_url"] = oidc.ServerUrl, ["realm"] = oidc.Realm, ["sip_identifier"] = "sip_identity", ["public_key"] = oidc.PublicKey, ["client_id"] = "flexiapi", ["auto_provisioning"] = false, ["role_provisioning"] = null }
            : null;
        return json;
    }

    [GeneratedRegex(@"^([^/ ]+)/([^ ]+)(?: \(([^)]*)\))?")]
    private static partial Regex Agent();

    [GeneratedRegex("filename=\"([^\"]*)\"")]
    private static partial Regex FileName();
}
