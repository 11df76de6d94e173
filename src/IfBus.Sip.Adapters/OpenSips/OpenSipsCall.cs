namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>How the server knows a call.</summary>
internal enum OpenSipsKind
{
    /// <summary>A call that passes through: the dialog table.</summary>
    Dialog,
    /// <summary>Two calls of the server that it joins: b2b_logic.</summary>
    Scenario,
    /// <summary>One leg that the server holds: ua_session of b2b_entities.</summary>
    Session,
}

/// <summary>A call on OpenSIPS. A transfer moves a call to another dialog; it stays the same call.</summary>
internal sealed class OpenSipsCall(string callId, bool ours, OpenSipsKind kind) : TrackedCall(callId, ours)
{
    public OpenSipsKind Kind { get; } = kind;

    /// <summary>The dialog that it is now.</summary>
    public string? DialogId { get; set; }

    /// <summary>SIP Call-ID of that dialog.</summary>
    public string? SipCallId { get; set; }

    /// <summary>The server's key: of the tuple (b2b_list) or of the leg (ua_session_list).</summary>
    public string? Key { get; set; }

    /// <summary>All legs seen, first the caller's.</summary>
    public List<OpenSipsLeg> Legs { get; } = new(2);

    /// <summary>To of the dialog, which tells the server's own address.</summary>
    public string? ToUri { get; set; }

    /// <summary>When the server ends it by itself.</summary>
    public DateTime? ExpiresAt { get; set; }

    /// <summary>The server has told of it; else it is only known to us because we asked for it.</summary>
    public bool Seen { get; set; }

    /// <summary>The server has taken the command that makes it, or may have.</summary>
    public bool Taken { get; set; }

    /// <summary>Who ended it, where the server lets it be known.</summary>
    public string? EndedBy { get; set; }

    /// <summary>Why it ends, where we know and the server does not say.</summary>
    public HangupCause? OwnCause { get; set; }

    /// <summary>It is over, and waits for the accounting event that says why; ticks of the clock.</summary>
    public long? FinishAt { get; set; }

    /// <summary>A transfer that goes on, or the last one.</summary>
    public OpenSipsTransfer? Transfer { get; set; }

    /// <summary>Legs that call_hold holds: caller, callee.</summary>
    public HashSet<string> HeldLegs { get; } = new(StringComparer.Ordinal);

    /// <summary>The last hold or resume of a leg that failed.</summary>
    public string? HoldFailure { get; set; }

    /// <summary>A detail record has been made for its dialog.</summary>
    public bool HasRecord { get; set; }

    /// <summary>When the destination must have answered; ticks of the clock.</summary>
    public long? AnswerBy { get; set; }

    /// <summary>For how long.</summary>
    public TimeSpan RingTime { get; set; }

    protected override IReadOnlyList<SipCallLeg> SnapshotLegs() =>
        Legs.ConvertAll(leg => new SipCallLeg(leg.Id, leg.Uri, State == CallState.Terminated ? "Hungup" : leg.State, leg.Number));

    protected override IReadOnlyDictionary<string, string>? SnapshotDetails()
    {
        Dictionary<string, string>? details = null;
        if (SipCallId is { } id) Add("SipCallId", id);
        if (Key is { } key) Add("Key", key);
        if (DialogId is { } dialog && dialog != CallId) Add("DialogId", dialog);
        if (State == CallState.Terminated && (HangupWanted is not null ? "us" : EndedBy) is { } who) Add("EndedBy", who);
        return details;

        void Add(string name, string value) => (details ??= [])[name] = value;
    }
}

/// <summary>One side of a call.</summary>
internal sealed class OpenSipsLeg(string id, string? uri)
{
    /// <summary>Its tag in the dialog, or its key.</summary>
    public string Id { get; set; } = id;

    /// <summary>Its address.</summary>
    public string? Uri { get; set; } = uri;

    /// <summary>The user of the address.</summary>
    public string? Number => OpenSipsNumbers.Number(Uri);

    /// <summary>"early", "confirmed" (RFC 3261, dialogs), or "Hungup".</summary>
    public string? State { get; set; }
}

/// <summary>A transfer of ours.</summary>
internal sealed class OpenSipsTransfer(SipParty keep, string to)
{
    public SipParty Keep { get; } = keep;

    public string To { get; } = to;

    /// <summary>Attended: the call of the party that is released with the destination, which its phone has made.</summary>
    public OpenSipsCall? Consultation { get; init; }

    /// <summary>Attended: the server has been told to join.</summary>
    public bool Completing { get; set; }

    /// <summary>The dialog that it began in.</summary>
    public string? OldDialogId { get; init; }

    /// <summary>A dialog that comes up now may be the one that the call goes on in.</summary>
    public bool IsAwaited => !Done && NewDialogId is null && (Consultation is null || Completing);

    /// <summary>SIP Call-ID of the new call, told by E_CALL_TRANSFER.</summary>
    public string? NewSipCallId { get; set; }

    /// <summary>The new dialog is bound to the call.</summary>
    public string? NewDialogId { get; set; }

    /// <summary>The dialog that the transfer began in is over.</summary>
    public bool OldEnded { get; set; }

    /// <summary>Done, well or not.</summary>
    public bool Done { get; set; }

    /// <summary>Why it failed.</summary>
    public string? Failure { get; set; }

    /// <summary>It has failed, and waits for the accounting event that says why; ticks of the clock.</summary>
    public long? FailAt { get; set; }

    /// <summary>The status that the destination answered with, where accounting tells it.</summary>
    public int? SipStatus { get; set; }
}
