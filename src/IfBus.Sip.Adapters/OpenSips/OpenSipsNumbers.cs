using System.Text.RegularExpressions;

namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>
/// What callers, and phones that registered, write as an address. The server writes it into request lines, headers and
/// comma-separated texts without a look: a comma would be another entity, a ? a header of the INVITE, a line break a
/// header of its own.
/// </summary>
internal static partial class OpenSipsNumbers
{
    /// <summary>What an address may be.</summary>
    public const string UriRule =
        "a SIP URI such as sip:1001@10.0.0.7:5060;transport=tcp, at most 255 characters: user of letters, digits and - _ . ! ~ * & = + $ / %XX, host or [IPv6], port, parameters; no ? (headers), comma, quotes, < >, blanks, control characters, and no parameter method or osid";

    /// <summary>True for an address that can be handed to the server.</summary>
    public static bool IsUri(string value) => value.Length <= 255 && Uri().IsMatch(value);

    /// <summary>The address of a bare number.</summary>
    public static string FromTemplate(string template, string number) => template.Replace("{0}", number.Replace("#", "%23", StringComparison.Ordinal), StringComparison.Ordinal);

    /// <summary>What is wrong with a template; null if nothing is.</summary>
    public static string? TemplateProblem(string template) =>
        template.Split("{0}").Length == 2 && IsUri(FromTemplate(template, "1")) ? null : "must hold {0} once, where the number goes, and be " + UriRule + ".";

    /// <summary>The user of an address, else the address: what stands for a party in From and To.</summary>
    public static string? Number(string? uri)
    {
        if (uri is null) return null;
        int colon = uri.IndexOf(':', StringComparison.Ordinal);
        int at = uri.IndexOf('@', StringComparison.Ordinal);
        return colon >= 0 && at > colon + 1 ? uri[(colon + 1)..at] : uri;
    }

    /// <summary>Host and port of an address, for another number at the same place; null if it is none.</summary>
    public static string? HostPort(string? uri) => uri is not null && Place().Match(uri) is { Success: true } found ? found.Groups[1].Value : null;

    /// <summary>The dialog that a call came from by a transfer: the server puts it on the Refer-To, and it stays in the To (OpenSIPS 3.6, callops in mode param).</summary>
    public static string? TransferredFrom(string? toUri) => toUri is not null && Osid().Match(toUri) is { Success: true } found ? found.Groups[1].Value : null;

    [GeneratedRegex(@"\Asips?:(?:(?:[A-Za-z0-9_.!~*&=+$/-]|%(?![01][0-9A-Fa-f]|7[Ff])[0-9A-Fa-f]{2}){1,80}@)?(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,99})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:;(?!(?:method|osid)(?:=|;|\z))[A-Za-z0-9_.!~*+-]{1,40}(?:=(?:[A-Za-z0-9_.!~*+:/&$\[\]-]|%(?![01][0-9A-Fa-f]|7[Ff])[0-9A-Fa-f]{2}){1,100})?)*\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Uri();

    [GeneratedRegex(@"\Asips?:(?:[^@?]*@)?([A-Za-z0-9.-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Place();

    [GeneratedRegex(@";osid=([0-9A-Fa-f.]{1,40})", RegexOptions.CultureInvariant)]
    private static partial Regex Osid();
}
