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

    /// <summary>When its Originate was sent; ticks of the mapper's clock.</summary>
    public long ExpectedAt { get; set; }

    /// <summary>How often that was asked.</summary>
    public int Asked { get; set; }

    /// <summary>Since when nobody knows whether the server took it: its caller gave up, or had no answer in time. Null if it is known; ticks of the mapper's clock.</summary>
    public long? DoubtedAt { get; set; }

    /// <summary>When to look for a call in doubt in the server's list; ticks of the mapper's clock.</summary>
    public long? LookAt { get; set; }

    /// <summary>The connection that it was first known on, see <see cref="AsteriskMapper.BeginSession"/>.</summary>
    public int Session { get; set; }

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

    /// <summary>A transfer that goes on, or the last one.</summary>
    public AsteriskTransfer? Transfer { get; set; }

    /// <summary>Both parties were sent to the music by us.</summary>
    public bool HeldByUs { get; set; }

    /// <summary>Recordings that we began.</summary>
    public List<AsteriskRecording> Recordings { get; } = [];

    /// <summary>Somebody holds it: we, or a phone of its own accord.</summary>
    public bool IsHeld => HeldByUs || Legs.Exists(l => !l.Ended && (l.Holds || (l.HearsMusic && l.BridgeId is not null)));

    /// <summary>Recordings end with their leg, and with their call.</summary>
    /// <param name="now">When.</param>
    /// <param name="leg">Only those of this leg.</param>
    public void EndRecordings(DateTime now, AsteriskLeg? leg = null)
    {
        foreach (AsteriskRecording recording in Recordings)
        {
            if (recording.Runs && (leg is null || recording.Leg == leg)) recording.Shown = recording.Shown with { State = SipRecordingState.Stopped, StoppedAt = now };
        }
    }

    /// <summary>The leg of a party that is up: From is the first leg, To the one that its dialplan called. Null if there is none.</summary>
    public AsteriskLeg? LegOf(SipParty party)
    {
        AsteriskLeg? from = Primary is { Seen: true, Ended: false } primary ? primary : null;
        if (party == SipParty.From) return from;
        return Legs.FindLast(l => Live(l) && l.Up && l.DialledBy is not null && l.DialledBy == Primary)
            ?? Legs.FindLast(l => Live(l) && l.BridgeId is not null && l.BridgeId == from?.BridgeId)
            ?? Legs.FindLast(l => Live(l) && l.DialledBy is { Ended: false })
            ?? Legs.FindLast(l => Live(l) && l.BridgeId is not null)
            // Found by us when it was in no bridge; who dials whom is in no list.
            ?? (Legs.FindAll(l => Live(l) && l.Up) is [var only] ? only : null);

        bool Live(AsteriskLeg l) => l.Seen && !l.Ended && l != Primary;
    }

    /// <summary>The address of a party as it is known: what the call was made with, else its number. The one party of a call of one leg is its To.</summary>
    public string? AddressOf(AsteriskLeg leg) => (leg == Primary ? From ?? (HasDestination ? null : To) : To) ?? leg.Number;

    /// <summary>The leg that shares a bridge with another.</summary>
    public AsteriskLeg? Partner(AsteriskLeg leg) => leg.BridgeId is { } bridge ? Legs.Find(l => l != leg && !l.Ended && l.BridgeId == bridge) : null;

    /// <summary>Told by the server, or only known to us because we asked for it.</summary>
    public bool SeenOnServer => Legs.Exists(l => l.Seen);

    protected override IReadOnlyList<SipCallLeg> SnapshotLegs()
    {
        int seen = 0;
        foreach (AsteriskLeg leg in Legs) seen += leg.Seen ? 1 : 0;
        var legs = new SipCallLeg[seen];
        int at = 0;
        foreach (AsteriskLeg leg in Legs)
        {
            if (leg.Seen) legs[at++] = new SipCallLeg(leg.Id, leg.Name, leg.Ended ? "Hungup" : leg.State, leg.Number);
        }

        return legs;
    }

    protected override IReadOnlyDictionary<string, string>? SnapshotDetails()
    {
        Dictionary<string, string>? details = null;
        if (OriginateReason is { } reason && OriginateSucceeded == false) Add("OriginateReason", reason.ToString(System.Globalization.CultureInfo.InvariantCulture));
        if (DialStatus is not null) Add("DialStatus", DialStatus);
        if (Legs.Find(l => !l.Ended && l.Room is not null) is { } member) Add("Conference", member.Room!);
        foreach (AsteriskRecording recording in Recordings) Add("Recording:" + recording.Shown.RecordingId, $"{recording.Shown.State} {recording.Shown.Path}");
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

    /// <summary>We made it run one application and no dialplan: out of a bridge the server hangs it up, wherever it was sent (Asterisk 22.10).</summary>
    public bool NoDialplan { get; set; }

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

    /// <summary>The bridge of two that it is in.</summary>
    public string? BridgeId { get; set; }

    /// <summary>Its phone holds (re-INVITE sendonly), or consults for a transfer.</summary>
    public bool Holds { get; set; }

    /// <summary>Music on hold plays for it.</summary>
    public bool HearsMusic { get; set; }

    /// <summary>The conference room that it is in.</summary>
    public string? Room { get; set; }

    /// <summary>MixMonitorStart events.</summary>
    public int RecordingsBegun { get; set; }

    /// <summary>MixMonitorStop events.</summary>
    public int RecordingsEnded { get; set; }

    /// <summary>It was not in the server's last list; ticks of the mapper's clock.</summary>
    public long? MissingSince { get; set; }
}

/// <summary>A recording that we began.</summary>
internal sealed class AsteriskRecording(AsteriskLeg leg)
{
    /// <summary>The leg that is recorded.</summary>
    public AsteriskLeg Leg { get; } = leg;

    /// <summary>What users see of it.</summary>
    public required SipRecording Shown { get; set; }

    /// <summary>It has not ended.</summary>
    public bool Runs => Shown.State != SipRecordingState.Stopped;
}

/// <summary>A transfer of ours.</summary>
internal sealed class AsteriskTransfer(AsteriskLeg kept, AsteriskLeg? released, string to, bool attended)
{
    /// <summary>Who stays.</summary>
    public AsteriskLeg Kept { get; } = kept;

    /// <summary>Who goes; null for a call with one party.</summary>
    public AsteriskLeg? Released { get; } = released;

    /// <summary>Where to.</summary>
    public string To { get; } = to;

    /// <summary>With a consultation first.</summary>
    public bool Attended { get; } = attended;

    /// <summary>The address of who stays, which is who the call is from after it.</summary>
    public string? KeptAddress { get; set; } = kept.Call.AddressOf(kept);

    /// <summary>The destination of an attended transfer has answered.</summary>
    public bool Consulted { get; set; }

    /// <summary>The server said that it is complete.</summary>
    public bool Done { get; set; }

    /// <summary>The server said that it failed.</summary>
    public bool Failed { get; set; }
}
