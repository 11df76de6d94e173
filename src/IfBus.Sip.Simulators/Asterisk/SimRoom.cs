namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>A conference room.</summary>
internal sealed class SimRoom(string name, string bridge)
{
    public string Name { get; } = name;

    public string Bridge { get; } = bridge;

    public List<SimChannel> Members { get; } = [];

    public HashSet<SimChannel> Muted { get; } = [];

    public bool Locked { get; set; }

    public bool Recording { get; set; }

    /// <summary>Its announcer is in it.</summary>
    public bool IsOpen { get; set; }

    /// <summary>All in its bridge: the announcer and the recorder are channels too.</summary>
    public int Channels => IsOpen ? Members.Count + 1 + (Recording ? 1 : 0) : 0;
}

/// <summary>An attended transfer that goes on.</summary>
/// <param name="Other">Who waits with music.</param>
/// <param name="One">The half of the Local channel that the transferer talks with.</param>
/// <param name="Two">The half that is in the dialplan.</param>
/// <param name="OldBridge">Where the first two talked.</param>
/// <param name="NewBridge">Where the consultation is.</param>
internal sealed record SimConsult(SimChannel Other, SimChannel One, SimChannel Two, string OldBridge, string NewBridge)
{
    /// <summary>The destination has answered.</summary>
    public bool Answered { get; set; }
}
