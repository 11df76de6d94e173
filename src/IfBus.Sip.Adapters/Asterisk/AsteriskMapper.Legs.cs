using System.Text;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>The part of the mapper that knows which leg an event is about, and which call the leg belongs to.</summary>
internal sealed partial class AsteriskMapper
{
    // The leg of an event; made, with its call, if it is new. Null if the event names none.
    private AsteriskLeg? LegOf(in AmiChannelFields f, ReadOnlySpan<byte> raw)
    {
        ReadOnlySpan<byte> uniqueid = f.Uniqueid;
        if (uniqueid.IsEmpty) return null;
        if (_legs.TryGet(uniqueid, out AsteriskLeg? leg))
        {
            leg.Name ??= AmiChannelFields.Text(f.Channel);
            leg.Number ??= AmiChannelFields.Text(f.Number);
            if (!leg.Ended) See(leg);
            return leg;
        }

        ReadOnlySpan<byte> linkedid = f.Linkedid;
        if (linkedid.IsEmpty) return null;
        string linked = Encoding.UTF8.GetString(linkedid);
        AsteriskCall call;
        bool isNew = false;
        if (calls.TryFindLive(linked, out TrackedCall? known))
        {
            call = (AsteriskCall)known;
            foreach (AsteriskLeg old in call.Legs)
            {
                // Events of a channel may come after its Hangup; they must not bring it back.
                if (old.Ended && uniqueid.SequenceEqual(old.IdBytes)) return old;
            }
        }
        else if (records.RecentCall(uniqueid) is not null)
        {
            return null;
        }
        else
        {
            isNew = true;
            call = new AsteriskCall(linked, ours: false) { CreatedAt = calls.Now, HasDestination = true, Session = _session };
        }

        byte[] id = uniqueid.ToArray();
        leg = new AsteriskLeg(call, id, Encoding.UTF8.GetString(uniqueid))
        {
            Name = AmiChannelFields.Text(f.Channel),
            State = AmiChannelFields.State(f.ChannelState),
            Number = AmiChannelFields.Text(f.Number),
        };
        call.Legs.Add(leg);
        call.Primary ??= leg;
        _legs.Set(id, leg);
        See(leg);
        if (isNew) Begin(call, leg, f.Exten, raw);
        return leg;
    }

    // A call that somebody else made, at its first channel.
    private void Begin(AsteriskCall call, AsteriskLeg leg, ReadOnlySpan<byte> exten, ReadOnlySpan<byte> raw)
    {
        call.From = leg.Number;
        string? to = AmiChannelFields.Text(exten);
        call.To = to == "s" ? null : to;
        // A channel that begins in state Ring is one that calls the server; one that the server calls begins Down.
        bool inbound = leg.State == "Ring";
        call.Direction = inbound ? CallDirection.Inbound : CallDirection.Outbound;
        call.State = inbound ? CallState.Incoming : CallState.Created;
        calls.Add(call);
        if (!inbound) return;
        calls.Announce(call, SipEventTypes.IncomingCall, null, raw, AmiFieldReader.Instance, calls.Now);
    }

    private void See(AsteriskLeg leg)
    {
        leg.MissingSince = null;
        if (leg.Seen) return;
        leg.Seen = true;
        AsteriskCall call = leg.Call;
        call.LiveLegs++;
        call.FinishAt = null;
        call.LookAt = null;
        if (leg == call.Primary && call.HangupWanted is { } cause)
        {
            call.HangupWanted = null;
            LateHangup?.Invoke(call, cause);
        }
    }
}
