namespace IfBus.Sip.Adapters.FreeSwitch;

/// <content>Attended transfers: one party consults, and the transfer is completed or given up, by us or by who hangs up.</content>
internal sealed partial class FreeSwitchAdapter
{
    protected override async Task<SipCall> EndTransferAsync(FreeSwitchSession session, string callId, bool complete, CancellationToken cancellationToken)
    {
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        FreeSwitchTransfer transfer;
        FreeSwitchLeg? consulted;
        lock (Calls.Sync)
        {
            if (call is not { State: CallState.Transferring, Transfer: { Attended: true, Released.Ended: false, Kept.Ended: false } current })
                throw WrongState(call, "SipNoTransfer", "has no attended transfer that goes on");
            (transfer, consulted) = (current, current.Consulted);
            if (complete && consulted is not { Up: true, Ended: false }) throw WrongState(call, "SipTransferNotAnswered", $"cannot be completed: {current.To} has not answered");
            if (current.Closing) throw WrongState(call, "SipNoTransfer", "has a transfer that is being completed or given up already");
            current.Closing = true;
        }

        try
        {
            if (complete) await CompleteAsync(session, call, transfer, consulted!, cancellationToken).ConfigureAwait(false);
            else await ReuniteAsync(session, call, transfer, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            _mapper.ReopenTransfer(call, transfer, reunite: complete, complete: true);
            throw;
        }

        return Shown(call);
    }

    private async Task CompleteAsync(FreeSwitchSession session, FreeSwitchCall call, FreeSwitchTransfer transfer, FreeSwitchLeg consulted, CancellationToken cancellationToken)
    {
        (FreeSwitchLeg kept, FreeSwitchLeg released) = (transfer.Kept, transfer.Released!);
        using CallCondition<FreeSwitchCall> done = _mapper.Conditions.When(call, _ => (kept.Peer == consulted && kept.Peer is not null) || kept.Ended || consulted.Ended);
        foreach (FreeSwitchLeg leg in new[] { released, consulted })
            await AskAsync(session, $"uuid_setvar {Word(leg)} {ParkAfterBridge}", "SipTransferFailed", $"{Name} refused to complete the transfer of {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
        await AskAsync(session, $"uuid_bridge {Word(kept)} {Word(consulted)}", "SipTransferFailed", $"{Name} refused to complete the transfer of {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(done, () => $"The transfer of {call.CallId} was not completed", call, cancellationToken).ConfigureAwait(false);
        if (kept.Ended || consulted.Ended) throw Failed(call, transfer.To, "a party went away meanwhile");
        _mapper.CompleteTransfer(call, transfer);
        using CallCondition<FreeSwitchCall> gone = _mapper.Conditions.When(call, _ => released.Ended);
        await KillAsync(session, released, FreeSwitchCauses.Name(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
        await InTimeAsync(gone, Configuration.RequestTimeout, () => $"The party that {call.CallId} was transferred by has not been released", call, cancellationToken).ConfigureAwait(false);
    }

    private async Task<SipCall> ConsultAsync(FreeSwitchSession session, string callId, SipTransferRequest request, string dial, TimeSpan limit, CancellationToken cancellationToken)
    {
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        FreeSwitchTransfer transfer;
        FreeSwitchLeg kept, released;
        string uuid = Guid.NewGuid().ToString();
        lock (Calls.Sync)
        {
            CheckTransferable(call);
            if (call.State == CallState.OnHold) throw WrongState(call, "SipCallOnHold", "is on hold; resume it first");
            if (call.LegOf(request.Keep) is not { } stays || call.LegOf(request.Keep == SipParty.From ? SipParty.To : SipParty.From) is not { } goes || stays.Peer != goes)
                throw WrongState(call, "SipCallNotBridged", "has no two parties that are bridged, so nobody can consult");
            (kept, released) = (stays, goes);
            transfer = new FreeSwitchTransfer(kept, released, request.To, attended: true);
        }

        _mapper.BeginTransfer(call, transfer);
        string endpoints = FreeSwitchCommands.WithIds(dial, uuid, out IReadOnlyList<string> ids);
        List<FreeSwitchLeg> tried;
        lock (Calls.Sync)
        {
            tried = [.. ids.Select(id => _mapper.Expect(call, id))];
            tried.ForEach(l => l.IsConsulted = true);
            transfer.Consulted = tried[0];
            transfer.Tried = tried;
        }

        bool taken = false;
        try
        {
            // A leg that is sent on before it has arrived is hung up, so each step is waited for.
            using (CallCondition<FreeSwitchCall> parked = _mapper.Conditions.When(call, _ => (kept.Application == "park" && released.Application == "park") || kept.Ended || released.Ended))
            {
                await AskAsync(session, $"uuid_transfer {Word(kept)} -both {Park}", "SipTransferFailed", $"{Name} refused the transfer of {call.CallId} to {request.To}", call.CallId, cancellationToken).ConfigureAwait(false);
                taken = true;
                await SeenAsync(parked, () => $"{Name} took the transfer of {call.CallId}, and did not carry it out", call, cancellationToken).ConfigureAwait(false);
            }

            if (session.Login.HoldMusic)
            {
                using CallCondition<FreeSwitchCall> plays = _mapper.Conditions.When(call, _ => kept.Application == "endless_playback" || kept.Ended);
                await session.Esl.RunAsync($"uuid_transfer {Word(kept)} {Music}", cancellationToken).ConfigureAwait(false);
                await SeenAsync(plays, () => $"{Name} did not play music to the party of {call.CallId} that waits", call, cancellationToken).ConfigureAwait(false);
            }

            if (kept.Ended || released.Ended) throw Failed(call, request.To, "a party went away meanwhile");
            // Otherwise each of the two who consult would end with the other.
            await session.Esl.RunAsync($"uuid_setvar {Word(released)} {ParkAfterBridge} true", cancellationToken).ConfigureAwait(false);
            EslReply reply = await session.Esl.RunAsync(
                $"originate {{ignore_early_media=true,{ParkAfterBridge}=true,originate_timeout={FreeSwitchCommands.Seconds(limit)}}}{endpoints} &park()", cancellationToken, limit + Configuration.RequestTimeout).ConfigureAwait(false);
            if (reply.IsError)
            {
                tried.ForEach(_mapper.Drop);
                throw Failed(call, request.To, $"{SipText.Printable(reply.Message)}; the parties talk again");
            }

            // Of several the one that answered.
            FreeSwitchLeg consulted = tried.Find(l => l.Id == reply.Message) ?? tried[0];
            // Given up meanwhile: the leg is hung up by who gave it up, or as it appears.
            if (call.Transfer != transfer || transfer.Closing) throw Failed(call, request.To, "it was given up meanwhile");
            tried.FindAll(l => l != consulted).ForEach(_mapper.Drop);
            lock (Calls.Sync) transfer.Consulted = consulted;

            using CallCondition<FreeSwitchCall> talking = _mapper.Conditions.When(call, _ => released.Peer == consulted || released.Ended || consulted.Ended);
            await AskAsync(session, $"uuid_bridge {Word(released)} {Word(consulted)}", "SipTransferFailed", $"{Name} refused to let {call.CallId} consult {request.To}", call.CallId, cancellationToken).ConfigureAwait(false);
            await SeenAsync(talking, () => $"{request.To} has answered, and was not connected", call, cancellationToken).ConfigureAwait(false);
            if (released.Peer != consulted) throw Failed(call, request.To, "a party went away meanwhile");
            return Shown(call);
        }
        catch (Exception e) when (e is SipException or OperationCanceledException)
        {
            if (taken) await TryReuniteAsync(session, call, transfer).ConfigureAwait(false);
            else _mapper.AbandonTransfer(call, null);
            if (e is SipTransferException failed) throw new SipTransferException(failed.Message, failed.ErrorId) { Server = Name, CallId = call.CallId, Call = Shown(call) };
            throw;
        }
    }

    // The first two talk again, and who was consulted is released.
    private async Task ReuniteAsync(FreeSwitchSession session, FreeSwitchCall call, FreeSwitchTransfer transfer, CancellationToken cancellationToken)
    {
        FreeSwitchLeg kept = transfer.Kept, released = transfer.Released!;
        lock (Calls.Sync) transfer.Closing = true;
        using CallCondition<FreeSwitchCall> back = _mapper.Conditions.When(call, _ => kept.Peer == released || kept.Ended || released.Ended);
        await session.Esl.RunAsync($"uuid_setvar {Word(released)} {ParkAfterBridge}", cancellationToken).ConfigureAwait(false);
        await AskAsync(session, $"uuid_bridge {Word(kept)} {Word(released)}", "SipTransferFailed", $"{Name} refused to bring the parties of {call.CallId} together again", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(back, () => $"The parties of {call.CallId} were not brought together again", call, cancellationToken).ConfigureAwait(false);
        List<FreeSwitchLeg> consulted = _mapper.Unwant(transfer);
        _mapper.AbandonTransfer(call, null);
        using CallCondition<FreeSwitchCall> gone = _mapper.Conditions.When(call, _ => consulted.TrueForAll(l => l.Ended));
        await Task.WhenAll(consulted.Select(l => KillAsync(session, l, FreeSwitchCauses.Name(HangupCause.NormalClearing), cancellationToken))).ConfigureAwait(false);
        await InTimeAsync(gone, Configuration.RequestTimeout, () => $"The parties of {call.CallId} talk again, but who was consulted has not been released", call, cancellationToken).ConfigureAwait(false);
    }

    private async Task TryReuniteAsync(FreeSwitchSession session, FreeSwitchCall call, FreeSwitchTransfer transfer)
    {
        try
        {
            lock (Calls.Sync)
            {
                if (call.State != CallState.Transferring || call.Transfer != transfer || transfer.Kept.Ended || transfer.Released!.Ended) return;
            }

            // Not with the caller's token: two people wait.
            await ReuniteAsync(session, call, transfer, CancellationToken.None).ConfigureAwait(false);
        }
        catch (SipException e)
        {
            _mapper.ReopenTransfer(call, transfer, reunite: false, complete: true);
            Diagnostics.Log.WorkFailed(Logger, e, Name, "bringing the parties of a transfer together again");
        }
    }

    // Called on the reader, under the lock: only starts the work.
    private void BringTogetherLate(FreeSwitchCall call, FreeSwitchTransfer transfer) => Beside("bringing the parties of a transfer together again", session => TryReuniteAsync(session, call, transfer));

    // The same, for one that is complete since who consulted has hung up.
    private void CompleteLate(FreeSwitchCall call, FreeSwitchTransfer transfer) => Beside("completing a transfer", async session =>
    {
        FreeSwitchLeg kept = transfer.Kept, consulted = transfer.Consulted!;
        try
        {
            using (CallCondition<FreeSwitchCall> parked = _mapper.Conditions.When(call, _ => consulted.Application == "park" || consulted.Ended || kept.Ended))
                await GiveTimeAsync(parked.Task, BridgeTime, CancellationToken.None).ConfigureAwait(false);
            using CallCondition<FreeSwitchCall> done = _mapper.Conditions.When(call, _ => kept.Peer == consulted || kept.Ended || consulted.Ended);
            await session.Esl.RunAsync($"uuid_setvar {Word(consulted)} {ParkAfterBridge}", CancellationToken.None).ConfigureAwait(false);
            await AskAsync(session, $"uuid_bridge {Word(kept)} {Word(consulted)}", "SipTransferFailed", $"{Name} refused to complete the transfer of {call.CallId}", call.CallId, CancellationToken.None).ConfigureAwait(false);
            await SeenAsync(done, () => $"The transfer of {call.CallId} was not completed", call, CancellationToken.None).ConfigureAwait(false);
        }
        catch (SipException e)
        {
            Diagnostics.Log.WorkFailed(Logger, e, Name, "completing a transfer");
        }

        if (kept.Peer == consulted && !kept.Ended)
        {
            _mapper.CompleteTransfer(call, transfer);
            return;
        }

        // Who is left has nobody to talk with, and nothing at the server would end it.
        List<FreeSwitchLeg> left;
        lock (Calls.Sync) left = FreeSwitchMapper.LegsToHangUp(call);
        try
        {
            foreach (FreeSwitchLeg leg in left) await KillAsync(session, leg, FreeSwitchCauses.Name(HangupCause.NormalClearing), CancellationToken.None).ConfigureAwait(false);
        }
        catch
        {
            _mapper.ReopenTransfer(call, transfer, reunite: false, complete: false);
            throw;
        }
    });

    private void EndTogether(FreeSwitchLeg one, FreeSwitchLeg other) => Beside("letting the parties of a transfer end together", async session =>
    {
        foreach (FreeSwitchLeg leg in new[] { one, other }) await session.Esl.RunAsync($"uuid_setvar {Word(leg)} {ParkAfterBridge}", CancellationToken.None).ConfigureAwait(false);
    });
}
