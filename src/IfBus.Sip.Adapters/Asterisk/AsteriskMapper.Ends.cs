using System.Globalization;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>The part of the mapper that decides when a call is over and why, and what needs to be asked.</summary>
internal sealed partial class AsteriskMapper
{
    /// <summary>Ends what has waited long enough, and returns the calls whose first leg's application is to be asked. Called now and then.</summary>
    public List<AsteriskCall>? OnTick()
    {
        List<AsteriskCall>? ask = null;
        List<AsteriskCall>? over = null;
        lock (calls.Sync)
        {
            long now = Clock;
            foreach (AsteriskCall call in _watched)
            {
                if (call.State == CallState.Terminated)
                {
                    (over ??= []).Add(call);
                }
                else if (call.FinishAt <= now)
                {
                    (over ??= []).Add(call);
                }
                else if (call.AskDestinationAt <= now)
                {
                    (ask ??= []).Add(call);
                }
                else if (call.LookAt <= now)
                {
                    _lookWanted = true;
                    call.LookAt = now + TimeInDoubt;
                }
                else if (call.FinishAt is null && call.AskDestinationAt is null && call.LookAt is null)
                {
                    (over ??= []).Add(call);
                }
            }

            foreach (AsteriskCall call in over ?? [])
            {
                _watched.Remove(call);
                if (call.State != CallState.Terminated && call.FinishAt is not null) End(call, default);
            }

            Conditions.Check();
        }

        return ask;
    }

    /// <summary>True while anything waits for <see cref="OnTick"/>.</summary>
    public bool HasWatched
    {
        get
        {
            lock (calls.Sync) return _watched.Count > 0;
        }
    }

    /// <summary>The server said what the first leg does. Decides whether the destination is reached.</summary>
    /// <param name="call">The call.</param>
    /// <param name="application">Application of its first leg; empty if the dialplan has not begun.</param>
    /// <param name="data">Arguments of it.</param>
    /// <param name="exten">The extension that it is in; null if it was not told.</param>
    /// <param name="dialsLater">The extension goes on to dial somebody.</param>
    public void OnDestination(AsteriskCall call, string application, string? data, string? exten, bool dialsLater = false)
    {
        lock (calls.Sync)
        {
            if (call.State == CallState.Terminated || call.ActiveDials > 0 || call.AskDestinationAt is null) return;
            DestinationProgress progress = DestinationRules.Judge(application, data);
            if (dialsLater && progress == DestinationProgress.Reached) progress = DestinationProgress.Preparing;
            // Right after it was moved a channel may still be seen where it was. A dialplan may also have gone on to another extension.
            if (call.Transfer is { Done: false } transfer && exten is not null && exten != transfer.To && call.Asked < 5) progress = DestinationProgress.Preparing;
            if (progress == DestinationProgress.Dialling && call is { Asked: >= 5, Transfer: { Attended: false, Done: false, Kept.BridgeId: not null } })
            {
                // Nothing was moved: the command was lost with its connection.
                AbandonTransfer(call, null);
                return;
            }

            switch (progress)
            {
                case DestinationProgress.Reached:
                    // The dialplan took over when the first leg answered; asking came later.
                    if (call.State is CallState.Created or CallState.Dialing or CallState.Ringing or CallState.Incoming) call.AnsweredAt ??= call.PrimaryAnsweredAt;
                    Connect(call, default);
                    Conditions.Check();
                    break;
                case DestinationProgress.Dialling:
                    // Its DialEnd will tell; asked again in case an event was lost.
                    call.AskDestinationAt = Clock + 2000;
                    break;
                default:
                    call.Asked++;
                    call.AskDestinationAt = Clock + Math.Min(100 * call.Asked, 1000);
                    break;
            }
        }
    }

    /// <summary>What the first leg does cannot be asked: only events tell, see <see cref="OnBridgeEnter"/> and <see cref="OnDialEnd"/>.</summary>
    public void StopAsking(AsteriskCall call)
    {
        lock (calls.Sync) call.AskDestinationAt = null;
    }

    /// <summary>
    /// Brings the calls in line with the server's own list, on the reader, at the list's place among the events. Legs that it
    /// lacks have ended: at once after a reconnect, when their Hangup can no longer come; otherwise when it has not come
    /// within two seconds; one of ours that was never told of, and that its caller gave up, after ten.
    /// </summary>
    /// <param name="channels">CoreShowChannel items.</param>
    /// <param name="missing">Null on a living connection; on a new one, whose events up to now went unseen, the cause of calls that are gone.</param>
    /// <returns>How many calls ended.</returns>
    public int Reconcile(IReadOnlyList<AmiMessage> channels, HangupCause? missing)
    {
        int gone = 0;
        lock (calls.Sync)
        {
            bool unseen = missing is not null || FollowsByAsking;
            var listed = new HashSet<AsteriskLeg>();
            var found = new HashSet<AsteriskCall>();
            // The first leg of a call first, since the list has no order: its id is the call's.
            foreach (AmiMessage channel in channels.OrderBy(c => c.Find("Uniqueid"u8).SequenceEqual(c.Find("Linkedid"u8)) ? 0 : 1))
            {
                AmiChannelFields f = AmiChannelFields.Read(channel.Bytes);
                bool isNew = !calls.TryFindLive(AmiChannelFields.Text(f.Linkedid) ?? "", out _);
                AsteriskLeg? leg = LegOf(f, default);
                if (leg is null) continue;
                leg.State = AmiChannelFields.State(f.ChannelState) ?? leg.State;
                Place(leg, f, channel.Bytes, unseen);
                listed.Add(leg);
                if (isNew) found.Add(leg.Call);
                if (isNew && leg.Call.Primary == leg) leg.Call.CreatedAt = Age(f.Duration) is { } age ? calls.Now - age : null;
                CatchUp(leg, AmiChannelFields.Text(f.Application));
            }

            long now = Clock;
            foreach (AsteriskCall call in calls.Live.Cast<AsteriskCall>().ToArray())
            {
                bool heldOneGone = false, told = call.SeenOnServer;
                foreach (AsteriskLeg leg in call.Legs.ToArray())
                {
                    if (leg.Ended || listed.Contains(leg)) continue;
                    if (missing is null && (leg.Seen ? (leg.MissingSince ??= now) > now - 2000 : call.DoubtedAt is not { } since || since > now - TimeInDoubt)) continue;
                    // An Originate whose channel was never told: after a reconnect the list has it, or it is not there.
                    if (!leg.Seen) call.LiveLegs++;
                    leg.Seen = true;
                    leg.Ended = true;
                    call.LiveLegs--;
                    call.EndRecordings(calls.Now, leg);
                    heldOneGone |= leg.HearsMusic;
                    EndDial(leg);
                    _legs.Remove(leg.IdBytes);
                }

                if (call.LiveLegs > 0 || call.Legs.Exists(l => !l.Ended))
                {
                    if (heldOneGone) EndWithPartner(call);
                    if (unseen) CatchUp(call, isNew: found.Contains(call));
                    ShowHold(call, default);
                    continue;
                }

                EndUnseen(call, missing ?? HangupCause.EndedUnseen, neverTaken: !told && call.DoubtedAt is not null);
                gone++;
            }

            if (missing is not null) _recordedRooms.Clear();
            Conditions.Check();
        }

        return gone;
    }

    /// <summary>The server's word on who is on hold, at its place among the events.</summary>
    /// <param name="onHold">Uniqueids of the channels that are.</param>
    public void Hold(IReadOnlySet<string> onHold)
    {
        lock (calls.Sync)
        {
            foreach (AsteriskCall call in calls.Live.Cast<AsteriskCall>().ToArray())
            {
                Hold(call, onHold);
                ShowHold(call, default);
            }

            Conditions.Check();
        }
    }

    private void EndUnseen(AsteriskCall call, HangupCause cause, bool neverTaken = false)
    {
        foreach (AsteriskLeg leg in call.Legs)
        {
            leg.Ended = true;
            _legs.Remove(leg.IdBytes);
            // What is said of it later, on a connection that saw no end of it, makes no other call.
            records.Remember(leg.IdBytes, call);
        }

        call.NoteUnseenEnd(cause, neverTaken);
        call.FinishAt = null;
        call.LiveLegs = 0;
        call.EndRecordings(calls.Now);
        calls.Move(call, CallState.Terminated);
    }

    // Where the list shows a leg to be. What its events said counts more, unless they went unseen.
    private static void Place(AsteriskLeg leg, in AmiChannelFields f, ReadOnlySpan<byte> item, bool unseen)
    {
        // A room is a bridge too, but nobody in it is anybody's partner.
        bool inRoom = f.Application.SequenceEqual("ConfBridge"u8);
        string? bridge = inRoom ? null : AmiChannelFields.Text(AmiMessage.Find(item, "BridgeId"u8));
        string? room = inRoom ? AmiChannelFields.Text(f.ApplicationData)?.Split(',')[0] : null;
        if (!unseen)
        {
            leg.BridgeId ??= bridge;
            leg.Room ??= room;
            return;
        }

        // Music in a bridge is known by who holds there; elsewhere it is the application.
        if (bridge is null || bridge != leg.BridgeId) leg.HearsMusic = f.Application.SequenceEqual("MusicOnHold"u8);
        if (bridge != leg.BridgeId) leg.Holds = false;
        leg.BridgeId = bridge;
        leg.Room = room;
    }

    // What became of a call, by where its legs are now, while its events went unseen.
    private void CatchUp(AsteriskCall call, bool isNew)
    {
        if (call.HeldByUs && (call.Legs.Exists(l => l is { Ended: false, Room: not null }) || !call.Legs.Exists(l => l is { Ended: false, HearsMusic: true, BridgeId: null }))) call.HeldByUs = false;
        if (call.State is CallState.Created or CallState.Dialing or CallState.Ringing or CallState.Incoming)
        {
            if (call.Primary is { Ended: false, Up: true } primary && (call.Partner(primary) is not null || primary.Room is not null))
            {
                Connect(call, default);
                // When that was nobody told.
                if (isNew) call.AnsweredAt = null;
            }
            else if (call is { HasDestination: true, ActiveDials: 0, PrimaryAnsweredAt: not null, AskDestinationAt: null })
            {
                AskDestination(call);
            }

            return;
        }

        if (call is not { State: CallState.Transferring, Transfer: { Attended: true, Done: false } transfer }) return;
        if (transfer.Released is not { Ended: false } released)
        {
            // Who consulted is gone, which completes it.
            if (call.Partner(transfer.Kept) is not null) Complete(call, transfer, default);
        }
        else if (released.BridgeId is { } bridge && bridge == transfer.Kept.BridgeId)
        {
            (transfer.Kept.HearsMusic, released.Holds) = (false, false);
            AbandonTransfer(call, null);
        }
        else if (call.Partner(released) is not null)
        {
            transfer.Consulted = true;
            EndIfKeptIsGone(call, default);
        }
    }

    // By the server's word: hold is told to the partner of who holds.
    private static void Hold(AsteriskCall call, IReadOnlySet<string> onHold)
    {
        foreach (AsteriskLeg leg in call.Legs)
        {
            if (leg.Ended || call.Partner(leg) is not { } partner) continue;
            leg.HearsMusic = onHold.Contains(leg.Id);
            leg.Holds = onHold.Contains(partner.Id);
        }
    }

    /// <summary>The legs to hang up, the first leg first. Under the lock. None if the server has told of no channel yet.</summary>
    public static List<AsteriskLeg> LegsToHangUp(AsteriskCall call)
    {
        var legs = new List<AsteriskLeg>(2);
        if (call.Primary is { Seen: true, Ended: false } primary) legs.Add(primary);
        legs.AddRange(call.Legs.Where(l => l.Seen && !l.Ended && l != call.Primary));
        return legs;
    }

    // A leg in the server's list may be further than our events said.
    private void CatchUp(AsteriskLeg leg, string? application)
    {
        AsteriskCall call = leg.Call;
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing);
        if (leg.State == "Ringing") OnRinging(call, default);
        if (leg.State != "Up" || leg.Up) return;
        leg.Up = true;
        if (leg != call.Primary) return;
        // When it was answered was not seen.
        call.PrimaryAnsweredAt = calls.Now;
        if (!call.HasDestination) Connect(call, default);
        else AskDestination(call);
        if (!call.IsOurs && application is not null && DestinationRules.Judge(application, null) == DestinationProgress.Reached && !DestinationRules.Speaks(application)) Connect(call, default);
        if (call.State == CallState.Connected && !call.IsOurs) call.AnsweredAt = null;
    }

    private void AskDestination(AsteriskCall call)
    {
        if (call.State is not (CallState.Created or CallState.Dialing or CallState.Ringing or CallState.Incoming or CallState.Transferring)) return;
        call.AskDestinationAt = Clock + 100;
        call.Asked = 0;
        _watched.Add(call);
    }

    private void FinishLater(AsteriskCall call, long delay)
    {
        call.FinishAt = Clock + delay;
        _watched.Add(call);
    }

    // The last leg is gone, or none ever came.
    private void Finish(AsteriskCall call, ReadOnlySpan<byte> raw)
    {
        if (call.State == CallState.Terminated) return;
        if (call.IsOurs && call.OriginateSucceeded is null && call.PrimaryAnsweredAt is null && Verdict(call).Code is null or 0)
        {
            FinishLater(call, GraceForReason);
            return;
        }

        End(call, raw);
    }

    private void End(AsteriskCall call, ReadOnlySpan<byte> raw)
    {
        (HangupCause cause, int? code, int? sipStatus, string? text) = Verdict(call);
        call.Cause = cause;
        call.CauseCode = code;
        call.SipStatus = sipStatus;
        call.CauseText = text;
        call.FinishAt = null;
        call.AskDestinationAt = null;
        if (call.Primary is not null) _legs.Remove(call.Primary.IdBytes);
        foreach (AsteriskLeg leg in call.Legs) records.Remember(leg.IdBytes, call);
        call.EndRecordings(calls.Now);
        calls.Move(call, CallState.Terminated, raw, AmiFieldReader.Instance);
    }

    /// <summary>Why the call ended, by what the server said of its legs.</summary>
    private static (HangupCause Cause, int? Code, int? SipStatus, string? Text) Verdict(AsteriskCall call)
    {
        AsteriskLeg? leg = call.AnsweredAt is null ? FailedLeg(call) : null;
        leg ??= call.Primary is { Ended: true, Cause: not 0 } ? call.Primary : null;
        leg ??= call.Legs.Find(l => l.Ended && l.Cause != 0);
        leg ??= call.Legs.Find(l => l.Ended);

        HangupCause cause = leg is null ? HangupCause.Unknown : CauseOf(leg.Cause);
        int? code = leg?.Cause;
        string? text = leg?.CauseText;
        if (call.ServerShutdown) return (HangupCause.ServerShutdown, code, leg?.TechCause, "the server shut down or restarted");
        if (cause != HangupCause.Unknown || call.AnsweredAt is not null) return (cause, code, leg?.TechCause, text);

        // Channels say 0 where the dialling knew more: Asterisk 16 after a time-out, Local halves.
        (HangupCause known, string? said) = (call.DialStatus, call.OriginateReason) switch
        {
            ("BUSY", _) => (HangupCause.UserBusy, "DialStatus BUSY"),
            ("CONGESTION", _) => (HangupCause.NoCircuitAvailable, "DialStatus CONGESTION"),
            (_, 3) => (HangupCause.NoAnswer, "no answer before the ring time-out"),
            (_, 5) => (HangupCause.UserBusy, "OriginateResponse reason 5 (busy)"),
            (_, 8) => (HangupCause.NoCircuitAvailable, "OriginateResponse reason 8 (congestion)"),
            ("NOANSWER", _) => (HangupCause.NoAnswer, "DialStatus NOANSWER"),
            ("CHANUNAVAIL", _) => (HangupCause.Unknown, "DialStatus CHANUNAVAIL"),
            (_, { } reason) when leg is null => (HangupCause.Unknown, $"OriginateResponse reason {reason.ToString(CultureInfo.InvariantCulture)}, and no channel was made: unknown or unreachable endpoint"),
            _ => (HangupCause.Unknown, text),
        };
        return (known, code, leg?.TechCause, said);
    }

    // For a call that was not answered: the leg of the destination that failed, else the leg that we called.
    private static AsteriskLeg? FailedLeg(AsteriskCall call) =>
        call.Legs.FindLast(l => l.Ended && !l.Up && l.Cause != 0 && l.DialledBy is not null && l.DialledBy == call.Primary)
        ?? call.Legs.FindLast(l => l.Ended && !l.Up && l.Cause != 0 && l.TechCause is not null);

    private static HangupCause CauseOf(int code) => Enum.IsDefined((HangupCause)code) && code is > 0 and <= 127 ? (HangupCause)code : HangupCause.Unknown;

    private static TimeSpan? Age(ReadOnlySpan<byte> duration)
    {
        // hh:mm:ss, with hours past 24 for long calls.
        string[] parts = (AmiChannelFields.Text(duration) ?? "").Split(':');
        return parts.Length == 3
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int hours)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int minutes)
            && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out int seconds)
            ? new TimeSpan(hours, minutes, seconds)
            : null;
    }
}
