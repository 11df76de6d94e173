using System.Net;
using IfBus.Sip.Adapters.Asterisk;
using IfBus.Sip.Adapters.Detection;
using IfBus.Sip.Adapters.Diagnostics;
using IfBus.Sip.Adapters.Flexisip;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Adapters.Kamailio;
using IfBus.Sip.Adapters.OpenSips;
using IfBus.Sip.Adapters.Yate;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace IfBus.Sip.Adapters;

/// <summary>The door to the adapters. The module makes one by name, from the load context that holds this library.</summary>
public sealed class SipAdapterFactory : ISipAdapterFactory
{
    private readonly TimeProvider _time;

    /// <summary>A factory on the system's clock.</summary>
    public SipAdapterFactory()
        : this(TimeProvider.System)
    {
    }

    /// <summary>A factory on another clock, for tests.</summary>
    internal SipAdapterFactory(TimeProvider time) => _time = time;

    /// <inheritdoc/>
    public IReadOnlyList<SipConfigurationProblem> Validate(SipServerConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        var problems = new List<SipConfigurationProblem>();
        ConfigurationValidator.Check(configuration, problems);
        switch (configuration.Type)
        {
            case SipServerType.Asterisk:
                AsteriskAdapter.Check(configuration, problems);
                break;
            case SipServerType.FreeSwitch:
                FreeSwitchAdapter.Check(configuration, problems);
                break;
            case SipServerType.Yate:
                YateAdapter.Check(configuration, problems);
                break;
            case SipServerType.Kamailio:
                KamailioAdapter.Check(configuration, problems);
                break;
            case SipServerType.Flexisip:
                FlexisipAdapter.Check(configuration, problems);
                break;
            case SipServerType.OpenSips:
                OpenSipsAdapter.Check(configuration, problems);
                break;
        }

        return problems;
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<SipServerFinding>> DetectAsync(string host, IReadOnlyList<int>? ports, string? path, TimeSpan timeout, CancellationToken cancellationToken) =>
        new ServerDetector(host, path, _time).FindAsync(ports, timeout, cancellationToken);

    /// <inheritdoc/>
    public ISipAdapter Create(SipServerConfiguration configuration, ISipLog? log)
    {
        IReadOnlyList<SipConfigurationProblem> problems = Validate(configuration);
        if (problems.Count > 0) throw new SipConfigurationException(problems);
        ILogger logger = log is null ? NullLogger.Instance : new LogBridge(log);
        return configuration.Type switch
        {
            SipServerType.OpenSips => new OpenSipsAdapter(Complete(configuration), logger, _time),
            SipServerType.Kamailio => new KamailioAdapter(Complete(configuration), logger, _time),
            SipServerType.FreeSwitch => new FreeSwitchAdapter(Complete(configuration), logger, _time),
            SipServerType.Yate => new YateAdapter(Complete(configuration), logger, _time),
            SipServerType.Flexisip => new FlexisipAdapter(Complete(configuration), logger, _time),
            _ => new AsteriskAdapter(Complete(configuration), logger, _time),
        };
    }

    /// <inheritdoc/>
    public SipServerConfiguration Complete(SipServerConfiguration configuration)
    {
        SipServerConfiguration copy = Copy(configuration);
        copy.Name ??= copy.Host;
        if (copy.Type == SipServerType.Asterisk) AsteriskAdapter.Complete(copy);
        else if (copy.Type == SipServerType.FreeSwitch) FreeSwitchAdapter.Complete(copy);
        else if (copy.Type == SipServerType.Yate) YateAdapter.Complete(copy);
        else if (copy.Type == SipServerType.Kamailio) KamailioAdapter.Complete(copy);
        else if (copy.Type == SipServerType.Flexisip) FlexisipAdapter.Complete(copy);
        else if (copy.Type == SipServerType.OpenSips) OpenSipsAdapter.Complete(copy);
        return copy;
    }

    // What the caller changes later must not change a living connection.
    private static SipServerConfiguration Copy(SipServerConfiguration c) => new()
    {
        Type = c.Type,
        Name = c.Name,
        Host = c.Host,
        Port = c.Port,
        Credential = c.Credential is null ? null : new NetworkCredential(c.Credential.UserName, c.Credential.Password),
        UseTls = c.UseTls,
        SkipCertificateCheck = c.SkipCertificateCheck,
        CertificateAuthority = c.CertificateAuthority,
        ApiKey = c.ApiKey,
        Space = c.Space,
        Path = c.Path,
        EventAddress = c.EventAddress,
        PollInterval = c.PollInterval,
        ConnectTimeout = c.ConnectTimeout,
        RequestTimeout = c.RequestTimeout,
        RingTimeout = c.RingTimeout,
        KeepAlive = c.KeepAlive,
        Reconnect = new SipReconnectPolicy
        {
            MaxAttempts = c.Reconnect.MaxAttempts,
            BaseDelay = c.Reconnect.BaseDelay,
            Factor = c.Reconnect.Factor,
            MaxDelay = c.Reconnect.MaxDelay,
        },
        EndpointTemplate = c.EndpointTemplate,
        Context = c.Context,
        MaxCalls = c.MaxCalls,
        MaxCallsPerSecond = c.MaxCallsPerSecond,
        CircuitCoolDown = c.CircuitCoolDown,
        EventBuffer = c.EventBuffer,
        HistorySize = c.HistorySize,
    };
}
