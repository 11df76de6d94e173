using System.Buffers;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>
/// Turns what callers write as a number into what Asterisk dials, and refuses what could become something else: another
/// channel (&amp;), another argument (comma), a function (${}), another header (line breaks).
/// </summary>
internal static class AsteriskNumbers
{
    /// <summary>What an endpoint of Asterisk's own syntax may hold.</summary>
    public const string EndpointRule = "an endpoint is Technology/address, for instance PJSIP/1001 or Local/1001@context, with letters, digits and + * # . _ - @ : ; = ~ % ! / [ ] ? only";

    private static readonly SearchValues<char> Endpoint = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+*#._-@:;=~%!/[]?");
    private static readonly SearchValues<char> Word = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._-");

    /// <summary>The channel to dial for a number, a SIP URI, or an endpoint.</summary>
    /// <param name="value">What the caller gave.</param>
    /// <param name="template">Address of a bare number, with {0}.</param>
    /// <param name="parameter">The caller's parameter, for the error.</param>
    public static string Channel(string value, string template, string parameter)
    {
        if (CallRules.IsUri(value)) return UriChannel(value, template, parameter);
        if (value.Contains('/', StringComparison.Ordinal))
        {
            CheckEndpoint(value, parameter);
            return value;
        }

        if (!CallRules.IsNumber(value)) throw new SipArgumentException(parameter, value, CallRules.NumberRule + "; " + EndpointRule + ".", "SipInvalidNumber");
        return template.Replace("{0}", value, StringComparison.Ordinal);
    }

    /// <summary>Checks a template: exactly one {0}, otherwise an endpoint.</summary>
    public static string? TemplateProblem(string template)
    {
        string[] parts = template.Split("{0}");
        if (parts.Length != 2) return "must hold {0} once, where the number goes, for instance PJSIP/{0} or PJSIP/{0}@trunk.";
        return IsEndpoint(parts[0] + "0" + parts[1]) ? null : EndpointRule + ".";
    }

    private static bool IsEndpoint(string value)
    {
        int slash = value.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && value.Length is >= 3 and <= 255 && slash < value.Length - 1
            && !value.AsSpan().ContainsAnyExcept(Endpoint)
            && !value.AsSpan(0, slash).ContainsAnyExcept(Word);
    }

    private static void CheckEndpoint(string value, string parameter)
    {
        if (!IsEndpoint(value)) throw new SipArgumentException(parameter, value, EndpointRule + "; one endpoint only.", "SipInvalidNumber");
    }

    // Asterisk dials a URI only through an endpoint of its own, so the template must name one.
    private static string UriChannel(string uri, string template, string parameter)
    {
        string? through = null;
        int at = template.IndexOf("{0}@", StringComparison.Ordinal);
        string tech = template[..template.IndexOf('/', StringComparison.Ordinal)];
        if (template.Split('/') is [_, { } endpoint, ..] && !endpoint.Contains("{0}", StringComparison.Ordinal)) through = endpoint;
        else if (at > 0) through = template[(at + "{0}@".Length)..];
        if (through is null)
        {
            throw new SipArgumentException(
                parameter, uri, $"Asterisk dials a SIP URI only through one of its endpoints: write PJSIP/<endpoint>/{SipText.Printable(uri)}, or connect with -EndpointTemplate 'PJSIP/{{0}}@<endpoint>'.", "SipInvalidNumber");
        }

        string channel = $"{tech}/{through}/{uri}";
        CheckEndpoint(channel, parameter);
        return channel;
    }
}
