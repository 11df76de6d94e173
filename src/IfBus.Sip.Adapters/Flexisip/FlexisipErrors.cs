using System.Globalization;
using System.Text.Json;

namespace IfBus.Sip.Adapters.Flexisip;

/// <summary>FlexiAPI's refusals as our errors. The server translates its words, so only status and field names decide.</summary>
internal static class FlexisipErrors
{
    private const int KeyLength = 40;

    /// <summary>The error for a reply that is no success.</summary>
    /// <param name="reply">The reply.</param>
    /// <param name="server">Name of the connection.</param>
    /// <param name="what">What was asked for, in words that go after the server's name: "refused to ...".</param>
    public static SipException For(FlexisipReply reply, string server, string what)
    {
        string words = Words(reply);
        string said = words.Length == 0 ? "" : $" It says: {words}";
        return reply.Status switch
        {
            302 => new SipAuthenticationException($"{server} wants a login to {what}, and sent us to its web page instead.") { RecommendedAction = "Version 2.1 takes nothing but an API key there: connect with -ApiKey." },
            401 => new SipAuthenticationException($"{server} refuses our login to {what}.{said}"),
            403 => new SipRejectedException($"{server} refuses to {what}.{said}", words, 403) { IsPermission = true },
            404 => new SipRejectedException($"{server} has not got what is needed to {what}.{said}", words, 404, "SipNotFound"),
            409 => new SipRejectedException($"{server} cannot {what}: it is there already.{said}", words, 409),
            410 => new SipRejectedException($"{server} cannot {what}: it has expired.{said}", words, 410),
            422 => Invalid(reply, server, what),
            429 => new SipRejectedException($"{server} takes no more requests for now, and still took none after we had waited; it did not {what}.", words, 429, "SipRateLimited") { RecommendedAction = "Others use the same limit (600 requests a minute and address). Try again in a minute." },
            503 => new SipRejectedException($"{server} cannot {what} now: what it needs for that is not there or not set up.{said}", words, 503, "SipServerUnavailable"),
            >= 500 => new SipRejectedException($"{server} failed to {what} by a fault of its own ({reply.Status}).{said} A part may have been done.", words, reply.Status, "SipServerFailed") { RecommendedAction = "The server's log (storage/logs/laravel.log) has the reason." },
            400 or 405 => new SipProtocolException($"{server} does not understand the request to {what} ({reply.Status}).{said}"),
            _ => new SipProtocolException($"{server} answered the request to {what} with status {reply.Status}, which FlexiAPI does not use.{said}"),
        };
    }

    /// <summary>The login was refused at connecting: as much of the reason as can be told.</summary>
    public static SipAuthenticationException Login(FlexisipReply reply, string server, SipServerConfiguration configuration, bool acceptedBefore)
    {
        if (configuration.ApiKey is { } key && !FlexisipClient.IsToken(key))
        {
            if (key.Length != KeyLength || !key.All(char.IsAsciiLetterOrDigit))
            {
                return new SipAuthenticationException($"{server} refuses the API key. It cannot be one of FlexiAPI, which have 40 letters and digits; this one has {key.Length} characters.", errorId: "SipApiKeyInvalid")
                {
                    RecommendedAction = "Copy the whole key from the web panel (Admin > API Keys), without blanks and quotes.",
                };
            }

            return new SipAuthenticationException(
                acceptedBefore
                    ? $"{server} refuses the API key, which it took before: it was replaced or deleted, unused for too long, or our address has changed and the key is bound to the old one."
                    : $"{server} refuses the API key: it does not exist (any more), or it is a personal key, which works only from the address that it was made from. The server does not tell which.",
                errorId: "SipApiKeyRefused")
            {
                RecommendedAction = "Make a service key in the web panel (Admin > API Keys): it is bound to no address. A personal key must be made on this machine.",
            };
        }

        if (configuration.ApiKey is not null)
        {
            return new SipAuthenticationException($"{server} refuses the access token{Reason(reply)}.", errorId: "SipTokenRefused")
            {
                RecommendedAction = "Get a fresh token from the space's OpenID Connect server; without such a server the space takes no tokens.",
            };
        }

        string user = configuration.Credential!.UserName;
        return reply.Status == 404
            ? new SipAuthenticationException($"{server} knows no account {SipText.Printable(user)}.") { RecommendedAction = "The user is the whole SIP address, user@domain; the domain is that of the space, not its web host." }
            : new SipAuthenticationException($"{server} refuses the password of {SipText.Printable(user)}{(reply.Challenges.Count == 0 ? ", or the account has none" : "")}.");
    }

    /// <summary>The space has expired: nothing can be done in it.</summary>
    public static SipRejectedException Expired(string server, string host, string words) =>
        new($"{server} does nothing for {host}: the space has expired, or is closed.", words, 403, "SipSpaceExpired")
        {
            IsPermission = true,
            RecommendedAction = "A super administrator extends it: Get-SipSpace shows the dates, the web panel changes them.",
        };

    /// <summary>No space has this host.</summary>
    public static SipRejectedException UnknownHost(string server, string host, string words) =>
        new($"{server} has no space with the host name '{SipText.Printable(host)}': FlexiAPI finds the space by the name that it is called by.", words, 404, "SipSpaceUnknown")
        {
            RecommendedAction = "Connect by the host name of the space, or give it with -Space where the address is another. Or this is no FlexiAPI.",
        };

    /// <summary>No such account.</summary>
    public static SipRejectedException NoAccount(string server, string account) =>
        new($"{server} has no account '{SipText.Printable(account)}' in this space.", "", 404, "SipAccountNotFound") { RecommendedAction = "Get-SipAccount lists the accounts." };

    /// <summary>The server's words: from message and errors, whatever shape they have; a short text as it is; nothing of a web page.</summary>
    public static string Words(FlexisipReply reply)
    {
        if (reply.Json is { ValueKind: JsonValueKind.Object } json)
        {
            string message = FlexisipMapper.Text(json, "message") ?? "";
            return SipText.Printable(message.Length > 0 ? message : string.Join(" ", FieldErrors(json).SelectMany(f => f.Value)));
        }

        string text = reply.Text.Trim();
        return text.StartsWith('<') || text.Length > 200 ? "" : SipText.Printable(text);
    }

    /// <summary>Complaints by field. Lists, single texts, and lists of lists come all.</summary>
    public static Dictionary<string, IReadOnlyList<string>> FieldErrors(JsonElement json)
    {
        var fields = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        if (FlexisipMapper.Property(json, "errors") is not { } errors) return fields;
        if (errors.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty field in errors.EnumerateObject()) fields[field.Name] = Texts(field.Value).ToArray();
        }
        else if (Texts(errors).ToArray() is { Length: > 0 } all)
        {
            fields[""] = all;
        }

        return fields;
    }

    private static SipRejectedException Invalid(FlexisipReply reply, string server, string what)
    {
        Dictionary<string, IReadOnlyList<string>> fields = reply.Json is { } json ? FieldErrors(json) : [];
        string words = Words(reply);
        string list = fields.Count == 0 ? words : string.Join(" ", fields.Select(f => f.Key.Length == 0 ? string.Join(" ", f.Value) : $"{f.Key}: {string.Join(" ", f.Value)}"));
        return new SipRejectedException($"{server} refuses to {what}. {SipTextLong(list)}", words, 422, "SipValidationFailed") { FieldErrors = fields };
    }

    private static IEnumerable<string> Texts(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => [SipText.Printable(value.GetString())],
        JsonValueKind.Array => value.EnumerateArray().SelectMany(Texts),
        _ => [],
    };

    // Each complaint is printable already; together they may be longer than one value.
    private static string SipTextLong(string text) => text.Length <= 1000 ? text : string.Concat(text.AsSpan(0, 1000), "...");

    private static string Reason(FlexisipReply reply)
    {
        foreach (string challenge in reply.Challenges)
        {
            int at = challenge.IndexOf("error_description=\"", StringComparison.Ordinal);
            if (at < 0) continue;
            int begin = at + "error_description=\"".Length;
            int end = challenge.IndexOf('"', begin);
            if (end > begin) return string.Create(CultureInfo.InvariantCulture, $": {SipText.Printable(challenge[begin..end])}");
        }

        return "";
    }
}
