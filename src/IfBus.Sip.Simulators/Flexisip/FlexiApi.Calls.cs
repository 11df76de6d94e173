using System.Globalization;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.Flexisip;

/// <content>What the proxy tells of calls, and what is shown of it.</content>
internal sealed partial class FlexiApi
{
    private readonly List<JsonObject> _calls = [];
    private int _nextCallDevice = 1;

    public string AddCall(string from, string to, DateTime began, DateTime? answered, DateTime? ended)
    {
        lock (_gate)
        {
            string id = Guid.NewGuid().ToString("N")[..8];
            JsonObject call = NewCall(id, from, to, FlexiStore.Time(began), ended is { } end ? FlexiStore.Time(end) : null);
            _calls.Add(call);
            AddDevice(call, "urn:uuid:" + Guid.NewGuid().ToString(), began.AddSeconds(1), answered ?? ended, answered is null ? "canceled" : "accepted");
            return id;
        }
    }

    /// <summary>A row of a device, as it stands in the database; the API itself cannot make a whole one.</summary>
    public void AddCallDevice(string callId, string device, DateTime rang, DateTime? terminated, string state)
    {
        lock (_gate) AddDevice(_calls.First(c => (string?)c["id"] == callId), device, rang, terminated, state);
    }

    private void AddCallRoutes()
    {
        Add("POST", "api/statistics/calls", Role.Admin, c =>
        {
            JsonObject body = c.Request.Json;
            string id = Said(body, "id") ?? "", from = Said(body, "from") ?? "", to = Said(body, "to") ?? "";
            if (FlexiStore.Split(from) is null || FlexiStore.Split(to) is null) return FlexiResponse.Error(500, "Server Error");
            if (_calls.Any(k => (string?)k["id"] == id)) return FlexiResponse.Error(400, "Database error");
            _calls.Add(NewCall(id, from, to, Normal(Said(body, "initiated_at")), Normal(Said(body, "ended_at"))));
            return FlexiResponse.Text(200, "1");
        });
        Add("PATCH", "api/statistics/calls/{id}", Role.Admin, c =>
        {
            if (_calls.FirstOrDefault(k => (string?)k["id"] == c.Values[0]) is not { } call) return Missing($"[App\\StatisticsCall] {c.Values[0]}");
            call["ended_at"] = Normal(Said(c.Request.Json, "ended_at"));
            call["updated_at"] = FlexiStore.Time(Now);
            return FlexiResponse.Json(call.DeepClone());
        });
        Add("PATCH", "api/statistics/calls/{id}/devices/{device}", Role.Admin, c =>
        {
            // The recorded commit of 2.1 cannot do it, and 2.0 loses what it is told.
            if (!_is20) return FlexiResponse.Error(500, "Server Error");
            JsonObject row = new()
            {
                ["call_id"] = c.Values[0],
                ["device_id"] = c.Values[1],
                ["rang_at"] = Normal(Said(c.Request.Json, "rang_at")),
                ["invite_terminated_at"] = null,
                ["invite_terminated_state"] = null,
                ["updated_at"] = FlexiStore.Time(Now),
                ["created_at"] = FlexiStore.Time(Now),
                ["id"] = _nextCallDevice++,
            };
            return FlexiResponse.Json(row, 201);
        });
        if (_is20) return;
        Add("GET", "api/accounts/me/statistics/calls", Role.User, c => CallsOf(c, c.Who, "api/accounts/me/statistics/calls"));
        Add("GET", "api/accounts/{id}/statistics/calls", Role.Admin, c => CallsOf(c, Find(c, c.Values[0]), $"api/accounts/{c.Values[0]}/statistics/calls"));
    }

    private FlexiResponse CallsOf(Context c, FlexiAccount account, string path)
    {
        bool Has(JsonObject call, string side) => (string?)call[side + "_username"] == account.Username && (string?)call[side + "_domain"] == account.Domain;
        return Page(c, path, 30, [.. _calls.Where(k => Has(k, "from") || Has(k, "to")).Reverse().Select(k => (JsonObject)k.DeepClone())]);
    }

    private JsonObject NewCall(string id, string from, string to, string? began, string? ended)
    {
        (string fromUser, string fromDomain) = FlexiStore.Split(from)!.Value;
        (string toUser, string toDomain) = FlexiStore.Split(to)!.Value;
        return new JsonObject
        {
            ["id"] = id,
            ["from_username"] = fromUser,
            ["from_domain"] = fromDomain,
            ["to_username"] = toUser,
            ["to_domain"] = toDomain,
            ["initiated_at"] = began,
            ["ended_at"] = ended,
            ["conference_id"] = null,
            ["created_at"] = FlexiStore.Time(Now),
            ["updated_at"] = FlexiStore.Time(Now),
            ["devices"] = new JsonArray(),
        };
    }

    private void AddDevice(JsonObject call, string device, DateTime rang, DateTime? terminated, string state) => ((JsonArray)call["devices"]!).Add(new JsonObject
    {
        ["id"] = _nextCallDevice++,
        ["call_id"] = call["id"]!.DeepClone(),
        ["device_id"] = device,
        ["rang_at"] = FlexiStore.Time(rang),
        // The one time that is written so.
        ["invite_terminated_at"] = terminated?.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        ["invite_terminated_state"] = terminated is null ? null : state,
        ["created_at"] = FlexiStore.Time(rang),
        ["updated_at"] = FlexiStore.Time(terminated ?? rang),
    });

    private static string? Normal(string? time) =>
        DateTime.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out DateTime at) ? FlexiStore.Time(at) : null;
}
