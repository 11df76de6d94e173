using System.Text;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>The part of the mapper that knows which leg an event is about, and which call the leg belongs to.</summary>
internal sealed partial class FreeSwitchMapper
{
    private static ReadOnlySpan<byte> OurUri => "if://call/"u8;

    /// <summary>The call of a leg that is live, by its uuid.</summary>
    public FreeSwitchCall? CallOf(string uuid)
    {
        lock (calls.Sync) return _legs.TryGet(EslJson.Key(uuid), out FreeSwitchLeg? leg) && !leg.Ended ? leg.Call : null;
    }

    // The leg of an event; made, with its call, if it is new. Null if the event names none, or one that is gone.
    private FreeSwitchLeg? LegOf(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> id = EslJson.Find(json, "Unique-ID"u8);
        if (id.IsEmpty) return null;
        if (_legs.TryGet(id, out FreeSwitchLeg? leg))
        {
            if (leg.Ended) return leg;
            if (!leg.Seen) Describe(leg, json);
            See(leg);
            return leg;
        }

        // Events of a channel may come after its end; they must not bring it back.
        if (records.RecentCall(id) is { } recent)
        {
            EndLate(recent, id);
            return null;
        }

        bool inbound = EslJson.Find(json, "Call-Direction"u8).SequenceEqual("inbound"u8);
        return Add(id, CallFor(id, json), inbound, json);
    }

    private FreeSwitchLeg Add(ReadOnlySpan<byte> id, FreeSwitchCall? known, bool inbound, ReadOnlySpan<byte> json)
    {
        byte[] bytes = id.ToArray();
        string uuid = EslJson.Text(id) ?? "";
        FreeSwitchCall call = known ?? new FreeSwitchCall(uuid, ours: false) { HasDestination = true, OriginateDone = true };
        if (known is null) call.CreatedAt = TimeOf(call, json);
        var leg = new FreeSwitchLeg(call, bytes, uuid) { IsInbound = inbound };
        call.Legs.Add(leg);
        call.Primary ??= leg;
        _legs.Set(bytes, leg);
        if (!json.IsEmpty) Describe(leg, json);
        if (known is null) calls.Add(call);
        See(leg);
        if (known is null && !json.IsEmpty) Begin(call, leg, json);
        return leg;
    }

    // The call that a new leg belongs to; null if it begins one.
    private FreeSwitchCall? CallFor(ReadOnlySpan<byte> id, ReadOnlySpan<byte> json)
    {
        if (_legs.TryGet(EslJson.Find(json, "Other-Leg-Unique-ID"u8), out FreeSwitchLeg? other)) return other.Call;
        ReadOnlySpan<byte> callUuid = EslJson.Find(json, "Channel-Call-UUID"u8);
        if (!callUuid.SequenceEqual(id) && _legs.TryGet(callUuid, out other)) return other.Call;
        if (_legs.TryGet(EslJson.Find(json, "variable_other_loopback_leg_uuid"u8), out other)) return other.Call;
        // Legs that one originate rings together have uuids of the server's; they carry our name.
        ReadOnlySpan<byte> uri = EslJson.Find(json, "variable_ifbus_call"u8);
        return uri.StartsWith(OurUri) && _legs.TryGet(uri[OurUri.Length..], out other) && other.Call.IsOurs ? other.Call : null;
    }

    private void Describe(FreeSwitchLeg leg, ReadOnlySpan<byte> json)
    {
        leg.Name = EslJson.Text(json, "Channel-Name"u8) ?? leg.Name;
        leg.State ??= EslJson.Text(json, "Channel-Call-State"u8);
        leg.IsInbound = EslJson.Find(json, "Call-Direction"u8).SequenceEqual("inbound"u8);
        leg.Number ??= leg.IsInbound ? EslJson.Text(json, "Caller-Caller-ID-Number"u8) : EslJson.Text(json, "Caller-Destination-Number"u8);
        if (_legs.TryGet(EslJson.Find(json, "variable_other_loopback_leg_uuid"u8), out FreeSwitchLeg? twin) && twin.Call == leg.Call) (leg.Twin, twin.Twin) = (twin, leg);
    }

    // A call that somebody else made, at its first channel.
    private void Begin(FreeSwitchCall call, FreeSwitchLeg leg, ReadOnlySpan<byte> json)
    {
        call.From = EslJson.Text(json, "Caller-Orig-Caller-ID-Number"u8) ?? EslJson.Text(json, "Caller-Caller-ID-Number"u8);
        call.To = EslJson.Text(json, "Caller-Destination-Number"u8);
        call.Direction = leg.IsInbound ? CallDirection.Inbound : CallDirection.Outbound;
        call.State = leg.IsInbound ? CallState.Incoming : CallState.Created;
        if (leg.IsInbound) calls.Announce(call, SipEventTypes.IncomingCall, null, json, EslFieldReader.Instance, calls.Now);
    }

    private void See(FreeSwitchLeg leg)
    {
        leg.MissingSince = null;
        if (leg.Seen) return;
        leg.Seen = true;
        FreeSwitchCall call = leg.Call;
        call.LiveLegs++;
        call.FinishAt = null;
        if (call.HangupWanted is { } cause) LateHangup?.Invoke(leg, cause);
        else if (leg.Unwanted) LateHangup?.Invoke(leg, HangupCause.NormalClearing);
    }

    // A leg that was being called for a consultation may begin when its call is over: nothing else would end it.
    private void EndLate(FreeSwitchCall call, ReadOnlySpan<byte> id)
    {
        foreach (FreeSwitchLeg leg in call.Legs)
        {
            if (leg.Seen || leg is { Unwanted: false, IsConsulted: false } || !id.SequenceEqual(leg.IdBytes)) continue;
            leg.Seen = true;
            LateHangup?.Invoke(leg, HangupCause.NormalClearing);
            return;
        }
    }
}
