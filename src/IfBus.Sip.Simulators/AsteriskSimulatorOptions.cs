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
public sealed class AsteriskSimulatorOptions
{
    /// <summary>Version to play. One that begins with <c>16.</c> greets, and tells causes, as 16.28 does.</summary>
    public string Version { get; init; } = "22.10.1";

    /// <summary>A user that may do everything.</summary>
    public string User { get; init; } = "ifbus";

    /// <summary>Its secret.</summary>
    public string Secret { get; init; } = "ifbus-secret";

    /// <summary>Port on 127.0.0.1; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>More users, with fewer rights.</summary>
    public IReadOnlyList<AsteriskSimulatorUser> Users { get; init; } = [];

    /// <summary>How long a phone rings before it answers.</summary>
    public TimeSpan RingTime { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long the server takes to refuse a login; the real one takes a second.</summary>
    public TimeSpan LoginRefusalDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the socket may take nothing, because a client does not read, before it is cut off. The real server's writetimeout is 100 ms; a busy test machine needs more.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the port is closed during a restart.</summary>
    public TimeSpan RestartTime { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Speak TLS with this certificate.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Faults to begin with.</summary>
    public SimulatorFaults Faults { get; init; } = new();

    /// <summary>The clock that phones ring by.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>What can be made to go wrong, at any time while a simulator runs.</summary>
public sealed class SimulatorFaults
{
    /// <summary>Writes in pieces of one to seven bytes: every message is cut somewhere, line ends and characters too.</summary>
    public bool SplitWrites { get; set; }

    /// <summary>Waits so long before each write.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Accepts and reads, but writes nothing.</summary>
    public bool Stall { get; set; }

    /// <summary>Closes new connections at once.</summary>
    public bool RefuseConnections { get; set; }

    /// <summary>Sends OriginateResponse before the first event of its channel, as a real server now and then does.</summary>
    public bool Reorder { get; set; }
}
