using System.Text;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>The part of the mapper that knows which leg a message is about, and which call the leg belongs to.</summary>
internal sealed partial class YateMapper
{
    // Beginnings of legs whose call is not known yet.
    private const int MostOrphans = 1000;

    /// <summary>The call of a live leg.</summary>
    public YateCall? CallOf(string legId)
    {
        lock (calls.Sync) return _legs.TryGet(Encoding.UTF8.GetBytes(legId), out YateLeg? leg) && !leg.Ended ? leg.Call : null;
    }

    /// <summary>What call.execute answered about a call of ours: which leg is the silent one.</summary>
    public void Placed(YateCall call, string? origin)
    {
        lock (calls.Sync)
        {
            call.Placed = true;
            if (origin is not null && call.State != CallState.Terminated) Adopt(call, origin);
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
        if (records.RecentCall(Key(id)) is not null) return null;
        YateCall? call = CallFor(message);
        if (call is null && message.Find("billid"u8).IsEmpty)
        {
            if (_orphans.Count < MostOrphans && message.Name.SequenceEqual("chan.startup"u8)) _orphans.Set(id.ToArray(), line.ToArray());
            return null;
        }

        leg = Add(name, call, message);
        if (_orphans.TryGet(id, out byte[]? beginning))
        {
            _orphans.Remove(id);
            Describe(leg, YateLine.Parse(beginning));
        }

        if (call is null) Begin(leg.Call, leg, line);
        return leg;
    }

    private YateLeg Add(string id, YateCall? known, in YateLine message)
    {
        YateCall call = known ?? new YateCall(message.Text("billid"u8)!, ours: false) { CreatedAt = calls.Now, Placed = true };
        YateLeg leg = AddLeg(call, id);
        if (call.IsOurs && call.Origin is null && leg.IsDumb) call.Origin = leg;
        Describe(leg, message);
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
        if (call.HangupWanted is { } cause) LateHangup?.Invoke(leg, cause);
        return leg;
    }

    private void Adopt(YateCall call, string id)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(id);
        if (_legs.TryGet(bytes, out _) || YateNumbers.IsMedia(id) || records.RecentCall(Key(bytes)) is not null) return;
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
}
