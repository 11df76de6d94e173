using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace IfBus.Sip.Adapters.Flexisip;

/// <summary>
/// Digest (RFC 7616) as FlexiAPI speaks it: qop auth, MD5 and SHA-256, one challenge for each hash that is stored, uri the
/// bare path (a query in it is refused), and the same nonce for the next request with a higher count. The account is named
/// by a From header beside it. Not for use by two requests at once: the server takes counts in their order only.
/// </summary>
internal sealed class FlexisipDigest(string user, string domain, string password)
{
    private Challenge? _challenge;
    private int _count;

    /// <summary>The From header.</summary>
    public string From { get; } = $"sip:{Uri.EscapeDataString(user)}@{domain}";

    /// <summary>True if there is a challenge to answer.</summary>
    public bool HasChallenge => _challenge is not null;

    /// <summary>Takes the best of a reply's challenges; false if there is none that we can answer.</summary>
    public bool Take(IEnumerable<string> headers)
    {
        Challenge[] offered = [.. headers.Select(Parse).OfType<Challenge>()];
        Challenge? best = offered.FirstOrDefault(c => c.Algorithm == "SHA-256") ?? offered.FirstOrDefault(c => c.Algorithm == "MD5");
        if (best is null) return false;
        if (best.Nonce != _challenge?.Nonce || best.Opaque != _challenge.Opaque) _count = 0;
        _challenge = best;
        return true;
    }

    /// <summary>Forgets the challenge.</summary>
    public void Forget() => _challenge = null;

    /// <summary>The Authorization header for the next request.</summary>
    /// <param name="method">GET, POST and so on.</param>
    /// <param name="path">The path, without query.</param>
    /// <param name="clientNonce">A fresh random word.</param>
    public string Answer(string method, string path, string clientNonce)
    {
        Challenge challenge = _challenge ?? throw new InvalidOperationException("There is no challenge.");
        string count = (++_count).ToString("x8", CultureInfo.InvariantCulture);
        string Hash(string text) => Convert.ToHexStringLower(challenge.Algorithm, text);
        string secret = Hash($"{user}:{challenge.Realm}:{password}");
        string response = Hash($"{secret}:{challenge.Nonce}:{count}:{clientNonce}:auth:{Hash($"{method}:{path}")}");
        return $"Digest username=\"{user}\",realm=\"{challenge.Realm}\",nonce=\"{challenge.Nonce}\",uri=\"{path}\",qop=auth,nc={count},cnonce=\"{clientNonce}\",response=\"{response}\",opaque=\"{challenge.Opaque}\",algorithm={challenge.Algorithm}";
    }

    private static Challenge? Parse(string header)
    {
        if (!header.StartsWith("Digest ", StringComparison.OrdinalIgnoreCase)) return null;
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        int at = 7;
        while (at < header.Length)
        {
            while (at < header.Length && header[at] is ' ' or ',') at++;
            int equals = header.IndexOf('=', at);
            if (equals < 0) break;
            string name = header[at..equals].Trim();
            at = equals + 1;
            int end;
            if (at < header.Length && header[at] == '"')
            {
                end = header.IndexOf('"', ++at);
                if (end < 0) return null;
                fields[name] = header[at..end];
                at = end + 1;
            }
            else
            {
                end = header.IndexOf(',', at);
                if (end < 0) end = header.Length;
                fields[name] = header[at..end].Trim();
                at = end;
            }
        }

        // What we repeat must not be able to end our own header.
        if (!fields.TryGetValue("realm", out string? realm) || !fields.TryGetValue("nonce", out string? nonce)) return null;
        string opaque = fields.GetValueOrDefault("opaque") ?? "";
        if ((realm + nonce + opaque).Any(char.IsControl)) return null;
        return new Challenge(realm, nonce, opaque, (fields.GetValueOrDefault("algorithm") ?? "MD5").ToUpperInvariant());
    }

    private sealed record Challenge(string Realm, string Nonce, string Opaque, string Algorithm);

    private static class Convert
    {
#pragma warning disable CA5351 // the server stores MD5 where SHA-256 is not there; SHA-256 is taken first
        public static string ToHexStringLower(string algorithm, string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            return System.Convert.ToHexString(algorithm == "MD5" ? MD5.HashData(bytes) : SHA256.HashData(bytes)).ToLowerInvariant();
        }
#pragma warning restore CA5351
    }
}
