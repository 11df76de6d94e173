using System.Buffers;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>
/// Turns what callers write as a number into what FreeSWITCH dials, and refuses what could become something else: another
/// call (comma, |, :_:), an application or variable (blank, &amp;, braces, $), another command (line breaks).
/// </summary>
internal static class FreeSwitchNumbers
{
    /// <summary>How a bare number is dialled unless the connection says otherwise: a user of the directory.</summary>
    public const string DefaultTemplate = "user/{0}";

    /// <summary>What an endpoint of FreeSWITCH's own syntax may hold.</summary>
    public const string EndpointRule = "an endpoint is type/address, for instance user/1001, sofia/gateway/trunk/1001 or sofia/internal/1001@host:5060, with letters, digits and + * # . _ - / @ : ; = % only; one endpoint";

    private static readonly SearchValues<char> Endpoint = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+*#._-/@:;=%");

    /// <summary>The dial string of a number or an endpoint.</summary>
    /// <param name="value">What the caller gave.</param>
    /// <param name="template">Address of a bare number, with {0}.</param>
    /// <param name="parameter">The caller's parameter, for the error.</param>
    public static string DialString(string value, string template, string parameter)
    {
        if (CallRules.IsUri(value))
        {
            throw new SipArgumentException(
                parameter, value, $"FreeSWITCH dials a SIP URI only through one of its profiles: write sofia/<profile>/{SipText.Printable(value[(value.IndexOf(':', StringComparison.Ordinal) + 1)..])}.", "SipInvalidNumber");
        }

        if (value.Contains('/', StringComparison.Ordinal)) return IsEndpoint(value) ? value : throw new SipArgumentException(parameter, value, EndpointRule + ".", "SipInvalidNumber");
        if (!CallRules.IsNumber(value)) throw new SipArgumentException(parameter, value, CallRules.NumberRule + "; " + EndpointRule + ".", "SipInvalidNumber");
        return template.Replace("{0}", value, StringComparison.Ordinal);
    }

    /// <summary>True for an extension of the dialplan. "undef" is the server's word for none.</summary>
    public static bool IsExtension(string value) => CallRules.IsNumber(value) && value != "undef";

    /// <summary>
    /// Checks a template: an endpoint with one {0}, or several of them: | tries one after the other, a comma rings them
    /// together. The connection's owner writes it, so it may hold what a number may not.
    /// </summary>
    public static string? TemplateProblem(string template)
    {
        foreach (string part in template.Split('|', ','))
        {
            string[] around = part.Split("{0}");
            if (around.Length != 2) return "each endpoint must hold {0} once, where the number goes, for instance user/{0} or sofia/gateway/trunk/{0}; several with | are tried one after the other, with a comma together.";
            if (!IsEndpoint(around[0] + "0" + around[1])) return EndpointRule + ".";
        }

        return null;
    }

    private static bool IsEndpoint(string value)
    {
        int slash = value.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && value.Length <= 255 && slash < value.Length - 1
            && !value.AsSpan().ContainsAnyExcept(Endpoint)
            && char.IsAsciiLetter(value[0]) && CallRules.IsWord(value[..slash]) && !value.Contains("..", StringComparison.Ordinal)
            // Splits the originate into two.
            && !value.Contains(":_:", StringComparison.Ordinal)
            // loopback/app=NAME:ARGUMENTS runs an application.
            && !value.Contains("/app=", StringComparison.OrdinalIgnoreCase);
    }
}
