namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>A call on Asterisk: the channels that share a Linkedid. For calls of ours the Linkedid is the ChannelId we chose.</summary>
internal sealed class AsteriskCall(string callId, bool ours) : TrackedCall(callId, ours)
{
    /// <summary>All legs seen, ended ones too, first seen first.</summary>
    public List<AsteriskLeg> Legs { get; } = new(2);

    /// <summary>The leg that we originated, or the first that was seen.</summary>
    public AsteriskLeg? Primary { get; set; }

    /// <summary>How many legs are up on the server.</summary>
    public int LiveLegs { get; set; }

    /// <summary>True if the first leg's answer is not the end of it: then a destination is called, and only its answer connects.</summary>
    public bool HasDestination { get; set; }

    /// <summary>The first leg has answered.</summary>
    public DateTime? PrimaryAnsweredAt { get; set; }

    /// <summary>Calls to destinations that go on now (Dial with several targets has several).</summary>
    public int ActiveDials { get; set; }

    /// <summary>When to ask the server what the first leg does, for a destination that is a dialplan application; ticks of the mapper's clock.</summary>
    public long? AskDestinationAt { get; set; }

    /// <summary>How often that was asked.</summary>
    public int Asked { get; set; }

    /// <summary>When to end the call although something is missing; ticks of the mapper's clock.</summary>
    public long? FinishAt { get; set; }

    /// <summary>OriginateResponse: null before it came.</summary>
    public bool? OriginateSucceeded { get; set; }

    /// <summary>Reason of OriginateResponse.</summary>
    public int? OriginateReason { get; set; }

    /// <summary>What the last failed Dial gave (DialStatus).</summary>
    public string? DialStatus { get; set; }

    /// <summary>SoftHangupRequest said that the server shuts down (Cause 4 there is the flag AST_SOFTHANGUP_SHUTDOWN).</summary>
    public bool ServerShutdown { get; set; }

    /// <summary>A hang-up was asked for before the channel existed.</summary>
    public HangupCause? HangupWanted { get; set; }

    /// <summary>Told by the server, or only known to us because we asked for it.</summary>
    public bool SeenOnServer => Legs.Exists(l => l.Seen);

    protected override IReadOnlyList<SipCallLeg> SnapshotLegs()
    {
        var legs = new List<SipCallLeg>(Legs.Count);
        foreach (AsteriskLeg leg in Legs)
        {
            if (leg.Seen) legs.Add(new SipCallLeg(leg.Id, leg.Name, leg.Ended ? "Hungup" : leg.State, leg.Number));
        }

        return legs;
    }

    protected override IReadOnlyDictionary<string, string>? SnapshotDetails()
    {
        Dictionary<string, string>? details = null;
        if (OriginateReason is { } reason && OriginateSucceeded == false) Add("OriginateReason", reason.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (DialStatus is not null) Add("DialStatus", DialStatus);
        if (State == CallState.Terminated && Legs.Find(l => l.HungUpByFarEnd) is { } leg) Add("HungUpBy", leg.Name ?? leg.Id);
        return details;

        void Add(string name, string value) => (details ??= [])[name] = value;
    }
}

/// <summary>One channel.</summary>
internal sealed class AsteriskLeg(AsteriskCall call, byte[] idBytes, string id)
{
    /// <summary>The call it belongs to, for good: a Linkedid that changes when calls meet in a bridge does not make two calls one.</summary>
    public AsteriskCall Call { get; } = call;

    /// <summary>Uniqueid as it stands on the wire.</summary>
    public byte[] IdBytes { get; } = idBytes;

    /// <summary>Uniqueid.</summary>
    public string Id { get; } = id;

    /// <summary>Channel name.</summary>
    public string? Name { get; set; }

    /// <summary>ChannelStateDesc.</summary>
    public string? State { get; set; }

    /// <summary>CallerIDNum.</summary>
    public string? Number { get; set; }

    /// <summary>The server has told of it.</summary>
    public bool Seen { get; set; }

    /// <summary>Its Hangup has come.</summary>
    public bool Ended { get; set; }

    /// <summary>It has been answered.</summary>
    public bool Up { get; set; }

    /// <summary>Cause of its Hangup.</summary>
    public int Cause { get; set; }

    /// <summary>Cause-txt of its Hangup.</summary>
    public string? CauseText { get; set; }

    /// <summary>TechCause of its Hangup: the SIP status; Asterisk 22 and only for failed legs.</summary>
    public int? TechCause { get; set; }

    /// <summary>The leg whose dialplan dials this one; null for a leg that an Originate made.</summary>
    public AsteriskLeg? DialledBy { get; set; }

    /// <summary>Its Dial has begun and not ended.</summary>
    public bool DialGoesOn { get; set; }

    /// <summary>A HangupRequest came from its channel driver: the far end hung up.</summary>
    public bool HungUpByFarEnd { get; set; }

    /// <summary>It was not in the server's last list; ticks of the mapper's clock.</summary>
    public long? MissingSince { get; set; }
}
