using System.Text;
using System.Text.Json;

namespace IfBus.Sip.Adapters.OpenSips;

/// <content>Transfers by REFER: the call goes on in another dialog.</content>
internal sealed partial class OpenSipsMapper
{
    /// <summary>A transfer of ours is about to be sent.</summary>
    public OpenSipsTransfer BeginTransfer(OpenSipsCall call, SipParty keep, string to, OpenSipsCall? consultation = null)
    {
        lock (calls.Sync)
        {
            var transfer = new OpenSipsTransfer(keep, to) { Consultation = consultation, OldDialogId = call.DialogId };
            call.Transfer = transfer;
            calls.Move(call, CallState.Transferring);
            return transfer;
        }
    }

    /// <summary>The transfer was refused: the call goes on as it was.</summary>
    public void TransferRefused(OpenSipsCall call, OpenSipsTransfer transfer, string why)
    {
        lock (calls.Sync)
        {
            transfer.Done = true;
            transfer.Failure = why;
            if (call.State == CallState.Transferring) calls.Move(call, call.HeldLegs.Count == 2 ? CallState.OnHold : CallState.Connected);
            if (transfer.OldEnded && call.State != CallState.Terminated) End(call, HangupCause.NormalClearing, null, null, default);
            Conditions.Check();
        }
    }

    /// <summary>A call that the server makes has its new partner.</summary>
    public void Bridged(OpenSipsCall call, OpenSipsTransfer transfer)
    {
        lock (calls.Sync)
        {
            if (!transfer.Done) TransferDone(call, transfer, default);
            Conditions.Check();
        }
    }

    private void OnTransfer(JsonElement e, ReadOnlyMemory<byte> raw)
    {
        if (MiJson.Text(e, "callid") is not { } sipCallId || Find(sipCallId) is not { Transfer: { Done: false } transfer } call) return;
        switch (MiJson.Text(e, "state"))
        {
            case "start":
                transfer.NewSipCallId = MiJson.Text(e, "transfer_callid");
                if (transfer.NewSipCallId is null) break;
                records.Remember(Encoding.UTF8.GetBytes("transfer:" + transfer.NewSipCallId), call);
                // Its dialog may have been told of before.
                if (_bySipCallId.TryGetValue(transfer.NewSipCallId, out OpenSipsCall? early) && early != call) Merge(call, early);
                break;
            case "ok":
                transfer.NewSipCallId ??= MiJson.Text(e, "transfer_callid");
                if (transfer.NewDialogId is not null) TransferDone(call, transfer, raw);
                break;
            case "fail":
                transfer.Failure = MiJson.Text(e, "status") ?? "no status";
                TransferFailed(call, transfer, raw);
                break;
        }
    }

    /// <summary>The call of one party with the other that is up or on its way; null if there is none.</summary>
    public OpenSipsCall? Between(string one, string other)
    {
        lock (calls.Sync)
        {
            return _dialogs.Values.FirstOrDefault(c => c.Transfer is not { Done: false } && c.State is CallState.Dialing or CallState.Ringing or CallState.Connected or CallState.OnHold
                && ((c.From == one && c.To == other) || (c.From == other && c.To == one)));
        }
    }

    // The call that a new dialog goes on with: the server marks it with the old dialog's id, and names it in its event. Of
    // a phone that does not obey Replaces it does neither (callops-attended recording): there the parties tell.
    private OpenSipsCall? NextOf(string sipCallId, DialogRow? row)
    {
        if (OpenSipsNumbers.TransferredFrom(row?.ToUri) is { } old && _dialogs.TryGetValue(old, out OpenSipsCall? marked) && marked.Transfer is { IsAwaited: true }) return marked;
        if (_dialogs.Values.FirstOrDefault(c => c.Transfer is { IsAwaited: true } t && t.NewSipCallId == sipCallId) is { } named) return named;
        if (row is null) return null;
        (string? from, string? to) = (OpenSipsNumbers.Number(row.FromUri), OpenSipsNumbers.Number(row.ToUri));
        return _dialogs.Values.FirstOrDefault(c => c.Transfer is { IsAwaited: true, Completing: true } t && from == (t.Keep == SipParty.To ? c.To : c.From) && to == OpenSipsNumbers.Number(t.To));
    }

    // A consultation that ends before the transfer is completed: the first two have each other again.
    private void ConsultationEnded(OpenSipsCall consultation)
    {
        foreach (OpenSipsCall call in _dialogs.Values.Where(c => c.Transfer is { Done: false, Completing: false } t && t.Consultation == consultation).ToArray())
            TransferRefused(call, call.Transfer!, $"the call with {call.Transfer!.To} has ended");
    }

    private void Bind(OpenSipsCall call, string dialogId, string sipCallId, DialogRow? row)
    {
        OpenSipsTransfer transfer = call.Transfer!;
        transfer.NewDialogId = dialogId;
        transfer.NewSipCallId = sipCallId;
        // The kept phone is the caller of the new dialog; the old one stays ours until its end is told.
        _dialogs[dialogId] = call;
        _bySipCallId[sipCallId] = call;
        call.DialogId = dialogId;
        call.SipCallId = sipCallId;
        call.HasRecord = false;
        if (row is null) return;
        call.ToUri = row.ToUri;
        call.ExpiresAt = row.ExpiresAt;
        call.Legs.Clear();
        call.Legs.Add(new OpenSipsLeg(row.FromTag ?? "caller", row.CallerContact ?? row.FromUri));
        call.Legs.Add(new OpenSipsLeg(row.ToTag ?? "callee", row.CalleeContact ?? row.ToUri));
    }

    // It was taken for a call of its own.
    private void Merge(OpenSipsCall call, OpenSipsCall early)
    {
        if (early.DialogId is not { } dialogId || early.State == CallState.Terminated) return;
        _dialogs.Remove(dialogId);
        calls.Remove(early);
        List<OpenSipsLeg> legs = early.Legs;
        Bind(call, dialogId, early.SipCallId!, null);
        call.Legs.Clear();
        call.Legs.AddRange(legs);
        call.ToUri = early.ToUri;
        Apply(call, dialogId, early.State is CallState.Connected or CallState.OnHold ? DialogState.Answered : DialogState.Early, default);
    }

    private void TransferDone(OpenSipsCall call, OpenSipsTransfer transfer, ReadOnlyMemory<byte> raw)
    {
        transfer.Done = true;
        call.HeldLegs.Clear();
        if (transfer.Keep == SipParty.To) call.From = call.To;
        call.To = transfer.To;
        foreach (OpenSipsLeg leg in call.Legs) leg.State = "confirmed";
        calls.Move(call, CallState.Connected, raw.Span, EventReader.Instance);
    }

    private void TransferFailed(OpenSipsCall call, OpenSipsTransfer transfer, ReadOnlyMemory<byte> raw)
    {
        if (call.State == CallState.Terminated) return;
        // The event says 408 whatever the answer was (seen with 3.6.8); accounting tells the answer, and a phone that drops
        // the old call does so, a moment later.
        if (transfer.SipStatus is null && transfer.NewSipCallId is { } next && _failures.Remove(next, out Failure? told)) transfer.SipStatus = told.Status;
        int? status = transfer.SipStatus;
        if (!transfer.OldEnded || (status is null && HasReasons))
        {
            if (transfer.FailAt is null)
            {
                transfer.FailAt = time.GetTimestamp() + (long)(ReasonTime.TotalSeconds * time.TimestampFrequency);
                _finishing.Add(call);
            }

            if (transfer.FailAt > time.GetTimestamp()) return;
        }

        _finishing.Remove(call);
        if (!transfer.OldEnded)
        {
            TransferRefused(call, transfer, transfer.Failure ?? "");
            return;
        }

        transfer.Done = true;
        End(call, call.HangupWanted ?? (status is { } known ? SipStatusCauses.Cause(known) : HangupCause.Unknown), status, $"transfer to {transfer.To} failed: {transfer.Failure}", raw);
    }
}
