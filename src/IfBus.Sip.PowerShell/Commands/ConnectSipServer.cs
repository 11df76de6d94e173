using System.Management.Automation;
using IfBus.Sip.PowerShell.Hosting;
using IfBus.Sip.PowerShell.Profiles;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Connects to a server.</summary>
[Cmdlet(VerbsCommunications.Connect, "SipServer", DefaultParameterSetName = "Host")]
[OutputType(typeof(SipServer))]
public sealed class ConnectSipServer : ConfigurationCmdlet
{
    private string? _connecting;

    // As it stood before objects came down the pipeline.
    private string? _asked;

    /// <summary>A registered server, as Get-SipServer -Registered gives it.</summary>
    // On the pipeline in the default set too: the engine would take its Host alone for the parameter of that name.
    [Parameter(ValueFromPipeline = true, ParameterSetName = "Host")]
    [Parameter(Mandatory = true, ParameterSetName = "Registered")]
    public SipServerProfile? InputObject { get; set; }

    private protected override string? StillRunning() =>
        _connecting is null ? null : $"Stopped. There is no connection to {_connecting}; nothing was changed on the server.";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        _asked = ComputerName;
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        SipServerProfile? profile = InputObject ?? Registered();
        SipServerConfiguration configuration = Read(profile, out List<SipConfigurationProblem> problems);
        configuration.Name ??= configuration.Host;
        if (profile is not null && problems.Count == 0) LogIn(configuration, profile);
        problems = Check(configuration, problems);
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

    // What is registered under the name that was given.
    private SipServerProfile? Registered()
    {
        if (_asked is null) return null;
        try
        {
            if (ProfileStore.Find(_asked) is not { } profile) return null;
            WriteVerbose($"'{profile.Name}' is a registered server ({profile.Host}); its name goes before that of a host.");
            return profile;
        }
        catch (ProfileException e)
        {
            // A host can be connected to without.
            WriteWarning($"{e.Message} '{_asked}' is taken for a host name.");
            return null;
        }
    }

    // The secret of a registered server: given, known from its connection, from the vault, or asked for.
    private void LogIn(SipServerConfiguration configuration, SipServerProfile profile)
    {
        if (configuration.Credential is not null || configuration.ApiKey is not null || profile.Login is null) return;
        if (Store.Find(configuration.Name!)?.Configuration is { } known && string.Equals(known.Host, configuration.Host, StringComparison.OrdinalIgnoreCase))
        {
            (configuration.Credential, configuration.ApiKey) = (known.Credential, known.ApiKey);
            return;
        }

        try
        {
            var secrets = new ProfileSecrets(this);
            if (profile.Login == nameof(ApiKey)) ServerSetting.Find(nameof(ApiKey))!.Apply(configuration, secrets.ApiKey(profile));
            else ServerSetting.Find(nameof(Credential))!.Apply(configuration, secrets.Credential(profile));
        }
        catch (ProfileException e)
        {
            ThrowTerminatingError(Errors.Record(e, profile.Name));
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
