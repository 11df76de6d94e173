using System.Buffers;
using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters;

/// <summary>Checks what is common to all kinds of server; an adapter adds its own rules. Every problem is listed.</summary>
internal static class ConfigurationValidator
{
    /// <summary>What a host may be.</summary>
    public const string HostRule = "a host name or an IPv4 or IPv6 address, without scheme, port or path.";

    /// <summary>What the path of requests may be.</summary>
    public const string PathRule = "a path such as /RPC: begins with one slash, letters, digits and / . _ ~ -";

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private static readonly SearchValues<char> InPaths = SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/._~-");

    private static readonly SearchValues<char> NotInNames = SearchValues.Create("*?[]`\r\n\t\0");

    /// <summary>Adds the problems of the common settings.</summary>
    public static void Check(SipServerConfiguration c, List<SipConfigurationProblem> problems)
    {
        if (c.Type is null || !Enum.IsDefined(c.Type.Value)) Add("Type", c.Type?.ToString(), $"one of {string.Join(", ", Enum.GetNames<SipServerType>())}.");
        CheckHost(c.Host, problems);
        if (c.Name is { } name && (string.IsNullOrWhiteSpace(name) || name.Length > 128 || name.AsSpan().IndexOfAny(NotInNames) >= 0))
            Add("Name", name, "1 to 128 characters, without wildcards (* ? [ ]), back-quote and control characters.");
        if (c.Port is < 1 or > 65535) Add("Port", c.Port.ToString(), "1 to 65535.");
        CheckTime("ConnectTimeout", c.ConnectTimeout);
        CheckTime("RequestTimeout", c.RequestTimeout);
        CheckTime("RingTimeout", c.RingTimeout);
        CheckTime("KeepAlive", c.KeepAlive);
        if (c.SkipCertificateCheck && !c.UseTls) Add("SkipCertificateCheck", "True", "goes with UseTls only.");
        if (c.CertificateAuthority is { } authority && WireEndpoint.AuthorityProblem(authority, c.UseTls, c.SkipCertificateCheck) is { } rule) Add("CertificateAuthority", authority, rule);
        if (c.ApiKey is { } key && (key.Length is 0 or > 8192 || key.Any(ch => ch is <= ' ' or > '~'))) Add("ApiKey", null, "1 to 8192 printable ASCII characters without blanks.");
        if (c.Path is { } path && !IsPath(path)) Add("Path", path, PathRule);
        if (c.PollInterval < TimeSpan.FromMilliseconds(100) || c.PollInterval > TimeSpan.FromHours(1)) Add("PollInterval", c.PollInterval.ToString(), "100 ms to one hour.");
        if (c.EventAddress is { } events && !TryAddress(events, c.Host ?? "", out _, out _)) Add("EventAddress", events, "a port, or host:port ([address]:port for IPv6).");
        if (c.EventBuffer is < 16 or > 10_000_000) Add("EventBuffer", Text(c.EventBuffer), "16 to 10000000 events.");
        if (c.HistorySize is < 0 or > 10_000_000) Add("HistorySize", Text(c.HistorySize), "0 to 10000000 calls.");
        CheckLimits(c.MaxCalls, c.MaxCallsPerSecond, problems);
        CheckTime("CircuitCoolDown", c.CircuitCoolDown);
        if (c.Reconnect is null)
        {
            Add("ReconnectAttempts", null, "0 (never) or more; left out: without end.");
            return;
        }

        if (c.Reconnect.MaxAttempts < 0) Add("ReconnectAttempts", c.Reconnect.MaxAttempts.ToString(), "0 (never) or more; left out: without end.");
        if (!(c.Reconnect.Factor is >= 1 and <= 10)) Add("ReconnectFactor", c.Reconnect.Factor.ToString(System.Globalization.CultureInfo.InvariantCulture), "1 to 10.");
        CheckTime("ReconnectDelay", c.Reconnect.BaseDelay);
        CheckTime("ReconnectMaxDelay", c.Reconnect.MaxDelay);
        if (c.Reconnect.MaxDelay < c.Reconnect.BaseDelay) Add("ReconnectMaxDelay", c.Reconnect.MaxDelay.ToString(), $"not less than ReconnectDelay ({c.Reconnect.BaseDelay}).");

        void Add(string parameter, string? value, string rule) => problems.Add(new SipConfigurationProblem(parameter, value, rule));

        void CheckTime(string parameter, TimeSpan value)
        {
            if (value <= TimeSpan.Zero || value > Day) Add(parameter, value.ToString(), "more than zero, at most one day.");
        }
    }

    /// <summary>Adds what is wrong with the limits of calls.</summary>
    public static void CheckLimits(int? maxCalls, double? perSecond, List<SipConfigurationProblem> problems)
    {
        if (maxCalls is < 1 or > 1_000_000) problems.Add(new SipConfigurationProblem("MaxCalls", Text(maxCalls.Value), "1 to 1000000 calls at once; left out: no limit."));
        if (perSecond is { } rate && !(rate is > 0 and <= 10_000))
            problems.Add(new SipConfigurationProblem("MaxCallsPerSecond", rate.ToString(System.Globalization.CultureInfo.InvariantCulture), "more than 0, at most 10000 calls a second; left out: no limit."));
    }

    /// <summary>Reads <c>port</c> or <c>host:port</c>.</summary>
    public static bool TryAddress(string value, string defaultHost, out string host, out int port)
    {
        int colon = value.LastIndexOf(':');
        host = colon < 0 ? defaultHost : value[..colon];
        if (host.StartsWith('[') && host.EndsWith(']')) host = host[1..^1];
        else if (host.Contains(':', StringComparison.Ordinal) && colon >= 0) host = "";
        return int.TryParse(value.AsSpan(colon + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out port)
            && port is >= 1 and <= 65535 && Uri.CheckHostName(host) != UriHostNameType.Unknown;
    }

    // What needs no encoding, and cannot be taken for another host or a way up.
    internal static bool IsPath(string path) =>
        path.Length is >= 1 and <= 200 && path[0] == '/' && !path.Contains("//", StringComparison.Ordinal) && !path.Contains("/.", StringComparison.Ordinal) && !path.AsSpan().ContainsAnyExcept(InPaths);

    private static string Text(int value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static void CheckHost(string? host, List<SipConfigurationProblem> problems)
    {
        if (string.IsNullOrWhiteSpace(host)) problems.Add(new SipConfigurationProblem("Host", host, "a host name or address is needed."));
        else if (Uri.CheckHostName(host) == UriHostNameType.Unknown) problems.Add(new SipConfigurationProblem("Host", host, HostRule));
    }
}
