using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Http;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Http;

/// <summary>What goes over the wire, what may be sent twice, and how failures are told.</summary>
public sealed class HttpServerClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_request_has_its_length_and_type_and_is_never_chunked()
    {
        using var peer = new HttpPeer((_, stream) => HttpPeer.SayAsync(stream, "{}"));
        using HttpServerClient client = Client(peer, s => s with { Authorization = HttpSettings.Bearer("t0ken"), Host = "tenant.example", Headers = [new("x-api-key", "k")] });
        await SendAsync(client, Post("{\"a\":\"é\"}"));
        HttpPeerRequest request = Assert.Single(peer.Requests);
        Assert.Equal("POST /RPC HTTP/1.1", request.Line);
        Assert.Equal("{\"a\":\"é\"}", request.Body);
        Assert.Equal(("10", "application/json", "application/json"), (request.Header("Content-Length"), request.Header("Content-Type"), request.Header("Accept")));
        Assert.Equal(("Bearer t0ken", "tenant.example", "k"), (request.Header("Authorization"), request.Header("Host"), request.Header("x-api-key")));
        Assert.Null(request.Header("Transfer-Encoding"));
        Assert.Null(request.Header("Expect"));
        Assert.Null(request.Header("traceparent"));
    }

    [Fact]
    public async Task Requests_use_one_connection_again_and_at_most_ten_at_once()
    {
        using var go = new SemaphoreSlim(0);
        using var peer = new HttpPeer(async (r, stream) =>
        {
            if (r.Body.Contains("wait", StringComparison.Ordinal)) await go.WaitAsync();
            return await HttpPeer.SayAsync(stream, "{}");
        });
        using HttpServerClient client = Client(peer);
        for (int i = 0; i < 5; i++) await SendAsync(client, Post("{}"));
        Assert.Equal(1, peer.Connections);
        Task[] many = [.. Enumerable.Range(0, 30).Select(_ => SendAsync(client, Post("\"wait\"")))];
        await WaitForAsync(() => peer.Requests.Count == 15, "ten wait at the server");
        Assert.Equal(10, peer.Connections);
        go.Release(30);
        await Task.WhenAll(many).WaitAsync(Patience);
        Assert.Equal(10, peer.Connections);
    }

    [Theory]
    [InlineData("202 Accepted")]
    [InlineData("400 Bad Request")]
    [InlineData("405 Method Not Allowed")]
    [InlineData("500 Internal Server Error")]
    public async Task A_reply_that_never_ends_is_judged_by_its_status_and_costs_the_connection(string status)
    {
        using var peer = new HttpPeer((r, stream) => r.Connection == 1
            ? HttpPeer.RawAsync(stream, $"HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n")
            : HttpPeer.SayAsync(stream, "{}"));
        using HttpServerClient client = Client(peer, s => s with { ErrorBodyTime = TimeSpan.FromMilliseconds(50) });
        (int code, byte[] body) = await client.SendAsync(Post("{}"), async (reply, token) => (reply.Status, await reply.ReadErrorAsync(token)), default).WaitAsync(Patience);
        Assert.Equal(int.Parse(status[..3], System.Globalization.CultureInfo.InvariantCulture), code);
        Assert.Empty(body);
        await SendAsync(client, Post("{}"));
        Assert.Equal(2, peer.Connections);
    }

    [Fact]
    public async Task An_error_is_read_up_to_a_bound()
    {
        using var peer = new HttpPeer((_, stream) => HttpPeer.SayAsync(stream, new string('x', 1_000_000), "500 Oh"));
        using HttpServerClient client = Client(peer, s => s with { MaxErrorBytes = 10_000 });
        byte[] body = await client.SendAsync(Post("{}"), (reply, token) => reply.ReadErrorAsync(token), default).WaitAsync(Patience);
        Assert.Equal(10_000, body.Length);
    }

    [Fact]
    public async Task A_reply_beyond_the_bound_is_refused()
    {
        using var peer = new HttpPeer((_, stream) => HttpPeer.SayAsync(stream, new string('x', 100_000)));
        using HttpServerClient client = Client(peer, s => s with { MaxReplyBytes = 50_000 });
        var error = await Assert.ThrowsAsync<SipProtocolException>(() => SendAsync(client, Post("{}")));
        Assert.Equal("SipReplyTooLarge", error.ErrorId);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_connection_that_was_closed_meanwhile_is_tried_again_for_reads_alone(bool isRead)
    {
        // The second request on the first connection is read and then cut off: nobody knows whether it was carried out.
        using var peer = new HttpPeer((r, stream) => r is { Connection: 1, Body: "2" } ? Task.FromResult(false) : HttpPeer.SayAsync(stream, "{}"));
        using HttpServerClient client = Client(peer);
        await SendAsync(client, Post("1"));
        HttpRequest second = Post("2") with { IsRead = isRead };
        if (isRead)
        {
            await SendAsync(client, second);
            Assert.Equal(2, peer.Requests.Count(r => r.Body == "2"));
            return;
        }

        var error = await Assert.ThrowsAsync<SipConnectionException>(() => SendAsync(client, second));
        Assert.True(error.OutcomeUnknown);
        Assert.Contains("may have been carried out", error.Message, StringComparison.Ordinal);
        Assert.Single(peer.Requests, r => r.Body == "2");
    }

    [Fact]
    public async Task A_change_without_a_body_is_not_sent_twice_either()
    {
        using var peer = new HttpPeer((r, stream) => r is { Connection: 1, Line: "DELETE /a HTTP/1.1" } ? Task.FromResult(false) : HttpPeer.SayAsync(stream, "{}"));
        using HttpServerClient client = Client(peer);
        await SendAsync(client, Post("1"));
        await Assert.ThrowsAsync<SipConnectionException>(() => SendAsync(client, new HttpRequest { Method = HttpMethod.Delete, Path = "/a", What = "deleting" }));
        Assert.Single(peer.Requests, r => r.Line.StartsWith("DELETE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_read_is_tried_twice_and_no_more()
    {
        using var peer = new HttpPeer((_, _) => Task.FromResult(false));
        using HttpServerClient client = Client(peer);
        var error = await Assert.ThrowsAsync<SipConnectionException>(() => SendAsync(client, Post("1") with { IsRead = true }));
        Assert.False(error.OutcomeUnknown);
        Assert.Equal(2, peer.Requests.Count);
    }

    [Fact]
    public async Task Silence_is_a_timeout_that_says_whether_anything_was_sent()
    {
        using var peer = new HttpPeer(async (_, _) =>
        {
            await Task.Delay(Patience);
            return false;
        });
        using HttpServerClient client = Client(peer);
        SipException? told = null;
        client.Failed = e => told = e;
        var error = await Assert.ThrowsAsync<SipTimeoutException>(() => SendAsync(client, Post("1") with { Timeout = TimeSpan.FromMilliseconds(100) }));
        Assert.True(error.OutcomeUnknown);
        Assert.Same(error, told);
        error = await Assert.ThrowsAsync<SipTimeoutException>(() => SendAsync(client, Post("1") with { Timeout = TimeSpan.FromMilliseconds(100), IsRead = true }));
        Assert.False(error.OutcomeUnknown);
    }

    [Fact]
    public async Task The_callers_cancellation_stays_what_it_is()
    {
        using var begun = new CancellationTokenSource();
        using var peer = new HttpPeer(async (_, _) =>
        {
            await begun.CancelAsync();
            await Task.Delay(Patience);
            return false;
        });
        using HttpServerClient client = Client(peer);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.SendAsync(Post("1"), ReadAsync, begun.Token).WaitAsync(Patience));
    }

    [Fact]
    public async Task Nobody_there_is_told_with_nothing_sent()
    {
        int port;
        using (var peer = new HttpPeer((_, _) => Task.FromResult(false))) port = peer.Port;
        using var client = new HttpServerClient(Settings(port), TimeProvider.System);
        var error = await Assert.ThrowsAsync<SipConnectionException>(() => SendAsync(client, Post("1")));
        Assert.False(error.OutcomeUnknown);
        Assert.Contains("nobody listens", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_is_too_large_is_refused_before_it_is_sent()
    {
        using var peer = new HttpPeer((_, stream) => HttpPeer.SayAsync(stream, "{}"));
        using HttpServerClient client = Client(peer, s => s with { MaxRequestBytes = 15_000, MaxRequestRule = "tcp_rd_buf_size" });
        var error = await Assert.ThrowsAsync<SipArgumentException>(() => SendAsync(client, Post(new string('x', 15_000))));
        Assert.Equal("SipRequestTooLarge", error.ErrorId);
        Assert.Contains("tcp_rd_buf_size", error.Message, StringComparison.Ordinal);
        Assert.Empty(peer.Requests);
    }

    [Fact]
    public async Task What_is_not_HTTP_is_a_protocol_error()
    {
        using var peer = new HttpPeer((_, stream) => HttpPeer.RawAsync(stream, "Asterisk Call Manager/11.0.0\r\n\r\n"));
        using HttpServerClient client = Client(peer);
        await Assert.ThrowsAsync<SipProtocolException>(() => SendAsync(client, Post("1")));
    }

    [Fact]
    public void Settings_do_not_show_their_secrets()
    {
        HttpSettings settings = Settings(80) with { Authorization = HttpSettings.Basic("api", "secret"), Headers = [new("x-api-key", "secret")] };
        string text = settings.ToString();
        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain(settings.Authorization!.Parameter!, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_private_authority_is_trusted_where_it_is_named_and_not_else()
    {
        using RSA key = RSA.Create(2048);
        var authority = new CertificateRequest("CN=private authority", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 root = authority.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));
        using RSA own = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", own, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 issued = request.Create(root, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), [1, 2, 3, 4]).CopyWithPrivateKey(own);
        using X509Certificate2 usable = X509CertificateLoader.LoadPkcs12(issued.Export(X509ContentType.Pfx), null);
        string file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, root.ExportCertificatePem());
            using var peer = new HttpPeer((_, stream) => HttpPeer.SayAsync(stream, "{}"), usable);
            Assert.Null(WireEndpoint.AuthorityProblem(file, true, false));
            using (var trusting = new HttpServerClient(Settings(peer.Port) with { Endpoint = new WireEndpoint("127.0.0.1", peer.Port, true, false) { Authority = file } }, TimeProvider.System)) await SendAsync(trusting, Post("{}"));
            using (var skipping = new HttpServerClient(Settings(peer.Port) with { Endpoint = new WireEndpoint("127.0.0.1", peer.Port, true, true) }, TimeProvider.System)) await SendAsync(skipping, Post("{}"));
            using var strict = new HttpServerClient(Settings(peer.Port) with { Endpoint = new WireEndpoint("127.0.0.1", peer.Port, true, false) }, TimeProvider.System);
            var error = await Assert.ThrowsAsync<SipConnectionException>(() => SendAsync(strict, Post("{}")));
            Assert.Equal(("SipCertificateNotTrusted", false), (error.ErrorId, error.OutcomeUnknown));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("200 OK")]
    [InlineData("404 Not Found")]
    public async Task A_port_that_speaks_clear_text_is_told_from_one_with_TLS(string status)
    {
        using var peer = new HttpPeer((_, stream) => HttpPeer.SayAsync(stream, "{}", status));
        using var client = new HttpServerClient(Settings(peer.Port) with { Endpoint = new WireEndpoint("127.0.0.1", peer.Port, true, false), Authorization = HttpSettings.Basic("ann", "secret") }, TimeProvider.System);
        var error = await Assert.ThrowsAsync<SipConnectionException>(() => SendAsync(client, Post("1")));
        Assert.Equal(("SipTlsFailed", true, false), (error.ErrorId, error.NothingDone, error.OutcomeUnknown));
        Assert.Contains($"'HTTP/1.1 {status}'", error.Message, StringComparison.Ordinal);
        // The question in clear text has no secret and asks for nothing.
        HttpPeerRequest asked = Assert.Single(peer.Requests);
        Assert.Equal("GET / HTTP/1.1", asked.Line);
        Assert.Null(asked.Header("Authorization"));
    }

    [Fact]
    public async Task A_port_with_TLS_that_is_asked_in_clear_text_says_so()
    {
        using X509Certificate2 certificate = SelfSigned.Certificate("localhost");
        using var peer = new HttpPeer((_, stream) => HttpPeer.SayAsync(stream, "{}"), certificate);
        using HttpServerClient client = Client(peer);
        var error = await Assert.ThrowsAsync<SipConnectionException>(() => SendAsync(client, Post("1")));
        Assert.Equal(("SipTlsRequired", true, false), (error.ErrorId, error.NothingDone, error.OutcomeUnknown));
        Assert.Empty(peer.Requests);
    }

    [Fact]
    public async Task Who_asks_both_ways_anyhow_makes_no_connection_to_find_out()
    {
        using X509Certificate2 certificate = SelfSigned.Certificate("localhost");
        using var peer = new HttpPeer((_, stream) => HttpPeer.SayAsync(stream, "{}"), certificate);
        using var client = new HttpServerClient(Settings(peer.Port) with { ExplainsTls = false }, TimeProvider.System);
        var error = await Assert.ThrowsAnyAsync<SipException>(() => SendAsync(client, Post("1")));
        Assert.NotEqual("SipTlsRequired", error.ErrorId);
        Assert.Equal(1, peer.Connections);
    }

    [Fact]
    public async Task A_server_that_is_slow_with_TLS_is_waited_for()
    {
        // Silent to both: only the deadline tells.
        using var peer = new ScriptedPeer((_, _, token) => Task.Delay(System.Threading.Timeout.Infinite, token));
        using var client = new HttpServerClient(Settings(peer.Port) with { Endpoint = new WireEndpoint("127.0.0.1", peer.Port, true, false), RequestTimeout = TimeSpan.FromSeconds(5) }, TimeProvider.System);
        var error = await Assert.ThrowsAsync<SipTimeoutException>(() => SendAsync(client, Post("1")));
        Assert.False(error.OutcomeUnknown);
    }

    internal static HttpSettings Settings(int port) => new()
    {
        Name = "peer",
        Endpoint = new WireEndpoint("127.0.0.1", port, false, false),
        ConnectTimeout = TimeSpan.FromSeconds(10),
        RequestTimeout = Patience,
    };

    private static HttpServerClient Client(HttpPeer peer, Func<HttpSettings, HttpSettings>? change = null) => new(change is null ? Settings(peer.Port) : change(Settings(peer.Port)), TimeProvider.System);

    private static HttpRequest Post(string body) => new() { Method = HttpMethod.Post, Path = "/RPC", What = "test", Body = Encoding.UTF8.GetBytes(body) };

    private static Task<string> SendAsync(HttpServerClient client, HttpRequest request) => client.SendAsync(request, ReadAsync, default).WaitAsync(Patience);

    private static async Task<string> ReadAsync(HttpReply reply, CancellationToken token)
    {
        using var text = new StreamReader(reply.Body);
        return await text.ReadToEndAsync(token);
    }

    private static async Task WaitForAsync(Func<bool> condition, string what)
    {
        for (DateTime end = DateTime.UtcNow + Patience; !condition();)
        {
            Assert.True(DateTime.UtcNow < end, what);
            await Task.Delay(5);
        }
    }
}
