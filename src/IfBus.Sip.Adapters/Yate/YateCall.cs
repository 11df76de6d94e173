namespace IfBus.Sip.Adapters.Yate;

/// <summary>A call on Yate: the channels that share a billid. For calls of ours its id is one that we gave; for others it is the billid.</summary>
internal sealed class YateCall(string callId, bool ours) : TrackedCall(callId, ours)
{
    /// <summary>All legs seen, ended ones too, first seen first.</summary>
    public List<YateLeg> Legs { get; } = new(2);

    /// <summary>The engine's billid: its run and a number. Null until it has told it.</summary>
    public string? BillId { get; set; }

    /// <summary>The party that called, or was called first: the far end of our silent leg, once it is there.</summary>
    public YateLeg? Primary { get; set; }

    /// <summary>Our silent dumb/ leg, by which a call of ours begins.</summary>
    public YateLeg? Origin { get; set; }

    /// <summary>How many legs are up on the engine.</summary>
    public int LiveLegs { get; set; }

    /// <summary>Where the first party goes when it has answered: driver/address. Null if it stays with the silent leg.</summary>
    public string? Next { get; set; }

    /// <summary>Parameters of the way there, as the engine's own routing gave them.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> NextParameters { get; set; } = [];

    /// <summary>The first party has been sent on.</summary>
    public bool Sent { get; set; }

    /// <summary>call.execute has been answered: before, its legs may not have been told yet.</summary>
    public bool Placed { get; set; }

    /// <summary>When to end the call although something is missing; ticks of the mapper's clock.</summary>
    public long? FinishAt { get; set; }

    /// <summary>Why it failed, where a message's answer said so and no leg does.</summary>
    public (HangupCause Cause, string? Text)? Failure { get; set; }

    /// <summary>A transfer that goes on, or the last one.</summary>
    public YateTransfer? Transfer { get; set; }

    /// <summary>Both parties were put on music by us.</summary>
    public bool Held { get; set; }

    /// <summary>Recordings that we began.</summary>
    public List<SipRecording> Recordings { get; } = [];

    /// <summary>call.cdr records, of legs that are over.</summary>
    public List<YateLegRecord> Records { get; } = [];

    /// <summary>The call's own record has been made.</summary>
    public bool Recorded { get; set; }

    /// <summary>Somebody holds it: we, or a phone of its own accord.</summary>
    public bool IsHeld => Held || Legs.Exists(l => !l.Ended && (l.Holds || l.Reinvited));

    /// <summary>The leg of a party that is up.</summary>
    public YateLeg? LegOf(SipParty party)
    {
        YateLeg? from = Primary is { Ended: false } primary ? primary : null;
        if (party == SipParty.From) return from;
        if (from?.Peer is { Ended: false } peer && peer != Origin) return peer;
        return Legs.FindLast(l => l is { Ended: false, IsConsulted: false } && l != Primary && l != Origin);
    }

    /// <summary>The address of a party as it is known: what the call was made with, else its number.</summary>
    public string? AddressOf(YateLeg leg) => (leg == Primary ? From : To) ?? leg.Number;

    /// <summary>Recordings end with their call.</summary>
    public void EndRecordings(DateTime now)
    {
        for (int i = 0; i < Recordings.Count; i++)
        {
            if (Recordings[i].State != SipRecordingState.Stopped) Recordings[i] = Recordings[i] with { State = SipRecordingState.Stopped, StoppedAt = now };
        }
    }

    protected override IReadOnlyList<SipCallLeg> SnapshotLegs() => Legs.ConvertAll(l => new SipCallLeg(l.Id, l.Address is null ? l.Id : $"{l.Id} ({l.Address})", l.Ended ? "Hungup" : l.Status, l.Number));

    protected override IReadOnlyDictionary<string, string>? SnapshotDetails()
    {
        Dictionary<string, string>? details = null;
        if (BillId is not null && BillId != CallId) Add("BillId", BillId);
        if (Legs.Find(l => l is { Ended: false, Room: not null }) is { } member) Add("Conference", member.Room!);
        foreach (SipRecording recording in Recordings) Add("Recording:" + recording.RecordingId, $"{recording.State} {recording.Path}");
        if (Legs.Find(l => l.SipCallId is not null) is { } sip) Add("SipCallId", sip.SipCallId!);
        if (State == CallState.Terminated && Legs.Find(l => l.HungUpByFarEnd) is { } leg) Add("HungUpBy", leg.Id);
        return details;

        void Add(string name, string value) => (details ??= [])[name] = value;
    }
}
