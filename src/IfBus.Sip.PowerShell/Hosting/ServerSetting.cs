using System.Management.Automation;
using System.Net;
using System.Security;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>One setting of a server: how it is read, wherever it was given, and how it is kept.</summary>
internal sealed class ServerSetting
{
    /// <summary>All, by the names of Connect-SipServer's parameters, and a few that most users never need.</summary>
    public static readonly IReadOnlyList<ServerSetting> All =
    [
        new("ComputerName", (c, v) => c.Host = Text(v)),
        new("Host", (c, v) => c.Host = Text(v)),
        new("Type", (c, v) => c.Type = To<SipServerType>(v), c => c.Type?.ToString(), $"one of {string.Join(", ", Enum.GetNames<SipServerType>())}."),
        new("Port", (c, v) => c.Port = To<int>(v), c => c.Port, Whole),
        new("Credential", (c, v) => c.Credential = To<PSCredential>(v) is { } login ? new NetworkCredential(login.UserName, login.Password) : null, rule: "a PSCredential, as Get-Credential gives it.") { IsSecret = true },
        new("Name", (c, v) => c.Name = Text(v)),
        new("UseTls", (c, v) => c.UseTls = Flag(v), c => c.UseTls),
        new("SkipCertificateCheck", (c, v) => c.SkipCertificateCheck = Flag(v), c => c.SkipCertificateCheck),
        new("CertificateAuthority", (c, v) => c.CertificateAuthority = Text(v), c => c.CertificateAuthority),
        new("ApiKey", (c, v) => c.ApiKey = new NetworkCredential("", Secret(v)).Password) { IsSecret = true },
        new("Space", (c, v) => c.Space = Text(v), c => c.Space),
        new("Path", (c, v) => c.Path = Text(v), c => c.Path),
        new("EventAddress", (c, v) => c.EventAddress = Text(v), c => c.EventAddress),
        new("PollInterval", (c, v) => c.PollInterval = Time(v) ?? c.PollInterval, c => c.PollInterval),
        new("EndpointTemplate", (c, v) => c.EndpointTemplate = Text(v), c => c.EndpointTemplate),
        new("Context", (c, v) => c.Context = Text(v), c => c.Context),
        new("ConnectTimeout", (c, v) => c.ConnectTimeout = Time(v) ?? c.ConnectTimeout, c => c.ConnectTimeout),
        new("RequestTimeout", (c, v) => c.RequestTimeout = Time(v) ?? c.RequestTimeout, c => c.RequestTimeout),
        new("RingTimeout", (c, v) => c.RingTimeout = Time(v) ?? c.RingTimeout, c => c.RingTimeout),
        new("KeepAlive", (c, v) => c.KeepAlive = Time(v) ?? c.KeepAlive, c => c.KeepAlive),
        new("ReconnectAttempts", (c, v) => c.Reconnect.MaxAttempts = To<int>(v), c => c.Reconnect.MaxAttempts, Whole),
        new("MaxCalls", (c, v) => c.MaxCalls = To<int?>(v), c => c.MaxCalls, Whole),
        new("MaxCallsPerSecond", (c, v) => c.MaxCallsPerSecond = To<double?>(v), c => c.MaxCallsPerSecond, Number),
        new("CircuitCoolDown", (c, v) => c.CircuitCoolDown = Time(v) ?? c.CircuitCoolDown, c => c.CircuitCoolDown),
        new("ReconnectDelay", (c, v) => c.Reconnect.BaseDelay = Time(v) ?? c.Reconnect.BaseDelay, c => c.Reconnect.BaseDelay),
        new("ReconnectMaxDelay", (c, v) => c.Reconnect.MaxDelay = Time(v) ?? c.Reconnect.MaxDelay, c => c.Reconnect.MaxDelay),
        new("ReconnectFactor", (c, v) => c.Reconnect.Factor = To<double>(v), c => c.Reconnect.Factor, Number),
        new("EventBuffer", (c, v) => c.EventBuffer = To<int>(v), c => c.EventBuffer, Whole),
        new("HistorySize", (c, v) => c.HistorySize = To<int>(v), c => c.HistorySize, Whole),
    ];

    private const string Whole = "a whole number.";
    private const string Number = "a number.";

    private static readonly Dictionary<string, ServerSetting> ByName = All.ToDictionary(s => s.Name, StringComparer.OrdinalIgnoreCase);

    private readonly Action<SipServerConfiguration, object?> _set;
    private readonly Func<SipServerConfiguration, object?>? _get;
    private readonly string? _rule;

    private ServerSetting(string name, Action<SipServerConfiguration, object?> set, Func<SipServerConfiguration, object?>? get = null, string? rule = null)
    {
        Name = name;
        _set = set;
        _get = get;
        _rule = rule;
    }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>True if its value is never shown or kept.</summary>
    public bool IsSecret { get; private init; }

    /// <summary>True if a registered server has it among its settings.</summary>
    public bool IsKept => _get is not null;

    /// <summary>The setting of a name, without regard to case; null if there is none.</summary>
    public static ServerSetting? Find(string name) => ByName.GetValueOrDefault(name);

    /// <summary>Sets it.</summary>
    /// <returns>What is wrong with the value, or null.</returns>
    public SipConfigurationProblem? Apply(SipServerConfiguration configuration, object? value)
    {
        try
        {
            _set(configuration, value);
            return null;
        }
        catch (Exception e) when (e is PSInvalidCastException or ArgumentTransformationMetadataException)
        {
            // What the engine says of a value that does not fit names types, and not what is allowed.
            return new SipConfigurationProblem(Name, IsSecret ? null : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture), _rule ?? (SipText.IsReadable(e.Message) ? e.Message : "a text."));
        }
    }

    /// <summary>Its value as text, number or truth value; times in seconds. Null if it is not set.</summary>
    public object? Keep(SipServerConfiguration configuration) => _get?.Invoke(configuration) switch { TimeSpan time => time.TotalSeconds, var value => value };

    private static T To<T>(object? value) => LanguagePrimitives.ConvertTo<T>(value);

    private static string Text(object? value) => To<string>(value);

    private static TimeSpan? Time(object? value) => (TimeSpan?)new SecondsAttribute().Transform(null!, value!);

    // PowerShell takes the text 'false' for true; a certificate check must not be lost by that.
    private static bool Flag(object? value) => value is bool or SwitchParameter or PSObject { BaseObject: bool } ? To<bool>(value) : throw new PSInvalidCastException("$true or $false.");

    private static SecureString Secret(object? value) => value as SecureString ?? (value as PSObject)?.BaseObject as SecureString ?? throw new PSInvalidCastException("a SecureString, as Read-Host -AsSecureString gives it.");
}
