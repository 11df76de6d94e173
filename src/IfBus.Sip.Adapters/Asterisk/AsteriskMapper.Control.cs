namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>The part of the mapper that follows bridges, holds, conferences, recordings and transfers.</summary>
internal sealed partial class AsteriskMapper
{
    private readonly HashSet<string> _recordedRooms = new(StringComparer.Ordinal);

    /// <summary>What callers wait for.</summary>
    public CallConditions<AsteriskCall> Conditions { get; } = new(calls);

    /// <summary>The call of a leg that is live, by its Uniqueid.</summary>
    public AsteriskCall? CallOf(ReadOnlySpan<byte> uniqueid)
    {
        lock (calls.Sync) return _legs.TryGet(uniqueid, out AsteriskLeg? leg) ? leg.Call : null;
    }

    /// <summary>True if an event said, since we are connected, that a room is recorded; null if none did.</summary>
    public bool? IsRecorded(string room)
    {
        lock (calls.Sync) return _recordedRooms.Contains(room) ? true : null;
    }

    /// <summary>Waits for the event of a room's recording, which may come after the answer to the command; null if no call that we know is in the room. To be asked for before the command is sent.</summary>
    public CallCondition<AsteriskCall>? WhenRecorded(string room, bool recorded)
    {
        AsteriskCall? inside;
        lock (calls.Sync) inside = calls.Live.OfType<AsteriskCall>().FirstOrDefault(c => c.Legs.Exists(l => l.Room == room));
        return inside is null ? null : Conditions.When(inside, _ => _recordedRooms.Contains(room) == recorded);
    }

    /// <summary>Puts a call on a way that the server has accepted. Under no lock.</summary>
    public void BeginTransfer(AsteriskCall call, AsteriskTransfer transfer)
    {
        lock (calls.Sync)
        {
            call.Transfer = transfer;
            call.HasDestination = true;
            if (!transfer.Attended) call.Primary = transfer.Kept;
            calls.Move(call, CallState.Transferring);
        }
    }

    /// <summary>The server has moved the kept party: its dialplan decides from here.</summary>
    public void FollowTransfer(AsteriskCall call)
    {
        lock (calls.Sync)
        {
            call.HeldByUs = false;
            if (call.Transfer is { } transfer) transfer.Kept.NoDialplan = false;
            AskDestination(call);
        }
    }

    /// <summary>A transfer came to nothing, and the call is as it was.</summary>
    public void AbandonTransfer(AsteriskCall call, AsteriskLeg? primary)
    {
        lock (calls.Sync)
        {
            call.Transfer = null;
            call.AskDestinationAt = null;
            if (primary is not null) call.Primary = primary;
            if (call.State == CallState.Transferring) calls.Move(call, call.IsHeld ? CallState.OnHold : CallState.Connected);
        }
    }

    /// <summary>We hold a call, or do not any more.</summary>
    public void SetHeldByUs(AsteriskCall call, bool held)
    {
        lock (calls.Sync)
        {
            call.HeldByUs = held;
            ShowHold(call, default);
        }
    }

    private void OnBridgeEnter(in AmiChannelFields f, ReadOnlySpan<byte> message)
    {
        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg)) return;
        // Rooms and parking lots are bridges of other types.
        if (!AmiMessage.Find(message, "BridgeType"u8).SequenceEqual("basic"u8)) return;
        leg.BridgeId = AmiChannelFields.Text(AmiMessage.Find(message, "BridgeUniqueid"u8));
        // Who shares a bridge with the first leg talks with it, whatever was told of how it came about.
        if (leg.Call is { State: CallState.Created or CallState.Dialing or CallState.Ringing or CallState.Incoming, Primary: { Ended: false, Up: true } primary } && leg.Call.Partner(primary) is not null) Connect(leg.Call, message);
        // Back with whom it talked before: a consultation was given up, by us or at the phone.
        if (leg.Call.Transfer is { Attended: true, Done: false } transfer && leg == transfer.Released && leg.BridgeId == transfer.Kept.BridgeId) AbandonTransfer(leg.Call, null);
        ShowHold(leg.Call, message);
    }

    private void OnBridgeLeave(in AmiChannelFields f, ReadOnlySpan<byte> message)
    {
        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg)) return;
        leg.BridgeId = null;
        ShowHold(leg.Call, message);
    }

    private void OnHold(in AmiChannelFields f, ReadOnlySpan<byte> message, bool held)
    {
        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg)) return;
        leg.Holds = held;
        ShowHold(leg.Call, message);
    }

    private void OnMusic(in AmiChannelFields f, ReadOnlySpan<byte> message, bool plays)
    {
        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg)) return;
        leg.HearsMusic = plays;
        ShowHold(leg.Call, message);
    }

    private void OnConfbridge(ReadOnlySpan<byte> name, in AmiChannelFields f, ReadOnlySpan<byte> message)
    {
        string? room = AmiChannelFields.Text(AmiMessage.Find(message, "Conference"u8));
        if (name.SequenceEqual("ConfbridgeRecord"u8) && room is not null) _recordedRooms.Add(room);
        else if ((name.SequenceEqual("ConfbridgeStopRecord"u8) || name.SequenceEqual("ConfbridgeEnd"u8)) && room is not null) _recordedRooms.Remove(room);
        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg)) return;
        if (name.SequenceEqual("ConfbridgeJoin"u8))
        {
            leg.Room = room;
            // In a room somebody can be talked with, whatever the dialplan was about before.
            leg.Call.HeldByUs = false;
            Connect(leg.Call, message);
            ShowHold(leg.Call, message);
        }
        else if (name.SequenceEqual("ConfbridgeLeave"u8))
        {
            leg.Room = null;
        }
    }

    private void OnMixMonitor(ReadOnlySpan<byte> name, in AmiChannelFields f)
    {
        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg)) return;
        if (name.SequenceEqual("MixMonitorStart"u8)) leg.RecordingsBegun++;
        else if (name.SequenceEqual("MixMonitorStop"u8)) leg.RecordingsEnded++;
    }

    // A phone has sent the other party somewhere, by a REFER or a feature code. Ours are under way before this comes.
    private void OnBlindTransfer(ReadOnlySpan<byte> message)
    {
        if (!AmiMessage.Find(message, "Result"u8).SequenceEqual("Success"u8)) return;
        if (!_legs.TryGet(AmiMessage.Find(message, "TransfererUniqueid"u8), out AsteriskLeg? released) || !_legs.TryGet(AmiMessage.Find(message, "TransfereeUniqueid"u8), out AsteriskLeg? kept)) return;
        AsteriskCall call = released.Call;
        if (kept.Call != call || call.Transfer is { Done: false }) return;
        call.Transfer = new AsteriskTransfer(kept, released, AmiChannelFields.Text(AmiMessage.Find(message, "Extension"u8)) ?? call.To ?? "", attended: false);
        call.HasDestination = true;
        call.Primary = kept;
        call.HeldByUs = false;
        calls.Move(call, CallState.Transferring, message, AmiFieldReader.Instance);
        AskDestination(call);
    }

    private void OnAttendedTransfer(ReadOnlySpan<byte> message)
    {
        if (!_legs.TryGet(AmiMessage.Find(message, "OrigTransfererUniqueid"u8), out AsteriskLeg? leg)) return;
        AsteriskCall call = leg.Call;
        if (call.Transfer is not { Attended: true } transfer) return;
        if (AmiMessage.Find(message, "Result"u8).SequenceEqual("Success"u8)) Complete(call, transfer, message);
        else transfer.Failed = true;
    }

    private void Complete(AsteriskCall call, AsteriskTransfer transfer, ReadOnlySpan<byte> raw)
    {
        transfer.Done = true;
        call.Primary = transfer.Kept;
        // Its MusicOnHoldStop may come before this or after; for the other there is no Unhold, only its Hangup.
        transfer.Kept.HearsMusic = false;
        if (transfer.Released is { } released) released.Holds = false;
        Connect(call, raw);
    }

    // An attended transfer: its destination has answered the party that consults.
    private void OnConsultation(AsteriskCall call, AsteriskLeg leg)
    {
        if (call.Transfer is not { Attended: true } transfer || leg == transfer.Kept || leg == transfer.Released) return;
        transfer.Consulted = true;
        EndIfKeptIsGone(call, default);
    }

    // Who was to be kept has hung up: the other two go on as a call like any other.
    private void EndIfKeptIsGone(AsteriskCall call, ReadOnlySpan<byte> raw)
    {
        if (call.Transfer is not { Attended: true, Done: false, Consulted: true, Kept.Ended: true, Released: { Ended: false } left } transfer) return;
        transfer.Done = true;
        transfer.KeptAddress = call.AddressOf(left);
        call.Primary = left;
        left.Holds = false;
        Connect(call, raw);
    }

    // A leg that hears music inside a bridge has a partner that holds it; outside one it may just be where it wanted to
    // be, in a queue for instance, so only a hold of ours counts there.
    private void ShowHold(AsteriskCall call, ReadOnlySpan<byte> raw)
    {
        if (call.State is not (CallState.Connected or CallState.OnHold)) return;
        calls.Move(call, call.IsHeld ? CallState.OnHold : CallState.Connected, raw, AmiFieldReader.Instance);
    }
}
