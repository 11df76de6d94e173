using System.Security.Cryptography;
using System.Text;
using IfBus.Sip.Adapters.Flexisip;
using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Flexisip;

/// <summary>The simulator asked what the real servers were asked, in the same order: it must answer the same, status, headers and body, but for times and random words.</summary>
public sealed class FlexisipSimulatorRecordingTests : IDisposable
{
    private const string Root = "TESTKEYroot0000000000000000000000000000A";
    private const string Device = "urn:uuid:6f3a2f6c-0b1e-4d9a-9c55-1f0a4f6b7c11";

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly RSA _key = RSA.Create(2048);
    private FlexisipSimulator? _simulator;
    private string? _slot;

    public void Dispose()
    {
        _simulator?.Dispose();
        _client.Dispose();
        _key.Dispose();
    }

    [Fact]
    public async Task Every_recorded_exchange_of_2_1_is_reproduced()
    {
        FlexisipSimulatorSpace alpha = new()
        {
            Domain = "alpha.example.com",
            Host = "alpha.example.com",
            Name = "Alpha Space",
            Algorithm = "MD5",
            OpenIdConnect = ("https://sso.example.com/", "alpha", _key.ExportSubjectPublicKeyInfoPem()),
        };
        FlexisipSimulator simulator = _simulator = Start("2.1", alpha);
        var done = new List<string>();
        FlexisipDigest digest = new("root", "sip.example.com", "rootpass1");
        string header = "";
        foreach (FlexisipRecording recording in FlexisipRecording.All.Where(r => !r.Name.StartsWith("v20", StringComparison.Ordinal)))
        {
            await PrepareAsync(recording.Name[..2], simulator, alpha);
            using HttpRequestMessage request = recording.Request(Base);
            switch (recording.Name[..2])
            {
                case "27" or "29":
                    header = digest.Answer("GET", recording.Target, "0a4f113b");
                    Set(request, "Authorization", header);
                    break;
                case "28":
                    Set(request, "Authorization", header);
                    break;
                case "31" or "34":
                    if (request.Headers.Contains("Authorization")) Set(request, "Authorization", "Bearer " + Token(DateTime.UtcNow.AddHours(1)));
                    break;
                case "32":
                    Set(request, "Authorization", "Bearer " + Token(DateTime.UtcNow.AddHours(-1)));
                    break;
                case "55":
                    request.RequestUri = new Uri(Base, "/api/files/" + _slot);
                    break;
            }

            (int status, List<(string Name, string Value)> headers, string body) = await SendAsync(request);
            string[] offers = [.. headers.Where(h => h.Name == "WWW-Authenticate").Select(h => h.Value)];
            if (recording.Name[..2] is "26" or "28") digest.Take(offers);
            if (recording.Name[..2] == "54") _slot = (string)System.Text.Json.Nodes.JsonNode.Parse(body)!["id"]!;
            Assert.Equal($"{recording.Name}: {recording.Expected}", $"{recording.Name}: {FlexisipRecording.Normal(status, headers, body)}");
            done.Add(recording.Name);
        }

        Assert.Equal(56, done.Count);
    }

    [Fact]
    public async Task Every_recorded_exchange_of_2_0_is_reproduced()
    {
        FlexisipSimulator simulator = _simulator = Start("2.0.7");
        var done = new List<string>();
        foreach (FlexisipRecording recording in FlexisipRecording.All.Where(r => r.Name.StartsWith("v20", StringComparison.Ordinal)))
        {
            if (recording.Name.StartsWith("v20-07", StringComparison.Ordinal)) await AskAsync("POST", "/api/statistics/calls", """{"id":"7f0c4c66","from":"alice@sip.example.com","to":"bob@sip.example.com","initiated_at":"2026-11-22T10:00:00Z"}""");
            if (recording.Name.StartsWith("v20-08", StringComparison.Ordinal)) simulator.RegisterDevice("alice@sip.example.com", Device, "LinphoneAndroid/5.2.5 (Pixel 6) LinphoneSDK/5.3.47");
            if (recording.Name.StartsWith("v20-12", StringComparison.Ordinal))
            {
                for (int i = 0; i < 600; i++) await AskAsync("GET", "/api/ping", null);
            }

            using HttpRequestMessage request = recording.Request(Base);
            (int status, List<(string Name, string Value)> headers, string body) = await SendAsync(request);
            Assert.Equal($"{recording.Name}: {recording.Expected}", $"{recording.Name}: {FlexisipRecording.Normal(status, headers, body)}");
            done.Add(recording.Name);
        }

        Assert.Equal(12, done.Count);
    }

    private Uri Base => new($"http://127.0.0.1:{_simulator!.Port}");

    private static FlexisipSimulator Start(string version, params FlexisipSimulatorSpace[] more) => FlexisipSimulator.Start(new FlexisipSimulatorOptions
    {
        Version = version,
        User = "root@sip.example.com",
        Password = "rootpass1",
        Secret = Root,
        Spaces = [new FlexisipSimulatorSpace { Domain = "sip.example.com", Host = "example.com", Super = true }, .. more],
    });

    // What was done between the recordings.
    private async Task PrepareAsync(string number, FlexisipSimulator simulator, FlexisipSimulatorSpace alpha)
    {
        switch (number)
        {
            case "13":
                await AskAsync("PUT", "/api/accounts/2", """{"username":"alice","display_name":"Alice A","email":"alice@example.com"}""");
                break;
            case "15":
                simulator.AddApiKey("alice@sip.example.com", "TESTKEYalice0000000000000000000000000000");
                break;
            case "17":
                await AskAsync("POST", "/api/accounts/2/unblock", null);
                break;
            case "18":
                await AskAsync("POST", "/api/accounts/2/activate", null);
                break;
            case "20":
                simulator.RegisterDevice("alice@sip.example.com", Device, "LinphoneAndroid/5.2.5 (Pixel 6) LinphoneSDK/5.3.47");
                break;
            case "24":
                await AskAsync("POST", "/api/accounts", """{"username":"bob","password":"secret-b1","activated":true}""");
                await AskAsync("POST", "/api/accounts", """{"username":"frank","password":"secret-f1"}""");
                break;
            case "31":
                await AskAsync("POST", "/api/accounts", """{"username":"dave","password":"secret-d1","domain":"alpha.example.com","activated":true,"admin":true}""", agent: null);
                simulator.AddApiKey("dave@alpha.example.com", "TESTKEYdave00000000000000000000000000000");
                break;
            case "42":
                simulator.AddCallDevice("7f0c4c66", Device, new DateTime(2026, 11, 22, 10, 0, 1, DateTimeKind.Utc), new DateTime(2026, 11, 22, 10, 0, 5, DateTimeKind.Utc), "accepted");
                break;
            case "56":
                alpha.ExpiresAt = DateTime.UtcNow.AddDays(-1);
                break;
        }
    }

    private async Task AskAsync(string method, string path, string? body, string? agent = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Base, path));
        request.Headers.Host = "example.com";
        request.Headers.TryAddWithoutValidation("x-api-key", Root);
        request.Headers.TryAddWithoutValidation("Accept", "application/json");
        if (agent is not null) request.Headers.TryAddWithoutValidation("User-Agent", agent);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        await SendAsync(request);
    }

    private async Task<(int Status, List<(string Name, string Value)> Headers, string Body)> SendAsync(HttpRequestMessage request)
    {
        using HttpResponseMessage response = await _client.SendAsync(request);
        List<(string, string)> headers = [.. response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated).SelectMany(h => h.Value.Select(v => (h.Key, v)))];
        // The list headers come taken apart.
        foreach (string list in new[] { "Allow", "Cache-Control" })
        {
            string[] values = [.. headers.Where(h => h.Item1 == list).Select(h => h.Item2)];
            headers.RemoveAll(h => h.Item1 == list);
            if (values.Length > 0) headers.Add((list, string.Join(", ", values)));
        }

        return ((int)response.StatusCode, headers, await response.Content.ReadAsStringAsync());
    }

    private static void Set(HttpRequestMessage request, string name, string value)
    {
        request.Headers.Remove(name);
        request.Headers.TryAddWithoutValidation(name, value);
    }

    private string Token(DateTime expires)
    {
        static string Encode(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        string text = Encode("""{"alg":"RS256","typ":"JWT"}"""u8.ToArray()) + "." + Encode(Encoding.UTF8.GetBytes($$"""{"sip_identity":"sip:dave@alpha.example.com","exp":{{new DateTimeOffset(expires).ToUnixTimeSeconds()}}}"""));
        return text + "." + Encode(_key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }
}
