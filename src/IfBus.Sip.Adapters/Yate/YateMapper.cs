using System.Runtime.CompilerServices;
using System.Text;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>
/// Follows calls by the messages that the engine's channels send. Several threads of the engine send them, so any order
/// is taken: an answer before the beginning of its legs, a leg's connection before its startup (wire/yate, order of
/// messages). Runs on the session's reader.
/// </summary>
internal sealed partial class YateMapper(string server, CallTable calls, EventHub events, DetailRecordStore<YateCall> records, TimeProvider time) : IExtModuleSink
{
    /// <summary>The parameter by which a call of ours is known before the engine has answered.</summary>
    public const string CallParameter = "ifbus_call";

    /// <summary>What is watched; without the first the outcome of a call cannot be seen.</summary>
    public static readonly string[] Watched =
    [
        "chan.startup", "chan.connected", "chan.disconnected", "chan.hangup", "call.ringing", "call.progress", "call.answered", "call.cdr",
        "call.update", "chan.dtmf", "chan.notify", "engine.stop",
    ];

    private readonly Utf8Table<YateLeg> _legs = new();
    private readonly Utf8Table<YateCall> _bills = new();
    private readonly List<Orphan> _orphans = [];
    private readonly Queue<byte[]> _again = new();
    private readonly Utf8Table<string> _names = new();
    private readonly HashSet<YateCall> _waiting = [];
    // The engine's run, and a blank.
    private byte[] _run = " "u8.ToArray();
    private DateTime _arrived;

    /// <summary>What callers wait for.</summary>
    public CallConditions<YateCall> Conditions { get; } = new(calls);

    /// <summary>Called, under the lock, for a leg of a call that is to be hung up.</summary>
    public Action<YateLeg, HangupCause>? LateHangup { get; set; }

    /// <summary>Called, under the lock, once, when the first party of a call of ours has answered and is to go on.</summary>
    public Action<YateCall, YateLeg>? SendOn { get; set; }

    /// <summary>Called, under the lock, when the one that was consulted is gone.</summary>
    public Action<YateCall, YateTransfer>? ConsultationEnded { get; set; }

    /// <summary>The engine has said that it stops.</summary>
    public bool ShutdownSeen { get; private set; }

    private long Clock => (long)time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>A call of ours, before it is asked for.</summary>
    public void Expect(YateCall call)
    {
        lock (calls.Sync) calls.Add(call);
    }

    /// <summary>There never was a call.</summary>
    public void Forget(YateCall call)
    {
        lock (calls.Sync)
        {
            Leave(call);
            calls.Remove(call);
        }
    }

    /// <inheritdoc/>
    public void OnMessage(scoped in YateLine message, ReadOnlySpan<byte> line)
    {
        YateLeg? leg;
        lock (calls.Sync)
        {
            leg = Apply(message, line);
            while (_again.TryDequeue(out byte[]? earlier)) Apply(YateLine.Parse(earlier), earlier);
            if (Conditions.Any) Conditions.Check();
        }

        SipEventTypes what = Classify(message.Name);
        if (!events.Wants(what)) return;
        events.Publish(new SipEvent(what, server, SipServerType.Yate, _arrived, NameOf(message.Name), line.ToArray(), YateFieldReader.Instance)
        {
            // What people look at tells its call; for the rest that would cost more than the event.
            Call = what == SipEventTypes.Other || leg is null ? null : SnapshotOf(leg.Call),
        });
    }

    /// <inheritdoc/>
    public void OnRequest(ExtModuleSession session, scoped in YateLine message, ReadOnlySpan<byte> line)
    {
        if (message.Name.SequenceEqual("engine.stop"u8))
        {
            lock (calls.Sync) ShutdownSeen = true;
        }

        session.Answer(message.Id.ToArray(), processed: false, YateText.Decode(message.Value));
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
    private YateLeg? Apply(in YateLine message, ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> name = message.Name;
        switch (name.Length)
        {
            case 8 when name.SequenceEqual("call.cdr"u8):
                OnRecord(message, line);
                return null;
            case 9 when name.SequenceEqual("chan.dtmf"u8):
                return _legs.TryGet(message.Find("id"u8), out YateLeg? pressed) ? pressed : null;
            case 11 when name.SequenceEqual("chan.hangup"u8):
                return OnHangup(message);
            case 11 when name.SequenceEqual("chan.notify"u8):
                return _legs.TryGet(message.Find("id"u8), out YateLeg? told) ? told : null;
            case 11 when name.SequenceEqual("engine.stop"u8):
                ShutdownSeen = true;
                return null;
            case 12 when name.SequenceEqual("chan.startup"u8):
                return OnStartup(message, line);
            case 12 when name.SequenceEqual("call.ringing"u8):
                return OnRinging(message, line, "ringing");
            case 13 when name.SequenceEqual("call.progress"u8):
                // It has sound, but nobody has answered.
                return OnRinging(message, line, "progressing");
            case 13 when name.SequenceEqual("call.answered"u8):
                return OnAnswered(message, line);
            case 14 when name.SequenceEqual("chan.connected"u8):
                return OnConnected(message, line);
            case 17 when name.SequenceEqual("chan.disconnected"u8):
                return OnDisconnected(message);
            case 11 when name.SequenceEqual("call.update"u8):
                return OnUpdate(message, line);
            default:
                return null;
        }
    }

    private YateLeg? OnStartup(in YateLine message, ReadOnlySpan<byte> line)
    {
        if (LegOf(message, line) is not { Ended: false } leg) return null;
        YateCall call = leg.Call;
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing, line, YateFieldReader.Instance);
        return leg;
    }

    private YateLeg? OnRinging(in YateLine message, ReadOnlySpan<byte> line, string status)
    {
        if (LegOf(message, line) is not { Ended: false, IsInbound: false } leg) return null;
        ShowStatus(leg, status);
        YateCall call = leg.Call;
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing, line, YateFieldReader.Instance);
        if (call.State == CallState.Dialing) calls.Move(call, CallState.Ringing, line, YateFieldReader.Instance);
        return leg;
    }

    private YateLeg? OnAnswered(in YateLine message, ReadOnlySpan<byte> line)
    {
        if (LegOf(message, line) is not { Ended: false } leg) return null;
        leg.Up = true;
        leg.Status = "answered";
        leg.SipCallId ??= message.Text("sip_callid"u8);
        leg.Formats = message.Text("formats"u8) ?? leg.Formats;
        leg.Call.Codec ??= leg.Formats;
        // The one that called is answered by it.
        if (_legs.TryGet(message.Find("peerid"u8), out YateLeg? peer) && peer is { Ended: false })
        {
            if (peer.IsInbound) peer.Up = true;
            Join(leg, peer);
        }

        Consider(leg.Call, line);
        if (peer is not null && peer.Call != leg.Call) Consider(peer.Call, line);
        return leg;
    }

    private YateLeg? OnConnected(in YateLine message, ReadOnlySpan<byte> line)
    {
        if (LegOf(message, line) is not { Ended: false } leg) return null;
        ReadOnlySpan<byte> peerId = message.Find("peerid"u8);
        if (_legs.TryGet(peerId, out YateLeg? peer) && !peer.Ended)
        {
            Join(leg, peer);
        }
        else if (YateText.Decode(peerId) is { Length: > 0 } text && YateNumbers.IsMedia(text))
        {
            Part(leg);
            leg.Media = text;
            // A leg that calls has arrived where it is.
            if (leg.IsDumb && leg.IsInbound) leg.Up = true;
            if (!text.StartsWith("conf/", StringComparison.Ordinal)) leg.Room = null;
        }

        ChoosePrimary(leg.Call);
        if (leg.Call.Transfer is { } transfer && leg.Call.State == CallState.Transferring && leg == transfer.Mover && leg.Peer is { } target && target != transfer.Kept && target != transfer.Released)
        {
            transfer.Target ??= target;
            target.IsConsulted = transfer.Attended;
        }

        Consider(leg.Call, line);
        if (peer is not null && peer.Call != leg.Call) Consider(peer.Call, line);
        ShowHold(leg.Call, line);
        return leg;
    }

    private YateLeg? OnDisconnected(in YateLine message)
    {
        if (!_legs.TryGet(message.Find("id"u8), out YateLeg? leg) || leg.Ended) return null;
        // Told late, it is about a partner that has been followed by another already.
        ReadOnlySpan<byte> last = message.Find("lastpeerid"u8);
        if (last.IsEmpty || leg.Peer is { } now && last.SequenceEqual(now.IdBytes) || leg.Media is { } media && YateText.Decode(last) == media)
        {
            Part(leg);
            leg.Media = null;
            leg.Room = null;
        }

        leg.Reason = message.Text("reason"u8) ?? leg.Reason;
        leg.SipStatus = Failing(message.Number("cause_sip"u8)) ?? leg.SipStatus;
        return leg;
    }

    // A phone that holds by itself: the direction of its offer is an empty parameter (wire/yate, hold-by-far-end).
    private YateLeg? OnUpdate(in YateLine message, ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> operation = message.Find("operation"u8);
        bool refused = operation.SequenceEqual("reject"u8);
        if (!(refused || operation.SequenceEqual("notify"u8)) || !_legs.TryGet(message.Find("id"u8), out YateLeg? leg) || leg.Ended) return null;
        if (refused || message.Has("media"u8)) leg.Reinvite = new YateReinvite(!refused, message.Has("rtp_forward"u8), message.Text("reason"u8));
        if (refused) return leg;
        if (message.Has("sdp_sendonly"u8) || message.Has("sdp_inactive"u8)) leg.Holds = true;
        // An offer that says no direction means both (RFC 3264, 5.1): a phone may take its call back so (seen, Yate 6.4.1).
        else if (message.Has("media"u8)) leg.Holds = false;
        ShowHold(leg.Call, line);
        return leg;
    }

    /// <summary>
    /// Has the call arrived? The first party has answered, has been sent on where that was asked for, and who it was sent to
    /// has answered too. Under the lock.
    /// </summary>
    public void Consider(YateCall call, ReadOnlySpan<byte> line)
    {
        if (call.State == CallState.Transferring)
        {
            if (call.Transfer is { Answered: false } transfer && transfer.Mover is { Ended: false } mover && (transfer.ToMedia ? mover.Media is not null : mover.Peer is { Up: true } reached && reached == transfer.Target)) transfer.Answered = true;
            return;
        }

        if (call.State is not (CallState.Created or CallState.Dialing or CallState.Ringing or CallState.Incoming)) return;
        ChoosePrimary(call);
        if (call.Primary is not { Up: true, Ended: false } primary) return;
        if (call is { IsOurs: true, Next: not null })
        {
            if (!call.Sent)
            {
                if (call.HangupWanted is not null) return;
                call.Sent = true;
                SendOn?.Invoke(call, primary);
                return;
            }

            if (primary.Media is null && (primary.Peer is not { Up: true } destination || destination == call.Origin)) return;
        }
        else if (!call.IsOurs && primary.Media is null && primary.Peer is not { Up: true })
        {
            return;
        }

        Connect(call, line);
    }

    private void Connect(YateCall call, ReadOnlySpan<byte> line)
    {
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing, line, YateFieldReader.Instance);
        if (call.State is CallState.Dialing or CallState.Ringing or CallState.Incoming or CallState.Transferring) calls.Move(call, CallState.Connected, line, YateFieldReader.Instance);
        ShowHold(call, line);
    }

    private void ShowHold(YateCall call, ReadOnlySpan<byte> line)
    {
        if (call.State is CallState.Connected or CallState.OnHold) calls.Move(call, call.IsHeld ? CallState.OnHold : CallState.Connected, line, YateFieldReader.Instance);
    }

    // The party that called: not our silent leg, once somebody is at its other end.
    private static void ChoosePrimary(YateCall call)
    {
        if (call.Primary is { Ended: false } now && now != call.Origin) return;
        if (call.Origin is { Ended: false, Peer: { Ended: false } party }) call.Primary = party;
        else if (call.Primary is null or { Ended: true }) call.Primary = call.Legs.Find(l => !l.Ended) ?? call.Primary;
    }

    private static void Join(YateLeg one, YateLeg other)
    {
        if (one.Peer == other && other.Peer == one) return;
        Part(one);
        Part(other);
        (one.Peer, other.Peer) = (other, one);
        one.Media = other.Media = null;
        one.Room = other.Room = null;
    }

    private static void Part(YateLeg leg)
    {
        if (leg.Peer is not { } peer) return;
        leg.Peer = null;
        if (peer.Peer == leg) peer.Peer = null;
    }

    private static int? Failing(int? status) => status is >= 300 and <= 699 ? status : null;

    private SipCall SnapshotOf(YateCall call)
    {
        lock (calls.Sync) return calls.Snapshot(call);
    }

    private static SipEventTypes Classify(ReadOnlySpan<byte> name) => name.Length switch
    {
        9 when name.SequenceEqual("chan.dtmf"u8) => SipEventTypes.CallDtmf,
        11 when name.SequenceEqual("chan.notify"u8) => SipEventTypes.ConferenceChanged,
        _ => SipEventTypes.Other,
    };

    // Names come again and again; one string each is enough. A peer that makes up names gets no more than these.
    private string NameOf(ReadOnlySpan<byte> name)
    {
        if (_names.TryGet(name, out string? known)) return known;
        string text = YateText.Decode(name);
        if (_names.Count < 1000) _names.Set(name.ToArray(), text);
        return text;
    }

    // Ids of channels begin again with each run of the engine.
    private byte[] Key(ReadOnlySpan<byte> id) => [.. _run, .. id];

    // The call of a leg that is gone. Asked with many messages, so nothing is made for it.
    private YateCall? Recent(ReadOnlySpan<byte> id)
    {
        Span<byte> key = stackalloc byte[256];
        if (_run.Length + id.Length > key.Length) return records.RecentCall(Key(id));
        _run.CopyTo(key);
        id.CopyTo(key[_run.Length..]);
        return records.RecentCall(key[..(_run.Length + id.Length)]);
    }
}
