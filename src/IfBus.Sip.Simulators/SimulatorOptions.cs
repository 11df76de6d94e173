namespace IfBus.Sip.Simulators;

/// <summary>How a simulated server is set up, of whatever kind.</summary>
public abstract class SimulatorOptions
{
    /// <summary>Version to play.</summary>
    public string Version { get; init; } = "";

    /// <summary>A user that may do everything.</summary>
    public string User { get; init; } = "";

    /// <summary>Its secret.</summary>
    public string Secret { get; init; } = "";

    /// <summary>Port on 127.0.0.1; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>How long a phone rings before it answers.</summary>
    public TimeSpan RingTime { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long the socket may take nothing, because a client does not read, before it is cut off. Asterisk's writetimeout is 100 ms; a busy test machine needs more.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the port is closed during a restart.</summary>
    public TimeSpan RestartTime { get; init; } = TimeSpan.FromMilliseconds(500);

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

    /// <summary>Tells the outcome of a call before the first event of its channel, as a real server now and then does.</summary>
    public bool Reorder { get; set; }
}
