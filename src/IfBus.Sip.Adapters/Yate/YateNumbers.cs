using System.Buffers;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>Checks what callers give as parties. A number is left to the engine's own routing; an endpoint is one of its drivers with an address.</summary>
internal static class YateNumbers
{
    /// <summary>What an endpoint may be.</summary>
    public const string EndpointRule = "an endpoint is driver/address, for instance sip/sip:1001@host:5060, or a SIP URI, with letters, digits and + * # . _ - / @ : ; = [ ] only; tone/, moh/, conf/ and dumb/ are endpoints too";

    private static readonly SearchValues<char> Endpoint = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+*#._-/@:;=[]");

    // Drivers whose address is a file, a program or the engine's own machinery.
    private static readonly HashSet<string> Refused = new(StringComparer.OrdinalIgnoreCase) { "external", "wave", "mux", "pickup", "callgen", "fork", "lateroute", "analyzer", "faxtext", "file" };

    // Channels that are no party: they play or mix, and begin and end without the messages of a call.
    private static readonly string[] MediaDrivers = ["tone/", "moh/", "wave/", "conf/", "park/", "mux/", "analyzer/", "q-in/", "q-out/"];

    /// <summary>Where a party is: driver/address, or null for a number that the engine is to look up.</summary>
    public static string? Direct(string value, string? template, string parameter)
    {
        if (CallRules.IsUri(value)) value = "sip/" + value;
        if (value.Contains('/', StringComparison.Ordinal)) return IsEndpoint(value) ? value : throw new SipArgumentException(parameter, value, EndpointRule + ".", "SipInvalidNumber");
        if (!CallRules.IsNumber(value)) throw new SipArgumentException(parameter, value, CallRules.NumberRule + "; " + EndpointRule + ".", "SipInvalidNumber");
        return template?.Replace("{0}", value, StringComparison.Ordinal);
    }

    /// <summary>What is wrong with a template; null if nothing is.</summary>
    public static string? TemplateProblem(string template)
    {
        string[] around = template.Split("{0}");
        if (around.Length != 2) return "must hold {0} once, where the number goes, for instance sip/sip:{0}@10.0.0.1.";
        return IsEndpoint(around[0] + "0" + around[1]) ? null : EndpointRule + ".";
    }

    /// <summary>The target of an application: the driver is the application, its address the data.</summary>
    public static string Application(string application, string? data)
    {
        const string Rule = "what takes the party is a driver of the server with its address: tone (dial, busy, ring, milliwatt, ...), moh (default), conf (a room), park (any), dumb";
        if (application is not ("tone" or "moh" or "conf" or "park" or "dumb")) throw new SipArgumentException("Application", application, Rule + ".");
        string address = data ?? "";
        if ((address.Length == 0 && application != "dumb") || address.Length > 80 || address.Length > 0 && !CallRules.IsNumber(address)) throw new SipArgumentException("ApplicationData", data, Rule + "; 1 to 80 letters, digits and + * # . _ - .");
        if (application == "conf") CallRules.CheckRoom(address);
        return $"{application}/{address}";
    }

    /// <summary>True for a channel that is no leg of a call.</summary>
    public static bool IsMedia(ReadOnlySpan<char> channel)
    {
        foreach (string driver in MediaDrivers)
        {
            if (channel.StartsWith(driver, StringComparison.Ordinal)) return true;
        }

        return false;
    }

    private static bool IsEndpoint(string value)
    {
        int slash = value.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && value.Length <= 255 && !value.AsSpan().ContainsAnyExcept(Endpoint) && char.IsAsciiLetter(value[0])
            && CallRules.IsWord(value[..slash]) && !Refused.Contains(value[..slash]) && !value.Contains("..", StringComparison.Ordinal);
    }
}
