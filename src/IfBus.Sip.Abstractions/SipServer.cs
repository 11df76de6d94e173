namespace IfBus.Sip;

/// <summary>A connection to a server as it stood at one moment. Flat data; hand it to -Server to use the connection.</summary>
public sealed record SipServer
{
    /// <summary>Name of the connection.</summary>
    public required string Name { get; init; }

    /// <summary>Kind of server.</summary>
    public required SipServerType Type { get; init; }

    /// <summary>Host name or address.</summary>
    public required string Host { get; init; }

    /// <summary>TCP port.</summary>
    public required int Port { get; init; }

    /// <summary>Login name, if any.</summary>
    public string? User { get; init; }

    /// <summary>True if the connection is encrypted.</summary>
    public bool Tls { get; init; }

    /// <summary>Where the connection stands.</summary>
    public required ConnectionState State { get; init; }

    /// <summary>What the server says it is, for instance <c>Asterisk 22.10.1</c>.</summary>
    public string? Version { get; init; }

    /// <summary>When the server started, UTC, if it says.</summary>
    public DateTime? StartedAt { get; init; }

    /// <summary>When we logged in last, UTC.</summary>
    public DateTime? ConnectedAt { get; init; }

    /// <summary>How often the connection was lost and came back.</summary>
    public int Reconnects { get; init; }

    /// <summary>Live calls that we know of.</summary>
    public int ActiveCalls { get; init; }

    /// <summary>Calls of ours that may be placed or live at once; null: no limit.</summary>
    public int? MaxCalls { get; init; }

    /// <summary>Calls that may be placed in a second; null: no limit.</summary>
    public double? MaxCallsPerSecond { get; init; }

    /// <summary>Calls that these limits hold back now.</summary>
    public int WaitingCalls { get; init; }

    /// <summary>True if these limits would hold back a call that is made now.</summary>
    public bool AtLimit { get; init; }

    /// <summary>What its last calls say of it.</summary>
    public CircuitState Circuit { get; init; }

    /// <summary>Average round trip of the last 100 operations; null if none has succeeded yet.</summary>
    public TimeSpan? AverageLatency { get; init; }

    /// <summary>What the server can do for this login.</summary>
    public SipCapabilities Capabilities { get; init; }

    /// <summary>Why the connection is not there, if it is not.</summary>
    public string? LastError { get; init; }

    /// <summary>True for the server that cmdlets use when -Server is left out.</summary>
    public bool IsDefault { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>How a server does: a fresh measurement and the last 100 operations.</summary>
public sealed record SipServerHealth
{
    /// <summary>Name of the connection.</summary>
    public required string Server { get; init; }

    /// <summary>Kind of server.</summary>
    public required SipServerType ServerType { get; init; }

    /// <summary>The verdict; see <see cref="HealthState"/>.</summary>
    public required HealthState Health { get; init; }

    /// <summary>Where the connection stands.</summary>
    public required ConnectionState State { get; init; }

    /// <summary>Round trip of the cheap request made just now; null if it failed.</summary>
    public TimeSpan? Latency { get; init; }

    /// <summary>Average round trip of the last 100 operations; null if there were none.</summary>
    public TimeSpan? AverageLatency { get; init; }

    /// <summary>Failed part of the last 100 operations, 0 to 1.</summary>
    public double FailureRate { get; init; }

    /// <summary>How many operations that is.</summary>
    public int Operations { get; init; }

    /// <summary>What the server says it is.</summary>
    public string? Version { get; init; }

    /// <summary>How long it has been up, if it says.</summary>
    public TimeSpan? Uptime { get; init; }

    /// <summary>Live calls by the server's own count, if it says.</summary>
    public int? ActiveCalls { get; init; }

    /// <summary>What is wrong, if anything.</summary>
    public string? Message { get; init; }
}

/// <summary>A call detail record as the server wrote it. Times are UTC.</summary>
public sealed record SipCallDetailRecord
{
    /// <summary>The call it belongs to; null if that call was never seen.</summary>
    public string? CallId { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>Kind of server.</summary>
    public required SipServerType ServerType { get; init; }

    /// <summary>The server's id of the leg that the record is about.</summary>
    public string? LegId { get; init; }

    /// <summary>Calling number.</summary>
    public string? From { get; init; }

    /// <summary>Called number or extension.</summary>
    public string? To { get; init; }

    /// <summary>Caller id as the server writes it.</summary>
    public string? CallerId { get; init; }

    /// <summary>The calling leg.</summary>
    public string? Channel { get; init; }

    /// <summary>The called leg, if there was one.</summary>
    public string? DestinationChannel { get; init; }

    /// <summary>Begin.</summary>
    public DateTime? StartedAt { get; init; }

    /// <summary>Answer, if it was answered.</summary>
    public DateTime? AnsweredAt { get; init; }

    /// <summary>End.</summary>
    public DateTime? EndedAt { get; init; }

    /// <summary>From begin to end, whole seconds as the server counts.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>From answer to end, whole seconds as the server counts.</summary>
    public TimeSpan? BillableDuration { get; init; }

    /// <summary>The server's verdict: ANSWERED, NO ANSWER, BUSY, FAILED, CONGESTION.</summary>
    public string? Disposition { get; init; }

    /// <summary>All fields as the server sent them.</summary>
    public SipFieldCollection Fields { get; init; } = SipFieldCollection.Empty;

    /// <inheritdoc/>
    public override string ToString() => $"{From} -> {To} {Disposition}";
}
