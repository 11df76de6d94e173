namespace IfBus.Sip.Adapters.Kamailio;

/// <summary>A call on Kamailio: one dialog. One that we asked for has a dialog only when its first party, told to, calls the second.</summary>
internal sealed class KamailioCall(string callId, bool ours) : TrackedCall(callId, ours)
{
    /// <summary>The server's dialog; null until it is seen.</summary>
    public DialogKey? Key { get; set; }

    /// <summary>SIP Call-ID.</summary>
    public string? SipCallId { get; set; }

    /// <summary>From-tag and Contact.</summary>
    public DialogSide Caller { get; set; }

    /// <summary>CSeq of its INVITE.</summary>
    public string? CSeq { get; set; }

    /// <summary>To-tag and Contact.</summary>
    public DialogSide Callee { get; set; }

    /// <summary>From URI of the dialog.</summary>
    public string? FromUri { get; set; }

    /// <summary>To URI of the dialog.</summary>
    public string? ToUri { get; set; }

    /// <summary>The dialog's number of state.</summary>
    public int DialogState { get; set; }

    /// <summary>How far the first party of a call of ours is; null for calls of others and once the two parties' dialog is there.</summary>
    public KamailioOriginate? Originate { get; set; }

    /// <summary>caller, callee, server or us; null where the server does not let it be known.</summary>
    public string? EndedBy { get; set; }

    /// <summary>The list shows it ended, and the event that tells how may still come; ticks of the mapper's clock.</summary>
    public long? EndSeenAt { get; set; }

    /// <summary>The poll that it was added in or before.</summary>
    public long SeenIn { get; set; }

    /// <summary>Call-ID and CSeq of the INVITE that waits for an answer; null if none does, or it is not known.</summary>
    public (string CallId, string CSeq)? Invitation
    {
        get
        {
            if (Originate is { FirstAnswered: false, FirstCallId: { } first, FirstCSeq: { } number }) return (first, number);
            return Key is not null && DialogState < KamailioDialog.ConfirmedNoAck && SipCallId is { } id && CSeq is { } own ? (id, own) : null;
        }
    }

    protected override IReadOnlyList<SipCallLeg> SnapshotLegs()
    {
        if (Originate is { First: { } first } originate) return [new SipCallLeg(Text(first), originate.FromUri, Word(originate.FirstState), From)];
        if (Key is null) return [];
        string word = State == CallState.Terminated ? "Hungup" : Word(DialogState);
        return
        [
            new SipCallLeg(Caller.Tag ?? "caller", Caller.Contact ?? FromUri, word, From),
            new SipCallLeg(Callee.Tag ?? "callee", Callee.Contact ?? ToUri, word, To),
        ];
    }

    protected override IReadOnlyDictionary<string, string>? SnapshotDetails()
    {
        var details = new Dictionary<string, string>();
        if (SipCallId is not null) details["SipCallId"] = SipCallId;
        if (Key is { } key) details["Dialog"] = Text(key);
        if (Caller.Tag is not null) details["FromTag"] = Caller.Tag;
        if (Callee.Tag is not null) details["ToTag"] = Callee.Tag;
        if (FromUri is not null) details["FromUri"] = FromUri;
        if (ToUri is not null) details["ToUri"] = ToUri;
        if (EndedBy is not null) details["EndedBy"] = EndedBy;
        return details.Count == 0 ? null : details;
    }

    private static string Text(DialogKey key) => FormattableString.Invariant($"{key.Entry}:{key.Id}");

    private static string Word(int state) => state switch
    {
        KamailioDialog.Unconfirmed => "Unconfirmed",
        KamailioDialog.Early => "Early",
        KamailioDialog.ConfirmedNoAck => "ConfirmedNoAck",
        KamailioDialog.Confirmed => "Confirmed",
        KamailioDialog.Deleted => "Deleted",
        _ => "Unknown",
    };
}

/// <summary>A dlg.bridge_dlg of ours on its way: the server calls the first party and tells it to call the second.</summary>
internal sealed class KamailioOriginate(string fromUri, string toUri, IReadOnlySet<DialogKey> before)
{
    /// <summary>The first party.</summary>
    public string FromUri { get; } = fromUri;

    /// <summary>The second.</summary>
    public string ToUri { get; } = toUri;

    /// <summary>Dialogs with these URIs that were there before the command.</summary>
    public IReadOnlySet<DialogKey> Before { get; } = before;

    /// <summary>The server's own dialog with the first party.</summary>
    public DialogKey? First { get; set; }

    /// <summary>Call-ID of that dialog.</summary>
    public string? FirstCallId { get; set; }

    /// <summary>CSeq of its INVITE.</summary>
    public string? FirstCSeq { get; set; }

    /// <summary>Its state.</summary>
    public int FirstState { get; set; }

    /// <summary>The first party has answered.</summary>
    public bool FirstAnswered { get; set; }

    /// <summary>The status that the first party refused with, if an event told it.</summary>
    public int? FirstStatus { get; set; }

    /// <summary>When to give up waiting for what comes next; ticks of the mapper's clock.</summary>
    public long Deadline { get; set; }
}
