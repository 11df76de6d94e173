using System.Text;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.Flexisip;

/// <summary>A request as it came.</summary>
internal sealed record FlexiRequest(string Method, string Target, Dictionary<string, string> Headers, byte[] Body, string ClientAddress)
{
    private JsonObject? _json;

    /// <summary>Path without query, decoded part by part where it is used.</summary>
    public string Path { get; } = Target.Split('?')[0];

    /// <summary>One value of the query.</summary>
    public string? Query(string name)
    {
        int at = Target.IndexOf('?', StringComparison.Ordinal);
        if (at < 0) return null;
        return Target[(at + 1)..].Split('&').Select(p => p.Split('=', 2)).Where(p => p[0] == name).Select(p => p.Length > 1 ? Uri.UnescapeDataString(p[1]) : "").FirstOrDefault();
    }

    /// <summary>A header, or null.</summary>
    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>The host that was called, without port.</summary>
    public string Host => (Header("Host") ?? "").Split(':')[0];

    /// <summary>True if the client wants JSON.</summary>
    public bool WantsJson => Header("Accept")?.Contains("json", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>The fields of the body; none if it is empty or no object.</summary>
    public JsonObject Json => _json ??= Parse() ?? [];

    /// <summary>False if there is a body that is no JSON.</summary>
    public bool IsBodyFit => Body.Length == 0 || Header("Content-Type")?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) == true || Parse() is not null;

    private JsonObject? Parse()
    {
        if (Body.Length == 0) return null;
        try
        {
            return JsonNode.Parse(Body) as JsonObject ?? [];
        }
        catch (System.Text.Json.JsonException)
        {
            return null;
        }
    }
}

/// <summary>An answer.</summary>
internal sealed class FlexiResponse
{
    private const string Html = "text/html; charset=utf-8";

    public int Status { get; init; } = 200;

    public string Body { get; init; } = "";

    public List<(string Name, string Value)> Headers { get; } = [];

    public static FlexiResponse Text(int status, string body, string type = Html) => new FlexiResponse { Status = status, Body = body }.With("Content-Type", type);

    public static FlexiResponse Json(JsonNode? body, int status = 200) => new FlexiResponse { Status = status, Body = FlexiJson.Compact(body) }.With("Content-Type", "application/json");

    /// <summary>An error of the framework: pretty-printed.</summary>
    public static FlexiResponse Error(int status, string message) => new FlexiResponse { Status = status, Body = FlexiJson.Pretty(new JsonObject { ["message"] = message }) }.With("Content-Type", "application/json");

    public static FlexiResponse Redirect(string url) => new FlexiResponse
    {
        Status = 302,
        Body = $"<!DOCTYPE html>\n<html>\n    <head>\n        <meta charset=\"UTF-8\" />\n        <meta http-equiv=\"refresh\" content=\"0;url='{url}'\" />\n\n        <title>Redirecting to {url}</title>\n    </head>\n    <body>\n        Redirecting to <a href=\"{url}\">{url}</a>.\n    </body>\n</html>",
    }.With("Location", url).With("Content-Type", Html);

    public FlexiResponse With(string name, string value)
    {
        Headers.Add((name, value));
        return this;
    }
}

/// <summary>JSON as PHP writes it: slashes escaped, letters beyond ASCII as \u.</summary>
internal static class FlexiJson
{
    public static string Compact(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(node, text, -1);
        return text.ToString();
    }

    public static string Pretty(JsonNode? node)
    {
        var text = new StringBuilder();
        Write(node, text, 0);
        return text.ToString();
    }

    private static void Write(JsonNode? node, StringBuilder text, int depth)
    {
        switch (node)
        {
            case null:
                text.Append("null");
                break;
            case JsonObject map:
                List(map.ToArray(), '{', '}', p =>
                {
                    Quote(p.Key, text);
                    text.Append(depth < 0 ? ":" : ": ");
                    Write(p.Value, text, depth < 0 ? -1 : depth + 1);
                });
                break;
            case JsonArray list:
                List(list.ToArray(), '[', ']', item => Write(item, text, depth < 0 ? -1 : depth + 1));
                break;
            case JsonValue value when value.TryGetValue(out string? said):
                Quote(said, text);
                break;
            default:
                text.Append(node.ToJsonString());
                break;
        }

        void List<T>(T[] items, char open, char close, Action<T> write)
        {
            text.Append(open);
            for (int i = 0; i < items.Length; i++)
            {
                if (i > 0) text.Append(',');
                if (depth >= 0) text.Append('\n').Append(' ', (depth + 1) * 4);
                write(items[i]);
            }

            if (depth >= 0 && items.Length > 0) text.Append('\n').Append(' ', depth * 4);
            text.Append(close);
        }
    }

    private static void Quote(string value, StringBuilder text)
    {
        text.Append('"');
        foreach (char c in value)
        {
            switch (c)
            {
                case '"': text.Append("\\\""); break;
                case '\\': text.Append("\\\\"); break;
                case '/': text.Append("\\/"); break;
                case '\n': text.Append("\\n"); break;
                case '\r': text.Append("\\r"); break;
                case '\t': text.Append("\\t"); break;
                default:
                    if (c is < ' ' or > '~') text.Append("\\u").Append(((int)c).ToString("x4", System.Globalization.CultureInfo.InvariantCulture));
                    else text.Append(c);
                    break;
            }
        }

        text.Append('"');
    }
}
