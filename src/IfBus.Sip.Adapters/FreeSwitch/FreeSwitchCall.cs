namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>A call on FreeSWITCH: the channels that belong together. For calls of ours its id is the uuid that we gave the first leg.</summary>
internal sealed class FreeSwitchCall(string callId, bool ours) : TrackedCall(callId, ours)
{
    /// <summary>All legs seen, ended ones too, first seen first.</summary>
    public List<FreeSwitchLeg> Legs { get; } = new(2);

    /// <summary>The leg that we originated, or the first that was seen; after a transfer the one that stayed.</summary>
    public FreeSwitchLeg? Primary { get; set; }

    /// <summary>How many legs are up on the server.</summary>
    public int LiveLegs { get; set; }

    /// <summary>True if the first leg's answer is not the end of it: then a destination is called, and only its answer connects.</summary>
    public bool HasDestination { get; set; }

    /// <summary>The id of the job that its originate runs as. Everybody who subscribes is told everybody's jobs, so it must not be one that others can know.</summary>
    public string JobId { get; init; } = callId;

    /// <summary>The same as it stands on the wire.</summary>
    public byte[] JobIdBytes => field ??= System.Text.Encoding.UTF8.GetBytes(JobId);

    /// <summary>The originate has ended: until then another attempt of its dial string may follow a leg that failed.</summary>
    public bool OriginateDone { get; set; }

    /// <summary>The connection was lost while the originate went on: its result may have been told when nobody listened, so the server's list may say it too.</summary>
    public bool ResultMayBeLost { get; set; }

    /// <summary>The server's list cannot say yet that there is no such call.</summary>
    public bool IsOpen => !OriginateDone && !InDoubt && !ResultMayBeLost;

    /// <summary>Whether the server took the originate is not known, and nothing has come of it for a while.</summary>
    public bool InDoubt { get; set; }

    /// <summary>What the originate failed with; null if it did not.</summary>
    public string? OriginateError { get; set; }

    /// <summary>When to end the call although something is missing; ticks of the mapper's clock.</summary>
    public long? FinishAt { get; set; }

    /// <summary>A transfer that goes on, or the last one.</summary>
    public FreeSwitchTransfer? Transfer { get; set; }

    /// <summary>It was answered while we did not listen: AnsweredAt is when we saw that.</summary>
    public bool AnswerUnseen { get; set; }

    /// <summary>Recordings that we began.</summary>
    public List<SipRecording> Recordings { get; } = [];

    /// <summary>What is added to the server's stamps of its events to have our time.</summary>
    public TimeSpan? Ahead { get; set; }

    /// <summary>Why the server refused, as far as it lets one know.</summary>
    public string? Explanation { get; set; }

    /// <summary>Somebody holds it: we, or a phone of its own accord.</summary>
    public bool IsHeld => Legs.Exists(l => l is { Ended: false, Holds: true });

    /// <summary>Told by the server, or only known to us because we asked for it.</summary>
    public bool SeenOnServer => Legs.Exists(l => l.Seen);

    /// <summary>The leg of a party that is up: From is the first leg, To the one that talks with it, or is called for it.</summary>
    public FreeSwitchLeg? LegOf(SipParty party)
    {
        FreeSwitchLeg? from = Primary is { Seen: true, Ended: false } primary ? primary : null;
        if (party == SipParty.From) return from;
        if (from?.Peer is { Ended: false } peer) return peer;
        return Legs.FindLast(l => Other(l) && l.Up && !l.IsConsulted) ?? Legs.FindLast(Other);

        bool Other(FreeSwitchLeg l) => l is { Seen: true, Ended: false } && l != Primary && l != Primary?.Twin;
    }

    /// <summary>The address of a party as it is known: what the call was made with, else its number. The one party of a call of one leg is its To.</summary>
    public string? AddressOf(FreeSwitchLeg leg) => (leg == Primary ? From ?? (HasDestination ? null : To) : To) ?? leg.Number;

    /// <summary>Recordings end with their call.</summary>
    public void EndRecordings(DateTime now)
    {
        for (int i = 0; i < Recordings.Count; i++)
        {
            if (Recordings[i].State != SipRecordingState.Stopped) Recordings[i] = Recordings[i] with { State = SipRecordingState.Stopped, StoppedAt = now };
        }
    }

    protected override IReadOnlyList<SipCallLeg> SnapshotLegs()
    {
        var legs = new List<SipCallLeg>(Legs.Count);
        foreach (FreeSwitchLeg leg in Legs)
        {
            if (leg.Seen) legs.Add(new SipCallLeg(leg.Id, leg.Name, leg.Ended ? "Hungup" : leg.State, leg.Number));
        }

        return legs;
    }

    protected override IReadOnlyDictionary<string, string>? SnapshotDetails()
    {
        Dictionary<string, string>? details = null;
        if (Legs.Find(l => l is { Ended: false, Room: not null }) is { } member) Add("Conference", member.Room!);
        foreach (SipRecording recording in Recordings) Add("Recording:" + recording.RecordingId, $"{recording.State} {recording.Path}");
        if (Legs.Find(l => l.SipCallId is not null) is { } sip) Add("SipCallId", sip.SipCallId!);
        if (State == CallState.Terminated && Legs.Find(l => l.HungUpByFarEnd) is { } leg) Add("HungUpBy", leg.Name ?? leg.Id);
        return details;

        void Add(string name, string value) => (details ??= [])[name] = value;
    }
}

/// <summary>One channel.</summary>
internal sealed class FreeSwitchLeg(FreeSwitchCall call, byte[] idBytes, string id)
{
    /// <summary>The call it belongs to, for good.</summary>
    public FreeSwitchCall Call { get; } = call;

    /// <summary>Unique-ID as it stands on the wire.</summary>
    public byte[] IdBytes { get; private set; } = idBytes;

    /// <summary>Unique-ID.</summary>
    public string Id { get; private set; } = id;

    /// <summary>A command can name it, see <see cref="FreeSwitchCommands.IsWord"/>.</summary>
    public bool IsAddressable => FreeSwitchCommands.IsWord(Id);

    /// <summary>Channel-Name.</summary>
    public string? Name { get; set; }

    /// <summary>Channel-Call-State.</summary>
    public string? State { get; set; }

    /// <summary>The number at the far end: of the caller for a leg that came in, else the one called.</summary>
    public string? Number { get; set; }

    /// <summary>It calls the server; else the server calls it.</summary>
    public bool IsInbound { get; set; }

    /// <summary>The server has told of it.</summary>
    public bool Seen { get; set; }

    /// <summary>It is gone.</summary>
    public bool Ended { get; set; }

    /// <summary>It has been answered.</summary>
    public bool Up { get; set; }

    /// <summary>Hangup-Cause by the server's name.</summary>
    public string? Cause { get; set; }

    /// <summary>variable_hangup_cause_q850.</summary>
    public int? Q850 { get; set; }

    /// <summary>variable_sip_term_status.</summary>
    public int? SipStatus { get; set; }

    /// <summary>SIP Call-ID.</summary>
    public string? SipCallId { get; set; }

    /// <summary>sip_hangup_disposition recv_bye: its phone ended the call.</summary>
    public bool HungUpByFarEnd { get; set; }

    /// <summary>The leg that it is bridged with.</summary>
    public FreeSwitchLeg? Peer { get; set; }

    /// <summary>An event on this connection has told who its peer is, or that it has none.</summary>
    public bool PeerTold { get; set; }

    /// <summary>The other half of a loopback channel.</summary>
    public FreeSwitchLeg? Twin { get; set; }

    /// <summary>The application that it executes.</summary>
    public string? Application { get; set; }

    /// <summary>Arguments of it.</summary>
    public string? ApplicationData { get; set; }

    /// <summary>It holds: by our uuid_hold or by its phone's re-INVITE.</summary>
    public bool Holds { get; set; }

    /// <summary>The server's last list said otherwise of its hold.</summary>
    public bool HoldInDoubt { get; set; }

    /// <summary>The hold is ours.</summary>
    public bool HeldByUs { get; set; }

    /// <summary>One of several endpoints that are tried for one party.</summary>
    public bool IsCandidate { get; set; }

    /// <summary>What the caller wrote for that endpoint.</summary>
    public string? Candidate { get; set; }

    /// <summary>It was called for a consultation that goes on.</summary>
    public bool IsConsulted { get; set; }

    /// <summary>The conference room that it is in.</summary>
    public string? Room { get; set; }

    /// <summary>Its number in that room.</summary>
    public string? MemberId { get; set; }

    /// <summary>An event on this connection has told which room it is in, or that it has left.</summary>
    public bool RoomTold { get; set; }

    /// <summary>Files whose RECORD_START came and whose RECORD_STOP did not.</summary>
    public List<string>? Recording { get; set; }

    /// <summary>It was not in the server's last list; ticks of the mapper's clock.</summary>
    public long? MissingSince { get; set; }

    /// <summary>The server, asked for it by its id, has no such leg.</summary>
    public bool KnownGone { get; set; }

    /// <summary>Nobody wants it any more, and it may appear yet: then it is hung up.</summary>
    public bool Unwanted { get; set; }

    /// <summary>CHANNEL_UUID gave it another id.</summary>
    public void Rename(byte[] bytes, string uuid) => (IdBytes, Id) = (bytes, uuid);
}

/// <summary>A transfer of ours.</summary>
internal sealed class FreeSwitchTransfer(FreeSwitchLeg kept, FreeSwitchLeg? released, string to, bool attended)
{
    /// <summary>Who stays.</summary>
    public FreeSwitchLeg Kept { get; } = kept;

    /// <summary>Who goes; null for a call with one party.</summary>
    public FreeSwitchLeg? Released { get; } = released;

    /// <summary>Where to.</summary>
    public string To { get; } = to;

    /// <summary>With a consultation first.</summary>
    public bool Attended { get; } = attended;

    /// <summary>The call's first leg before it.</summary>
    public FreeSwitchLeg? PrimaryBefore { get; init; }

    /// <summary>The address of who stays, which is who the call is from after it.</summary>
    public string? KeptAddress { get; } = kept.Call.AddressOf(kept);

    /// <summary>The leg that is consulted.</summary>
    public FreeSwitchLeg? Consulted { get; set; }

    /// <summary>All legs that may be made for the consultation: one for each endpoint that is tried.</summary>
    public IReadOnlyList<FreeSwitchLeg> Tried { get; set; } = [];

    /// <summary>The connection was lost meanwhile: what became of it is to be found out.</summary>
    public bool Interrupted { get; set; }

    /// <summary>It is being completed or given up: legs that go now go for that.</summary>
    public bool Closing { get; set; }

    /// <summary>The party that stays has its new partner.</summary>
    public bool Done { get; set; }
}
