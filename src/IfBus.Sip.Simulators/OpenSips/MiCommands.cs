using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.OpenSips;

/// <summary>The MI commands, and the server's dialect of JSON-RPC (wire/opensips, errors).</summary>
internal sealed partial class MiCommands
{
    /// <summary>As the server writes.</summary>
    public static readonly JsonSerializerOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ProxyCore _core;
    private readonly Dictionary<string, Command> _commands = new(StringComparer.Ordinal);

    public MiCommands(ProxyCore core)
    {
        _core = core;
        AddServer();
        AddCalls();
        AddTrunks();
        foreach (string missing in core.Options.MissingCommands) _commands.Remove(missing);
    }

    /// <summary>Runs a document; null for a notification, which gets no document.</summary>
    public byte[]? Run(byte[] document)
    {
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(document);
        }
        catch (JsonException)
        {
            return Error(null, -32700, "Parse error", null);
        }

        if (root is not JsonObject request) return Error(null, -32600, "Invalid Request", null);
        bool isNotification = !request.ContainsKey("id");
        JsonNode? id = Id(request["id"]);
        string? method = request["method"] is JsonValue m && m.TryGetValue(out string? name) ? name : null;
        bool valid = request["jsonrpc"] is JsonValue v && v.TryGetValue(out string? version) && version == "2.0" && method is not null
            && (!request.ContainsKey("params") || request["params"] is JsonArray or JsonObject);
        if (!valid) return Error(id, -32600, "Invalid Request", null);
        byte[] reply = Execute(method!, request["params"], id);
        return isNotification ? null : reply;
    }

    // A text, or a number that is cut to 32 bits.
    private static JsonNode? Id(JsonNode? id)
    {
        if (id is not JsonValue value) return null;
        if (value.TryGetValue(out string? text)) return text;
        return value.TryGetValue(out double number) ? (JsonNode)(int)Math.Clamp(Math.Truncate(number), int.MinValue, int.MaxValue) : null;
    }

    private static byte[] Error(JsonNode? id, int code, string message, string? data)
    {
        var error = new JsonObject { ["code"] = code, ["message"] = message };
        if (data is not null) error["data"] = data;
        return JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["jsonrpc"] = "2.0", ["error"] = error, ["id"] = id?.DeepClone() }, Writing);
    }

    private byte[] Execute(string method, JsonNode? parameters, JsonNode? id)
    {
        if (!_commands.TryGetValue(method, out Command? command)) return Error(id, -32601, "Method not found", null);
        try
        {
            Dictionary<string, JsonNode?> given = command.Match(parameters);
            JsonNode? result;
            lock (_core.Sync)
            {
                _core.Sweep();
                result = command.Run(new Arguments(given));
            }

            return JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["jsonrpc"] = "2.0", ["result"] = result, ["id"] = id?.DeepClone() }, Writing);
        }
        catch (MiError e)
        {
            return Error(id, e.Code, e.Message, e.Detail);
        }
    }

    private void Add(string name, Func<Arguments, JsonNode?> run, params string[] sets) => Add(name, false, run, sets);

    private void Add(string name, bool namedOnly, Func<Arguments, JsonNode?> run, params string[] sets) =>
        _commands[name] = new Command(run, [.. sets.Select(s => s.Length == 0 ? [] : s.Split(','))], namedOnly);

    private void AddServer()
    {
        Add("version", a =>
        {
            var version = new JsonObject { ["Server"] = $"OpenSIPS ({_core.Options.Version} (x86_64/linux))" };
            if (a.Surplus) version["unknown"] = "unknown";
            return version;
        }, "");
        Add("raise_event", a => ProxyCore.AllEvents.Contains(a.Text("event")) ? "OK" : throw new MiError(404, "Event not registered"), "event");
        foreach (string name in (string[])["profile_get_size", "profile_list_dlgs"]) Add(name, a => Profile(a.Text("profile"), name == "profile_get_size"), "profile");
        Add("uptime", _ => new JsonObject
        {
            ["Now"] = Ctime(_core.Now),
            ["Up since"] = Ctime(_core.StartedAt),
            ["Up time"] = string.Create(CultureInfo.InvariantCulture, $"{(long)(_core.Now - _core.StartedAt).TotalSeconds} [sec]"),
        }, "");
        Add("which", _ => new JsonArray([.. _commands.Keys.Order(StringComparer.Ordinal).Select(k => (JsonNode)k)]), "");
        Add("events_list", _ => new JsonObject { ["Events"] = new JsonArray([.. ProxyCore.AllEvents.Except(_core.Options.MissingEvents).Select((e, i) => (JsonNode)new JsonObject { ["name"] = e, ["id"] = i })]) }, "");
        Add("event_subscribe", a => _core.Subscribe(a.Text("event"), a.Text("socket"), a.Has("expire") ? a.Number("expire") : 3600) ? "OK" : throw new MiError(400, "Bad parameter value"), "event,socket", "event,socket,expire");
        Add("subscribers_list", a => _core.ShowSubscribers(a.Has("event") ? a.Text("event") : null, a.Has("socket") ? a.Text("socket") : null) ?? throw new MiError(404, "Subscriber not found"), "", "event", "event,socket");
        Add("get_statistics", a =>
        {
            Dictionary<string, long> all = new()
            {
                ["shmem:total_size"] = 268435456,
                ["core:rcv_requests"] = _core.RequestsReceived,
                ["dialog:active_dialogs"] = _core.Dialogs.Count(d => d.State is 3 or 4),
                ["dialog:early_dialogs"] = _core.Dialogs.Count(d => d.State is 1 or 2),
                ["dialog:processed_dialogs"] = _core.Processed,
                ["dialog:expired_dialogs"] = 0,
                ["dialog:failed_dialogs"] = _core.Failed,
            };
            var wanted = new JsonObject();
            foreach (string name in a.List("statistics"))
            {
                foreach ((string key, long value) in all)
                {
                    if (name == "all" || (name.EndsWith(':') ? key.StartsWith(name, StringComparison.Ordinal) : key.EndsWith(":" + name, StringComparison.Ordinal))) wanted[key] = value;
                }
            }

            return wanted;
        }, "statistics");
        Add("cache_store", a =>
        {
            _core.Cache[a.Text("attr")] = a.Text("value");
            return "OK";
        }, "system,attr,value", "system,attr,value,expire");
        Add("cache_fetch", a => _core.Cache.TryGetValue(a.Text("attr"), out string? value) ? new JsonObject { ["key"] = a.Text("attr"), ["value"] = value } : throw new MiError(400, "Value not found"), "system,attr");
    }

    // The script counts every call in this one.
    private JsonObject Profile(string name, bool size)
    {
        if (name != "inbound") throw new MiError(404, "Profile not found");
        SimDialog[] live = [.. _core.Dialogs.Where(d => d.State < 5)];
        return size
            ? new JsonObject { ["Profile"] = new JsonObject { ["name"] = name, ["value"] = "", ["count"] = live.Length } }
            : new JsonObject { ["Dialogs"] = Show(live, context: false) };
    }

    private static string Ctime(DateTimeOffset time) => time.UtcDateTime.ToString("ddd MMM d HH:mm:ss yyyy", CultureInfo.InvariantCulture);

    /// <summary>What a command refuses.</summary>
#pragma warning disable CA1032, CA1064 // thrown and caught here
    private sealed class MiError(int code, string message, string? detail = null) : Exception(message)
#pragma warning restore CA1032, CA1064
    {
        public int Code { get; } = code;

        public string? Detail { get; } = detail;

        public static MiError Invalid(string detail) => new(-32602, "Invalid params", detail);
    }

    /// <summary>One command with the sets of parameters that it takes.</summary>
    private sealed class Command(Func<Arguments, JsonNode?> run, IReadOnlyList<string[]> sets, bool namedOnly)
    {
        public JsonNode? Run(Arguments arguments) => run(arguments);

        public Dictionary<string, JsonNode?> Match(JsonNode? given)
        {
            switch (given)
            {
                case JsonObject named:
                    string[][] sized = [.. sets.Where(s => s.Length == named.Count)];
                    if (sized.Length == 0 && sets.Any(s => s.Length > 0)) throw MiError.Invalid("Too few or too many parameters");
                    if (!sized.Any(s => s.All(named.ContainsKey))) throw MiError.Invalid("Named parameters do not match");
                    return named.ToDictionary(p => p.Key, p => p.Value);
                case JsonArray { Count: > 0 } positional:
                    if (namedOnly) throw MiError.Invalid("Command only supports named parameters");
                    string[][] fitting = [.. sets.Where(s => s.Length == positional.Count)];
                    // A command without parameters lets surplus ones pass.
                    if (fitting.Length == 0) return sets is [{ Length: 0 }] ? new() { [""] = null } : throw MiError.Invalid("Too few or too many parameters");
                    if (fitting.Length > 1) throw MiError.Invalid("Ambiguous call, use named parameters instead");
                    return fitting[0].Select((n, i) => KeyValuePair.Create(n, positional[i])).ToDictionary(p => p.Key, p => p.Value);
                default:
                    return sets.Any(s => s.Length == 0) ? [] : throw MiError.Invalid("Too few or too many parameters");
            }
        }
    }

    /// <summary>The parameters of one request, with their types checked.</summary>
    private sealed class Arguments(Dictionary<string, JsonNode?> given)
    {
        public bool Has(string name) => given.ContainsKey(name);

        /// <summary>There were parameters that the command does not take.</summary>
        public bool Surplus => given.ContainsKey("");

        public string Text(string name) => given[name] is JsonValue value && value.TryGetValue(out string? text) ? text : throw Bad(name);

        public int Number(string name) => given[name] is JsonValue value && value.TryGetValue(out int number) ? number : throw Bad(name);

        public List<string> List(string name) => given[name] is JsonArray list ? [.. list.Select(i => i is JsonValue v && v.TryGetValue(out string? text) ? text : throw Bad(name))] : throw Bad(name);

        public static MiError Bad(string name) => MiError.Invalid($"Bad type for parameter '{name}'");
    }
}
