namespace IfBus.Sip.Simulators;

/// <summary>How a simulated Yate is set up.</summary>
public sealed class YateSimulatorOptions : SimulatorOptions
{
    /// <summary>The defaults: 6.4.1, and nobody who has to log in: the protocol knows neither user nor secret.</summary>
    public YateSimulatorOptions() => Version = "6.4.1";

    /// <summary>The role that the listener gives its clients: global, or empty if a client has to ask for it with %%&gt;connect.</summary>
    public string Role { get; init; } = "global";

    /// <summary>Name of the node.</summary>
    public string NodeName { get; init; } = "yate1";

    /// <summary>Worker threads of the engine. Each message that waits for a client's answer holds one.</summary>
    public int MaxWorkers { get; init; } = 30;

    /// <summary>How long a handler has for its answer; milliseconds.</summary>
    public int HandlerTimeout { get; init; } = 10_000;

    /// <summary>How long a call may last; milliseconds (telephony timeout).</summary>
    public int Timeout { get; init; } = 600_000;

    /// <summary>How long a file plays.</summary>
    public TimeSpan PlayTime { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long phones at 43xx talk before they hang up.</summary>
    public TimeSpan TalkTime { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a phone's answer takes on the wire.</summary>
    public TimeSpan NetworkTime { get; init; } = TimeSpan.FromMilliseconds(6);

    /// <summary>Phones that may register, with their passwords (regfile).</summary>
    public IReadOnlyDictionary<string, string> Users { get; init; } = new Dictionary<string, string> { ["alice"] = "test-alice-1" };
}
