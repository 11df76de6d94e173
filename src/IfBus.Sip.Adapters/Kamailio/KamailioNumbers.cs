using System.Buffers;
using System.Globalization;

namespace IfBus.Sip.Adapters.Kamailio;

/// <summary>
/// Makes SIP addresses of what callers give. dlg.bridge_dlg puts them into a request line, a To and a Refer-To without
/// looking at them: nothing may pass that ends an address or begins a header.
/// </summary>
internal static class KamailioNumbers
{
    /// <summary>What may be called.</summary>
    public const string Rule = CallRules.NumberRule + "; a SIP URI is sip:user@host or sip:user@host:port, with ;transport= at most: no headers (?), no quotes, angle brackets, blanks or control characters";

    private const string TemplateRule = "a SIP URI with {0} for the number as its user, for instance sip:{0}@example.com:5060.";
    private static readonly SearchValues<char> InUser = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+*._-~!%");
    private static readonly string[] Transports = ["udp", "tcp", "tls", "sctp", "ws", "wss"];

    /// <summary>The address of a number, or an address as it is.</summary>
    /// <exception cref="SipArgumentException">It is neither.</exception>
    public static string Address(string value, string template, string parameter)
    {
        if (CallRules.IsUri(value)) return IsAddress(value) ? value : throw Refused();
        // A hash sign is no character of an address (RFC 3261, 25.1); it is written as its number.
        return CallRules.IsNumber(value) ? template.Replace("{0}", value.Replace("#", "%23", StringComparison.Ordinal), StringComparison.Ordinal) : throw Refused();

        SipArgumentException Refused() => new(parameter, value, Rule + ".", "SipInvalidNumber");
    }

    /// <summary>What is wrong with a template; null if nothing is.</summary>
    public static string? TemplateProblem(string template) =>
        template.Split("{0}").Length == 2 && template.IndexOf("{0}@", StringComparison.Ordinal) is 4 or 5 && IsAddress(template.Replace("{0}", "1001", StringComparison.Ordinal)) ? null : TemplateRule;

    /// <summary>True for sip:user@host[:port][;transport=...], or the same without a user.</summary>
    public static bool IsAddress(string value, bool needsUser = true)
    {
        if (value.Length > 250 || !CallRules.IsUri(value)) return false;
        ReadOnlySpan<char> rest = value.AsSpan(value.IndexOf(':', StringComparison.Ordinal) + 1);
        int at = rest.IndexOf('@');
        if (at < 0 ? needsUser : at == 0 || rest[..at].ContainsAnyExcept(InUser) || !AreEscapesHarmless(rest[..at])) return false;
        rest = rest[(at + 1)..];
        int parameters = rest.IndexOf(';');
        if (parameters >= 0)
        {
            ReadOnlySpan<char> parameter = rest[(parameters + 1)..];
            if (!parameter.StartsWith("transport=", StringComparison.OrdinalIgnoreCase) || !Transports.Contains(parameter["transport=".Length..].ToString(), StringComparer.OrdinalIgnoreCase)) return false;
            rest = rest[..parameters];
        }

        int colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf(']'))
        {
            if (!ushort.TryParse(rest[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0) return false;
            rest = rest[..colon];
        }

        string host = rest.ToString();
        UriHostNameType kind = Uri.CheckHostName(host.StartsWith('[') && host.EndsWith(']') ? host[1..^1] : host);
        return host.StartsWith('[') ? kind == UriHostNameType.IPv6 : kind is UriHostNameType.Dns or UriHostNameType.IPv4 && host.All(char.IsAscii);
    }

    /// <summary>The user of an address; null if there is none.</summary>
    public static string? User(string? address)
    {
        if (address is null || !CallRules.IsUri(address)) return null;
        int begin = address.IndexOf(':', StringComparison.Ordinal) + 1;
        int at = address.IndexOf('@', begin);
        return at > begin ? address[begin..at].Split(';', ':')[0] : null;
    }

    /// <summary>What people call it: the user of an address, or the whole of what is none.</summary>
    public static string? Number(string? address) => User(address) ?? address;

    /// <summary>True if a call to one address may show as one to the other: the same user, hosts that are the same or that the server has rewritten.</summary>
    public static bool SameUser(string? one, string? other) => User(one) is { } user && user == User(other);

    // An escaped line end or NUL would be one again for a server that resolves it.
    private static bool AreEscapesHarmless(ReadOnlySpan<char> user)
    {
        for (int i = 0; i < user.Length; i++)
        {
            if (user[i] != '%') continue;
            if (i + 2 >= user.Length || !byte.TryParse(user.Slice(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out byte code)) return false;
            if (code is < 0x21 or 0x7f or (byte)'"' or (byte)'<' or (byte)'>' or (byte)'?' or (byte)'@' or (byte)'\\') return false;
            i += 2;
        }

        return true;
    }
}
