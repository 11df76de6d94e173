using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.Kamailio;

/// <summary>What a command failed with: code and reason phrase of the reply as well.</summary>
internal sealed class RpcFailure(int code, string message) : Exception(message)
{
    public int Code { get; } = code;
}

/// <summary>jsonrpc_dispatch: reads a document, runs its command, and says nothing, or an empty success, where the real one does.</summary>
internal sealed partial class RpcCommands
{
    private static readonly JsonSerializerOptions Compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Pretty = new(Compact) { WriteIndented = true };

    private readonly ProxyCore _core;
    private readonly KamailioSimulatorOptions _options;
    private readonly Dictionary<string, Func<List<JsonElement>, JsonNode?>> _commands;
    private readonly List<string> _taken = [];
    private readonly object _gate = new();

    public RpcCommands(ProxyCore core, KamailioSimulatorOptions options)
    {
        _core = core;
        _options = options;
        _commands = Table();
        foreach (string missing in options.MissingMethods) _commands.Remove(missing);
    }

    public IReadOnlyList<string> Taken
    {
        get
        {
            lock (_gate) return [.. _taken];
        }
    }

    /// <summary>The reply; null for none at all.</summary>
    public (string Status, string Body)? Run(ReadOnlyMemory<byte> body)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            return null;
        }

        using (document)
        {
            JsonElement root = document.RootElement;
            bool isObject = root.ValueKind == JsonValueKind.Object;
            JsonElement id = isObject && root.TryGetProperty("id", out JsonElement said) ? said : default;
            bool good = isObject && root.TryGetProperty("jsonrpc", out JsonElement version) && version.ValueKind == JsonValueKind.String && version.GetString() == "2.0"
                && root.TryGetProperty("method", out JsonElement method) && method.ValueKind == JsonValueKind.String;
            JsonElement parameters = default;
            if (good && root.TryGetProperty("params", out parameters)) good = parameters.ValueKind is JsonValueKind.Array or JsonValueKind.Object;
            // What it cannot read is a success with nothing in it; so is every batch.
            if (!good) return ("200 OK", Reply("result", new JsonObject(), id));
            string name = root.GetProperty("method").GetString()!;
            lock (_gate) _taken.Add(parameters.ValueKind == JsonValueKind.Undefined ? name : $"{name} {parameters.GetRawText()}");
            // Names of parameters are ignored, the order counts.
            List<JsonElement> values = parameters.ValueKind switch
            {
                JsonValueKind.Array => [.. parameters.EnumerateArray()],
                JsonValueKind.Object => [.. parameters.EnumerateObject().Select(p => p.Value)],
                _ => [],
            };
            try
            {
                if (!_commands.TryGetValue(name, out Func<List<JsonElement>, JsonNode?>? command)) throw new RpcFailure(500, "Method Not Found");
                lock (_gate) return ("200 OK", Reply("result", command(values) ?? new JsonObject(), id));
            }
            catch (RpcFailure e)
            {
                return (FormattableString.Invariant($"{e.Code} {e.Message}"), Reply("error", new JsonObject { ["code"] = e.Code, ["message"] = e.Message }, id));
            }
        }
    }

    private static string Text(List<JsonElement> values, int index, string missing = "Invalid parameters", int code = 500)
    {
        if (index >= values.Count || values[index].ValueKind is not (JsonValueKind.String or JsonValueKind.Number)) throw new RpcFailure(code, missing);
        return values[index].ValueKind == JsonValueKind.String ? values[index].GetString()! : values[index].GetRawText();
    }

    // A number may come as text; a text that is none is 0.
    private static int Number(List<JsonElement> values, int index, string missing = "Invalid parameters") =>
        int.TryParse(Text(values, index, missing), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) ? number : 0;

    private string Reply(string member, JsonNode value, JsonElement id)
    {
        var reply = new JsonObject { ["jsonrpc"] = "2.0", [member] = value };
        string text = reply.ToJsonString(_options.PrettyFormat ? Pretty : Compact);
        string? shown = id.ValueKind switch
        {
            JsonValueKind.Undefined => null,
            JsonValueKind.Null => "0",
            JsonValueKind.Number when !id.TryGetInt64(out _) => id.GetDouble().ToString("F6", CultureInfo.InvariantCulture),
            _ => id.GetRawText(),
        };
        return shown is null ? text : $"{text[..text.LastIndexOf('}')].TrimEnd()},\"id\":{shown}}}";
    }
}
