namespace IfBus.Sip.Simulators;

/// <summary>One user of a simulated FreeSWITCH's directory that may log in with userauth.</summary>
public sealed class FreeSwitchSimulatorUser
{
    /// <summary>User name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Its domain.</summary>
    public string Domain { get; init; } = "127.0.0.1";

    /// <summary>esl-password.</summary>
    public string Password { get; init; } = "";

    /// <summary>esl-allowed-events: names with blanks between; null is all.</summary>
    public string? AllowedEvents { get; init; }

    /// <summary>esl-allowed-api: names with blanks between; null is all.</summary>
    public string? AllowedApi { get; init; }

    /// <summary>esl-allowed-log.</summary>
    public bool AllowLog { get; init; }
}

/// <summary>A phone that is registered at a simulated FreeSWITCH.</summary>
/// <param name="User">User part of its address.</param>
/// <param name="Contact">Where it is, as a SIP address.</param>
public sealed record FreeSwitchSimulatorRegistration(string User, string Contact);

/// <summary>How a simulated FreeSWITCH is set up.</summary>
public sealed class FreeSwitchSimulatorOptions : SimulatorOptions
{
    /// <summary>The defaults: 1.10.12, the password ClueCon.</summary>
    public FreeSwitchSimulatorOptions()
    {
        Version = "1.10.12";
        User = "freeswitch";
        Secret = "ClueCon";
    }

    /// <summary>More users for userauth, with fewer rights. The one of <see cref="SimulatorOptions.User"/> may do everything, in any domain.</summary>
    public IReadOnlyList<FreeSwitchSimulatorUser> Users { get; init; } = [];

    /// <summary>How long a client has for its first command.</summary>
    public TimeSpan AuthTimeout { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>Time between HEARTBEAT events; zero for none.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>max-sessions: legs that may exist. FreeSWITCH's own sample has 1000.</summary>
    public int MaxSessions { get; init; } = 25_000;

    /// <summary>sessions-per-second: legs that may be made in one second. FreeSWITCH's own sample has 30.</summary>
    public int SessionsPerSecond { get; init; } = 25_000;

    /// <summary>Gateways that sofia status tells of; one that begins with unreach is down. Calls go through any that does not begin with nosuch.</summary>
    public IReadOnlyList<string> Gateways { get; init; } = ["answer", "busy", "decline", "ring", "notfound", "bye", "early", "unreach"];

    /// <summary>Phones that are registered.</summary>
    public IReadOnlyList<FreeSwitchSimulatorRegistration> Registrations { get; init; } = [new("1001", "sip:1001@127.0.0.1:5062"), new("1002", "sip:1002@127.0.0.1:5063")];
}
