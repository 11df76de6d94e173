using System.Net;

namespace IfBus.Sip;

/// <summary>Everything needed to reach one server. Checked as a whole: <see cref="ISipAdapterFactory.Validate"/> lists every problem.</summary>
public sealed class SipServerConfiguration
{
    /// <summary>Kind of server.</summary>
    public SipServerType? Type { get; set; }

    /// <summary>Name of the connection; the host where it is not given.</summary>
    public string? Name { get; set; }

    /// <summary>Host name or address.</summary>
    public string? Host { get; set; }

    /// <summary>TCP port, 1 to 65535; the kind's usual port where it is not given.</summary>
    public int? Port { get; set; }

    /// <summary>User and secret. The secret leaves this object only into the login.</summary>
    public NetworkCredential? Credential { get; set; }

    /// <summary>Flexisip: the web host of the space, where it is not <see cref="Host"/>: the server chooses the space by it.</summary>
    public string? Space { get; set; }

    /// <summary>Speak TLS. Never falls back to clear text.</summary>
    public bool UseTls { get; set; }

    /// <summary>Accept any server certificate. For tests only.</summary>
    public bool SkipCertificateCheck { get; set; }

    /// <summary>A file (PEM) with the certificates of a certification authority of your own: with TLS, only what it has issued is trusted. Null: what this machine trusts.</summary>
    public string? CertificateAuthority { get; set; }

    /// <summary>A key or token that logs in by itself, for servers over HTTP: sent as a Bearer token, or as the server wants it. Never shown.</summary>
    public string? ApiKey { get; set; }

    /// <summary>Servers over HTTP: the path that requests go to; the kind's usual one where it is not given.</summary>
    public string? Path { get; set; }

    /// <summary>Servers whose events come by a connection of their own: where that is, <c>host:port</c> or a port. Kamailio: the evapi socket that we connect to; null: none, the calls are polled.</summary>
    public string? EventAddress { get; set; }

    /// <summary>Servers without events: how often their calls are asked for. 100 ms to one hour.</summary>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Time to connect and log in. More than zero, at most a day.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Time for one request. More than zero, at most a day.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a called leg may ring, unless the call says otherwise. More than zero, at most a day.</summary>
    public TimeSpan RingTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often a silent connection is tested; the answer must come within the same time. More than zero, at most a day.</summary>
    public TimeSpan KeepAlive { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>What happens when the connection is lost.</summary>
    public SipReconnectPolicy Reconnect { get; set; } = new();

    /// <summary>How a bare number becomes the server's own address of a phone; <c>{0}</c> is the number. Asterisk: <c>PJSIP/{0}</c>.</summary>
    public string? EndpointTemplate { get; set; }

    /// <summary>Where called numbers are looked up (Asterisk: dialplan context). Asterisk: <c>default</c>.</summary>
    public string? Context { get; set; }

    /// <summary>Calls of ours that may be placed or live at once; more wait. 1 to 1 000 000; null: no limit.</summary>
    public int? MaxCalls { get; set; }

    /// <summary>Calls that may be placed in a second; more wait. More than zero, at most 10 000; a fraction means one in several seconds. Null: no limit.</summary>
    public double? MaxCallsPerSecond { get; set; }

    /// <summary>How long a server is not chosen after three calls in a row failed by its fault. More than zero, at most a day.</summary>
    public TimeSpan CircuitCoolDown { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Events that one slow subscriber may leave unread before the oldest are dropped and counted. 16 to 10 000 000.</summary>
    public int EventBuffer { get; set; } = 10_000;

    /// <summary>Most ended calls and detail records kept in memory, each. 0 to 10 000 000.</summary>
    public int HistorySize { get; set; } = 10_000;
}

/// <summary>When and how often a lost connection is tried again: full jitter, wait = random(0, min(cap, base × factor^n)).</summary>
public sealed class SipReconnectPolicy
{
    /// <summary>Attempts before giving up. Null: without end. 0: never reconnect.</summary>
    public int? MaxAttempts { get; set; }

    /// <summary>First upper bound of the wait.</summary>
    public TimeSpan BaseDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>What the bound grows by, 1 to 10.</summary>
    public double Factor { get; set; } = 2;

    /// <summary>Where it stops growing.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromSeconds(300);
}

/// <summary>One thing that is wrong with a configuration.</summary>
/// <param name="Parameter">Which setting.</param>
/// <param name="Value">What it is. Never a secret.</param>
/// <param name="Rule">What is allowed.</param>
public sealed record SipConfigurationProblem(string Parameter, string? Value, string Rule)
{
    /// <inheritdoc/>
    public override string ToString() => string.IsNullOrEmpty(Value) ? $"{Parameter}: {Rule}" : $"{Parameter} '{SipText.Printable(Value)}': {Rule}";
}
