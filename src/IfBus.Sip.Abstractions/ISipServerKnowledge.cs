namespace IfBus.Sip;

/// <summary>What a server knows besides its calls. All may throw <see cref="SipNotSupportedException"/>.</summary>
public interface ISipServerKnowledge
{
    /// <summary>Where phones can be reached: registered ones, and addresses that stand in the configuration.</summary>
    Task<IReadOnlyList<SipRegistration>> GetRegistrationsAsync(CancellationToken cancellationToken);

    /// <summary>The server's endpoints and trunks, and how they stand.</summary>
    Task<IReadOnlyList<SipGateway>> GetGatewaysAsync(CancellationToken cancellationToken);

    /// <summary>Adds a contact, as if a phone had registered it; returns it as the server then has it.</summary>
    /// <exception cref="SipArgumentException">A value is refused; nothing was sent.</exception>
    Task<SipRegistration> AddRegistrationAsync(SipRegistrationRequest request, CancellationToken cancellationToken);

    /// <summary>Removes a contact, or all contacts of an address of record. The phone is not told and may register again.</summary>
    /// <param name="aor">Address of record as <see cref="SipRegistration.Aor"/> has it.</param>
    /// <param name="contact">One of its contact URIs; null for all.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <exception cref="SipRejectedException">It is not registered.</exception>
    Task RemoveRegistrationAsync(string aor, string? contact, CancellationToken cancellationToken);

    /// <summary>Puts a trunk in or out of use; returns it as the server then has it.</summary>
    /// <param name="name">As <see cref="SipGateway.Name"/> has it.</param>
    /// <param name="change">What is to be.</param>
    /// <param name="cancellationToken">The caller's.</param>
    Task<SipGateway> SetGatewayAsync(string name, SipGatewayChange change, CancellationToken cancellationToken);

    /// <summary>Has the server read its list of trunks again.</summary>
    Task ReloadGatewaysAsync(CancellationToken cancellationToken);

    /// <summary>The server's queues; one if a name is given.</summary>
    Task<IReadOnlyList<SipQueue>> GetQueuesAsync(string? name, CancellationToken cancellationToken);

    /// <summary>Counters of the server.</summary>
    Task<SipStatistic> GetStatisticsAsync(CancellationToken cancellationToken);

    /// <summary>Calls that ended while we were connected, the last of them, oldest first. Asks the server nothing.</summary>
    IReadOnlyList<SipCall> EndedCalls { get; }
}

/// <summary>Where a phone can be reached.</summary>
public sealed record SipRegistration
{
    /// <summary>Address of record, as the server names it.</summary>
    public required string Aor { get; init; }

    /// <summary>Contact URI.</summary>
    public required string Contact { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>True if it stands in the configuration and was not registered.</summary>
    public bool Static { get; init; }

    /// <summary>The server's word for how it stands, for instance Reachable, Unreachable, NonQualified.</summary>
    public string? Status { get; init; }

    /// <summary>True or false if the server tests it, else null.</summary>
    public bool? Reachable { get; init; }

    /// <summary>Time of the last test's answer.</summary>
    public TimeSpan? RoundTrip { get; init; }

    /// <summary>When it expires, UTC; null for a static one.</summary>
    public DateTime? ExpiresAt { get; init; }

    /// <summary>The phone's User-Agent.</summary>
    public string? UserAgent { get; init; }

    /// <summary>The server's fields.</summary>
    public SipFieldCollection Fields { get; init; } = SipFieldCollection.Empty;

    /// <inheritdoc/>
    public override string ToString() => $"{Aor} at {Contact}";
}

/// <summary>A contact to add.</summary>
public sealed record SipRegistrationRequest
{
    /// <summary>Address of record, as the server names them.</summary>
    public required string Aor { get; init; }

    /// <summary>Contact URI.</summary>
    public required string Contact { get; init; }

    /// <summary>How long it is to stay; null: for good.</summary>
    public TimeSpan? Expires { get; init; }
}

/// <summary>How a trunk is to be used.</summary>
public enum SipGatewayState
{
    /// <summary>Calls go to it.</summary>
    Active,

    /// <summary>No calls go to it; its health is tested where the server does so.</summary>
    Inactive,

    /// <summary>As active, until tests say otherwise.</summary>
    Trying,

    /// <summary>Out of use: neither calls nor tests.</summary>
    Disabled,
}

/// <summary>What is to change about a trunk.</summary>
public sealed record SipGatewayChange
{
    /// <summary>How it is to be used.</summary>
    public required SipGatewayState State { get; init; }

    /// <summary>True: the server tests its health; null leaves that to the server.</summary>
    public bool? Probing { get; init; }
}

/// <summary>An endpoint or trunk of a server.</summary>
public sealed record SipGateway
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>The server's word for its state, for instance Not in use, In use, Unavailable.</summary>
    public string? Status { get; init; }

    /// <summary>False if the server says that it cannot be reached.</summary>
    public bool Available { get; init; }

    /// <summary>Channels that are up on it.</summary>
    public int? ActiveChannels { get; init; }

    /// <summary>Contact URIs.</summary>
    public IReadOnlyList<string> Contacts { get; init => field = SipList<string>.Of(value); } = SipList<string>.Empty;

    /// <summary>The server's fields.</summary>
    public SipFieldCollection Fields { get; init; } = SipFieldCollection.Empty;

    /// <inheritdoc/>
    public override string ToString() => Name;
}

#pragma warning disable CA1711 // a queue of calls is what the field calls it
/// <summary>A call queue.</summary>
public sealed record SipQueue
#pragma warning restore CA1711
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>How members are chosen, by the server's word.</summary>
    public string? Strategy { get; init; }

    /// <summary>Who waits.</summary>
    public IReadOnlyList<SipQueueEntry> Waiting { get; init => field = SipList<SipQueueEntry>.Of(value); } = SipList<SipQueueEntry>.Empty;

    /// <summary>Who answers.</summary>
    public IReadOnlyList<SipQueueMember> Members { get; init => field = SipList<SipQueueMember>.Of(value); } = SipList<SipQueueMember>.Empty;

    /// <summary>Calls answered since the server's counters began.</summary>
    public int? Completed { get; init; }

    /// <summary>Calls that hung up while they waited.</summary>
    public int? Abandoned { get; init; }

    /// <summary>Average wait.</summary>
    public TimeSpan? HoldTime { get; init; }

    /// <summary>Average talk.</summary>
    public TimeSpan? TalkTime { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Somebody who waits in a queue.</summary>
/// <param name="Position">Place, from 1.</param>
/// <param name="Channel">The channel.</param>
/// <param name="Number">Caller id number.</param>
/// <param name="Wait">Time so far, to the second.</param>
public sealed record SipQueueEntry(int? Position, string? Channel, string? Number, TimeSpan? Wait)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Position}: {Number ?? Channel}{(Wait is { } wait ? $" ({wait.TotalSeconds:0} s)" : "")}";
}

/// <summary>Somebody who answers a queue.</summary>
/// <param name="Name">Name.</param>
/// <param name="Location">What is dialled.</param>
/// <param name="Status">Device state by the server's word.</param>
/// <param name="Paused">Is not called.</param>
/// <param name="InCall">Talks.</param>
/// <param name="CallsTaken">Calls answered.</param>
public sealed record SipQueueMember(string? Name, string? Location, string? Status, bool Paused, bool InCall, int? CallsTaken)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name ?? Location} ({Status})";
}

/// <summary>Counters of a server.</summary>
public sealed record SipStatistic
{
    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>Kind of server.</summary>
    public SipServerType ServerType { get; init; }

    /// <summary>Version as the server says it.</summary>
    public string? Version { get; init; }

    /// <summary>When the server started, UTC.</summary>
    public DateTime? StartedAt { get; init; }

    /// <summary>Time since then.</summary>
    public TimeSpan? Uptime { get; init; }

    /// <summary>Calls up now, as the server counts them.</summary>
    public int? ActiveCalls { get; init; }

    /// <summary>Channels (legs) up now.</summary>
    public int? ActiveChannels { get; init; }

    /// <summary>Calls since the start, as the server counts them.</summary>
    public long? ProcessedCalls { get; init; }

    /// <summary>The most calls that the server takes; null for no limit.</summary>
    public int? MaxCalls { get; init; }

    /// <summary>The server's fields.</summary>
    public SipFieldCollection Fields { get; init; } = SipFieldCollection.Empty;

    /// <inheritdoc/>
    public override string ToString() => $"{Server}: {ActiveCalls} calls";
}
