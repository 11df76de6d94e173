namespace IfBus.Sip;

/// <summary>
/// One call as the server told it, at one moment. Flat data without a live connection: it survives Export-Csv,
/// Export-Clixml, jobs and remoting. What the server did not say is null. All times are UTC.
/// </summary>
public sealed record SipCall
{
    /// <summary>The server's own id of the call; for Asterisk the Linkedid, which for calls of ours we chose.</summary>
    public required string CallId { get; init; }

    /// <summary>The call's own name everywhere: <c>if://call/{uuid}</c>.</summary>
    public required string Uri { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>Kind of server.</summary>
    public required SipServerType ServerType { get; init; }

    /// <summary>Where the call stands.</summary>
    public required CallState State { get; init; }

    /// <summary>Who began it, if the server says.</summary>
    public CallDirection? Direction { get; init; }

    /// <summary>The calling number, extension or endpoint. Null for a call of one leg.</summary>
    public string? From { get; init; }

    /// <summary>The called number, extension or endpoint.</summary>
    public string? To { get; init; }

    /// <summary>What the called party is shown.</summary>
    public string? CallerId { get; init; }

    /// <summary>When we asked for the call, or first heard of it.</summary>
    public DateTime? CreatedAt { get; init; }

    /// <summary>When it became <see cref="CallState.Connected"/>.</summary>
    public DateTime? AnsweredAt { get; init; }

    /// <summary>When its last leg ended.</summary>
    public DateTime? EndedAt { get; init; }

    /// <summary>From creation to the end, or to the moment this object was made.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>From the answer to the end, or to the moment this object was made. Zero for a call that ended unanswered, null while it is not answered.</summary>
    public TimeSpan? BillableDuration { get; init; }

    /// <summary>Why it ended. Null while it lives.</summary>
    public HangupCause? Cause { get; init; }

    /// <summary>The number the server gave as cause (Q.850), if it gave one.</summary>
    public int? CauseCode { get; init; }

    /// <summary>The SIP status that ended it (RFC 3261), if the server told it.</summary>
    public int? SipStatus { get; init; }

    /// <summary>The server's words for the cause.</summary>
    public string? CauseText { get; init; }

    /// <summary>The codec, if the server told it.</summary>
    public string? Codec { get; init; }

    /// <summary>The legs seen so far, in the order they appeared, ended ones too.</summary>
    public IReadOnlyList<SipCallLeg> Legs { get; init => field = SipList<SipCallLeg>.Of(value); } = SipList<SipCallLeg>.Empty;

    /// <summary>More facts as the server named them. Never a secret.</summary>
    public IReadOnlyDictionary<string, string> Details { get; init => field = SipTable.Of(value); } = SipTable.Empty;

    /// <summary>True once the call has ended.</summary>
    public bool IsEnded => State == CallState.Terminated;

    /// <inheritdoc/>
    public override string ToString() => CallId;
}

/// <summary>One leg of a call: a channel of the server.</summary>
/// <param name="Id">The server's id of the leg (Asterisk: Uniqueid).</param>
/// <param name="Name">The server's name of the leg (Asterisk: Channel). Null if it has not been told.</param>
/// <param name="State">The leg's state in the server's own word (Asterisk: ChannelStateDesc), or "Hungup".</param>
/// <param name="Number">The number at the far end, if the server says.</param>
public sealed record SipCallLeg(string Id, string? Name, string? State, string? Number)
{
    /// <inheritdoc/>
    public override string ToString() => Name ?? Id;
}
