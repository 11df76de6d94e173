using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Flexisip;

/// <summary>One recorded exchange with a real FlexiAPI.</summary>
internal sealed partial class FlexisipRecording
{
    private static readonly HashSet<string> Volatile = ["created_at", "updated_at", "uploaded_at", "update_time", "provisioning_token", "token", "upload_url", "download_url", "name_of_file", "public_key", "size"];

    private readonly JsonNode _json;

    private FlexisipRecording(string path)
    {
        Name = Path.GetFileName(path).Split('.')[0];
        _json = JsonNode.Parse(File.ReadAllText(path))!;
    }

    public string Name { get; }

    public string Method => (string)_json["request"]!["method"]!;

    public string Target => (string)_json["request"]!["path"]!;

    public string? RequestBody => (string?)_json["request"]!["body"];

    public Dictionary<string, string> RequestHeaders => ((JsonObject)_json["request"]!["headers"]!).ToDictionary(h => h.Key, h => (string)h.Value!);

    public int Status => (int)_json["response"]!["status"]!;

    public string Body => (string?)_json["response"]!["body"] ?? "";

    /// <summary>Headers; one that came several times is there several times.</summary>
    public IEnumerable<(string Name, string Value)> Headers => ((JsonObject)_json["response"]!["headers"]!)
        .SelectMany(h => h.Value is JsonArray many ? many.Select(v => (h.Key, (string)v!)) : [(h.Key, (string)h.Value!)]);

    public static IEnumerable<FlexisipRecording> All => Directory.GetFiles(Repository.Transcripts("flexisip"), "*.http.json").Order(StringComparer.Ordinal).Select(f => new FlexisipRecording(f));

    public static FlexisipRecording Open(string name) => new(Path.Combine(Repository.Transcripts("flexisip"), name + ".http.json"));

    /// <summary>The answer as bytes for a wire.</summary>
    public string Wire()
    {
        var text = new StringBuilder();
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"HTTP/1.1 {Status} Recorded\r\n");
        foreach ((string name, string value) in Headers) text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Content-Length: {Encoding.UTF8.GetByteCount(Body)}\r\n\r\n{Body}");
        return text.ToString();
    }

    /// <summary>The request, to be sent elsewhere.</summary>
    public HttpRequestMessage Request(Uri server)
    {
        var message = new HttpRequestMessage(new HttpMethod(Method), new Uri(server, Target));
        if (RequestBody is { } body) message.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        foreach ((string name, string value) in RequestHeaders)
        {
            if (name == "Content-Type") message.Content!.Headers.ContentType = MediaTypeHeaderValue.Parse(value);
            else message.Headers.TryAddWithoutValidation(name, value);
        }

        return message;
    }

    /// <summary>What was recorded, with what differs from run to run made equal.</summary>
    public string Expected => Normal(Status, Headers, Body);

    /// <summary>A text of status, headers and body, in which times, tokens and the like are made equal.</summary>
    public static string Normal(int status, IEnumerable<(string Name, string Value)> headers, string body)
    {
        IEnumerable<string> lines = headers
            .Where(h => h.Name is not ("Content-Length" or "Connection" or "Date" or "Host" or "X-Powered-By"))
            .Select(h => $"{h.Name.ToUpperInvariant()}: {NormalHeader(h.Name.ToUpperInvariant(), h.Value)}")
            .Order(StringComparer.Ordinal);
        return $"{status}\n{string.Join("\n", lines)}\n\n{NormalBody(body)}";
    }

    private static string NormalHeader(string name, string value) => name switch
    {
        "WWW-AUTHENTICATE" => Nonce().Replace(value, "=\"...\""),
        "SET-COOKIE" => Cookie().Replace(value, "="),
        "RETRY-AFTER" or "X-RATELIMIT-RESET" => "number",
        "CONTENT-TYPE" => value.ToUpperInvariant(),
        _ => value,
    };

    private static string NormalBody(string body)
    {
        if (!body.StartsWith('{') && !body.StartsWith('[')) return Key().Replace(body, "key");
        JsonNode node = JsonNode.Parse(body)!;
        Normalize(node, "");
        // Whether it is printed in one line is part of it.
        return (body.Contains('\n', StringComparison.Ordinal) ? "pretty " : "") + node.ToJsonString();
    }

    private static void Normalize(JsonNode? node, string _)
    {
        if (node is JsonArray list)
        {
            foreach (JsonNode? item in list) Normalize(item, "");
        }
        else if (node is JsonObject map)
        {
            foreach (string name in map.Select(p => p.Key).ToArray())
            {
                if (map[name] is JsonValue value && (Volatile.Contains(name) || (value.TryGetValue(out string? text) && Random().IsMatch(text)))) map[name] = value.GetValueKind().ToString();
                else Normalize(map[name], name);
            }
        }
    }

    [GeneratedRegex("(?<=nonce|opaque)=\"[^\"]*\"")]
    private static partial Regex Nonce();

    [GeneratedRegex("(?<=x-api-key|expires)=[^;]*")]
    private static partial Regex Cookie();

    [GeneratedRegex("^[A-Za-z0-9]{40}$")]
    private static partial Regex Key();

    // Ids of voicemails and links of one use.
    [GeneratedRegex("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$|/wizard/[A-Za-z0-9]{8}$|^[A-Za-z0-9]{8}_m.wav$")]
    private static partial Regex Random();
}
