using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using IfBus.Sip.Adapters.Http;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Flexisip;

/// <summary>Requests to a FlexiAPI: the login on each, the pace that the server allows, and the replies read whatever shape they have.</summary>
internal sealed class FlexisipClient : IDisposable
{
    /// <summary>Answers of FlexiAPI are pages of 20 or 30 rows; this is far above.</summary>
    private const int MostReplyBytes = 16 * 1024 * 1024;

    private const int MostTries = 5;

    /// <summary>Says who we are; the server keeps it as the account's user_agent.</summary>
    internal static readonly string UserAgent = "IfBus.Sip/" + (typeof(FlexisipClient).Assembly.GetName().Version?.ToString(3) ?? "0");

    private readonly HttpServerClient _http;
    private readonly FlexisipDigest? _digest;
    private readonly SemaphoreSlim _oneByOne = new(1, 1);
    private readonly FlexisipPace _pace;
    private readonly string _name;
    private readonly ILogger _log;
    private readonly string _base;

    public FlexisipClient(SipServerConfiguration configuration, string name, int port, ILogger log, TimeProvider time, TimeSpan? window = null)
    {
        _name = name;
        _log = log;
        _pace = new FlexisipPace(name, time, log) { Window = window ?? FlexisipPace.Minute };
        var headers = new List<KeyValuePair<string, string>>();
        AuthenticationHeaderValue? authorization = null;
        _base = configuration.Path ?? FlexisipAdapter.DefaultPath;
        if (configuration.ApiKey is { } key)
        {
            if (IsToken(key)) authorization = HttpSettings.Bearer(key);
            else headers.Add(new("x-api-key", key));
        }
        else if (configuration.Credential is { } login)
        {
            (string user, string domain) = FlexisipNames.Split(login.UserName)!.Value;
            _digest = new FlexisipDigest(user, domain, login.Password);
        }

        _http = new HttpServerClient(
            new HttpSettings
            {
                Name = name,
                Endpoint = new WireEndpoint(configuration.Host!, port, configuration.UseTls, configuration.SkipCertificateCheck) { Authority = configuration.CertificateAuthority },
                ConnectTimeout = configuration.ConnectTimeout,
                RequestTimeout = configuration.RequestTimeout,
                Authorization = authorization,
                Headers = headers,
                Host = configuration.Space,
                MaxReplyBytes = MostReplyBytes,
            },
            time);
    }

    /// <summary>Told of every request that found the server gone or silent.</summary>
    public Action<SipException>? Failed
    {
        set => _http.Failed = value;
    }

    /// <summary>True if the login is a user and a password.</summary>
    public bool UsesDigest => _digest is not null;

    /// <summary>Sends a request and reads its reply; statuses are the caller's to judge.</summary>
    /// <param name="method">GET, POST, PUT, PATCH or DELETE.</param>
    /// <param name="path">Path with query, from behind /api on, encoded.</param>
    /// <param name="what">Its name in messages.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <param name="body">JSON, or null.</param>
    /// <param name="read">True if it changes nothing.</param>
    /// <param name="mark">A word of ours for the User-Agent, by which a write is known again; null for none.</param>
    /// <param name="open">True to send it without the login.</param>
    public async Task<FlexisipReply> SendAsync(HttpMethod method, string path, string what, CancellationToken cancellationToken, JsonNode? body = null, bool? read = null, string? mark = null, bool open = false)
    {
        var request = new HttpRequest
        {
            Method = method,
            Path = _base + path,
            What = what,
            IsRead = read ?? method == HttpMethod.Get,
            Body = body is null ? null : Encoding.UTF8.GetBytes(body.ToJsonString()),
        };
        if (open || _digest is null) return await TryAsync(request, mark, cancellationToken).ConfigureAwait(false);

        await _oneByOne.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            // Without a challenge a request only asks for one; with a stale one it is refused and gets another. Neither
            // is carried out by the server.
            for (int tries = 0; ; tries++)
            {
                FlexisipReply reply = await TryAsync(request, mark, cancellationToken, Identify(request)).ConfigureAwait(false);
                if (reply.Status != 401)
                {
                    _digest.Take(reply.Challenges);
                    return reply;
                }

                bool first = !_digest.HasChallenge;
                if (!_digest.Take(reply.Challenges)) return reply;
                // One more for a nonce that was forgotten meanwhile; a wrong password is wrong each time.
                if (tries > (first ? 1 : 0)) return reply;
            }
        }
        finally
        {
            _oneByOne.Release();
        }
    }

    /// <summary>True for an access token (JWT: three parts with dots between), which no key of FlexiAPI looks like.</summary>
    public static bool IsToken(string key) => key.Count(c => c == '.') == 2;

    public void Dispose()
    {
        _http.Dispose();
        _oneByOne.Dispose();
    }

    private IEnumerable<KeyValuePair<string, string>> Identify(HttpRequest request)
    {
        yield return new("From", _digest!.From);
        if (!_digest.HasChallenge) yield break;
        string path = request.Path.Split('?')[0];
        yield return new("Authorization", _digest.Answer(request.Method.Method, path, Convert.ToHexString(RandomNumberGenerator.GetBytes(8)).ToLowerInvariant()));
    }

    private async Task<FlexisipReply> TryAsync(HttpRequest request, string? mark, CancellationToken cancellationToken, IEnumerable<KeyValuePair<string, string>>? login = null)
    {
        request = request with { Headers = [new("User-Agent", mark is null ? UserAgent : $"{UserAgent} ({mark})"), .. login ?? []] };
        for (int tries = 1; ; tries++)
        {
            await _pace.WaitAsync(cancellationToken).ConfigureAwait(false);
            FlexisipReply reply = await _http.SendAsync(request, ReadAsync, cancellationToken).ConfigureAwait(false);
            Log.Answered(_log, _name, request.What, reply.Status);
            if (reply.RateLimit is { } limit) _pace.Learn(limit);
            if (reply.Status != 429 || tries == MostTries) return reply;
            // Refused before anything was done.
            _pace.Refused(reply.RetryAfter);
        }
    }

    private static async Task<FlexisipReply> ReadAsync(HttpReply reply, CancellationToken cancellationToken)
    {
        byte[] body;
        if (reply.IsSuccess)
        {
            using var buffer = new MemoryStream();
            await reply.Body.CopyToAsync(buffer, cancellationToken).ConfigureAwait(false);
            body = buffer.ToArray();
        }
        else
        {
            body = await reply.ReadErrorAsync(cancellationToken).ConfigureAwait(false);
        }

        return new FlexisipReply(reply.Status, Encoding.UTF8.GetString(body), FlexisipReply.Parse(body, reply.IsJson))
        {
            Location = reply.Headers.Location?.OriginalString,
            RetryAfter = reply.Headers.RetryAfter?.Delta,
            Challenges = reply.Headers.TryGetValues("WWW-Authenticate", out IEnumerable<string>? challenges) ? [.. challenges] : [],
            RateLimit = reply.Headers.TryGetValues("X-RateLimit-Limit", out IEnumerable<string>? limits) && int.TryParse(limits.First(), NumberStyles.None, CultureInfo.InvariantCulture, out int limit) ? limit : null,
        };
    }
}
