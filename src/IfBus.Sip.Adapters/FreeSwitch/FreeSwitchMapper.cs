using System.Runtime.CompilerServices;
using System.Text;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>
/// Follows calls by the server's events, keyed by Unique-ID. Any order is taken: an originate's result may come before,
/// between and after the end of its leg, a leg's end before its beginning (wire/freeswitch, order of events). Runs on the
/// session's reader.
/// </summary>
internal sealed partial class FreeSwitchMapper(string server, CallTable calls, EventHub events, DetailRecordStore<FreeSwitchCall> records, TimeProvider time) : IEslEventSink
{
    private readonly Utf8Table<FreeSwitchLeg> _legs = new();

    // Originates of ours whose result has not come, by the id of their job.
    private readonly Utf8Table<FreeSwitchCall> _jobs = new();
    private readonly HashSet<FreeSwitchCall> _watched = [];
    private readonly Utf8Table<string> _names = new();

    // When the bytes that are being read came.
    private DateTime _arrived;

    /// <summary>What callers wait for.</summary>
    public CallConditions<FreeSwitchCall> Conditions { get; } = new(calls);

    /// <summary>Called, under the lock, for a leg of a call that is to be hung up and that has appeared only now.</summary>
    public Action<FreeSwitchLeg, HangupCause>? LateHangup { get; set; }

    /// <summary>Called, under the lock, for a call that the server refused with a cause that has many reasons; <see cref="Explained"/> ends it.</summary>
    public Action<FreeSwitchCall>? Explain { get; set; }

    /// <summary>The server has said SHUTDOWN on this connection.</summary>
    public bool ShutdownSeen { get; private set; }

    /// <summary>The counters of the last HEARTBEAT; null before the first.</summary>
    public byte[]? LastHeartbeat { get; private set; }

    private long Clock => (long)time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>A call of ours, before its originate is sent: its leg is known by the uuid from then on.</summary>
    public void Expect(FreeSwitchCall call, IReadOnlyList<string> legs)
    {
        lock (calls.Sync)
        {
            foreach (string uuid in legs)
            {
                FreeSwitchLeg leg = Expect(call, uuid);
                call.Primary ??= leg;
                leg.IsCandidate = legs.Count > 1;
            }

            _jobs.Set(call.JobIdBytes, call);
            calls.Add(call);
        }
    }

    /// <summary>A leg that an originate of ours will make for a call that lives. Under the lock.</summary>
    public FreeSwitchLeg Expect(FreeSwitchCall call, string uuid)
    {
        byte[] id = EslJson.Key(uuid);
        var leg = new FreeSwitchLeg(call, id, uuid);
        call.Legs.Add(leg);
        _legs.Set(id, leg);
        return leg;
    }

    /// <summary>The server refused the originate: there never was a call.</summary>
    public void Forget(FreeSwitchCall call)
    {
        lock (calls.Sync)
        {
            foreach (FreeSwitchLeg leg in call.Legs) _legs.Remove(leg.IdBytes);
            _jobs.Remove(call.JobIdBytes);
            _watched.Remove(call);
            calls.Remove(call);
        }
    }

    /// <inheritdoc/>
    public void OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
    {
        lock (calls.Sync)
        {
            Apply(name, json);
            if (Conditions.Any) Conditions.Check();
        }

        SipEventTypes what = Classify(name, json);
        if (!events.Wants(what)) return;
        events.Publish(new SipEvent(what, server, SipServerType.FreeSwitch, _arrived, EventName(name, json), json.ToArray(), EslFieldReader.Instance)
        {
            // What people look at tells its call; for the rest that would cost more than the event.
            Call = what == SipEventTypes.Other ? null : SnapshotOf(json),
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
    private void Apply(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
    {
        if (name.StartsWith("CHANNEL_"u8))
        {
            ApplyChannel(name["CHANNEL_".Length..], json);
            return;
        }

        switch (name.Length)
        {
            case 6 when name.SequenceEqual("CUSTOM"u8):
                if (EslJson.Find(json, "Event-Subclass"u8).SequenceEqual("conference::maintenance"u8)) OnConference(json);
                break;
            case 8 when name.SequenceEqual("SHUTDOWN"u8):
                ShutdownSeen = true;
                break;
            case 9 when name.SequenceEqual("HEARTBEAT"u8):
                LastHeartbeat = json.ToArray();
                if (Stamp(json) is { } stamp) _clock.Hear(stamp, _arrived);
                break;
            case 11 when name.SequenceEqual("RECORD_STOP"u8):
                OnRecording(json, begins: false);
                break;
            case 12 when name.SequenceEqual("RECORD_START"u8):
                OnRecording(json, begins: true);
                break;
            case 14 when name.SequenceEqual("BACKGROUND_JOB"u8):
                OnOriginateDone(json);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ApplyChannel(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
    {
        switch (name.Length)
        {
            case 4 when name.SequenceEqual("HOLD"u8):
                OnHold(json, holds: true);
                break;
            case 4 when name.SequenceEqual("PARK"u8):
                if (LegOf(json) is { Ended: false } parked) OnApplication(parked, "park", null, json);
                break;
            case 4 when name.SequenceEqual("UUID"u8):
                OnRename(json);
                break;
            case 6 when name.SequenceEqual("ANSWER"u8):
                if (LegOf(json) is { Ended: false } answered) OnUp(answered, json);
                break;
            case 6 when name.SequenceEqual("BRIDGE"u8):
                OnBridge(json);
                break;
            case 6 when name.SequenceEqual("CREATE"u8):
                OnCreate(json);
                break;
            case 6 when name.SequenceEqual("UNHOLD"u8):
                OnHold(json, holds: false);
                break;
            case 7 when name.SequenceEqual("EXECUTE"u8):
                OnExecute(json);
                break;
            case 8 when name.SequenceEqual("PROGRESS"u8):
            case 14 when name.SequenceEqual("PROGRESS_MEDIA"u8):
                OnProgress(json);
                break;
            case 8 when name.SequenceEqual("UNBRIDGE"u8):
                OnUnbridge(json);
                break;
            case 15 when name.SequenceEqual("HANGUP_COMPLETE"u8):
                OnHangupComplete(json);
                break;
        }
    }

    private void OnCreate(ReadOnlySpan<byte> json)
    {
        // The first event of a call is hardly ever read late; those after it may have to wait for it.
        if (Stamp(json) is { } stamp) _clock.Hear(stamp, _arrived);
        // The next attempt of a dial string has the uuid of the one that failed.
        if (_legs.TryGet(EslJson.Find(json, "Unique-ID"u8), out FreeSwitchLeg? old) && old.Ended && old.Call is { IsOurs: true, OriginateDone: false } again && old.Id == again.CallId)
            again.Primary = Expect(again, old.Id);
        if (LegOf(json) is not { Ended: false } leg) return;
        leg.State = EslJson.Text(json, "Channel-Call-State"u8) ?? leg.State;
        if (leg.Call.State == CallState.Created) calls.Move(leg.Call, CallState.Dialing, json, EslFieldReader.Instance);
    }

    private void OnProgress(ReadOnlySpan<byte> json)
    {
        if (LegOf(json) is not { Ended: false, IsInbound: false } leg) return;
        // A 183 has sound, but nobody has answered.
        leg.State = EslJson.Find(json, "Answer-State"u8).SequenceEqual("early"u8) ? "EARLY" : "RINGING";
        FreeSwitchCall call = leg.Call;
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing, json, EslFieldReader.Instance);
        if (call.State == CallState.Dialing) calls.Move(call, CallState.Ringing, json, EslFieldReader.Instance);
    }

    private void OnUp(FreeSwitchLeg leg, ReadOnlySpan<byte> json)
    {
        leg.Up = true;
        leg.State = "ACTIVE";
        leg.SipCallId ??= EslJson.Text(json, "variable_sip_call_id"u8);
        FreeSwitchCall call = leg.Call;
        call.Codec ??= EslJson.Text(json, "Channel-Read-Codec-Name"u8);
        TakeCandidate(call, leg);
        Consider(call, json);
    }

    // Of several endpoints the one that answers is the party.
    private static void TakeCandidate(FreeSwitchCall call, FreeSwitchLeg leg)
    {
        if (!leg.IsCandidate || call.Primary is { Up: true, Ended: false }) return;
        call.Primary = leg;
        if (leg.Candidate is not { } name) return;
        if (call.HasDestination) call.From = name;
        else call.To = name;
    }

    private void OnExecute(ReadOnlySpan<byte> json)
    {
        if (LegOf(json) is { Ended: false } leg) OnApplication(leg, EslJson.Text(json, "Application"u8), EslJson.Text(json, "Application-Data"u8), json);
    }

    private void OnApplication(FreeSwitchLeg leg, string? application, string? data, ReadOnlySpan<byte> json)
    {
        (leg.Application, leg.ApplicationData) = (application, data);
        Consider(leg.Call, json);
    }

    private void OnBridge(ReadOnlySpan<byte> json)
    {
        LegOf(json);
        if (!_legs.TryGet(EslJson.Find(json, "Bridge-A-Unique-ID"u8), out FreeSwitchLeg? a) || !_legs.TryGet(EslJson.Find(json, "Bridge-B-Unique-ID"u8), out FreeSwitchLeg? b)) return;
        Part(a);
        Part(b);
        (a.Peer, b.Peer) = (b, a);
        a.PeerTold = b.PeerTold = true;
        Consider(a.Call, json);
        if (b.Call != a.Call) Consider(b.Call, json);
        ShowHold(a.Call, json);
    }

    private void OnUnbridge(ReadOnlySpan<byte> json)
    {
        if (!_legs.TryGet(EslJson.Find(json, "Bridge-A-Unique-ID"u8), out FreeSwitchLeg? a)) return;
        a.PeerTold = true;
        if (a.Peer is { } b) b.PeerTold = true;
        Part(a);
    }

    private static void Part(FreeSwitchLeg leg)
    {
        if (leg.Peer is not { } peer) return;
        leg.Peer = null;
        if (peer.Peer == leg) peer.Peer = null;
    }

    private void OnHold(ReadOnlySpan<byte> json, bool holds)
    {
        if (LegOf(json) is not { Ended: false } leg) return;
        leg.Holds = holds;
        leg.HoldInDoubt = false;
        if (!holds) leg.HeldByUs = false;
        ShowHold(leg.Call, json);
    }

    private void ShowHold(FreeSwitchCall call, ReadOnlySpan<byte> json)
    {
        if (call.State is CallState.Connected or CallState.OnHold) calls.Move(call, call.IsHeld ? CallState.OnHold : CallState.Connected, json, EslFieldReader.Instance);
    }

    private void OnRename(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> before = EslJson.Find(json, "Old-Unique-ID"u8);
        ReadOnlySpan<byte> now = EslJson.Find(json, "Unique-ID"u8);
        if (now.IsEmpty || !_legs.TryGet(before, out FreeSwitchLeg? leg) || _legs.TryGet(now, out _)) return;
        _legs.Remove(before);
        leg.Rename(now.ToArray(), Encoding.UTF8.GetString(now));
        _legs.Set(leg.IdBytes, leg);
    }

    private void OnRecording(ReadOnlySpan<byte> json, bool begins)
    {
        if (!_legs.TryGet(EslJson.Find(json, "Unique-ID"u8), out FreeSwitchLeg? leg) || EslJson.Text(json, "Record-File-Path"u8) is not { } path) return;
        if (begins)
        {
            (leg.Recording ??= []).Add(path);
            return;
        }

        // It may end by itself: the disk, or somebody else's command.
        EndRecording(leg, path, TimeOf(leg.Call, json), EslJson.Number(json, "variable_record_ms"u8), EslJson.Number(json, "variable_record_file_size"u8));
    }

    private static void EndRecording(FreeSwitchLeg leg, string path, DateTime? at, long? milliseconds = null, long? size = null)
    {
        leg.Recording?.Remove(path);
        FreeSwitchCall call = leg.Call;
        int index = call.Recordings.FindIndex(r => r.Path == path && r.State != SipRecordingState.Stopped);
        if (index < 0) return;
        call.Recordings[index] = call.Recordings[index] with
        {
            State = SipRecordingState.Stopped,
            StoppedAt = at,
            Duration = milliseconds is >= 0 and < 1_000_000_000_000 ? TimeSpan.FromMilliseconds(milliseconds.Value) : null,
            Size = size is >= 0 ? size : null,
        };
    }

    private void OnConference(ReadOnlySpan<byte> json)
    {
        if (!_legs.TryGet(EslJson.Find(json, "Unique-ID"u8), out FreeSwitchLeg? leg)) return;
        ReadOnlySpan<byte> action = EslJson.Find(json, "Action"u8);
        leg.RoomTold |= action.SequenceEqual("add-member"u8) || action.SequenceEqual("del-member"u8);
        if (action.SequenceEqual("add-member"u8))
        {
            leg.Room = EslJson.Text(json, "Conference-Name"u8);
            leg.MemberId = EslJson.Text(json, "Member-ID"u8);
            // In a room somebody can be talked with, whatever the dialplan was about before.
            Connect(leg.Call, json);
        }
        else if (action.SequenceEqual("del-member"u8))
        {
            leg.Room = leg.MemberId = null;
        }
    }

    /// <summary>
    /// Has the destination been reached? Two parties are bridged and both have answered (a bridge may stand on early media),
    /// or the first leg executes what is a destination by itself. Of a call with one leg its answer tells. Under the lock.
    /// </summary>
    public void Consider(FreeSwitchCall call, ReadOnlySpan<byte> json)
    {
        if (call.State is not (CallState.Created or CallState.Dialing or CallState.Ringing or CallState.Incoming or CallState.Transferring)) return;
        if (call.Primary is not { Up: true, Ended: false } primary) return;
        if (!call.HasDestination)
        {
            Connect(call, json);
            return;
        }

        FreeSwitchTransfer? transfer = call.State == CallState.Transferring ? call.Transfer : null;
        if (transfer is { Attended: true }) return;
        bool bridged = primary.Peer is { Up: true, Ended: false } peer && (transfer is null || peer != transfer.Released);
        if (bridged || (primary.Peer is null && FreeSwitchApplications.IsDestination(primary.Application, primary.ApplicationData))) Connect(call, json);
    }

    private void Connect(FreeSwitchCall call, ReadOnlySpan<byte> json)
    {
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing, json, EslFieldReader.Instance);
        if (call.State == CallState.Transferring && call.Transfer is { } transfer)
        {
            if (transfer is { Attended: true, Done: false }) return;
            transfer.Done = true;
            (call.From, call.To) = (transfer.KeptAddress, transfer.To);
        }

        if (call.State is not (CallState.Dialing or CallState.Ringing or CallState.Incoming or CallState.Transferring)) return;
        call.AnsweredAt ??= TimeOf(call, json);
        calls.Move(call, CallState.Connected, json, EslFieldReader.Instance);
    }

    private SipCall? SnapshotOf(ReadOnlySpan<byte> json)
    {
        lock (calls.Sync) return _legs.TryGet(EslJson.Find(json, "Unique-ID"u8), out FreeSwitchLeg? leg) ? calls.Snapshot(leg.Call) : null;
    }

    private static SipEventTypes Classify(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json) => name.Length switch
    {
        4 when name.SequenceEqual("DTMF"u8) => SipEventTypes.CallDtmf,
        6 when name.SequenceEqual("CUSTOM"u8) && EslJson.Find(json, "Event-Subclass"u8).SequenceEqual("conference::maintenance"u8) => SipEventTypes.ConferenceChanged,
        11 when name.SequenceEqual("RECORD_STOP"u8) => SipEventTypes.CallRecording,
        12 when name.SequenceEqual("RECORD_START"u8) => SipEventTypes.CallRecording,
        _ => SipEventTypes.Other,
    };

    // Names come again and again; one string each is enough. A peer that makes up names gets no more than these.
    private string EventName(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
    {
        if (name.SequenceEqual("CUSTOM"u8) && EslJson.Find(json, "Event-Subclass"u8) is { IsEmpty: false } subclass) name = subclass;
        if (_names.TryGet(name, out string? known)) return known;
        string text = EslJson.Text(name) ?? "";
        if (_names.Count < 1000) _names.Set(name.ToArray(), text);
        return text;
    }
}
