using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Connects to a server.</summary>
[Cmdlet(VerbsCommunications.Connect, "SipServer", DefaultParameterSetName = "Host")]
[OutputType(typeof(SipServer))]
public sealed class ConnectSipServer : ConfigurationCmdlet
{
    private string? _connecting;

    private protected override string? StillRunning() =>
        _connecting is null ? null : $"Stopped. There is no connection to {_connecting}; nothing was changed on the server.";

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        SipServerConfiguration configuration = ReadConfiguration(out IReadOnlyList<SipConfigurationProblem> problems);
        configuration.Name ??= configuration.Host;
        if (problems.Count > 0) ThrowTerminatingError(Errors.Record(new SipConfigurationException(problems), configuration.Host));
        if (configuration.Type is null) FindOut(configuration);

        configuration = AdapterLoader.Factory.Complete(configuration);
        if (Store.Find(configuration.Name!) is { } known)
        {
            ConnectionState state = known.Adapter.Server.State;
            List<string> differences = ServerSettings.Differences(known.Configuration, configuration);
            if (differences.Count == 0 && state is ConnectionState.Connected or ConnectionState.Reconnecting)
            {
                SipServer server = Store.Describe(known);
                if (state == ConnectionState.Reconnecting) WriteWarning($"{known.Name} is reconnecting{(server.LastError is null ? "" : $" ({server.LastError})")}; nothing can be sent before it is connected again.");
                WriteObject(server);
                return;
            }

            if (state is not (ConnectionState.Failed or ConnectionState.Disconnected))
            {
                string what = differences.Count == 0 ? $", which is {state}" : " with other settings: " + string.Join(", ", differences);
                ThrowTerminatingError(Errors.Record(
                    new ServerChoiceException("SipServerNameInUse", $"There is a connection named '{known.Name}' already{what}. Nothing was changed.", $"Disconnect-SipServer {known.Name} first, or give this one another -Name. To use the one that is there no Connect-SipServer is needed."), configuration.Name));
            }

            Store.Remove(known);
            _ = Task.Run(async () => await known.Adapter.DisposeAsync().ConfigureAwait(false));
        }

        var log = new CmdletLog();
        ISipAdapter adapter = AdapterLoader.Factory.Create(configuration, log);
        var connection = new ServerStore.Connection(configuration.Name!, adapter, log, configuration);
        Store.Add(connection);
        bool connected = false;
        _connecting = $"{connection.Name} ({adapter.Server.Host}:{adapter.Server.Port})";
        try
        {
            PumpOrEnd(
                async token =>
                {
                    await adapter.ConnectAsync(token).ConfigureAwait(false);
                    return true;
                },
                configuration.Host,
                "Check that -Port and -Type fit (Find-SipServer shows what answers), that -UseTls is as the server has it, and that the server lets this machine in; -ConnectTimeout waits longer.");
            connected = true;
            _connecting = null;
            WriteObject(Store.Describe(connection));
        }
        finally
        {
            if (!connected)
            {
                _connecting = null;
                Store.Remove(connection);
                _ = Task.Run(async () => await adapter.DisposeAsync().ConfigureAwait(false));
            }
        }
    }

    // The kind was left out: the host is asked, unless there is a connection of that name.
    private void FindOut(SipServerConfiguration configuration)
    {
        string host = configuration.Host!;
        string action = "";
        if (Store.Find(configuration.Name!) is { } known && host.Equals(known.Configuration.Host, StringComparison.OrdinalIgnoreCase))
        {
            configuration.Type = known.Configuration.Type;
            configuration.Port ??= known.Configuration.Port;
            configuration.Path ??= known.Configuration.Path;
            configuration.UseTls |= known.Configuration.UseTls;
        }
        else
        {
            _connecting = host;
            TimeSpan limit = configuration.ConnectTimeout < ServerSearch.UsualTime ? configuration.ConnectTimeout : ServerSearch.UsualTime;
            IReadOnlyList<SipServerFinding> found;
            try
            {
                found = PumpOrEnd(token => AdapterLoader.Factory.DetectAsync(host, configuration.Port is { } port ? [port] : null, configuration.Path, limit, token), host);
            }
            finally
            {
                // Who is stopped in it has been told by now.
                _connecting = null;
            }

            List<SipServerFinding> candidates = ServerSearch.Candidates(found, configuration.UseTls);
            if (candidates.Count == 0) ThrowTerminatingError(Errors.Record(ServerSearch.NotFound(host, found, configuration.UseTls), host));
            if (candidates.Count > 1) ThrowTerminatingError(Errors.Record(ServerSearch.Ambiguous(host, candidates), host));
            SipServerFinding chosen = candidates[0];
            WriteVerbose($"Port {chosen.Port} of {host}: {chosen.Evidence}. It is taken for {chosen.Type}; -Type would say otherwise.");
            configuration.Type = chosen.Type;
            configuration.Port = chosen.Port;
            configuration.UseTls = chosen.UseTls;
            configuration.Path ??= chosen.Path;
            action = $"-Type was left out, and at port {chosen.Port} of {host} there is {chosen.Type} ({chosen.Evidence}): give what that needs.";
        }

        IReadOnlyList<SipConfigurationProblem> problems = AdapterLoader.Factory.Validate(configuration);
        if (problems.Count > 0) ThrowTerminatingError(Errors.Record(new SipConfigurationException(problems) { RecommendedAction = action }, host));
    }
}

/// <summary>What describes a server, for the cmdlets that take such a description.</summary>
public abstract class ConfigurationCmdlet : SipCmdlet
{
    /// <summary>Host name or address.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = "Host")]
    [Alias("Host", "HostName")]
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

    private static readonly string[] Settings =
    [
        "ComputerName", "Host", "Type", "Port", "Credential", "Name", "UseTls", "SkipCertificateCheck", "CertificateAuthority", "ApiKey", "Space", "Path", "EventAddress", "PollInterval", "EndpointTemplate", "Context",
        "ConnectTimeout", "RequestTimeout", "RingTimeout", "KeepAlive", "ReconnectAttempts", "MaxCalls", "MaxCallsPerSecond", "CircuitCoolDown",
        "ReconnectDelay", "ReconnectMaxDelay", "ReconnectFactor", "EventBuffer", "HistorySize",
    ];

    // What only the hash table has: settings that most users never need.
    private TimeSpan? _reconnectDelay;
    private TimeSpan? _reconnectMaxDelay;
    private double? _reconnectFactor;
    private TimeSpan? _circuitCoolDown;
    private int? _eventBuffer;
    private int? _historySize;

    /// <summary>The description as given by parameters, or hash table.</summary>
    /// <param name="problems">Everything that is wrong with it: unknown and unfit entries of the hash table, and what the server's kind refuses.</param>
    private protected SipServerConfiguration ReadConfiguration(out IReadOnlyList<SipConfigurationProblem> problems)
    {
        List<SipConfigurationProblem> found = Configuration is null ? [] : ReadTable(Configuration);
        var configuration = new SipServerConfiguration
        {
            Type = Type,
            Name = Name,
            Host = ComputerName,
            Port = Port,
            Credential = Credential is null ? null : new NetworkCredential(Credential.UserName, Credential.Password),
            UseTls = UseTls,
            SkipCertificateCheck = SkipCertificateCheck,
            // A relative path begins where the user stands, not where the process was started.
            CertificateAuthority = CertificateAuthority is null ? null : GetUnresolvedProviderPathFromPSPath(CertificateAuthority),
            ApiKey = ApiKey is null ? null : new NetworkCredential("", ApiKey).Password,
            Space = Space,
            Path = Path,
            EventAddress = EventAddress,
            EndpointTemplate = EndpointTemplate,
            Context = Context,
            Reconnect = new SipReconnectPolicy { MaxAttempts = ReconnectAttempts },
            MaxCalls = MaxCalls,
            MaxCallsPerSecond = MaxCallsPerSecond,
        };
        if (ConnectTimeout is { } connect) configuration.ConnectTimeout = connect;
        if (RequestTimeout is { } request) configuration.RequestTimeout = request;
        if (RingTimeout is { } ring) configuration.RingTimeout = ring;
        if (KeepAlive is { } alive) configuration.KeepAlive = alive;
        if (PollInterval is { } poll) configuration.PollInterval = poll;
        if (_reconnectDelay is { } delay) configuration.Reconnect.BaseDelay = delay;
        if (_reconnectMaxDelay is { } most) configuration.Reconnect.MaxDelay = most;
        if (_reconnectFactor is { } factor) configuration.Reconnect.Factor = factor;
        if (_circuitCoolDown is { } cool) configuration.CircuitCoolDown = cool;
        if (_eventBuffer is { } buffer) configuration.EventBuffer = buffer;
        if (_historySize is { } history) configuration.HistorySize = history;
        // What could not be read was left out; that it is missing is no problem of its own.
        var unread = found.Select(p => p.Parameter).ToHashSet(StringComparer.OrdinalIgnoreCase);
        // A kind that was left out is none either: it can be found out.
        found.AddRange(AdapterLoader.Factory.Validate(configuration).Where(p => !unread.Contains(p.Parameter) && (p.Parameter != "Type" || configuration.Type is not null)));
        problems = found;
        return configuration;
    }

    private List<SipConfigurationProblem> ReadTable(IDictionary table)
    {
        var problems = new List<SipConfigurationProblem>();
        foreach (DictionaryEntry entry in table)
        {
            string name = Convert.ToString(entry.Key, System.Globalization.CultureInfo.InvariantCulture) ?? "";
            if (!Settings.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                problems.Add(new SipConfigurationProblem(name, null, "is no setting; allowed are " + string.Join(", ", Settings) + "."));
                continue;
            }

            try
            {
                Apply(name.ToUpperInvariant(), entry.Value);
            }
            catch (Exception e) when (e is PSInvalidCastException or ArgumentTransformationMetadataException)
            {
                problems.Add(new SipConfigurationProblem(name, name.ToUpperInvariant() is "CREDENTIAL" or "APIKEY" ? null : entry.Value?.ToString(), Rule(name, e)));
            }
        }

        return problems;
    }

    // What the engine says of a value that does not fit names types, and not what is allowed.
    private static string Rule(string name, Exception e) => name.ToUpperInvariant() switch
    {
        "TYPE" => $"one of {string.Join(", ", Enum.GetNames<SipServerType>())}.",
        "PORT" or "RECONNECTATTEMPTS" or "EVENTBUFFER" or "HISTORYSIZE" => "a whole number.",
        "RECONNECTFACTOR" => "a number.",
        "CREDENTIAL" => "a PSCredential, as Get-Credential gives it.",
        _ => SipText.IsReadable(e.Message) ? e.Message : "a text.",
    };

    private void Apply(string name, object? value)
    {
        T To<T>() => LanguagePrimitives.ConvertTo<T>(value);
        // PowerShell takes the text 'false' for true; a certificate check must not be lost by that.
        bool Flag() => value is bool or SwitchParameter or PSObject { BaseObject: bool } ? To<bool>() : throw new PSInvalidCastException("$true or $false.");
        TimeSpan? Time() => (TimeSpan?)new SecondsAttribute().Transform(null!, value!);
        switch (name)
        {
            case "COMPUTERNAME" or "HOST": ComputerName = To<string>(); break;
            case "TYPE": Type = To<SipServerType>(); break;
            case "PORT": Port = To<int>(); break;
            case "CREDENTIAL": Credential = To<PSCredential>(); break;
            case "NAME": Name = To<string>(); break;
            case "USETLS": UseTls = Flag(); break;
            case "SKIPCERTIFICATECHECK": SkipCertificateCheck = Flag(); break;
            case "CERTIFICATEAUTHORITY": CertificateAuthority = To<string>(); break;
            case "APIKEY": ApiKey = value as SecureString ?? (value as PSObject)?.BaseObject as SecureString ?? throw new PSInvalidCastException("a SecureString, as Read-Host -AsSecureString gives it."); break;
            case "SPACE": Space = To<string>(); break;
            case "PATH": Path = To<string>(); break;
            case "EVENTADDRESS": EventAddress = To<string>(); break;
            case "POLLINTERVAL": PollInterval = Time(); break;
            case "ENDPOINTTEMPLATE": EndpointTemplate = To<string>(); break;
            case "CONTEXT": Context = To<string>(); break;
            case "CONNECTTIMEOUT": ConnectTimeout = Time(); break;
            case "REQUESTTIMEOUT": RequestTimeout = Time(); break;
            case "RINGTIMEOUT": RingTimeout = Time(); break;
            case "KEEPALIVE": KeepAlive = Time(); break;
            case "RECONNECTATTEMPTS": ReconnectAttempts = To<int>(); break;
            case "RECONNECTDELAY": _reconnectDelay = Time(); break;
            case "RECONNECTMAXDELAY": _reconnectMaxDelay = Time(); break;
            case "RECONNECTFACTOR": _reconnectFactor = To<double>(); break;
            case "MAXCALLS": MaxCalls = To<int?>(); break;
            case "MAXCALLSPERSECOND": MaxCallsPerSecond = To<double?>(); break;
            case "CIRCUITCOOLDOWN": _circuitCoolDown = Time(); break;
            case "EVENTBUFFER": _eventBuffer = To<int>(); break;
            case "HISTORYSIZE": _historySize = To<int>(); break;
        }
    }
}
