using System.Security.Cryptography.X509Certificates;

namespace IfBus.Sip.Simulators;

/// <summary>One user of a simulated Asterisk, as in manager.conf.</summary>
public sealed class AsteriskSimulatorUser
{
    /// <summary>User name.</summary>
    public string Name { get; init; } = "";

    /// <summary>Secret.</summary>
    public string Secret { get; init; } = "";

    /// <summary>Classes of events that it is sent, with commas, or all.</summary>
    public string Read { get; init; } = "all";

    /// <summary>Classes of actions that it may use, with commas, or all.</summary>
    public string Write { get; init; } = "all";
}

/// <summary>How a simulated Asterisk is set up.</summary>
public sealed class AsteriskSimulatorOptions : SimulatorOptions
{
    /// <summary>The defaults: 22.10.1, a user named ifbus.</summary>
    public AsteriskSimulatorOptions()
    {
        // One that begins with 16. greets, and tells causes, as 16.28 does.
        Version = "22.10.1";
        User = "ifbus";
        Secret = "ifbus-secret";
    }

    /// <summary>More users, with fewer rights.</summary>
    public IReadOnlyList<AsteriskSimulatorUser> Users { get; init; } = [];

    /// <summary>How long the server takes to refuse a login; the real one takes a second.</summary>
    public TimeSpan LoginRefusalDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Speak TLS with this certificate.</summary>
    public X509Certificate2? Certificate { get; init; }
}
