using System.Text;
using System.Text.Json;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Flexisip;
using IfBus.Sip.Adapters.Http;
using IfBus.Sip.Adapters.Kamailio;
using IfBus.Sip.Adapters.OpenSips;

namespace IfBus.Sip.Adapters.Detection;

/// <summary>Asks a port over HTTP for what Kamailio, OpenSIPS and FlexiAPI answer without doing anything: core.version, version, ping.</summary>
internal sealed class HttpProbe(string host, int port, bool tls, string? path, TimeProvider time)
{
    /// <summary>What it answered; empty if it does not speak HTTP.</summary>
    public async Task<List<SipServerFinding>> RunAsync(TimeSpan limit, CancellationToken deadline)
    {
        using var http = new HttpServerClient(
            new HttpSettings
            {
                Name = host,
                Endpoint = new WireEndpoint(host, port, tls, SkipCertificateCheck: tls),
                ConnectTimeout = limit,
                RequestTimeout = limit,
                MaxReplyBytes = 64 * 1024,
                ErrorBodyTime = TimeSpan.FromMilliseconds(300),
                ExplainsTls = false,
            },
            time);
        var asked = new List<Task<SipServerFinding?>>
        {
            AskAsync(http, KamailioAdapter.DefaultPath, "core.version", deadline),
            AskAsync(http, OpenSipsAdapter.DefaultPath, "version", deadline),
            AskAsync(http, FlexisipAdapter.DefaultPath + "/ping", null, deadline),
        };
        if (path is not null and not KamailioAdapter.DefaultPath) asked.Add(AskAsync(http, path, "core.version", deadline));
        if (path is not null and not OpenSipsAdapter.DefaultPath) asked.Add(AskAsync(http, path, "version", deadline));
        SipServerFinding[] answers = [.. (await Task.WhenAll(asked).ConfigureAwait(false)).OfType<SipServerFinding>()];
        List<SipServerFinding> known = [.. answers.Where(static a => a.Type is not null).DistinctBy(static a => (a.Type, a.Path))];
        if (known.Count > 0 || answers.Length == 0) return known;
        return [answers[0] with { Evidence = $"speaks HTTP{(tls ? "S" : "")}, and is none of the known kinds ({string.Join("; ", answers.Select(static a => a.Evidence).Distinct())})" }];
    }

    private async Task<SipServerFinding?> AskAsync(HttpServerClient http, string where, string? method, CancellationToken deadline)
    {
        var request = new HttpRequest
        {
            Method = method is null ? HttpMethod.Get : HttpMethod.Post,
            Path = where,
            What = where,
            IsRead = true,
            // Each on its own: who does not answer one of them must not keep the others waiting.
            Headers = [KeyValuePair.Create("Connection", "close")],
            Body = method is null ? null : Encoding.ASCII.GetBytes($"{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"id\":1}}"),
        };
        try
        {
            return await http.SendAsync(request, async (reply, token) => Judge(where, method, reply, Encoding.UTF8.GetString(await reply.ReadErrorAsync(token).ConfigureAwait(false))), deadline).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SipException or OperationCanceledException)
        {
            // Not HTTP, or not in time.
            return null;
        }
    }

    private SipServerFinding Judge(string where, string? method, HttpReply reply, string body)
    {
        var finding = new SipServerFinding { Host = host, Port = port, UseTls = tls, Evidence = $"{where} {reply.Status} {SipText.Printable(reply.Reason)}" };
        if (method is null) return JudgePing(finding, reply, body);
        if (reply.IsSuccess && Result(body) is { } version)
        {
            string shown = SipText.Printable(version.Trim());
            if (KamailioLogin.ReadVersion(version) is { } kamailio) return finding with { Type = SipServerType.Kamailio, Path = where, IsUsable = true, Version = kamailio, Evidence = "JSON-RPC of " + shown };
            if (version.StartsWith("OpenSIPS", StringComparison.OrdinalIgnoreCase)) return finding with { Type = SipServerType.OpenSips, Path = where, IsUsable = true, Version = SipText.Printable(OpenSipsLogin.ReadVersion(version)), Evidence = "management interface of " + shown };
        }

        // Every reply of Kamailio's HTTP has that header (wire/kamailio, transport).
        if (reply.Status is 401 or 403 && reply.Headers.Contains("Sia"))
            return finding with { Type = SipServerType.Kamailio, Path = where, IsUsable = reply.Status == 401, Evidence = reply.Status == 401 ? $"a Kamailio that wants a login for {where}" : $"a Kamailio that refuses this machine for {where}" };
        return finding;
    }

    private SipServerFinding JudgePing(SipServerFinding finding, HttpReply reply, string body)
    {
        if (reply.Status == 200 && body.Trim() == "pong")
        {
            // wire/flexisip: only 2.0 counts requests, and there is no question for the version.
            string version = reply.Headers.Contains("X-RateLimit-Limit") ? "FlexiAPI 2.0" : "FlexiAPI 2.1";
            return finding with { Type = SipServerType.Flexisip, Path = FlexisipAdapter.DefaultPath, IsUsable = true, Version = version, Evidence = version };
        }

        if (reply.Status == 404 && body.Contains("Host not configured", StringComparison.Ordinal))
            return finding with { Type = SipServerType.Flexisip, Path = FlexisipAdapter.DefaultPath, IsUsable = true, Evidence = $"a FlexiAPI that knows no space '{host}': -Space names one" };
        return finding;
    }

    // Kamailio's is a text, OpenSIPS' an object with a text.
    private static string? Result(string body)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("result", out JsonElement result)) return null;
            if (result.ValueKind == JsonValueKind.String) return result.GetString();
            return result.ValueKind == JsonValueKind.Object && result.TryGetProperty("Server", out JsonElement server) && server.ValueKind == JsonValueKind.String ? server.GetString() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
