using System.Globalization;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>The part of the mapper that takes in the server's own list of channels: what went unseen, and what it lacks.</summary>
internal sealed partial class AsteriskMapper
{
    // A channel that the list no longer has: its Hangup is under way, or was kept from us.
    private const long TimeForHangup = 2000;

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
                    if (missing is null && leg.Seen && (leg.MissingSince ??= now) > now - TimeForHangup)
                    {
                        // Then, if its end still is not told, the list is asked again.
                        call.LookAt = leg.MissingSince + TimeForHangup;
                        _watched.Add(call);
                        continue;
                    }

                    if (missing is null && !leg.Seen && (call.DoubtedAt is not { } since || since > now - TimeInDoubt)) continue;
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

    /// <summary>What became of a call, by where its legs are now, while its events went unseen or did not count. Under the lock.</summary>
    public void CatchUp(AsteriskCall call, bool isNew)
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
