namespace IfBus.Sip;

/// <summary>A call to make. <see cref="From"/> and <see cref="To"/>: two numbers; only <see cref="To"/>: one leg that is played something or put into an application.</summary>
public sealed record SipCallRequest
{
    /// <summary>The first leg: rung first, and connected with <see cref="To"/> when it answers. Number, SIP URI, or the server's own endpoint.</summary>
    public string? From { get; init; }

    /// <summary>The destination; for a call of one leg the only party.</summary>
    public string? To { get; init; }

    /// <summary>More endpoints for the first leg, tried one after the other until one answers. Needs <see cref="SipCapabilities.Failover"/>.</summary>
    public IReadOnlyList<string> FromAlternatives { get; init; } = [];

    /// <summary>More endpoints for <see cref="To"/>, tried one after the other until one answers. Needs <see cref="SipCapabilities.Failover"/>.</summary>
    public IReadOnlyList<string> ToAlternatives { get; init; } = [];

    /// <summary>What the called parties are shown: <c>1001</c> or <c>Ann &lt;1001&gt;</c>.</summary>
    public string? CallerId { get; init; }

    /// <summary>How long a called leg may ring; the server's RingTimeout where it is not given.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Where <see cref="To"/> is looked up (Asterisk: dialplan context); the server's Context where it is not given.</summary>
    public string? Context { get; init; }

    /// <summary>Channel variables to set on the call.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Variables { get; init; } = [];

    /// <summary>One leg: the server's application that takes it when it answers.</summary>
    public string? Application { get; init; }

    /// <summary>Arguments of <see cref="Application"/>.</summary>
    public string? ApplicationData { get; init; }

    /// <summary>One leg: a sound file of the server to play when it answers; the call ends after it.</summary>
    public string? Play { get; init; }

    /// <summary>What decides how early the call leaves if the server's limits make it wait.</summary>
    public SipRelationship Relationship { get; init; }

    /// <summary>For callers who have another server: refuse at once, with <c>SipCircuitOpen</c>, if this one's circuit is open.</summary>
    public bool HeedCircuit { get; init; }
}

/// <summary>Which detail records are wanted; null means any.</summary>
public sealed record SipDetailRecordFilter
{
    /// <summary>Of this call only. A call that has just ended is given a moment for its record to arrive.</summary>
    public string? CallId { get; init; }

    /// <summary>Begun at this moment or later, UTC.</summary>
    public DateTime? After { get; init; }

    /// <summary>Begun before this moment, UTC.</summary>
    public DateTime? Before { get; init; }
}

/// <summary>A raw command. Names and values are checked so that none can become another header or another command.</summary>
/// <param name="Name">The server's name of the command (Asterisk: the Action).</param>
/// <param name="Fields">Its fields, in order; names may repeat.</param>
public sealed record SipCommandRequest(string Name, IReadOnlyList<KeyValuePair<string, string>> Fields)
{
    /// <summary>False if the order of the fields is an accident, as that of a plain hash table: servers that go by it refuse them.</summary>
    public bool IsOrdered { get; init; } = true;
}

/// <summary>What the server answered to a raw command.</summary>
public sealed record SipCommandResult
{
    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>The command's name.</summary>
    public required string Command { get; init; }

    /// <summary>True if the server said success.</summary>
    public required bool Success { get; init; }

    /// <summary>The server's words.</summary>
    public string? Message { get; init; }

    /// <summary>Lines of text output, for commands that print.</summary>
    public IReadOnlyList<string> Output { get; init; } = [];

    /// <summary>All fields of the answer.</summary>
    public SipFieldCollection Fields { get; init; } = SipFieldCollection.Empty;

    /// <summary>The items, for commands that answer with a list.</summary>
    public IReadOnlyList<SipFieldCollection> Items { get; init; } = [];
}
