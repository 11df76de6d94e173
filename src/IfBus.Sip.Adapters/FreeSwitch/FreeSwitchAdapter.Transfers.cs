namespace IfBus.Sip.Adapters.FreeSwitch;

/// <content>Transfers, hold, and answering. "+OK" means only that it was asked for; what counts is what the events say after.</content>
internal sealed partial class FreeSwitchAdapter
{
    // Both legs do nothing until they are told; an inline dialplan is an application with its argument.
    private const string Park = "park: inline";
    private const string ParkAfterBridge = "park_after_bridge";
    private const string Music = "endless_playback:${hold_music} inline";

    // From the answer to CHANNEL_BRIDGE it takes the server some milliseconds.
    private static readonly TimeSpan BridgeTime = TimeSpan.FromMilliseconds(500);

    protected override Task<SipCall> TransferAsync(FreeSwitchSession session, string callId, SipTransferRequest request, CancellationToken cancellationToken)
    {
        if (request.Keep == SipParty.Both) throw new SipArgumentException("Keep", "Both", "From or To: one party stays, the other is released.");
        TimeSpan limit = CallRules.RingTime(request.Timeout, Configuration);
        if (request.Attended)
        {
            // The party that consults must not be lost with a dialplan that ends, so the destination is called by itself.
            if (request.Context is not null) throw new SipArgumentException("Context", request.Context, "an attended transfer on FreeSWITCH calls an endpoint, or a number by the connection's EndpointTemplate; it has no context.");
            string dial = FreeSwitchNumbers.DialString(request.To, Configuration.EndpointTemplate ?? FreeSwitchNumbers.DefaultTemplate, "To");
            return ConsultAsync(session, callId, request, dial, limit, cancellationToken);
        }

        string destination;
        if (FreeSwitchNumbers.IsExtension(request.To)) destination = $"{request.To} XML {FreeSwitchNumbers.Context(request.Context, Configuration)}";
        else if (request.To.Contains('/', StringComparison.Ordinal)) destination = $"bridge:{FreeSwitchNumbers.DialString(request.To, FreeSwitchNumbers.DefaultTemplate, "To")} inline";
        else throw new SipArgumentException("To", request.To, CallRules.NumberRule + "; " + FreeSwitchNumbers.EndpointRule + ".", "SipInvalidNumber");
        return TransferBlindAsync(session, callId, request, destination, limit, cancellationToken);
    }

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
            await AskAsync(session, $"uuid_setvar {leg.Id} {ParkAfterBridge}", "SipTransferFailed", $"{Name} refused to complete the transfer of {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
        await AskAsync(session, $"uuid_bridge {kept.Id} {consulted.Id}", "SipTransferFailed", $"{Name} refused to complete the transfer of {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(done, () => $"The transfer of {call.CallId} was not completed", call, cancellationToken).ConfigureAwait(false);
        if (kept.Ended || consulted.Ended) throw Failed(call, transfer.To, "a party went away meanwhile");
        _mapper.CompleteTransfer(call, transfer);
        using CallCondition<FreeSwitchCall> gone = _mapper.Conditions.When(call, _ => released.Ended);
        await KillAsync(session, released, FreeSwitchCauses.Name(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
        await InTimeAsync(gone, Configuration.RequestTimeout, () => $"The party that {call.CallId} was transferred by has not been released", call, cancellationToken).ConfigureAwait(false);
    }

    // uuid_hold sends the phone of From one; the other hears the music.
    protected override SipHoldMethod HoldMethod => SipHoldMethod.Reinvite;

    protected override async Task<SipCall> HoldAsync(FreeSwitchSession session, string callId, CancellationToken cancellationToken)
    {
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        FreeSwitchLeg leg, other;
        lock (Calls.Sync)
        {
            if (call.State == CallState.OnHold) throw WrongState(call, "SipCallOnHold", "is on hold already");
            if (call.State != CallState.Connected) throw WrongState(call, "SipCallNotConnected", "is not connected");
            leg = call.Primary is { Ended: false, Peer: { Ended: false } } primary ? primary : throw WrongState(call, "SipCallNotBridged", "has no two parties that are bridged, so there is nobody to bring it back to");
            other = leg.Peer!;
            other.Application = null;
        }

        // Before the command: the event comes before its result.
        _mapper.SetHeldByUs(leg, held: true);
        using CallCondition<FreeSwitchCall> music = _mapper.Conditions.When(call, _ => other.Application is not null || other.Ended || leg.Ended);
        using CallCondition<FreeSwitchCall> held = _mapper.Conditions.When(call, _ => leg.Holds || leg.Ended);
        try
        {
            await AskAsync(session, $"uuid_hold {leg.Id}", "SipHoldFailed", $"{Name} refused to hold {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
            // The server says +OK even for a leg that is not there.
            await SeenAsync(held, () => $"{Name} took the hold of {call.CallId}, and did not say that it holds", call, cancellationToken).ConfigureAwait(false);
            if (leg.Ended) throw Ended(call);
            // The other hears the music a moment later, if there is any. Resumed before that, it would go on hearing it,
            // and would not end with the call (seen with FreeSWITCH 1.10.12).
            await Task.WhenAny(music.Task, Task.Delay(BridgeTime, Time, cancellationToken)).ConfigureAwait(false);
            return Shown(call);
        }
        catch
        {
            if (!leg.Holds) _mapper.SetHeldByUs(leg, held: false);
            throw;
        }
    }

    protected override async Task<SipCall> ResumeAsync(FreeSwitchSession session, string callId, CancellationToken cancellationToken)
    {
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        List<FreeSwitchLeg> legs;
        lock (Calls.Sync)
        {
            if (call.State != CallState.OnHold) throw WrongState(call, "SipCallNotOnHold", "is not on hold");
            legs = call.Legs.FindAll(l => l is { Ended: false, Holds: true, HeldByUs: true });
            if (legs.Count == 0) throw WrongState(call, "SipCallHeldByPhone", "is held by a phone, which alone can resume it");
        }

        foreach (FreeSwitchLeg leg in legs)
        {
            using CallCondition<FreeSwitchCall> back = _mapper.Conditions.When(call, _ => !leg.Holds || leg.Ended);
            await AskAsync(session, $"uuid_hold off {leg.Id}", "SipResumeFailed", $"{Name} refused to resume {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
            await SeenAsync(back, () => $"{Name} took the end of the hold of {call.CallId}, and did not say that it ended", call, cancellationToken).ConfigureAwait(false);
        }

        return Shown(call);
    }

    protected override async Task<SipCall> AnswerAsync(FreeSwitchSession session, string callId, CancellationToken cancellationToken)
    {
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        FreeSwitchLeg leg = WaitingLeg(call);
        using CallCondition<FreeSwitchCall> up = _mapper.Conditions.When(call, _ => leg.Up || leg.Ended);
        await AskAsync(session, $"uuid_answer {leg.Id}", "SipAnswerFailed", $"{Name} refused to answer {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(up, () => $"{call.CallId} was not answered", call, cancellationToken).ConfigureAwait(false);
        return leg.Ended ? throw Ended(call) : Shown(call);
    }

    protected override Task<SipCall> RejectAsync(FreeSwitchSession session, string callId, HangupCause cause, CancellationToken cancellationToken)
    {
        FreeSwitchCauses.Name(cause);
        WaitingLeg(FindLive<FreeSwitchCall>(callId));
        return HangUpAsync(session, callId, cause, cancellationToken);
    }

    private async Task<SipCall> TransferBlindAsync(FreeSwitchSession session, string callId, SipTransferRequest request, string destination, TimeSpan limit, CancellationToken cancellationToken)
    {
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        FreeSwitchTransfer transfer;
        FreeSwitchLeg kept;
        FreeSwitchLeg? released, primary;
        lock (Calls.Sync)
        {
            CheckTransferable(call);
            kept = call.LegOf(request.Keep) ?? throw WrongState(call, "SipNoSuchParty", $"has no {request.Keep} party to keep");
            released = call.LegOf(request.Keep == SipParty.From ? SipParty.To : SipParty.From);
            primary = call.Primary;
            transfer = new FreeSwitchTransfer(kept, released, request.To, attended: false) { PrimaryBefore = primary };
        }

        cancellationToken.ThrowIfCancellationRequested();
        _mapper.BeginTransfer(call, transfer);
        CallWaiter waiter = Calls.Wait(call.CallId, [CallState.Connected])!;
        using CallCondition<FreeSwitchCall> parted = _mapper.Conditions.When(call, _ => kept.Peer != released || kept.Ended || released is null or { Ended: true });
        try
        {
            if (kept.HeldByUs) await session.Esl.RunAsync($"uuid_hold off {kept.Id}", cancellationToken).ConfigureAwait(false);
            EslReply reply = await session.Esl.RunAsync($"uuid_transfer {kept.Id} {destination}", cancellationToken).ConfigureAwait(false);
            if (reply.IsError)
            {
                _mapper.AbandonTransfer(call, primary);
                throw Rejected(reply, "SipTransferFailed", $"{Name} refused to move {call.CallId} to {request.To}", call.CallId);
            }

            await InTimeAsync(parted, Configuration.RequestTimeout, () => $"{Name} took the transfer of {call.CallId}, and did not carry it out", call, cancellationToken).ConfigureAwait(false);
            // The leg that was bridged ends by itself, unless its own dialplan goes on.
            if (released is { Ended: false }) await KillAsync(session, released, FreeSwitchCauses.Name(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
            SipCall after = await TransferredAsync(call, waiter, request.To, limit, cancellationToken).ConfigureAwait(false);
            return after.State == CallState.Terminated ? throw Failed(call, request.To, null) : after;
        }
        catch (SipException e) when (e.NothingDone)
        {
            _mapper.AbandonTransfer(call, primary);
            throw;
        }
        catch (Exception e) when (e is SipTimeoutException or OperationCanceledException)
        {
            // The server was asked, and may have done it or not. After a loss of the connection the same is found out.
            if (released is not null) Beside("looking what became of a transfer", now => FindOutAsync(now, call, transfer));
            throw;
        }
        finally
        {
            Calls.StopWaiting(call.CallId, waiter);
        }
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
                await AskAsync(session, $"uuid_transfer {kept.Id} -both {Park}", "SipTransferFailed", $"{Name} refused the transfer of {call.CallId} to {request.To}", call.CallId, cancellationToken).ConfigureAwait(false);
                taken = true;
                await SeenAsync(parked, () => $"{Name} took the transfer of {call.CallId}, and did not carry it out", call, cancellationToken).ConfigureAwait(false);
            }

            if (session.Login.HoldMusic)
            {
                using CallCondition<FreeSwitchCall> plays = _mapper.Conditions.When(call, _ => kept.Application == "endless_playback" || kept.Ended);
                await session.Esl.RunAsync($"uuid_transfer {kept.Id} {Music}", cancellationToken).ConfigureAwait(false);
                await SeenAsync(plays, () => $"{Name} did not play music to the party of {call.CallId} that waits", call, cancellationToken).ConfigureAwait(false);
            }

            if (kept.Ended || released.Ended) throw Failed(call, request.To, "a party went away meanwhile");
            // Otherwise each of the two who consult would end with the other.
            await session.Esl.RunAsync($"uuid_setvar {released.Id} {ParkAfterBridge} true", cancellationToken).ConfigureAwait(false);
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
            await AskAsync(session, $"uuid_bridge {released.Id} {consulted.Id}", "SipTransferFailed", $"{Name} refused to let {call.CallId} consult {request.To}", call.CallId, cancellationToken).ConfigureAwait(false);
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
        await session.Esl.RunAsync($"uuid_setvar {released.Id} {ParkAfterBridge}", cancellationToken).ConfigureAwait(false);
        await AskAsync(session, $"uuid_bridge {kept.Id} {released.Id}", "SipTransferFailed", $"{Name} refused to bring the parties of {call.CallId} together again", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(back, () => $"The parties of {call.CallId} were not brought together again", call, cancellationToken).ConfigureAwait(false);
        List<FreeSwitchLeg> consulted = _mapper.Unwant(transfer);
        _mapper.AbandonTransfer(call, null);
        await Task.WhenAll(consulted.Select(l => KillAsync(session, l, FreeSwitchCauses.Name(HangupCause.NormalClearing), cancellationToken))).ConfigureAwait(false);
    }

    // A blind transfer that was not seen to be done: the two talk still, or events tell what became of it.
    private async Task FindOutAsync(FreeSwitchSession session, FreeSwitchCall call, FreeSwitchTransfer transfer)
    {
        EslReply reply = await session.Esl.RunAsync($"uuid_getvar {transfer.Kept.Id} bridge_to", CancellationToken.None).ConfigureAwait(false);
        lock (Calls.Sync)
        {
            if (call is { State: CallState.Transferring } && call.Transfer == transfer && !transfer.Done && reply.Text == transfer.Released!.Id) _mapper.AbandonTransfer(call, transfer.PrimaryBefore);
        }
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
                await Task.WhenAny(parked.Task, Task.Delay(BridgeTime, Time, CancellationToken.None)).ConfigureAwait(false);
            using CallCondition<FreeSwitchCall> done = _mapper.Conditions.When(call, _ => kept.Peer == consulted || kept.Ended || consulted.Ended);
            await session.Esl.RunAsync($"uuid_setvar {consulted.Id} {ParkAfterBridge}", CancellationToken.None).ConfigureAwait(false);
            await AskAsync(session, $"uuid_bridge {kept.Id} {consulted.Id}", "SipTransferFailed", $"{Name} refused to complete the transfer of {call.CallId}", call.CallId, CancellationToken.None).ConfigureAwait(false);
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
        foreach (FreeSwitchLeg leg in new[] { one, other }) await session.Esl.RunAsync($"uuid_setvar {leg.Id} {ParkAfterBridge}", CancellationToken.None).ConfigureAwait(false);
    });

    // A call is connected when its destination has answered; its parties are in their bridge a moment later. Who asks for
    // something in between means the bridged call.
    private async Task SettleAsync(FreeSwitchCall call, CancellationToken cancellationToken)
    {
        using CallCondition<FreeSwitchCall> bridged = _mapper.Conditions.When(call, c => c.State != CallState.Connected || c.Primary is not { Up: true, Peer: null, Room: null } || c.LegOf(SipParty.To) is not { Up: true, Room: null });
        try
        {
            await bridged.Task.WaitAsync(BridgeTime, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It has none; what that means is for what was asked to say.
        }
    }

    private FreeSwitchLeg WaitingLeg(FreeSwitchCall call)
    {
        lock (Calls.Sync) return call is { State: CallState.Incoming, Primary: { Ended: false, Up: false } leg } ? leg : throw WrongState(call, "SipCallNotIncoming", "is not one that waits to be answered");
    }

    private SipTransferException Failed(FreeSwitchCall call, string to, string? why)
    {
        SipCall after = Shown(call);
        bool unknown = why is null && after.CauseText == "NO_ROUTE_DESTINATION";
        return new SipTransferException($"The transfer of {call.CallId} to {to} failed: {why ?? (unknown ? "the server has no such extension, and has ended the call" : $"the call ended ({after.Cause}, {after.CauseText})")}.", unknown ? "SipDestinationNotFound" : "SipTransferFailed")
        {
            Server = Name,
            CallId = call.CallId,
            Call = after,
        };
    }
}
