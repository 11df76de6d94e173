namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>The part of the mapper that follows transfers.</summary>
internal sealed partial class FreeSwitchMapper
{
    /// <summary>Puts a call on a way, before the server is asked. Under no lock.</summary>
    public void BeginTransfer(FreeSwitchCall call, FreeSwitchTransfer transfer)
    {
        lock (calls.Sync)
        {
            call.Transfer = transfer;
            call.HasDestination = true;
            // What they did before says nothing about where they go.
            transfer.Kept.Application = null;
            if (transfer.Attended) transfer.Released!.Application = null;
            else call.Primary = transfer.Kept;

            calls.Move(call, CallState.Transferring);
        }
    }

    /// <summary>A transfer came to nothing, and the call is as it was.</summary>
    public void AbandonTransfer(FreeSwitchCall call, FreeSwitchLeg? primary)
    {
        lock (calls.Sync)
        {
            foreach (FreeSwitchLeg tried in call.Transfer?.Tried ?? []) tried.IsConsulted = false;
            call.Transfer = null;
            if (primary is not null) call.Primary = primary;
            if (call.State == CallState.Transferring) calls.Move(call, call.IsHeld ? CallState.OnHold : CallState.Connected);
        }
    }

    /// <summary>A transfer could not be completed or given up: it goes on, and what happened meanwhile counts.</summary>
    /// <param name="call">The call.</param>
    /// <param name="transfer">Its transfer.</param>
    /// <param name="reunite">The first two may be brought together, if who was consulted has gone; false if that is what failed.</param>
    /// <param name="complete">It may be completed, if who consulted has gone; false if that is what failed.</param>
    public void ReopenTransfer(FreeSwitchCall call, FreeSwitchTransfer transfer, bool reunite, bool complete)
    {
        lock (calls.Sync)
        {
            if (call.Transfer != transfer || transfer.Done || call.State != CallState.Transferring) return;
            transfer.Closing = false;
            if (transfer.Kept.Ended) OnConsultationBroken(call, transfer, transfer.Kept);
            else if (complete && transfer.Released is { Ended: true } released) OnConsultationBroken(call, transfer, released);
            else if (reunite && transfer.Consulted is { Ended: true } consulted) OnConsultationBroken(call, transfer, consulted);
        }
    }

    /// <summary>
    /// Nobody is consulted any more. Gives the legs to hang up; those that have not appeared are hung up when they do: when
    /// one endpoint is ended, the server goes on with the next.
    /// </summary>
    public List<FreeSwitchLeg> Unwant(FreeSwitchTransfer transfer)
    {
        lock (calls.Sync)
        {
            foreach (FreeSwitchLeg leg in transfer.Tried) leg.Unwanted = true;
            return [.. transfer.Tried.Where(l => l is { Seen: true, Ended: false })];
        }
    }

    /// <summary>An attended transfer is complete: the party that stays talks with the one that was consulted.</summary>
    public void CompleteTransfer(FreeSwitchCall call, FreeSwitchTransfer transfer)
    {
        lock (calls.Sync)
        {
            transfer.Done = true;
            transfer.Consulted!.IsConsulted = false;
            call.Primary = transfer.Kept;
            if (call.State == CallState.Transferring) Connect(call, default);
        }
    }

    /// <summary>A hold or the end of it is ours. Under no lock.</summary>
    public void SetHeldByUs(FreeSwitchLeg leg, bool held)
    {
        lock (calls.Sync) leg.HeldByUs = held;
    }

    /// <summary>Called, under the lock, when the leg that was consulted is gone: the other two are to talk again.</summary>
    public Action<FreeSwitchCall, FreeSwitchTransfer>? BringTogether { get; set; }

    /// <summary>Called, under the lock, when the leg that consulted is gone: that completes the transfer.</summary>
    public Action<FreeSwitchCall, FreeSwitchTransfer>? CompleteLate { get; set; }

    /// <summary>Called, under the lock, for two legs that talk on and are to end with each other.</summary>
    public Action<FreeSwitchLeg, FreeSwitchLeg>? EndTogether { get; set; }

    /// <summary>A leg that an originate was to make and did not.</summary>
    public void Drop(FreeSwitchLeg leg)
    {
        lock (calls.Sync)
        {
            if (leg.Seen) return;
            leg.Call.Legs.Remove(leg);
            _legs.Remove(leg.IdBytes);
        }
    }

    // The same, on the reader.
    private void LetGo(FreeSwitchTransfer transfer)
    {
        foreach (FreeSwitchLeg leg in Unwant(transfer)) LateHangup?.Invoke(leg, HangupCause.NormalClearing);
    }

    // A leg is gone, and others of its call are not.
    private void OnLegMissing(FreeSwitchCall call, FreeSwitchLeg gone)
    {
        if (call.Transfer is { Attended: true, Done: false, Closing: false } transfer && call.State == CallState.Transferring) OnConsultationBroken(call, transfer, gone);
    }

    // Somebody went away while two consulted and one waited.
    private void OnConsultationBroken(FreeSwitchCall call, FreeSwitchTransfer transfer, FreeSwitchLeg gone)
    {
        if (gone == transfer.Consulted)
        {
            // While it is being called its originate tells.
            if (!gone.Up) return;
            transfer.Closing = true;
            BringTogether?.Invoke(call, transfer);
        }
        else if (gone == transfer.Released && transfer is { Kept.Ended: false, Consulted: { Up: true, Ended: false } })
        {
            // Who consulted may just as well hang up as say that it is done.
            transfer.Closing = true;
            CompleteLate?.Invoke(call, transfer);
        }
        else if (gone == transfer.Kept && transfer is { Released: { Ended: false } released, Consulted: { Up: true, Ended: false } consulted })
        {
            // The two who consult talk on.
            consulted.IsConsulted = false;
            EndTogether?.Invoke(released, consulted);
            (call.From, call.To) = (call.AddressOf(released), transfer.To);
            call.Primary = released;
            call.Transfer = null;
            calls.Move(call, CallState.Connected);
        }
        else if (gone == transfer.Kept || gone == transfer.Released)
        {
            // Who is left has nobody to talk with, and nothing at the server would end it.
            foreach (FreeSwitchLeg leg in LegsToHangUp(call)) LateHangup?.Invoke(leg, HangupCause.NormalClearing);
        }
    }
}
