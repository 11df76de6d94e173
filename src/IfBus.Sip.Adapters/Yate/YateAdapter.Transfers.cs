namespace IfBus.Sip.Adapters.Yate;

/// <content>Transfers, hold, and answering. "true" means only that a handler took it; what counts is what the channels say after.</content>
internal sealed partial class YateAdapter
{
    // From the answer to both parties' chan.connected it takes the engine some milliseconds.
    private static readonly TimeSpan BridgeTime = TimeSpan.FromMilliseconds(500);

    protected override async Task<SipCall> TransferAsync(YateSession session, string callId, SipTransferRequest request, CancellationToken cancellationToken)
    {
        if (request.Keep == SipParty.Both) throw new SipArgumentException("Keep", "Both", "From or To: one party stays, the other is released.");
        TimeSpan limit = CallRules.RingTime(request.Timeout, Configuration);
        string? context = request.Context ?? Configuration.Context;
        if (context is not null) context = CallRules.Context(context, Configuration);
        string? direct = YateNumbers.Direct(request.To, Configuration.EndpointTemplate, "To");
        YateCall call = FindLive<YateCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        (YateLeg kept, YateLeg released, string bill) = PartiesOf(call, request.Keep, request.Attended);
        YateLeg mover = request.Attended ? released : kept;
        IReadOnlyList<KeyValuePair<string, string>> way = [];
        if (direct is null)
        {
            YateRoute route = await RouteAsync(session, request.To, mover.Number, context, cancellationToken).ConfigureAwait(false);
            if (route.Target is null)
            {
                throw new SipTransferException($"The transfer of {call.CallId} to {request.To} failed: {route.Text}. Nothing was changed.", route.Cause == HangupCause.NoRouteToDestination ? "SipDestinationNotFound" : "SipTransferFailed")
                {
                    Server = Name,
                    CallId = call.CallId,
                    Call = Shown(call),
                };
            }

            (direct, way) = (route.Target, route.Parameters);
        }

        var transfer = new YateTransfer(kept, released, request.To, direct, request.Attended);
        YateGuard guard = await YateGuard.OpenAsync(Endpoint, Configuration, bill, session.Login.Music, Logger, Time, cancellationToken).ConfigureAwait(false);
        lock (Calls.Sync)
        {
            transfer.Guard = guard;
            if (call.State is not (CallState.Connected or CallState.OnHold) || kept.Ended || released.Ended)
            {
                guard.Release();
                if (call.State == CallState.Terminated) throw Ended(call);
                CheckTransferable(call);
                throw WrongState(call, "SipNoSuchParty", "has lost a party");
            }
        }

        // Whoever loses the other waits on music until it is known how it goes.
        guard.Keep(kept, released);
        _mapper.BeginTransfer(call, transfer);
        return await MoveAsync(session, call, transfer, way, limit, cancellationToken).ConfigureAwait(false);
    }

    protected override async Task<SipCall> EndTransferAsync(YateSession session, string callId, bool complete, CancellationToken cancellationToken)
    {
        YateCall call = FindLive<YateCall>(callId);
        YateTransfer transfer;
        lock (Calls.Sync)
        {
            if (call is not { State: CallState.Transferring, Transfer: { Attended: true, Kept.Ended: false, Released.Ended: false } current }) throw WrongState(call, "SipNoTransfer", "has no attended transfer that goes on");
            transfer = current;
            if (complete && transfer is not { Answered: true }) throw WrongState(call, "SipTransferNotAnswered", $"cannot be completed: {current.To} has not answered");
            if (transfer.Closing) throw WrongState(call, "SipNoTransfer", "has a transfer that is being completed or given up already");
            transfer.Closing = true;
        }

        if (complete) await CompleteAsync(session, call, transfer, cancellationToken).ConfigureAwait(false);
        else await ReuniteAsync(session, call, transfer, cancellationToken).ConfigureAwait(false);
        return Shown(call);
    }

    protected override async Task<SipCall> HoldAsync(YateSession session, string callId, CancellationToken cancellationToken)
    {
        YateCall call = FindLive<YateCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        YateLeg one, other;
        string bill;
        lock (Calls.Sync)
        {
            (one, other) = PartiesToHold(call);
            bill = call.BillId ?? throw WrongState(call, "SipCallNotBridged", "has no billid yet");
        }

        YateGuard guard = await YateGuard.OpenAsync(Endpoint, Configuration, bill, session.Login.Music, Logger, Time, cancellationToken).ConfigureAwait(false);
        try
        {
            guard.Keep(other);
            using CallCondition<YateCall> waiting = _mapper.Conditions.When(call, _ => (one.Media is not null && other.Media is not null) || one.Ended || other.Ended);
            ExtModuleMessage message = On(one, "call.execute");
            message.Add("callto", session.Login.Music);
            message.Add("reason", "hold");
            ExtModuleAnswer answer = await session.Engine.SendAsync(message, cancellationToken).ConfigureAwait(false);
            if (!answer.Processed) throw Rejected(answer, "SipHoldFailed", $"{Name} refused to hold {call.CallId}", call.CallId);
            await SeenAsync(waiting, () => $"{Name} took the hold of {call.CallId}, and did not say that both wait", call, cancellationToken).ConfigureAwait(false);
            if (one.Ended || other.Ended)
            {
                // Who is left must not wait for ever.
                if (one is { Ended: false }) await DropAsync(session, one, YateCauses.Name(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
                if (other is { Ended: false }) await DropAsync(session, other, YateCauses.Name(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
                throw Ended(call);
            }

            _mapper.SetHeld(call, held: true);
            return Shown(call);
        }
        finally
        {
            await guard.DisposeAsync().ConfigureAwait(false);
        }
    }

    // Under the lock.
    private (YateLeg One, YateLeg Other) PartiesToHold(YateCall call)
    {
        if (call.State == CallState.OnHold) throw WrongState(call, "SipCallOnHold", "is on hold already");
        if (call.State != CallState.Connected) throw WrongState(call, "SipCallNotConnected", "is not connected");
        return call.Primary is { Ended: false, Peer: { Ended: false } peer } primary && peer != call.Origin
            ? (primary, peer)
            : throw WrongState(call, "SipCallNotBridged", "has no two parties that are bridged, so there is nobody to bring it back to");
    }

    protected override async Task<SipCall> ResumeAsync(YateSession session, string callId, CancellationToken cancellationToken)
    {
        YateCall call = FindLive<YateCall>(callId);
        YateLeg one, other;
        bool reinvited;
        lock (Calls.Sync)
        {
            if (call.State != CallState.OnHold) throw WrongState(call, "SipCallNotOnHold", "is not on hold");
            reinvited = call.Legs.Exists(l => l is { Ended: false, Reinvited: true });
        }

        if (reinvited) return await ResumeReinvitedAsync(session, call).ConfigureAwait(false);
        lock (Calls.Sync)
        {
            if (!call.Held) throw WrongState(call, "SipCallHeldByPhone", "is held by a phone, which alone can resume it");
            one = call.Primary is { Ended: false } primary ? primary : throw Ended(call);
            other = call.Legs.Find(l => !l.Ended && l != one && l != call.Origin) ?? throw Ended(call);
        }

        await ConnectAsync(session, call, one, other, "resume", "SipResumeFailed", cancellationToken).ConfigureAwait(false);
        _mapper.SetHeld(call, held: false);
        return Shown(call);
    }

    protected override async Task<SipCall> AnswerAsync(YateSession session, string callId, CancellationToken cancellationToken)
    {
        YateCall call = FindLive<YateCall>(callId);
        YateLeg leg = WaitingLeg(call);
        using CallCondition<YateCall> up = _mapper.Conditions.When(call, c => c.State is not (CallState.Incoming or CallState.Ringing) || leg.Ended);
        ExtModuleAnswer answer = await session.Engine.SendAsync(new ExtModuleMessage("call.answered") { { "targetid", leg.Id } }, cancellationToken).ConfigureAwait(false);
        if (!answer.Processed) throw Rejected(answer, "SipAnswerFailed", $"{Name} refused to answer {call.CallId}", call.CallId);
        // Our own message is not shown to us; that the engine took it is the answer.
        _mapper.AnsweredByUs(call, leg);
        await SeenAsync(up, () => $"{call.CallId} was not answered", call, cancellationToken).ConfigureAwait(false);
        return leg.Ended ? throw Ended(call) : Shown(call);
    }

    protected override Task<SipCall> RejectAsync(YateSession session, string callId, HangupCause cause, CancellationToken cancellationToken)
    {
        YateCauses.Name(cause);
        WaitingLeg(FindLive<YateCall>(callId));
        return HangUpAsync(session, callId, cause, cancellationToken);
    }

    private (YateLeg Kept, YateLeg Released, string BillId) PartiesOf(YateCall call, SipParty keep, bool attended)
    {
        lock (Calls.Sync)
        {
            CheckTransferable(call);
            CheckHasSound(call);
            if (attended && call.State == CallState.OnHold) throw WrongState(call, "SipCallOnHold", "is on hold; resume it first");
            YateLeg kept = call.LegOf(keep) ?? throw WrongState(call, "SipNoSuchParty", $"has no {keep} party to keep");
            YateLeg? released = call.LegOf(keep == SipParty.From ? SipParty.To : SipParty.From);
            if (attended && (released is null || kept.Peer != released)) throw WrongState(call, "SipCallNotBridged", "has no two parties that are bridged, so nobody can consult");
            // A call with one party has nobody to release; moved itself, it is both.
            return (kept, released ?? kept, call.BillId ?? throw WrongState(call, "SipCallNotBridged", "has no billid yet"));
        }
    }

    private async Task<SipCall> MoveAsync(YateSession session, YateCall call, YateTransfer transfer, IReadOnlyList<KeyValuePair<string, string>> way, TimeSpan limit, CancellationToken cancellationToken)
    {
        YateLeg mover = transfer.Mover;
        using CallCondition<YateCall> decided = _mapper.Conditions.When(call, c => transfer.Answered || transfer.Failure is not null || mover.Ended || c.Transfer != transfer);
        ExtModuleMessage message = On(mover, "call.execute");
        message.Add("callto", transfer.Address);
        message.Add("caller", mover.Number);
        message.Add("called", CallRules.IsNumber(transfer.To) ? transfer.To : null);
        message.Add("reason", "transfer");
        foreach ((string key, string value) in way) message.Add(key, value);
        bool asked = false;
        try
        {
            ExtModuleAnswer answer = await session.Engine.SendAsync(message, cancellationToken).ConfigureAwait(false);
            asked = answer.Processed;
            if (!asked)
            {
                // The engine leaves the call as it was.
                transfer.Guard!.Release();
                _mapper.AbandonTransfer(call);
                throw Failed(call, transfer, answer["reason"] ?? answer["error"] ?? $"the server cannot call {transfer.Address}");
            }

            // The leg that is its new partner; targetid alone may be that of an earlier one.
            if (!transfer.ToMedia) _mapper.TransferPlaced(call, transfer, answer["peerid"]);
            await InTimeAsync(decided, limit, () => $"{transfer.To} has not answered", call, cancellationToken, "The transfer goes on. Wait-SipCall waits on; Stop-SipCall ends the call.").ConfigureAwait(false);
        }
        catch (SipTimeoutException e) when (asked && !transfer.Attended)
        {
            // It goes on, and is finished when it is decided.
            _ = FinishBlindLaterAsync(session, call, transfer);
            throw new SipTimeoutException($"{transfer.To} has not answered within {limit.TotalSeconds:0.###} s. The transfer goes on.", limit, e) { CallId = call.CallId, RecommendedAction = "Wait-SipCall waits on; Stop-SipCall ends the call." };
        }
        catch (Exception e) when (e is SipTimeoutException or OperationCanceledException)
        {
            await TryReuniteAsync(session, call, transfer).ConfigureAwait(false);
            if (e is SipTimeoutException && asked) throw Failed(call, transfer, $"no answer within {limit.TotalSeconds:0.###} s; the parties talk again");
            throw;
        }

        if (!transfer.Answered)
        {
            string why = transfer.Failure ?? "a party went away meanwhile";
            if (await TryReuniteAsync(session, call, transfer).ConfigureAwait(false)) why += "; the parties talk again";
            throw Failed(call, transfer, why);
        }

        if (!transfer.Attended) await FinishBlindAsync(session, call, transfer).ConfigureAwait(false);
        // From now on whoever is left by a hang-up is kept until it is known whom with.
        else transfer.Guard!.Keep(transfer.Target is { } target ? [transfer.Kept, transfer.Released, target] : [transfer.Kept, transfer.Released]);
        return Shown(call);
    }

    private async Task FinishBlindAsync(YateSession session, YateCall call, YateTransfer transfer)
    {
        lock (Calls.Sync) transfer.Closing = true;
        transfer.Guard!.Release();
        _mapper.CompleteTransfer(call, transfer);
        if (transfer.Released == transfer.Kept) return;
        using CallCondition<YateCall> gone = _mapper.Conditions.When(call, _ => transfer.Released.Ended);
        await DropAsync(session, transfer.Released, YateCauses.Name(HangupCause.NormalClearing), CancellationToken.None).ConfigureAwait(false);
        await InsistAsync(session, [transfer.Released], YateCauses.Name(HangupCause.NormalClearing), gone.Task, CancellationToken.None).ConfigureAwait(false);
        await InTimeAsync(gone, Configuration.RequestTimeout, () => $"The party that {call.CallId} was transferred by has not been released", call, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task FinishBlindLaterAsync(YateSession session, YateCall call, YateTransfer transfer)
    {
        using CallCondition<YateCall> decided = _mapper.Conditions.When(call, c => transfer.Answered || transfer.Failure is not null || transfer.Mover.Ended || c.Transfer != transfer);
        try
        {
            await Task.WhenAny(decided.Task, session.Closed).ConfigureAwait(false);
            if (transfer.Answered) await FinishBlindAsync(session, call, transfer).ConfigureAwait(false);
            else await TryReuniteAsync(session, call, transfer).ConfigureAwait(false);
        }
        catch (SipException e)
        {
            Diagnostics.Log.WorkFailed(Logger, e, Name, "finishing a transfer");
        }
    }

    // The party that stays and the one that was consulted are connected; who consulted goes.
    private async Task CompleteAsync(YateSession session, YateCall call, YateTransfer transfer, CancellationToken cancellationToken)
    {
        YateLeg target = transfer.Target ?? throw WrongState(call, "SipTransferNotAnswered", $"cannot be completed: {transfer.To} is no party that talks");
        transfer.Guard!.Keep(transfer.Kept, target);
        using CallCondition<YateCall> gone = _mapper.Conditions.When(call, _ => transfer.Released.Ended);
        await ConnectAsync(session, call, transfer.Kept, target, "transfer", "SipTransferFailed", cancellationToken).ConfigureAwait(false);
        transfer.Guard.Release();
        _mapper.CompleteTransfer(call, transfer);
        await DropAsync(session, transfer.Released, YateCauses.Name(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
        await InTimeAsync(gone, Configuration.RequestTimeout, () => $"The party that {call.CallId} was transferred by has not been released", call, cancellationToken).ConfigureAwait(false);
    }

    // The first two talk again, and who was called goes.
    private async Task ReuniteAsync(YateSession session, YateCall call, YateTransfer transfer, CancellationToken cancellationToken)
    {
        lock (Calls.Sync) transfer.Closing = true;
        if (transfer.Kept != transfer.Released)
        {
            transfer.Guard!.Keep(transfer.Kept, transfer.Released);
            await ConnectAsync(session, call, transfer.Kept, transfer.Released, "transfer", "SipTransferFailed", cancellationToken).ConfigureAwait(false);
        }

        transfer.Guard!.Release();
        YateLeg? target = transfer.Target;
        _mapper.AbandonTransfer(call);
        if (target is { Ended: false }) await DropAsync(session, target, YateCauses.Name(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
    }

    // False if there is nobody to bring together.
    private async Task<bool> TryReuniteAsync(YateSession session, YateCall call, YateTransfer transfer)
    {
        try
        {
            lock (Calls.Sync)
            {
                if (call.State != CallState.Transferring || call.Transfer != transfer || transfer.Kept.Ended || transfer.Released.Ended || transfer.Kept == transfer.Released)
                {
                    transfer.Guard!.Release();
                    // Nobody is left to talk with: what is left of it goes.
                    if (call.State == CallState.Transferring && call.Transfer == transfer)
                    {
                        foreach (YateLeg leg in YateMapper.LegsToHangUp(call)) HangUpLate(leg, HangupCause.NormalClearing);
                    }

                    return false;
                }
            }

            // The one that was moved is on music a moment after the destination failed. Not with the caller's token: two people wait.
            using CallCondition<YateCall> waiting = _mapper.Conditions.When(call, _ => transfer.Mover.Media is not null || transfer.Mover.Ended || transfer.Target is { Ended: false });
            await InTimeAsync(waiting, Configuration.RequestTimeout, () => $"{transfer.Mover.Id} was not kept", call, CancellationToken.None).ConfigureAwait(false);
            await ReuniteAsync(session, call, transfer, CancellationToken.None).ConfigureAwait(false);
            return true;
        }
        catch (SipException e)
        {
            Diagnostics.Log.WorkFailed(Logger, e, Name, "bringing the parties of a transfer together again");
            return false;
        }
    }

    // Somebody hung up while two consulted. Called on the reader, under the lock: only starts the work.
    private void ConsultationEndedLate(YateCall call, YateTransfer transfer) => Beside("ending a consultation", async session =>
    {
        lock (Calls.Sync)
        {
            if (transfer.Closing || call.Transfer != transfer) return;
            transfer.Closing = true;
        }

        // Who consulted has hung up: that completes it. Else the one who was consulted did.
        if ((transfer.Released.Ended ? transfer.Target : transfer.Released) is not { Ended: false } left) return;
        // The engine is only about to find that it has lost its partner; connected before that, it would be hung up after.
        using (CallCondition<YateCall> kept = _mapper.Conditions.When(call, _ => left.Media is not null || left.Ended))
            await InTimeAsync(kept, Configuration.RequestTimeout, () => $"{left.Id} was not kept", call, CancellationToken.None).ConfigureAwait(false);
        if (transfer.Released.Ended) await CompleteAsync(session, call, transfer, CancellationToken.None).ConfigureAwait(false);
        else await ReuniteAsync(session, call, transfer, CancellationToken.None).ConfigureAwait(false);
    });

    private async Task ConnectAsync(YateSession session, YateCall call, YateLeg one, YateLeg other, string reason, string errorId, CancellationToken cancellationToken)
    {
        using CallCondition<YateCall> joined = _mapper.Conditions.When(call, _ => (one.Peer == other && other.Peer == one) || one.Ended || other.Ended);
        ExtModuleAnswer answer = await session.Engine.SendAsync(new ExtModuleMessage("chan.connect") { { "id", one.Id }, { "targetid", other.Id }, { "reason", reason } }, cancellationToken).ConfigureAwait(false);
        if (!answer.Processed && !one.Ended && !other.Ended) throw Rejected(answer, errorId, $"{Name} refused to connect {one.Id} and {other.Id} of {call.CallId}", call.CallId);
        await SeenAsync(joined, () => $"{Name} connected {one.Id} and {other.Id} of {call.CallId}, and did not say that they are", call, cancellationToken).ConfigureAwait(false);
        if (one.Ended || other.Ended)
        {
            // Who is left has nobody to talk with.
            foreach (YateLeg leg in new[] { one, other })
            {
                if (!leg.Ended) await DropAsync(session, leg, YateCauses.Name(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
            }

            throw Ended(call);
        }
    }

    // A call is connected when its destination has answered; that its parties are each other's is told a moment later.
    private async Task SettleAsync(YateCall call, CancellationToken cancellationToken)
    {
        using CallCondition<YateCall> bridged = _mapper.Conditions.When(call, c => c.State != CallState.Connected || c.Primary is not { Up: true, Peer: null, Media: null });
        try
        {
            await bridged.Task.WaitAsync(BridgeTime, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // They have none; what that means is for what was asked to say.
        }
    }

    private YateLeg WaitingLeg(YateCall call)
    {
        lock (Calls.Sync) return call is { State: CallState.Incoming or CallState.Ringing, Primary: { Ended: false, Up: false, IsInbound: true, IsDumb: false } leg } ? leg : throw WrongState(call, "SipCallNotIncoming", "is not one that waits to be answered");
    }

    private SipTransferException Failed(YateCall call, YateTransfer transfer, string why) => new($"The transfer of {call.CallId} to {transfer.To} failed: {SipText.Printable(why)}.")
    {
        Server = Name,
        CallId = call.CallId,
        Call = Shown(call),
    };
}
