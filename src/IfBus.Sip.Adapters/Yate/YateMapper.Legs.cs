using System.Text;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>The part of the mapper that knows which leg a message is about, and which call the leg belongs to.</summary>
internal sealed partial class YateMapper
{
    // Legs whose call is not known yet; a peer that makes up partners gets no more than these.
    private const int MostOrphans = 1000;
    private const int MostLines = 16;

    /// <summary>The call of a live leg.</summary>
    public YateCall? CallOf(string legId)
    {
        lock (calls.Sync) return _legs.TryGet(Encoding.UTF8.GetBytes(legId), out YateLeg? leg) && !leg.Ended ? leg.Call : null;
    }

    /// <summary>What call.execute answered about a call of ours: which leg is the silent one, and what it is connected with. Under no lock.</summary>
    public void Placed(YateCall call, string? origin, string? peer = null)
    {
        lock (calls.Sync)
        {
            call.Placed = true;
            if (origin is not null && call.State != CallState.Terminated) Adopt(call, origin);
            while (_again.TryDequeue(out byte[]? earlier)) Apply(YateLine.Parse(earlier), earlier);
            // What plays or mixes is reached at once; its chan.connected comes when the engine has the time.
            if (peer is not null && YateNumbers.IsMedia(peer) && call.Origin is { Ended: false, Peer: null, Media: null } silent && silent.Id == origin)
            {
                silent.Media = peer;
                silent.Up = true;
                Consider(call, default);
            }

            if (call.State != CallState.Terminated && call.LiveLegs == 0 && call.Legs.Count > 0) Finish(call, default);
            Conditions.Check();
        }
    }

    // The leg of a message; made, with its call, if it is new. Null if it is none of a call, or one that is gone.
    private YateLeg? LegOf(in YateLine message, ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> id = message.Find("id"u8);
        if (id.IsEmpty) return null;
        if (_legs.TryGet(id, out YateLeg? leg))
        {
            if (!leg.Ended) Describe(leg, message);
            return leg;
        }

        string name = YateText.Decode(id);
        if (YateNumbers.IsMedia(name)) return null;
        // Messages of a leg may come after its end; they must not bring it back.
        if (Recent(id) is not null) return null;
        YateCall? call = CallFor(message);
        if (call is null && Waits(message, id, line)) return null;
        leg = Add(name, call, message);
        if (call is null) Begin(leg.Call, leg, line);
        return leg;
    }

    // A leg that is called by one that has not been told yet, as our silent ones are, belongs to that one's call: what
    // the engine's threads say of it too early is looked at again when its partner is there.
    private bool Waits(in YateLine message, ReadOnlySpan<byte> id, ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> partner = message.Find("targetid"u8);
        if (partner.IsEmpty) partner = message.Find("peerid"u8);
        bool called = message.Find("direction"u8).SequenceEqual("outgoing"u8);
        bool waits = message.Find("billid"u8).IsEmpty
            // Whose a silent leg is stands in its startup only.
            || (id.StartsWith("dumb/"u8) && !message.Name.SequenceEqual("chan.startup"u8))
            || (called && partner.StartsWith("dumb/"u8) && Recent(partner) is null);
        if (!waits) return false;
        Orphan? orphan = null;
        foreach (Orphan one in _orphans)
        {
            if (id.SequenceEqual(one.Id)) orphan = one;
        }

        if (orphan is null)
        {
            if (_orphans.Count == MostOrphans) _orphans.RemoveAt(0);
            _orphans.Add(orphan = new Orphan(id.ToArray(), partner.ToArray()));
        }

        if (orphan.Lines.Count < MostLines) orphan.Lines.Add(line.ToArray());
        return true;
    }

    // A leg is there that others may have waited for, or itself was one of them.
    private void Adopted(YateLeg leg)
    {
        for (int i = _orphans.Count - 1; i >= 0; i--)
        {
            Orphan orphan = _orphans[i];
            if (!leg.IdBytes.AsSpan().SequenceEqual(orphan.Partner) && !leg.IdBytes.AsSpan().SequenceEqual(orphan.Id)) continue;
            _orphans.RemoveAt(i);
            foreach (byte[] earlier in orphan.Lines) _again.Enqueue(earlier);
        }
    }

    private YateLeg Add(string id, YateCall? known, in YateLine message)
    {
        YateCall call = known ?? new YateCall(message.Text("billid"u8)!, ours: false) { CreatedAt = calls.Now, Placed = true };
        YateLeg leg = AddLeg(call, id);
        if (call.IsOurs && call.Origin is null && leg.IsDumb) call.Origin = leg;
        Describe(leg, message);
        if (call is { State: CallState.Transferring, Transfer: { Target: null } transfer } && !leg.IsInbound && message.Find("targetid"u8).SequenceEqual(transfer.Mover.IdBytes)) transfer.Target = leg;
        if (known is null)
        {
            call.BillId = call.CallId;
            _bills.Set(Encoding.UTF8.GetBytes(call.CallId), call);
            calls.Add(call);
        }

        return leg;
    }

    private YateLeg AddLeg(YateCall call, string id)
    {
        var leg = new YateLeg(call, id);
        call.Legs.Add(leg);
        call.LiveLegs++;
        call.FinishAt = null;
        call.Primary ??= leg;
        _legs.Set(leg.IdBytes, leg);
        if (_orphans.Count > 0) Adopted(leg);
        if (call.HangupWanted is { } cause) LateHangup?.Invoke(leg, cause);
        return leg;
    }

    private void Adopt(YateCall call, string id)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(id);
        if (_legs.TryGet(bytes, out _) || YateNumbers.IsMedia(id) || Recent(bytes) is not null) return;
        YateLeg leg = AddLeg(call, id);
        leg.IsInbound = true;
        call.Origin ??= leg;
    }

    // The call that a new leg belongs to; null if it begins one.
    private YateCall? CallFor(in YateLine message)
    {
        ReadOnlySpan<byte> ours = message.Find("ifbus_call"u8);
        if (!ours.IsEmpty && message.Find("direction"u8).SequenceEqual("incoming"u8) && calls.TryFindLive(YateText.Decode(ours), out TrackedCall? made) && made is YateCall { IsOurs: true } mine) return mine;
        if (_bills.TryGet(message.Find("billid"u8), out YateCall? call)) return call;
        if (_legs.TryGet(message.Find("targetid"u8), out YateLeg? other) || _legs.TryGet(message.Find("peerid"u8), out other)) return other.Call;
        return null;
    }

    private void Describe(YateLeg leg, in YateLine message)
    {
        YateCall call = leg.Call;
        ReadOnlySpan<byte> direction = message.Find("direction"u8);
        if (!direction.IsEmpty) leg.IsInbound = direction.SequenceEqual("incoming"u8);
        leg.Address ??= message.Text("address"u8);
        leg.Number ??= message.Text(leg.IsInbound ? "caller"u8 : "called"u8);
        leg.SipCallId ??= message.Text("sip_callid"u8);
        if (Word(message.Find("status"u8)) is { } status) leg.Status = status;
        if (message.Flag("answered"u8)) leg.Up = true;
        if (call.BillId is null && message.Find("billid"u8) is { IsEmpty: false } bill)
        {
            call.BillId = YateText.Decode(bill);
            _bills.Set(bill.ToArray(), call);
        }

        if (!call.IsOurs && leg == call.Legs[0])
        {
            call.From ??= message.Text("caller"u8);
            call.To ??= message.Text("called"u8);
        }
    }

    // A call that somebody else made, at its first message.
    private void Begin(YateCall call, YateLeg leg, ReadOnlySpan<byte> line)
    {
        bool comesIn = leg.IsInbound && !leg.IsDumb;
        call.Direction = comesIn ? CallDirection.Inbound : CallDirection.Outbound;
        call.State = comesIn ? CallState.Incoming : CallState.Created;
        if (comesIn) calls.Announce(call, SipEventTypes.IncomingCall, null, line, YateFieldReader.Instance, calls.Now);
    }

    private string? Word(ReadOnlySpan<byte> word) => word.IsEmpty ? null : NameOf(word);

    /// <summary>What was told of a leg before its call was known.</summary>
    private sealed record Orphan(byte[] Id, byte[] Partner)
    {
        public List<byte[]> Lines { get; } = [];
    }
}
