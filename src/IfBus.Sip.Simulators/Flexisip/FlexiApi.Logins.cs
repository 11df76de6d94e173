using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Simulators.Flexisip;

/// <content>Who asks: API keys, Digest, tokens.</content>
internal sealed partial class FlexiApi
{
    private const string ConstantOpaque = "YmFzZTY0OnBFMzg2TGcvY0V1Y2JOanFrMHlEV3RSWDl3NndJZk5leDFXN2xoZEl0aDg9";

    // 2.1 finds a challenge again by its opaque, 2.0 by its nonce.
    private readonly Dictionary<string, Challenge> _challenges = [];
    private readonly Dictionary<string, FlexiAccount?> _tokens = [];

    private void AddLoginRoutes()
    {
        Add("GET", "api/accounts/me/api_key", Role.User, c =>
        {
            string key = NewKey(c);
            return FlexiResponse.Text(200, key).With("Set-Cookie", $"x-api-key={key}; expires={Now.AddHours(1).ToString("R", CultureInfo.InvariantCulture)}; Max-Age=3600; path=/; httponly");
        });
        Add("POST", "api/accounts/auth_token", Role.Public, _ =>
        {
            string token = FlexiStore.Word(32);
            _tokens[token] = null;
            return FlexiResponse.Json(new JsonObject { ["token"] = token }, 201);
        });
        Add("GET", "api/accounts/auth_token/{token}/attach", Role.User, c =>
        {
            if (!_tokens.ContainsKey(c.Values[0])) return Missing("[App\\AuthToken].");
            _tokens[c.Values[0]] = c.Who;
            return FlexiResponse.Text(200, "");
        });
        Add("GET", "api/accounts/me/api_key/{token}", Role.Public, c =>
        {
            if (!_tokens.TryGetValue(c.Values[0], out FlexiAccount? owner) || owner is null) return Missing("[App\\AuthToken].");
            _tokens.Remove(c.Values[0]);
            return FlexiResponse.Json(new JsonObject { ["api_key"] = NewKey(c with { Who = owner }) });
        });
    }

    // A new one takes the earlier one's place.
    private string NewKey(Context c)
    {
        _keys.RemoveAll(k => k.Account == c.Who && k.Personal);
        string key = FlexiStore.Word(40);
        _keys.Add(new FlexiKey(key, c.Who, c.Request.ClientAddress, Personal: true));
        return key;
    }

    /// <summary>Finds out who asks; gives the refusal if that one may not.</summary>
    private FlexiResponse? Refuse(FlexiRequest request, FlexisipSimulatorSpace space, Role role, out FlexiAccount? who, List<(string, string)> challenge)
    {
        who = null;
        bool user = role == Role.User;
        if (user && !_is20 && space.OpenIdConnect is { } oidc)
        {
            if (ByToken(request, space, oidc, out who) is { } no) return no;
        }
        else if (request.Header("x-api-key") is { } key)
        {
            FlexiKey? known = _keys.FirstOrDefault(k => k.Key == key && (k.Address is null || k.Address == request.ClientAddress));
            if (known is null) return FlexiResponse.Text(401, "Invalid API Key");
            who = known.Account;
        }
        else if (user || _is20)
        {
            if (ByDigest(request, out who, challenge) is { } no) return no;
        }
        else
        {
            return FlexiResponse.Redirect($"http://{request.Host}/login");
        }

        FlexiAccount account = who!;
        if ((user || _is20) && account.Blocked) return FlexiResponse.Error(403, "Account blocked");
        if (user) return null;
        if (!account.Admin || (!_is20 && account.Domain != space.Domain && !IsSuper(account))) return FlexiResponse.Error(403, "Unauthorized area");
        return role == Role.Super && !IsSuper(account) ? FlexiResponse.Error(403, "Unauthorized area") : null;
    }

    private FlexiResponse? ByDigest(FlexiRequest request, out FlexiAccount? who, List<(string, string)> headers)
    {
        who = null;
        if (request.Header("From") is not { Length: > 0 } from) return FlexiResponse.Text(401, "From header is required or invalid token");
        string address = Uri.UnescapeDataString(from.Split(';')[0]);
        if (!address.StartsWith("sip:", StringComparison.Ordinal) || FlexiStore.Split(address[4..]) is null) return FlexiResponse.Text(401, "Invalid SIP address");
        FlexiAccount? account = _accounts.FirstOrDefault(a => a.Address == address[4..]);
        if (account is null) return Missing("[App\\Account].");
        if (request.Header("Authorization") is not { } authorization) return Ask(account, "Unauthenticated request");

        Dictionary<string, string> said = Fields().Matches(authorization).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        string? handle = said.GetValueOrDefault(_is20 ? "nonce" : "opaque");
        Challenge? known = handle is null ? null : _challenges.GetValueOrDefault(handle);
        int count = int.TryParse(said.GetValueOrDefault("nc"), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int nc) ? nc : 0;
        if (known is null || known.Account != account) return Ask(account, _is20 ? "Nonce invalid" : "Invalid opaque");
        if (known.Count >= count)
        {
            _challenges.Remove(handle!);
            return Ask(account, "Nonce replayed");
        }

        known.Count++;
        var wrong = new JsonObject();
        void Must(string field, bool fit)
        {
            if (!fit) wrong[field] = new JsonArray($"The selected {field} is invalid.");
        }

        if (!_is20) Must("uri", said.GetValueOrDefault("uri") == request.Path);
        Must("qop", said.GetValueOrDefault("qop") == "auth");
        Must("realm", said.GetValueOrDefault("realm") == account.Domain);
        Must("username", said.GetValueOrDefault("username") == account.Username);
        if (wrong.Count > 0) return Invalid(wrong);
        string algorithm = said.GetValueOrDefault("algorithm") ?? "MD5";
        if (!account.Passwords.TryGetValue(algorithm, out string? secret)) return Ask(account, "Wrong algorithm");
        string expected = FlexiStore.Hash(algorithm, $"{secret}:{said.GetValueOrDefault("nonce")}:{said.GetValueOrDefault("nc")}:{said.GetValueOrDefault("cnonce")}:auth:{FlexiStore.Hash(algorithm, $"{request.Method}:{said.GetValueOrDefault("uri")}")}");
        if (expected != said.GetValueOrDefault("response")) return Ask(account, "Unauthorized");
        who = account;
        headers.AddRange(Offers(account, known));
        return null;
    }

    private FlexiResponse Ask(FlexiAccount account, string words)
    {
        var made = new Challenge(account, FlexiStore.Word(32), _is20 ? ConstantOpaque : FlexiStore.Hash("SHA-256", FlexiStore.Word(32)));
        _challenges[_is20 ? made.Nonce : made.Opaque] = made;
        FlexiResponse response = FlexiResponse.Text(401, words);
        response.Headers.AddRange(Offers(account, made));
        return response;
    }

    private static IEnumerable<(string, string)> Offers(FlexiAccount account, Challenge challenge) =>
        account.Passwords.Keys.Select(a => ("WWW-Authenticate", $"Digest realm=\"{account.Domain}\",qop=\"auth\",algorithm={a},nonce=\"{challenge.Nonce}\",opaque=\"{challenge.Opaque}\""));

    private FlexiResponse? ByToken(FlexiRequest request, FlexisipSimulatorSpace space, (string ServerUrl, string Realm, string PublicKey) oidc, out FlexiAccount? who)
    {
        who = null;
        string offer = $"Bearer authz_server=\"{oidc.ServerUrl.TrimEnd('/')}/realms/{oidc.Realm}\",realm=\"{oidc.Realm}\"";
        FlexiResponse No(string? why) => FlexiResponse.Text(401, "").With("WWW-Authenticate", why is null ? offer : $"{offer}, error=\"invalid_token\", error_description=\"{why}\"");
        string? token = request.Header("Authorization") is { } said && said.StartsWith("Bearer ", StringComparison.Ordinal) ? said[7..] : null;
        if (token?.Split('.') is not [var head, var claims, var signature]) return No(token is null ? null : "Invalid JWT token");
        JsonNode? body;
        try
        {
            using var key = RSA.Create();
            key.ImportFromPem(oidc.PublicKey);
            string? algorithm = (string?)JsonNode.Parse(FromBase64(head))?["alg"];
            HashAlgorithmName hash = algorithm switch
            {
                "RS256" => HashAlgorithmName.SHA256,
                "RS384" => HashAlgorithmName.SHA384,
                "RS512" => HashAlgorithmName.SHA512,
                _ => default,
            };
            if (hash == default || !key.VerifyData(Encoding.ASCII.GetBytes($"{head}.{claims}"), FromBase64(signature), hash, RSASignaturePadding.Pkcs1)) return No("Invalid JWT token signature");
            body = JsonNode.Parse(FromBase64(claims));
        }
        catch (Exception e) when (e is FormatException or System.Text.Json.JsonException)
        {
            return No("Invalid JWT token");
        }

        if ((long?)body?["exp"] < new DateTimeOffset(Now).ToUnixTimeSeconds()) return No("Expired JWT token");
        string? identity = (string?)body?["sip_identity"], email = (string?)body?["email"];
        who = _accounts.FirstOrDefault(a => identity is not null ? "sip:" + a.Address == identity : email is not null && a.Email == email && a.Domain == space.Domain);
        return who is null ? FlexiResponse.Error(403, "The bearer token doesn't belong to any account") : null;
    }

    private static byte[] FromBase64(string text)
    {
        text = text.Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(text.PadRight(text.Length + ((4 - (text.Length % 4)) % 4), '='));
    }

    [GeneratedRegex("""(realm|username|nonce|uri|nc|cnonce|qop|response|opaque|algorithm)=['"]?([^'",]+)""")]
    private static partial Regex Fields();

    private sealed class Challenge(FlexiAccount account, string nonce, string opaque)
    {
        public FlexiAccount Account { get; } = account;

        public string Nonce { get; } = nonce;

        public string Opaque { get; } = opaque;

        public int Count { get; set; }
    }
}
