using System.Runtime.CompilerServices;
using System.Text;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>
/// Follows calls by the server's events. Everything is keyed by Uniqueid, and any order is taken: OriginateResponse may
/// come before Newchannel, before DialEnd, or after Hangup (wire/asterisk, section 5). Runs on the session's reader.
/// </summary>
internal sealed partial class AsteriskMapper(string server, CallTable calls, EventHub events, DetailRecordStore<AsteriskCall> records, TimeProvider time) : IAmiEventSink
{
    // How long after a failed OriginateResponse a channel may still show up; the widest gap recorded is some milliseconds.
    private const long GraceForChannel = 500;

    // How long a call without a cause waits for the OriginateResponse that may know one.
    private const long GraceForReason = 500;

    private readonly Utf8Table<AsteriskLeg> _legs = new();
    private readonly HashSet<AsteriskCall> _watched = [];
    private readonly Utf8Table<string> _words = new();
    private readonly AsteriskDetailRecords _recordReader = new(server, time);

    // When the bytes that are being read came.
    private DateTime _arrived;

    /// <summary>Called, under the lock, for a call that is to be hung up and whose channel has appeared only now.</summary>
    public Action<AsteriskCall, HangupCause>? LateHangup { get; set; }

    /// <summary>The server has said Shutdown on this connection.</summary>
    public bool ShutdownSeen { get; private set; }

    private long Clock => (long)time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>A call of ours, before its Originate is sent: its leg is known by the ChannelId from then on.</summary>
    /// <param name="call">The call.</param>
    /// <param name="noDialplan">Its first leg runs an application only.</param>
    public void Expect(AsteriskCall call, bool noDialplan = false)
    {
        lock (calls.Sync)
        {
            byte[] id = Encoding.UTF8.GetBytes(call.CallId);
            var leg = new AsteriskLeg(call, id, call.CallId) { NoDialplan = noDialplan };
            call.Primary = leg;
            call.ExpectedAt = Clock;
            call.Session = _session;
            call.Legs.Add(leg);
            _legs.Set(id, leg);
            calls.Add(call);
        }
    }

    /// <summary>There never was a call: its Originate was not sent, or the server refused it.</summary>
    public void Forget(AsteriskCall call)
    {
        lock (calls.Sync)
        {
            _legs.Remove(call.Primary!.IdBytes);
            _watched.Remove(call);
            calls.Remove(call);
        }
    }

    /// <inheritdoc/>
    public void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> message)
    {
        lock (calls.Sync)
        {
            Apply(name, message);
            if (Conditions.Any) Conditions.Check();
        }

        SipEventTypes what = Classify(name);
        if (!events.Wants(what)) return;
        events.Publish(new SipEvent(what, server, SipServerType.Asterisk, _arrived, Known(name), message.ToArray(), AmiFieldReader.Instance)
        {
            // What people look at tells its call; for the rest that would cost more than the event.
            Call = what == SipEventTypes.Other ? null : SnapshotOf(message),
        });
    }

    /// <inheritdoc/>
    public void OnReadBegins()
    {
        _arrived = time.GetUtcNow().UtcDateTime;
        events.Hold();
    }

    /// <inheritdoc/>
    public void OnReadEnds() => events.Release();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Apply(ReadOnlySpan<byte> name, ReadOnlySpan<byte> message)
    {
        // Costs nothing: each field is looked for when it is asked for.
        AmiChannelFields f = AmiChannelFields.Read(message);
        switch (name.Length)
        {
            case 3 when name.SequenceEqual("Cdr"u8):
                if (records.Keeps) records.Add(_recordReader.Read(message, FindCallOfRecord(message)?.CallId));
                break;
            case 4 when name.SequenceEqual("Hold"u8):
                OnHold(f, message, held: true);
                break;
            case 6 when name.SequenceEqual("Unhold"u8):
                OnHold(f, message, held: false);
                break;
            case 6 when name.SequenceEqual("Hangup"u8):
                OnHangup(f, message);
                break;
            case 6 when name.SequenceEqual("Rename"u8):
                OnRename(f);
                break;
            case 7 when name.SequenceEqual("DialEnd"u8):
                OnDialEnd(f, message);
                break;
            case 8 when name.SequenceEqual("Newstate"u8):
                OnNewstate(f, message);
                break;
            case 8 when name.SequenceEqual("Shutdown"u8):
                ShutdownSeen = true;
                break;
            case 9 when name.SequenceEqual("DialBegin"u8):
                OnDialBegin(f, message);
                break;
            case 9 when name.SequenceEqual("DialState"u8):
                OnDialState(f, message);
                break;
            case 10 when name.SequenceEqual("Newchannel"u8):
                OnNewchannel(f, message);
                break;
            case 11 when name.SequenceEqual("BridgeEnter"u8):
                OnBridgeEnter(f, message);
                break;
            case 11 when name.SequenceEqual("BridgeLeave"u8):
                OnBridgeLeave(f, message);
                break;
            case 11 when name.SequenceEqual("NewCallerid"u8):
                OnNewCallerid(f);
                break;
            case 13 when name.SequenceEqual("BlindTransfer"u8):
                OnBlindTransfer(message);
                break;
            case 13 when name.SequenceEqual("HangupRequest"u8):
                OnHangupRequest(f);
                break;
            case 17 when name.SequenceEqual("SoftHangupRequest"u8):
                OnSoftHangupRequest(f);
                break;
            case 15 when name.SequenceEqual("MusicOnHoldStop"u8):
                OnMusic(f, message, plays: false);
                break;
            case 16 when name.SequenceEqual("MusicOnHoldStart"u8):
                OnMusic(f, message, plays: true);
                break;
            case 16 when name.SequenceEqual("AttendedTransfer"u8):
                OnAttendedTransfer(message);
                break;
            case 17 when name.SequenceEqual("OriginateResponse"u8):
                OnOriginateResponse(f, message);
                break;
            default:
                if (name.StartsWith("Confbridge"u8)) OnConfbridge(name, f, message);
                else if (name.StartsWith("MixMonitor"u8)) OnMixMonitor(name, f);
                break;
        }
    }

    private void OnNewchannel(in AmiChannelFields f, ReadOnlySpan<byte> raw)
    {
        IsTold = true;
        AsteriskLeg? leg = LegOf(f, raw);
        if (leg is null || leg.Ended) return;
        if (leg.Call.State == CallState.Created) calls.Move(leg.Call, CallState.Dialing, raw, AmiFieldReader.Instance);
    }

    private void OnNewstate(in AmiChannelFields f, ReadOnlySpan<byte> raw)
    {
        AsteriskLeg? leg = LegOf(f, raw);
        if (leg is null || leg.Ended) return;
        leg.State = AmiChannelFields.State(f.ChannelState);
        if (leg.State == "Up") OnUp(leg, raw);
        else if (leg.State == "Ringing") OnRinging(leg.Call, raw);
    }

    private void OnNewCallerid(in AmiChannelFields f)
    {
        if (_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg)) leg.Number = AmiChannelFields.Text(f.Number) ?? leg.Number;
    }

    private void OnRename(in AmiChannelFields f)
    {
        if (_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg)) leg.Name = AmiChannelFields.Text(f.Newname) ?? leg.Name;
    }

    private void OnDialBegin(in AmiChannelFields f, ReadOnlySpan<byte> raw)
    {
        AsteriskLeg? leg = LegOf(f.Dest, raw);
        if (leg is null || leg.Ended) return;
        AsteriskCall call = leg.Call;
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing, raw, AmiFieldReader.Instance);
        if (f.Uniqueid.IsEmpty || leg.DialGoesOn) return;
        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? caller)) return;
        leg.DialledBy = caller;
        leg.DialGoesOn = true;
        if (caller != call.Primary) return;
        call.ActiveDials++;
        call.DialStatus = null;
        call.AskDestinationAt = null;
    }

    private void OnDialState(in AmiChannelFields f, ReadOnlySpan<byte> raw)
    {
        AsteriskLeg? leg = LegOf(f.Dest, raw);
        if (leg is not null && !leg.Ended && f.DialStatus.SequenceEqual("RINGING"u8)) OnRinging(leg.Call, raw);
    }

    private void OnDialEnd(in AmiChannelFields f, ReadOnlySpan<byte> raw)
    {
        AsteriskLeg? leg = LegOf(f.Dest, raw);
        if (leg is null) return;
        AsteriskCall call = leg.Call;
        bool answered = f.DialStatus.SequenceEqual("ANSWER"u8);
        if (!answered) call.DialStatus = AmiChannelFields.Text(f.DialStatus);

        if (f.Uniqueid.IsEmpty)
        {
            // The end of the dialling of a leg that an Originate made, or a consultation.
            if (answered)
            {
                OnUp(leg, raw);
                OnConsultation(call, leg);
            }

            return;
        }

        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? caller) || caller != call.Primary) return;
        if (leg.DialGoesOn)
        {
            leg.DialGoesOn = false;
            call.ActiveDials--;
        }

        if (answered)
        {
            leg.Up = true;
            Connect(call, raw);
        }
        else if (call.ActiveDials == 0 && call.PrimaryAnsweredAt is not null)
        {
            // The dialplan may go on, to a mailbox for instance.
            AskDestination(call);
        }
    }

    private void OnUp(AsteriskLeg leg, ReadOnlySpan<byte> raw)
    {
        if (leg.Ended) return;
        leg.Up = true;
        leg.State = "Up";
        AsteriskCall call = leg.Call;
        if (leg != call.Primary || call.PrimaryAnsweredAt is not null) return;
        call.PrimaryAnsweredAt = calls.Now;
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing, raw, AmiFieldReader.Instance);
        if (!call.HasDestination) Connect(call, raw);
        else if (call.ActiveDials == 0) AskDestination(call);
    }

    private void OnRinging(AsteriskCall call, ReadOnlySpan<byte> raw)
    {
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing, raw, AmiFieldReader.Instance);
        if (call.State == CallState.Dialing) calls.Move(call, CallState.Ringing, raw, AmiFieldReader.Instance);
    }

    private void OnOriginateResponse(in AmiChannelFields f, ReadOnlySpan<byte> raw)
    {
        IsTold = true;
        // Without an id of ours it is another client's call, which its channel events tell.
        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg) || leg != leg.Call.Primary) return;
        AsteriskCall call = leg.Call;
        call.OriginateReason = AmiChannelFields.Number32(f.Reason);
        call.OriginateSucceeded = f.Response.SequenceEqual("Success"u8);
        if (call.OriginateSucceeded == true)
        {
            if (leg.Ended) return;
            leg.Name ??= AmiChannelFields.Text(f.Channel);
            See(leg);
            OnUp(leg, raw);
            return;
        }

        if (call.State == CallState.Terminated) return;
        if (!call.SeenOnServer) FinishLater(call, GraceForChannel);
        else if (call.LiveLegs == 0) Finish(call, raw);
    }

    private void OnHangupRequest(in AmiChannelFields f)
    {
        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg) || leg.Name is null) return;
        // The other half of a Local channel asks too when its twin is gone; a real far end is a phone or trunk.
        if (leg.Call.State is not (CallState.HangingUp or CallState.Transferring) && !leg.Name.StartsWith("Local/", StringComparison.Ordinal) && !leg.Call.Legs.Exists(l => l.HungUpByFarEnd))
            leg.HungUpByFarEnd = true;
    }

    private void OnSoftHangupRequest(in AmiChannelFields f)
    {
        // Cause is here a set of flags, not a Q.850 cause; 4 is AST_SOFTHANGUP_SHUTDOWN (restart recording).
        if (_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg) && AmiChannelFields.Number32(f.Cause) == 4) leg.Call.ServerShutdown = true;
    }

    private void OnHangup(in AmiChannelFields f, ReadOnlySpan<byte> raw)
    {
        IsTold = true;
        // Never seen: the end of a channel from before we connected, which the first list no longer had.
        if (!_legs.TryGet(f.Uniqueid, out AsteriskLeg? leg) || leg.Ended) return;
        See(leg);
        leg.Ended = true;
        if (leg.Name is null || !Ascii.Equals(f.Channel, leg.Name)) leg.Name = AmiChannelFields.Text(f.Channel) ?? leg.Name;
        leg.Cause = AmiChannelFields.Number32(f.Cause) ?? 0;
        leg.CauseText = f.CauseText is { IsEmpty: false } text ? Known(text) : null;
        leg.TechCause = AmiChannelFields.Number32(f.TechCause);
        _legs.Remove(leg.IdBytes);

        AsteriskCall call = leg.Call;
        call.LiveLegs--;
        call.EndRecordings(calls.Now, leg);
        EndDial(leg);
        if (call.LiveLegs > 0)
        {
            EndWithPartner(call);
            EndIfKeptIsGone(call, raw);
            // Whoever held it may be the one that is gone.
            ShowHold(call, raw);
            return;
        }

        // A leg that we wait for keeps its place under its id, so that a late OriginateResponse finds the call.
        if (call.Primary is { } primary && call.IsOurs && call.OriginateSucceeded is null) _legs.Set(primary.IdBytes, primary);
        Finish(call, raw);
    }

    private static void EndDial(AsteriskLeg leg)
    {
        if (!leg.DialGoesOn || leg.DialledBy != leg.Call.Primary) return;
        leg.DialGoesOn = false;
        leg.Call.ActiveDials--;
    }

    // We took the two of a held call apart, so nothing at the server ends the one with the other.
    private void EndWithPartner(AsteriskCall call)
    {
        if (call is { HeldByUs: true, State: CallState.OnHold } && call.Legs.Count(l => l is { Ended: false, HearsMusic: true }) == 1) LateHangup?.Invoke(call, HangupCause.NormalClearing);
    }

    private void Connect(AsteriskCall call, ReadOnlySpan<byte> raw)
    {
        call.AskDestinationAt = null;
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing, raw, AmiFieldReader.Instance);
        if (call.State == CallState.Transferring && call.Transfer is { } transfer)
        {
            if (transfer is { Attended: true, Done: false }) return;
            transfer.Done = true;
            (call.From, call.To) = (transfer.KeptAddress, transfer.To);
        }

        if (call.State is CallState.Dialing or CallState.Ringing or CallState.Incoming or CallState.Transferring) calls.Move(call, CallState.Connected, raw, AmiFieldReader.Instance);
    }

    private SipCall? SnapshotOf(ReadOnlySpan<byte> message)
    {
        lock (calls.Sync) return _legs.TryGet(AmiMessage.Find(message, "Uniqueid"u8), out AsteriskLeg? leg) ? calls.Snapshot(leg.Call) : null;
    }

    private AsteriskCall? FindCallOfRecord(ReadOnlySpan<byte> message)
    {
        ReadOnlySpan<byte> id = AmiMessage.Find(message, "UniqueID"u8);
        return _legs.TryGet(id, out AsteriskLeg? leg) ? leg.Call : records.RecentCall(id);
    }

    private static SipEventTypes Classify(ReadOnlySpan<byte> name) => name.Length switch
    {
        _ when name.StartsWith("MixMonitor"u8) => SipEventTypes.CallRecording,
        _ when name.StartsWith("Confbridge"u8) => SipEventTypes.ConferenceChanged,
        7 when name.SequenceEqual("DTMFEnd"u8) => SipEventTypes.CallDtmf,
        _ => SipEventTypes.Other,
    };

    // Names of events and texts of causes come again and again; one string each is enough. A peer that makes them up gets no
    // more than these.
    private string Known(ReadOnlySpan<byte> words)
    {
        if (_words.TryGet(words, out string? known)) return known;
        string text = Encoding.UTF8.GetString(words);
        if (_words.Count < 1000) _words.Set(words.ToArray(), text);
        return text;
    }
}
