using System.Text;
using System.Text.Json;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>The part of the mapper that takes over what the server says of its calls when events were missed.</summary>
internal sealed partial class FreeSwitchMapper
{
    /// <summary>
    /// The connection is lost. Originates that went on may end before the next one listens; those that end later are told
    /// to it, and until then another attempt of a dial string may follow. Nothing is known of partners and rooms.
    /// </summary>
    public void ConnectionLost()
    {
        lock (calls.Sync)
        {
            foreach (FreeSwitchCall call in calls.Live.Cast<FreeSwitchCall>())
            {
                call.ResultMayBeLost |= !call.OriginateDone;
                foreach (FreeSwitchLeg leg in call.Legs) leg.PeerTold = leg.RoomTold = false;
                if (call is { State: CallState.Transferring, Transfer: { Done: false } transfer }) transfer.Interrupted = true;
            }
        }
    }

    /// <summary>Who is bridged with whom: show calls as json, one row a pair. What an event has told since is newer.</summary>
    public void ApplyPairs(IReadOnlyList<JsonElement> rows)
    {
        var partners = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (JsonElement row in rows)
        {
            if (FreeSwitchList.Text(row, "uuid") is not { } one || FreeSwitchList.Text(row, "b_uuid") is not { } other) continue;
            partners[one] = other;
            partners[other] = one;
        }

        lock (calls.Sync)
        {
            FreeSwitchCall[] live = [.. calls.Live.Cast<FreeSwitchCall>()];
            foreach (FreeSwitchLeg leg in live.SelectMany(c => c.Legs).Where(l => l is { Ended: false, Seen: true, PeerTold: false }))
            {
                FreeSwitchLeg? partner = partners.TryGetValue(leg.Id, out string? id) && _legs.TryGet(EslJson.Key(id), out FreeSwitchLeg? found) && found is { Ended: false, PeerTold: false } ? found : null;
                if (leg.Peer == partner) continue;
                Part(leg);
                if (partner is null) continue;
                Part(partner);
                (leg.Peer, partner.Peer) = (partner, leg);
            }

            foreach (FreeSwitchCall call in live)
            {
                bool known = call.AnsweredAt is not null;
                Consider(call, default);
                NoteAnswer(call, known);
                ShowHold(call, default);
            }

            Conditions.Check();
        }
    }

    /// <summary>Who is in which conference room, by uuid. What an event has told since is newer.</summary>
    public void ApplyRooms(IReadOnlyDictionary<string, (string Room, string Member)> members)
    {
        lock (calls.Sync)
        {
            foreach (FreeSwitchCall call in calls.Live.Cast<FreeSwitchCall>().ToArray())
            {
                foreach (FreeSwitchLeg leg in call.Legs.Where(l => l is { Ended: false, Seen: true, RoomTold: false }))
                {
                    bool inside = members.TryGetValue(leg.Id, out (string Room, string Member) member);
                    (leg.Room, leg.MemberId) = inside ? (member.Room, member.Member) : (null, null);
                    if (!inside) continue;
                    bool known = call.AnsweredAt is not null;
                    Connect(call, default);
                    NoteAnswer(call, known);
                }
            }

            Conditions.Check();
        }
    }

    /// <summary>Recordings that ended while nobody listened; when, is not known.</summary>
    public void EndRecordings(FreeSwitchLeg leg, IReadOnlyCollection<string> paths)
    {
        lock (calls.Sync)
        {
            foreach (string path in paths) EndRecording(leg, path, null);
            Conditions.Check();
        }
    }

    /// <summary>When a call was answered while nobody listened, by what the server tells of its first leg and of the one that talks with it.</summary>
    public void CorrectAnswer(FreeSwitchCall call, ReadOnlySpan<byte> json)
    {
        lock (calls.Sync)
        {
            if (!call.AnswerUnseen || FreeSwitchDetailRecord.Moment(json, "Caller-Channel-Answered-Time"u8) is not { } answered) return;
            if (FreeSwitchDetailRecord.Moment(json, "Other-Leg-Channel-Answered-Time"u8) is { } other && other > answered) answered = other;
            answered += call.Ahead ?? _clock.Ahead ?? TimeSpan.Zero;
            if (answered < call.CreatedAt || answered > call.AnsweredAt) return;
            call.AnsweredAt = answered;
            call.AnswerUnseen = false;
        }
    }

    /// <summary>Transfers that the loss of the connection has interrupted, when who talks with whom is known again.</summary>
    public void ResumeTransfers()
    {
        lock (calls.Sync)
        {
            foreach (FreeSwitchCall call in calls.Live.Cast<FreeSwitchCall>().ToArray())
            {
                if (call is not { State: CallState.Transferring, Transfer: { Done: false, Interrupted: true } transfer }) continue;
                transfer.Interrupted = false;
                if (transfer.Attended && !transfer.Closing) ResumeConsultation(call, transfer);
                else if (!transfer.Attended && transfer.Released is { Ended: false } released && transfer.Kept.Peer == released) AbandonTransfer(call, transfer.PrimaryBefore);
            }

            Conditions.Check();
        }
    }

    // When a call was answered was not seen; of our own calls it is asked for, and told at their end.
    private static void NoteAnswer(FreeSwitchCall call, bool known)
    {
        if (known || call.AnsweredAt is null) return;
        if (call.IsOurs) call.AnswerUnseen = true;
        else call.AnsweredAt = null;
    }

    private void ResumeConsultation(FreeSwitchCall call, FreeSwitchTransfer transfer)
    {
        (FreeSwitchLeg kept, FreeSwitchLeg released, FreeSwitchLeg? consulted) = (transfer.Kept, transfer.Released!, transfer.Consulted);
        if (consulted is { Up: true, Ended: false } && kept.Peer == consulted)
        {
            CompleteTransfer(call, transfer);
            if (!released.Ended) LateHangup?.Invoke(released, HangupCause.NormalClearing);
        }
        else if (kept.Peer == released && !kept.Ended)
        {
            LetGo(transfer);
            AbandonTransfer(call, null);
        }
        else if (kept.Ended || released.Ended)
        {
            OnConsultationBroken(call, transfer, kept.Ended ? kept : released);
        }
        else if (consulted is not { Up: true, Ended: false } || released.Peer != consulted)
        {
            transfer.Closing = true;
            BringTogether?.Invoke(call, transfer);
        }
    }
}
