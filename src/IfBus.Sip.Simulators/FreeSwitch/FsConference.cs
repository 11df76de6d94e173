namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>One leg in a room.</summary>
internal sealed class FsMember(int id, FsChannel channel, long joinedAt)
{
    public int Id { get; } = id;

    public FsChannel Channel { get; } = channel;

    /// <summary>Microseconds since 1970.</summary>
    public long JoinedAt { get; } = joinedAt;

    public bool Speaks { get; set; } = true;

    public bool Hears { get; set; } = true;

    public bool OnHold { get; set; }
}

/// <summary>A room.</summary>
internal sealed class FsConference(string name, string profile, long startedAt)
{
    public string Name { get; } = name;

    public string Profile { get; } = profile;

    public string Uuid { get; } = ByteText.NewId();

    /// <summary>Microseconds since 1970.</summary>
    public long StartedAt { get; } = startedAt;

    public bool Locked { get; set; }

    /// <summary>Paths of its recordings.</summary>
    public List<string> Recordings { get; } = [];

    /// <summary>In the order they came.</summary>
    public List<FsMember> Members { get; } = [];

    /// <summary>Who is heard best.</summary>
    public FsMember? Floor { get; set; }
}
