namespace IfBus.Sip.Adapters.Yate;

/// <summary>The part of the mapper that follows transfers and holds.</summary>
internal sealed partial class YateMapper
{
    /// <summary>Puts a call on a way, before the engine is asked. Under no lock.</summary>
    public void BeginTransfer(YateCall call, YateTransfer transfer)
    {
        lock (calls.Sync)
        {
            call.Transfer = transfer;
            calls.Move(call, CallState.Transferring);
        }
    }

    /// <summary>The engine's answer names the leg that it calls, which may be over already. Under no lock.</summary>
    public void TransferPlaced(YateCall call, YateTransfer transfer, string? target)
    {
        lock (calls.Sync)
        {
            if (call.Transfer != transfer || transfer.Answered || call.Legs.Find(l => l.Id == target) is not { } leg || leg == transfer.Kept || leg == transfer.Released) return;
            transfer.Target ??= leg;
            leg.IsConsulted = transfer.Attended && !leg.Ended;
            if (leg.Ended) transfer.Failure ??= leg.Reason ?? leg.Status ?? "it is gone";
            else Consider(call, default);
            Conditions.Check();
        }
    }

    /// <summary>A transfer came to nothing, and the first two talk.</summary>
    public void AbandonTransfer(YateCall call)
    {
        lock (calls.Sync)
        {
            if (call.Transfer?.Target is { } target) target.IsConsulted = false;
            call.Transfer = null;
            if (call.State == CallState.Transferring) calls.Move(call, call.IsHeld ? CallState.OnHold : CallState.Connected);
        }
    }

    /// <summary>The party that stays talks with the destination.</summary>
    public void CompleteTransfer(YateCall call, YateTransfer transfer)
    {
        lock (calls.Sync)
        {
            if (transfer.Target is { } target) target.IsConsulted = false;
            call.Transfer = null;
            (call.From, call.To) = (call.AddressOf(transfer.Kept), transfer.To);
            call.Primary = transfer.Kept;
            call.Held = false;
            Connect(call, default);
        }
    }

    /// <summary>Both parties are on our music, or talk again. Under no lock.</summary>
    public void SetHeld(YateCall call, bool held)
    {
        lock (calls.Sync)
        {
            call.Held = held;
            ShowHold(call, default);
        }
    }

    /// <summary>The phone of a leg has agreed to be held by a re-INVITE of ours, or taken back. Under no lock.</summary>
    public void SetReinvited(YateLeg leg, bool held)
    {
        lock (calls.Sync)
        {
            leg.Reinvited = held;
            ShowHold(leg.Call, default);
        }
    }

    /// <summary>We answered a call that came in, and the engine took it. Under no lock.</summary>
    public void AnsweredByUs(YateCall call, YateLeg leg)
    {
        lock (calls.Sync)
        {
            if (leg.Ended) return;
            leg.Up = true;
            leg.Status = "answered";
            Connect(call, default);
            Conditions.Check();
        }
    }

    // A leg of a call that is being transferred is gone.
    private void OnTransferLeg(YateCall call, YateTransfer transfer, YateLeg gone)
    {
        if (transfer.Closing) return;
        if (gone == transfer.Target)
        {
            if (!transfer.Answered) transfer.Failure ??= gone.Reason ?? gone.Status ?? "it is gone";
            else if (transfer.Attended) ConsultationEnded?.Invoke(call, transfer);
            return;
        }

        if (gone == transfer.Released)
        {
            // Who consulted has hung up: the other two are to talk. Before the answer there is nobody to talk with.
            if (transfer is { Attended: true, Answered: true }) ConsultationEnded?.Invoke(call, transfer);
            else if (transfer.Attended) EndRest(call);
            return;
        }

        if (gone != transfer.Kept) return;
        if (transfer is { Attended: true, Answered: true } && transfer.Released is { Ended: false })
        {
            // The two who consult talk on.
            transfer.Guard?.Release();
            transfer.Target!.IsConsulted = false;
            call.Transfer = null;
            (call.From, call.To) = (call.AddressOf(transfer.Released), transfer.To);
            call.Primary = transfer.Released;
            Connect(call, default);
        }
        else
        {
            EndRest(call);
        }
    }

    // Who is left has nobody to talk with, and nothing at the engine would end it.
    private void EndRest(YateCall call)
    {
        call.Transfer?.Guard?.Release();
        foreach (YateLeg leg in LegsToHangUp(call)) LateHangup?.Invoke(leg, HangupCause.NormalClearing);
    }
}
