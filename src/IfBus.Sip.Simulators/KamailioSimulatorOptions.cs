namespace IfBus.Sip.Simulators;

/// <summary>How a simulated Kamailio is set up. User and Secret are what its script asks for, as HTTP Basic, or the Secret alone as a Bearer token; without a Secret it asks for nothing.</summary>
public sealed class KamailioSimulatorOptions : SimulatorOptions
{
    /// <summary>The defaults: 5.6.3, no login.</summary>
    public KamailioSimulatorOptions() => Version = "5.6.3";

    /// <summary>The path that the script tests.</summary>
    public string Path { get; init; } = "/RPC";

    /// <summary>tcp_rd_buf_size: head and body of a request; a larger one costs the connection, without an answer.</summary>
    public int ReadBuffer { get; init; } = 16384;

    /// <summary>pretty_format of jsonrpcs, on as in the module's own default.</summary>
    public bool PrettyFormat { get; init; } = true;

    /// <summary>How long an ended dialog stays in the list.</summary>
    public TimeSpan DialogLinger { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Commands that it does not have, as if their modules were not loaded.</summary>
    public IReadOnlyList<string> MissingMethods { get; init; } = [];
}
