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
    public const string EndpointRule = "an endpoint is type/address, for instance user/1001, sofia/gateway/trunk/1001 or sofia/internal/1001@host:5060, with letters, digits and + * # . _ - / @ : ; = % only, loopback/number or loopback/number/context; one endpoint";

    // The server's word for an argument that is not given, in any case (mod_commands.c, originate; 1.10.12): as an
    // extension it makes the whole server abort.
    private const string NotGiven = "undef";

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

    /// <summary>True for an extension of the dialplan; not what the server would take for the lack of one, or for an option of uuid_transfer (-both, -bleg).</summary>
    public static bool IsExtension(string value) => CallRules.IsNumber(value) && value[0] != '-' && !IsNotGiven(value);

    /// <summary>Where a number is looked up: what was asked for, else the connection's context, else the server's usual one.</summary>
    public static string Context(string? asked, SipServerConfiguration configuration)
    {
        string context = CallRules.Context(asked, configuration);
        return ContextProblem(context) is { } rule ? throw new SipArgumentException("Context", context, rule) : context;
    }

    /// <summary>What is wrong with a context for this server although its characters are right; null if nothing is.</summary>
    public static string? ContextProblem(string? context) => context is not null && IsNotGiven(context) ? "undef is FreeSWITCH's word for no context; it would take \"default\"." : null;

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

    private static bool IsNotGiven(string word) => word.Equals(NotGiven, StringComparison.OrdinalIgnoreCase);

    private static bool IsEndpoint(string value)
    {
        int slash = value.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && value.Length <= 255 && slash < value.Length - 1
            && !value.AsSpan().ContainsAnyExcept(Endpoint)
            && char.IsAsciiLetter(value[0]) && CallRules.IsWord(value[..slash]) && !value.Contains("..", StringComparison.Ordinal)
            // Splits the originate into two.
            && !value.Contains(":_:", StringComparison.Ordinal)
            && (!value.StartsWith("loopback/", StringComparison.OrdinalIgnoreCase) || IsLoopback(value["loopback/".Length..]));
    }

    // NUMBER or NUMBER/CONTEXT. loopback/app=NAME:ARGUMENTS runs an application, and so does a third part, the dialplan:
    // loopback/NAME:ARGUMENTS/CONTEXT/inline (mod_loopback.c, 1.10.12).
    private static bool IsLoopback(string rest)
    {
        string[] parts = rest.Split('/');
        return parts.Length <= 2 && CallRules.IsNumber(parts[0]) && (parts.Length == 1 || CallRules.IsWord(parts[1]));
    }
}
