using System.Collections;
using System.Management.Automation;
using System.Security;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>What describes a server, for the cmdlets that take such a description.</summary>
public abstract class ConfigurationCmdlet : SipCmdlet
{
    /// <summary>Host name or address; for Connect-SipServer also the name of a registered server.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = "Host")]
    [Alias("Host", "HostName")]
    [ArgumentCompleter(typeof(ProfileNameCompleter))]
    public string? ComputerName { get; set; }

    /// <summary>A hash table with the same names as the parameters, and ReconnectDelay, ReconnectMaxDelay (seconds or a TimeSpan), ReconnectFactor, CircuitCoolDown, EventBuffer, HistorySize.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Configuration")]
    public IDictionary? Configuration { get; set; }

    /// <summary>Kind of server. If left out, Connect-SipServer asks the host.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public SipServerType? Type { get; set; }

    /// <summary>TCP port; the kind's usual one if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public int? Port { get; set; }

    /// <summary>User and secret.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Credential]
    public PSCredential? Credential { get; set; }

    /// <summary>Name of the connection; the host if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Name { get; set; }

    /// <summary>Speak TLS.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public SwitchParameter UseTls { get; set; }

    /// <summary>Accept any certificate. For tests only.</summary>
    [Parameter]
    public SwitchParameter SkipCertificateCheck { get; set; }

    /// <summary>A PEM file with the only certification authorities to trust.</summary>
    [Parameter]
    public string? CertificateAuthority { get; set; }

    /// <summary>Servers over HTTP: a key or token to log in with.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public SecureString? ApiKey { get; set; }

    /// <summary>Flexisip: the web host name of the space, where it is not the address.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Space { get; set; }

    /// <summary>Servers over HTTP: the path that requests go to.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Path { get; set; }

    /// <summary>Where the server's events are to be had, host:port or a port.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? EventAddress { get; set; }

    /// <summary>How often the calls of a server without events are asked for; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? PollInterval { get; set; }

    /// <summary>How a bare number is addressed, for instance PJSIP/{0}.</summary>
    [Parameter]
    public string? EndpointTemplate { get; set; }

    /// <summary>Where called numbers are looked up.</summary>
    [Parameter]
    public string? Context { get; set; }

    /// <summary>Time to connect and log in; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? ConnectTimeout { get; set; }

    /// <summary>Time for a request; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? RequestTimeout { get; set; }

    /// <summary>How long called legs ring; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? RingTimeout { get; set; }

    /// <summary>How often a silent connection is tested; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? KeepAlive { get; set; }

    /// <summary>Attempts to reconnect before giving up; without end if left out, 0 for never.</summary>
    [Parameter]
    public int? ReconnectAttempts { get; set; }

    /// <summary>Calls of ours that may be placed or live at once; more wait. No limit if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public int? MaxCalls { get; set; }

    /// <summary>Calls that may be placed in a second; more wait. No limit if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public double? MaxCallsPerSecond { get; set; }

    /// <summary>The description as given: a registered server's settings first, over them the hash table or parameters. Nothing is checked yet.</summary>
    /// <param name="profile">The registered server, if it is one.</param>
    /// <param name="problems">Unknown and unfit entries.</param>
    private protected SipServerConfiguration Read(SipServerProfile? profile, out List<SipConfigurationProblem> problems)
    {
        var configuration = new SipServerConfiguration();
        var found = new List<SipConfigurationProblem>();
        if (profile is not null)
        {
            (configuration.Name, configuration.Host, configuration.Type, configuration.Port) = (profile.Name, profile.Host, profile.Type, profile.Port);
            foreach ((string name, object value) in profile.Settings) Apply(name, value);
        }

        foreach (DictionaryEntry entry in Configuration ?? new Hashtable())
            Apply(Convert.ToString(entry.Key, System.Globalization.CultureInfo.InvariantCulture) ?? "", entry.Value);
        foreach ((string name, object? value) in Given())
        {
            if (value is not null && (profile is null || name is not nameof(ComputerName))) Apply(name, value);
        }

        // A relative path begins where the user stands, not where the process was started.
        if (configuration.CertificateAuthority is { Length: > 0 } file) configuration.CertificateAuthority = GetUnresolvedProviderPathFromPSPath(file);
        problems = found;
        return configuration;

        void Apply(string name, object? value)
        {
            if (ServerSetting.Find(name) is not { } setting)
                found.Add(new SipConfigurationProblem(name, null, "is no setting; allowed are " + string.Join(", ", ServerSetting.All.Select(s => s.Name)) + "."));
            else if (setting.Apply(configuration, value) is { } problem)
                found.Add(problem);
        }
    }

    /// <summary>Everything that is wrong with a description: what could not be read of it, and what the server's kind refuses.</summary>
    private protected static List<SipConfigurationProblem> Check(SipServerConfiguration configuration, List<SipConfigurationProblem> unread)
    {
        // What could not be read was left out; that it is missing is no problem of its own.
        var names = unread.Select(p => p.Parameter).ToHashSet(StringComparer.OrdinalIgnoreCase);
        // A kind that was left out is none either: it can be found out.
        return [.. unread, .. AdapterLoader.Factory.Validate(configuration).Where(p => !names.Contains(p.Parameter) && (p.Parameter != nameof(Type) || configuration.Type is not null))];
    }

    /// <summary>The names of the settings that were given, by parameter or hash table.</summary>
    private protected IEnumerable<string> GivenNames() =>
        Given().Where(g => g.Value is not null).Select(g => g.Name).Concat((Configuration?.Keys ?? Array.Empty<object>()).Cast<object>().Select(k => k.ToString() ?? ""));

    private IEnumerable<(string Name, object? Value)> Given() =>
    [
        (nameof(ComputerName), ComputerName), (nameof(Type), Type), (nameof(Port), Port), (nameof(Credential), Credential), (nameof(Name), Name),
        (nameof(UseTls), Switch(nameof(UseTls), UseTls)), (nameof(SkipCertificateCheck), Switch(nameof(SkipCertificateCheck), SkipCertificateCheck)),
        (nameof(CertificateAuthority), CertificateAuthority), (nameof(ApiKey), ApiKey), (nameof(Space), Space), (nameof(Path), Path),
        (nameof(EventAddress), EventAddress), (nameof(PollInterval), PollInterval), (nameof(EndpointTemplate), EndpointTemplate), (nameof(Context), Context),
        (nameof(ConnectTimeout), ConnectTimeout), (nameof(RequestTimeout), RequestTimeout), (nameof(RingTimeout), RingTimeout), (nameof(KeepAlive), KeepAlive),
        (nameof(ReconnectAttempts), ReconnectAttempts), (nameof(MaxCalls), MaxCalls), (nameof(MaxCallsPerSecond), MaxCallsPerSecond),
    ];

    // $false is something else than left out: a registered server may have $true.
    private bool? Switch(string name, SwitchParameter value) => MyInvocation.BoundParameters.ContainsKey(name) ? value.IsPresent : null;
}
