namespace IfBus.Sip.Adapters.Asterisk;

/// <content>Transfers, hold, and answering. "Success" of these actions means only that they were asked for; what counts is what the events say after.</content>
internal sealed partial class AsteriskAdapter
{
    // Typing the code takes the server about 50 ms a digit.
    private static readonly TimeSpan FeatureTime = TimeSpan.FromSeconds(4);

    // From the answer to both parties' BridgeEnter it takes the server some milliseconds.
    private static readonly TimeSpan BridgeTime = TimeSpan.FromMilliseconds(500);

    protected override Task<SipCall> TransferAsync(AsteriskSession session, string callId, SipTransferRequest request, CancellationToken cancellationToken)
    {
        if (!CallRules.IsNumber(request.To)) throw new SipArgumentException("To", request.To, CallRules.NumberRule + "; a transfer goes to an extension of the dialplan.", "SipInvalidNumber");
        if (request.Attended && request.To.Any(c => !char.IsAsciiDigit(c) && c is not ('*' or '#')))
            throw new SipArgumentException("To", request.To, "the server types the destination of an attended transfer as DTMF: digits, * and # only.", "SipInvalidNumber");
        string context = CallRules.Context(request.Context, Configuration);
        if (request.Keep == SipParty.Both) throw new SipArgumentException("Keep", "Both", "From or To: one party stays, the other is released.");
        TimeSpan limit = CallRules.RingTime(request.Timeout, Configuration);
        return request.Attended
            ? ConsultAsync(session, callId, request, context, limit, cancellationToken)
            : TransferBlindAsync(session, callId, request, context, limit, cancellationToken);
    }

    protected override async Task<SipCall> EndTransferAsync(AsteriskSession session, string callId, bool complete, CancellationToken cancellationToken)
    {
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        AsteriskTransfer transfer;
        lock (Calls.Sync)
        {
            if (call is not { State: CallState.Transferring, Transfer: { Attended: true, Released: { Ended: false } } going })
                throw WrongState(call, "SipNoTransfer", "has no attended transfer that goes on");
            if (complete && !going.Consulted) throw WrongState(call, "SipTransferNotAnswered", $"cannot be completed: {going.To} has not answered");
            transfer = going;
        }

        if (!complete)
        {
            using CallCondition<AsteriskCall> back = _mapper.Conditions.When(call, c => !c.IsHeld && transfer.Released!.BridgeId is { } bridge && bridge == transfer.Kept.BridgeId);
            AmiSession second = await session.SecondAsync(cancellationToken).ConfigureAwait(false);
            await AskAsync(second, new AmiAction("CancelAtxfer").Add("Channel", transfer.Released!.Id), "SipTransferFailed", $"{Name} refused to give the transfer of {call.CallId} up", call.CallId, cancellationToken).ConfigureAwait(false);
            await InTimeAsync(back, FeatureTime, () => $"The parties of {call.CallId} were not brought together again", call, cancellationToken).ConfigureAwait(false);
            _mapper.AbandonTransfer(call, null);
            return Shown(call);
        }

        using CallCondition<AsteriskCall> done = _mapper.Conditions.When(call, c => (transfer.Done && transfer.Released!.Ended && !c.IsHeld) || transfer.Failed);
        await session.Ami.RequestAsync(AsteriskCommands.Hangup(transfer.Released!, HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
        if (!await InTimeAsync(done, FeatureTime, () => $"The transfer of {call.CallId} was not completed", call, cancellationToken).ConfigureAwait(false) || transfer.Failed)
            throw Failed(call, transfer.To, "the call ended");
        return Shown(call);
    }

    protected override async Task<SipCall> HoldAsync(AsteriskSession session, string callId, CancellationToken cancellationToken)
    {
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        AsteriskLeg one, other;
        lock (Calls.Sync)
        {
            if (call.State == CallState.OnHold) throw WrongState(call, "SipCallOnHold", "is on hold already");
            if (call.State != CallState.Connected) throw WrongState(call, "SipCallNotConnected", "is not connected");
            (one, other) = BridgedPair(call) ?? throw WrongState(call, "SipCallNotBridged", "has no two parties that are bridged, so there is nobody to bring it back to");
            CheckMovable(call, one, other);
        }

        await AsteriskDialplan.EnsureAsync(session, Name, SipCapabilities.Hold, cancellationToken).ConfigureAwait(false);
        using CallCondition<AsteriskCall> held = _mapper.Conditions.When(call, _ => one.HearsMusic && other.HearsMusic);
        await AskAsync(session.Ami, RedirectBoth(one, other, AsteriskDialplan.Context, AsteriskDialplan.Hold), "SipHoldFailed", $"{Name} refused to hold {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(held, () => $"{call.CallId} was sent to the music, and the server did not say that it plays", call, cancellationToken).ConfigureAwait(false);
        _mapper.SetHeldByUs(call, held: true);
        return Shown(call);
    }

    protected override async Task<SipCall> ResumeAsync(AsteriskSession session, string callId, CancellationToken cancellationToken)
    {
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        AsteriskLeg one, other;
        lock (Calls.Sync)
        {
            if (call.State != CallState.OnHold) throw WrongState(call, "SipCallNotOnHold", "is not on hold");
            if (!call.HeldByUs) throw WrongState(call, "SipCallHeldByPhone", "is held by a phone, which alone can resume it");
            one = call.LegOf(SipParty.From) ?? throw Ended(call);
            other = call.Legs.FindLast(l => l != one && l is { Ended: false, HearsMusic: true }) ?? throw Ended(call);
        }

        using CallCondition<AsteriskCall> bridged = _mapper.Conditions.When(call, _ => one.BridgeId is { } bridge && bridge == other.BridgeId);
        // By name: this action takes an id that another begins with for that other, and the second half of a Local channel
        // of ours has our id with ;2 behind it (Asterisk 22.10).
        await AskAsync(session.Ami, new AmiAction("Bridge").Add("Channel1", one.Name ?? one.Id).Add("Channel2", other.Name ?? other.Id).Add("Tone", "no"), "SipResumeFailed", $"{Name} refused to resume {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(bridged, () => $"The parties of {call.CallId} were not brought together", call, cancellationToken).ConfigureAwait(false);
        _mapper.SetHeldByUs(call, held: false);
        return Shown(call);
    }

    protected override async Task<SipCall> AnswerAsync(AsteriskSession session, string callId, CancellationToken cancellationToken)
    {
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        AsteriskLeg leg = WaitingLeg(call);
        await AsteriskDialplan.EnsureAsync(session, Name, SipCapabilities.Answer, cancellationToken).ConfigureAwait(false);
        using CallCondition<AsteriskCall> up = _mapper.Conditions.When(call, c => c.State == CallState.Connected);
        await AskAsync(session.Ami, Redirect(leg, AsteriskDialplan.Context, AsteriskDialplan.Answer), "SipAnswerFailed", $"{Name} refused to answer {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
        await SeenAsync(up, () => $"{call.CallId} was not answered", call, cancellationToken).ConfigureAwait(false);
        return Shown(call);
    }

    protected override Task<SipCall> RejectAsync(AsteriskSession session, string callId, HangupCause cause, CancellationToken cancellationToken)
    {
        CallRules.CheckCause(cause);
        WaitingLeg(FindLive<AsteriskCall>(callId));
        return HangUpAsync(session, callId, cause, cancellationToken);
    }

    private async Task<SipCall> TransferBlindAsync(AsteriskSession session, string callId, SipTransferRequest request, string context, TimeSpan limit, CancellationToken cancellationToken)
    {
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        AsteriskTransfer transfer;
        AsteriskLeg? primary;
        AmiAction action;
        bool releaseAfter = false;
        lock (Calls.Sync)
        {
            CheckTransferable(call);
            (AsteriskLeg? kept, AsteriskLeg? released) = Parties(call, request.Keep);
            if (kept is null) throw WrongState(call, "SipNoSuchParty", $"has no {request.Keep} party to keep");
            // Released while it is bridged it may go; kept it would be lost.
            CheckMovable(call, kept);
            primary = call.Primary;
            transfer = new AsteriskTransfer(kept, released, request.To, attended: false);
            // Only in a bridge the server moves one and releases the other at a stroke. Elsewhere Redirect moves the one,
            // and would drop whom it was dialling by itself; who else is there is released after.
            bool bridged = released?.BridgeId is not null && call.Partner(released) == kept;
            action = bridged
                ? new AmiAction("BlindTransfer").Add("Channel", released!.Id).Add("Context", context, "Context").Add("Exten", request.To, "To")
                : Redirect(kept, context, request.To);
            releaseAfter = !bridged && released is not null;
        }

        await CheckDestinationAsync(session, call, context, request.To, cancellationToken).ConfigureAwait(false);
        _mapper.BeginTransfer(call, transfer);
        CallWaiter waiter = Calls.Wait(call.CallId, [CallState.Connected])!;
        try
        {
            AmiReply reply;
            try
            {
                reply = await session.Ami.RequestAsync(action, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                // It may have been carried out: the server is asked where the party is.
                _mapper.FollowTransfer(call);
                throw;
            }

            if (!reply.IsSuccess)
            {
                _mapper.AbandonTransfer(call, primary);
                throw Rejected(reply, "SipTransferFailed", $"{Name} refused to move {call.CallId} to {request.To}", call.CallId);
            }

            _mapper.FollowTransfer(call);
            if (releaseAfter) await session.Ami.RequestAsync(AsteriskCommands.Hangup(transfer.Released!, HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
            SipCall after = await TransferredAsync(call, waiter, request.To, limit, cancellationToken).ConfigureAwait(false);
            return after.State == CallState.Terminated ? throw Failed(call, request.To, null) : after;
        }
        finally
        {
            Calls.StopWaiting(call.CallId, waiter);
        }
    }

    private async Task<SipCall> ConsultAsync(AsteriskSession session, string callId, SipTransferRequest request, string context, TimeSpan limit, CancellationToken cancellationToken)
    {
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        AsteriskTransfer transfer;
        lock (Calls.Sync)
        {
            CheckTransferable(call);
            if (call.State == CallState.OnHold) throw WrongState(call, "SipCallOnHold", "is on hold; resume it first");
            (AsteriskLeg? kept, AsteriskLeg? released) = Parties(call, request.Keep);
            if (kept is null || released is null || call.Partner(released) != kept) throw WrongState(call, "SipCallNotBridged", "has no two parties that are bridged, so nobody can consult");
            transfer = new AsteriskTransfer(kept, released, request.To, attended: true);
        }

        await CheckDestinationAsync(session, call, context, request.To, cancellationToken).ConfigureAwait(false);
        using CallCondition<AsteriskCall> taken = _mapper.Conditions.When(call, _ => transfer.Released!.Holds || transfer.Kept.HearsMusic);
        _mapper.BeginTransfer(call, transfer);
        try
        {
            AmiSession second = await session.SecondAsync(cancellationToken).ConfigureAwait(false);
            await AskAsync(
                second, new AmiAction("Atxfer").Add("Channel", transfer.Released!.Id).Add("Exten", request.To, "To").Add("Context", context, "Context"),
                "SipTransferFailed", $"{Name} refused the transfer of {call.CallId} to {request.To}", call.CallId, cancellationToken).ConfigureAwait(false);
            try
            {
                if (!await taken.Task.WaitAsync(FeatureTime, Time, cancellationToken).ConfigureAwait(false)) throw Failed(call, request.To, null);
            }
            catch (TimeoutException)
            {
                throw new SipTransferException($"{Name} typed the code for attended transfers ({session.TransferCode}) for the {(request.Keep == SipParty.From ? "To" : "From")} party of {call.CallId}, and nothing came of it.", "SipTransferNotAllowed")
                {
                    CallId = call.CallId,
                    Call = Shown(call),
                    RecommendedAction = "The Dial of the dialplan must allow it: option t for the party that is called, T for the one that calls.",
                };
            }

            using CallCondition<AsteriskCall> consulted = _mapper.Conditions.When(call, _ => transfer.Consulted || transfer.Failed || (!transfer.Released!.Holds && !transfer.Kept.HearsMusic));
            const string Action = "Move-SipCall -Cancel brings the first two together again; once it has answered, Move-SipCall -Complete completes the transfer.";
            if (!await InTimeAsync(consulted, limit, () => $"The transfer goes on, but {request.To} has not answered", call, cancellationToken, Action).ConfigureAwait(false)) throw Failed(call, request.To, null);
            if (!transfer.Consulted) throw Failed(call, request.To, "it did not answer, and the parties talk again");
            return Shown(call);
        }
        catch (SipException) when (call.State == CallState.Transferring && !transfer.Released!.Holds && !transfer.Kept.HearsMusic)
        {
            _mapper.AbandonTransfer(call, null);
            throw;
        }
    }

    // Asked before anything is moved: the server says Success for what is not there, and hangs up.
    private async Task CheckDestinationAsync(AsteriskSession session, AsteriskCall call, string context, string to, CancellationToken cancellationToken)
    {
        if (AsteriskDialplan.IsYes(await session.Ami.RequestAsync(AsteriskDialplan.Exists(context, to), cancellationToken).ConfigureAwait(false))) return;
        throw new SipTransferException($"{Name} has no extension '{to}' in context '{context}'. Nothing was changed.", "SipDestinationNotFound")
        {
            CallId = call.CallId,
            Call = Shown(call),
            RecommendedAction = "Check number and -Context, or connect with the -Context that your phones use.",
        };
    }

    // A call is connected when its destination has answered; its parties are in their bridge a moment later. Who asks for
    // something in between means the bridged call.
    private async Task SettleAsync(AsteriskCall call, CancellationToken cancellationToken)
    {
        using CallCondition<AsteriskCall> bridged = _mapper.Conditions.When(call, c =>
            c.State != CallState.Connected || c.LegOf(SipParty.To) is not { Up: true, Room: null } || BridgedPair(c) is not null);
        try
        {
            await bridged.Task.WaitAsync(BridgeTime, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // It has none; what that means is for what was asked to say.
        }
    }

    // Who stays and who goes. Under the lock.
    private static (AsteriskLeg? Kept, AsteriskLeg? Released) Parties(AsteriskCall call, SipParty keep) => (call.LegOf(keep), call.LegOf(keep == SipParty.From ? SipParty.To : SipParty.From));

    private static AmiAction Redirect(AsteriskLeg leg, string context, string exten) =>
        new AmiAction("Redirect").Add("Channel", leg.Id).Add("Context", context, "Context").Add("Exten", exten, "To").Add("Priority", "1");

    private static AmiAction RedirectBoth(AsteriskLeg one, AsteriskLeg other, string context, string exten) =>
        Redirect(one, context, exten).Add("ExtraChannel", other.Id).Add("ExtraContext", context).Add("ExtraExten", exten).Add("ExtraPriority", "1");

    // The two that talk with each other, the From party first if it is one of them. Under the lock.
    private static (AsteriskLeg One, AsteriskLeg Other)? BridgedPair(AsteriskCall call)
    {
        AsteriskLeg? one = call.LegOf(SipParty.From) is { BridgeId: not null } from ? from : call.Legs.Find(l => !l.Ended && l.BridgeId is not null);
        return one is not null && call.Partner(one) is { } other ? (one, other) : null;
    }

    // Under the lock. Such a leg can be sent elsewhere as long as it is in no bridge.
    private void CheckMovable(AsteriskCall call, params AsteriskLeg?[] legs)
    {
        if (!legs.Any(l => l is { NoDialplan: true, BridgeId: not null })) return;
        throw new SipCallStateException(
            $"Call {call.CallId} on {Name} was made to an endpoint, so its From party is in no dialplan, and the server would hang it up instead of moving it. Nothing was sent.", call.State, "SipCallNoDialplan")
        {
            Server = Name,
            CallId = call.CallId,
            RecommendedAction = "Make such calls to an extension that dials the endpoint. Move-SipCall -Keep To and Join-SipConference -Party To move the other party.",
        };
    }

    private AsteriskLeg WaitingLeg(AsteriskCall call)
    {
        lock (Calls.Sync)
        {
            return call.State == CallState.Incoming && call.Primary is { Ended: false } leg ? leg : throw WrongState(call, "SipCallNotIncoming", "is not one that waits to be answered");
        }
    }

    private SipTransferException Failed(AsteriskCall call, string to, string? why)
    {
        SipCall after = Shown(call);
        string status = after.Details.TryGetValue("DialStatus", out string? dial) ? $", DialStatus {dial}" : "";
        return new SipTransferException($"The transfer of {call.CallId} to {to} failed: {why ?? $"the call ended ({after.Cause}{status})"}.") { Server = Name, CallId = call.CallId, Call = after };
    }
}
