using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.Flexisip;

/// <content>Accounts.</content>
internal sealed partial class FlexiApi
{
    private void AddRoutes()
    {
        Add("GET", "api/ping", Role.Public, _ => FlexiResponse.Text(200, "pong"));
        if (!_is20) Add("GET", "up", Role.Public, _ => FlexiResponse.Text(200, "<!DOCTYPE html><html><body>Application up</body></html>"));
        AddLoginRoutes();
        AddOwnRoutes();
        AddAccountRoutes();
        AddOtherRoutes();
        AddCallRoutes();
    }

    private void AddOwnRoutes()
    {
        // A key of another space's account is nobody here.
        Add("GET", "api/accounts/me", Role.User, c => c.Who.Domain == c.Space.Domain ? FlexiResponse.Json(Show(c.Who, View.Full)) : FlexiResponse.Text(200, ""));
        Add("DELETE", "api/accounts/me", Role.User, c => Delete(c.Who, "1"));
        Add("GET", "api/accounts/me/provision", Role.User, c => Provision(c.Who));
        Add("POST", "api/accounts/me/password", Role.User, c =>
        {
            if ((string?)c.Request.Json["old_password"] is not { } old || !c.Who.Passwords.Any(p => p.Value == FlexiStore.Hash(p.Key, $"{c.Who.Username}:{c.Who.Domain}:{old}")))
                return FlexiResponse.Json(new JsonObject { ["errors"] = new JsonObject { ["old_password"] = "Incorrect old password" } }, 422);
            c.Who.SetPassword((string?)c.Request.Json["password"] ?? "", [c.Space.Algorithm]);
            c.Who.Activated = true;
            return FlexiResponse.Json(Show(c.Who, View.Full));
        });
        AddDevices("api/accounts/me", Role.User, c => c.Who, 0);
        Add("POST", "api/push_notification", Role.User, Push);
        if (_is20) Add("GET", "api/accounts/{sip}/info", Role.Public, c => _accounts.FirstOrDefault(a => a.Address == c.Values[0]) is { } a ? FlexiResponse.Json(new JsonObject { ["activated"] = a.Activated, ["realm"] = null }) : Missing("[App\\Account]."));
    }

    private void AddAccountRoutes()
    {
        Add("GET", "api/accounts", Role.Admin, c => Page(c, "api/accounts", 20, [.. _accounts.Where(a => a.Domain == c.Space.Domain || (_is20 && IsSuper(c.Who))).Select(a => Show(a, View.Plain))]));
        Add("POST", "api/accounts", Role.Admin, Create);
        Add("GET", "api/accounts/{id}", Role.Admin, c => FlexiResponse.Json(Show(Find(c, c.Values[0]), View.Plain)));
        Add("PUT", "api/accounts/{id}", Role.Admin, Update);
        Add("DELETE", "api/accounts/{id}", Role.Admin, c => Delete(Find(c, c.Values[0]), ""));
        Add("GET", "api/accounts/{sip}/search", Role.Admin, c => _accounts.FirstOrDefault(a => a.Address == c.Values[0] && Sees(c, a)) is { } a ? FlexiResponse.Json(Show(a, View.Search)) : FlexiResponse.Error(404, "SIP address not found"));
        Add("GET", "api/accounts/{email}/search-by-email", Role.Admin, c => _accounts.FirstOrDefault(a => a.Email == c.Values[0] && Sees(c, a)) is { } a ? FlexiResponse.Json(Show(a, View.Search)) : FlexiResponse.Error(404, "Email address not found"));
        Act("activate", a => a.Activated = true);
        Act("deactivate", a => a.Activated = false);
        Act("block", a => a.Blocked = true);
        Act("unblock", a => a.Blocked = false);
        Add("GET", "api/accounts/{id}/provision", Role.Admin, c => Provision(Find(c, c.Values[0])));
        foreach (string mail in new[] { "send_provisioning_email", "send_reset_password_email" })
        {
            Add("POST", $"api/accounts/{{id}}/{mail}", Role.Admin, c =>
            {
                FlexiAccount account = Find(c, c.Values[0]);
                if (account.Email is null) return FlexiResponse.Error(403, "No email configured");
                if (mail == "send_provisioning_email") account.ProvisioningToken = FlexiStore.Word(13);
                return FlexiResponse.Text(200, "");
            });
        }

        AddDevices("api/accounts/{id}", Role.Admin, c => Find(c, c.Values[0]), 1);
        if (!_is20) Add("GET", "api/resolve/{sip}", Role.Admin, c => _accounts.FirstOrDefault(a => a.Address == c.Values[0] && Sees(c, a)) is { } a
            ? FlexiResponse.Text(200, FlexiJson.Compact(new JsonObject { ["type"] = "account", ["payload"] = Show(a, View.Search) }))
            : FlexiResponse.Error(404, ""));

        void Act(string name, Action<FlexiAccount> act) => Add("POST", $"api/accounts/{{id}}/{name}", Role.Admin, c =>
        {
            FlexiAccount account = Find(c, c.Values[0]);
            act(account);
            account.UpdatedAt = Now;
            return FlexiResponse.Json(Show(account, View.Full));
        });
    }

    private bool Sees(Context c, FlexiAccount account) => account.Domain == c.Space.Domain || (_is20 && IsSuper(c.Who));

    private FlexiResponse Create(Context c)
    {
        JsonObject body = c.Request.Json;
        string domain = IsSuper(c.Who) && Said(body, "domain") is { } asked ? asked : c.Space.Domain;
        FlexisipSimulatorSpace? space = _options.Spaces.FirstOrDefault(s => s.Domain == domain);
        if (space is null || (space.MaxAccounts > 0 && _accounts.Count(a => a.Domain == domain) >= space.MaxAccounts)) return FlexiResponse.Error(403, "This action is unauthorized.");
        if (Validate(c, domain, null) is { } wrong) return wrong;
        var account = new FlexiAccount
        {
            Id = _nextId++,
            Username = Said(body, "username")!,
            Domain = domain,
            Activated = Flag(body, "activated") ?? false,
            Admin = Flag(body, "admin") ?? false,
            UserAgent = c.Request.Header("User-Agent") ?? c.Space.Name,
            IpAddress = c.Request.ClientAddress,
            CreatedAt = Now,
            UpdatedAt = Now,
        };
        Take(account, body);
        if (body["dictionary"] is JsonObject entries) account.Dictionary = (JsonObject)entries.DeepClone();
        account.SetPassword(Said(body, "password")!, [Said(body, "algorithm") ?? c.Space.Algorithm]);
        _accounts.Add(account);
        return FlexiResponse.Json(Show(account, View.Full));
    }

    private FlexiResponse Update(Context c)
    {
        JsonObject body = c.Request.Json;
        bool numeric = int.TryParse(c.Values[0], out int id);
        FlexiAccount? known = numeric ? _accounts.FirstOrDefault(a => a.Id == id) : null;
        // The rules are asked before the account is.
        if (Validate(c, known?.Domain ?? c.Space.Domain, known) is { } wrong) return wrong;
        FlexiAccount account = Find(c, c.Values[0]);
        account.Username = Said(body, "username") ?? account.Username;
        account.UserAgent = c.Request.Header("User-Agent") ?? c.Space.Name;
        account.UpdatedAt = Now;
        Take(account, body);
        if (_is20)
        {
            account.Activated = false;
            account.Blocked = false;
            account.Admin = Flag(body, "admin") ?? false;
        }
        else
        {
            account.Activated = Flag(body, "activated") ?? account.Activated;
            account.Blocked = Flag(body, "blocked") ?? account.Blocked;
            account.Admin = Flag(body, "admin") ?? account.Admin;
        }

        if (body["dictionary"] is JsonObject entries) account.Dictionary = (JsonObject)entries.DeepClone();
        if (Said(body, "password") is { } password) account.SetPassword(password, [Said(body, "algorithm") ?? c.Space.Algorithm]);
        return FlexiResponse.Json(Show(account, View.Full));
    }

    // What is not sent is emptied.
    private static void Take(FlexiAccount account, JsonObject body)
    {
        account.Email = Said(body, "email");
        account.DisplayName = Said(body, "display_name");
        account.Phone = Said(body, "phone");
        account.DtmfProtocol = Said(body, "dtmf_protocol");
    }

    private FlexiResponse Delete(FlexiAccount account, string reply)
    {
        _accounts.Remove(account);
        _keys.RemoveAll(k => k.Account == account);
        _tombstones.Add(account.Address);
        return FlexiResponse.Text(200, reply);
    }

    private FlexiResponse Provision(FlexiAccount account)
    {
        account.ProvisioningToken = FlexiStore.Word(13);
        return FlexiResponse.Json(Show(account, View.Full));
    }

    /// <summary>How much of an account an answer has.</summary>
    private enum View
    {
        /// <summary>Lists, and by number: no passwords.</summary>
        Plain,

        /// <summary>What was made or changed.</summary>
        Full,

        /// <summary>Found by its address.</summary>
        Search,
    }

    private JsonObject Show(FlexiAccount a, View view)
    {
        var json = new JsonObject
        {
            ["id"] = a.Id,
            ["username"] = a.Username,
            ["domain"] = a.Domain,
            ["email"] = a.Email,
            ["activated"] = a.Activated,
            ["ip_address"] = a.IpAddress,
            ["user_agent"] = a.UserAgent,
            ["created_at"] = FlexiStore.Time(a.CreatedAt),
            ["display_name"] = a.DisplayName,
            ["dtmf_protocol"] = a.DtmfProtocol,
            ["updated_at"] = FlexiStore.Time(a.UpdatedAt),
            ["blocked"] = a.Blocked,
            ["admin"] = a.Admin,
            ["phone"] = a.Phone,
        };
        if (_is20) json["realm"] = null;
        json["provisioning_token"] = a.ProvisioningToken;
        json["provisioning_token_expire_at"] = null;
        json["dictionary"] = a.Dictionary.DeepClone();
        if (!_is20) json["sip_uri"] = "sip:" + a.Address;
        if (view != View.Plain) json["passwords"] = new JsonArray([.. a.Passwords.Keys.Select(k => new JsonObject { ["algorithm"] = k })]);
        json["email_change_code"] = null;
        json["types"] = new JsonArray();
        json["actions"] = new JsonArray();
        if (_is20) json["space"] = _options.Spaces.FirstOrDefault(s => s.Domain == a.Domain) is { } space ? Show(space) : null;
        else json["carddav_servers"] = new JsonArray();
        if (view == View.Plain) json["phone_change_code"] = null;
        if (view == View.Search && !_is20) json["call_forwardings"] = new JsonArray([.. a.Forwardings.Select(f => f.DeepClone())]);
        return json;
    }

    private static FlexiResponse Page(Context c, string path, int size, JsonObject[] rows)
    {
        int page = int.TryParse(c.Request.Query("page"), out int asked) && asked > 0 ? asked : 1;
        int last = Math.Max(1, (rows.Length + size - 1) / size);
        string url = $"http://{c.Request.Header("Host")}/{path}";
        JsonObject[] here = [.. rows.Skip((page - 1) * size).Take(size)];
        JsonObject Link(string label, int? to, bool active) => new() { ["url"] = to is null ? null : $"{url}?page={to}", ["label"] = label, ["page"] = to, ["active"] = active };
        JsonObject[] links = [Link("&laquo; Previous", page > 1 ? page - 1 : null, false), .. Enumerable.Range(1, last).Select(p => Link(Number(p), p, p == page)), Link("Next &raquo;", page < last ? page + 1 : null, false)];
        return FlexiResponse.Json(new JsonObject
        {
            ["current_page"] = page,
            ["data"] = new JsonArray([.. here]),
            ["first_page_url"] = $"{url}?page=1",
            ["from"] = here.Length == 0 ? null : ((page - 1) * size) + 1,
            ["last_page"] = last,
            ["last_page_url"] = $"{url}?page={last}",
            ["links"] = new JsonArray([.. links]),
            ["next_page_url"] = page < last ? $"{url}?page={page + 1}" : null,
            ["path"] = url,
            ["per_page"] = size,
            ["prev_page_url"] = page > 1 ? $"{url}?page={page - 1}" : null,
            ["to"] = here.Length == 0 ? null : ((page - 1) * size) + here.Length,
            ["total"] = rows.Length,
        });
    }
}
