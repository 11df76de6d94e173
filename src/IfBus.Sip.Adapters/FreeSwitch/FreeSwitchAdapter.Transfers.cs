namespace IfBus.Sip.Adapters.FreeSwitch;

/// <content>Transfers without a consultation, hold, and answering. "+OK" means only that it was asked for; what counts is what the events say after.</content>
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
            await AskAsync(session, $"uuid_hold {Word(leg)}", "SipHoldFailed", $"{Name} refused to hold {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
            // The server says +OK even for a leg that is not there.
            await SeenAsync(held, () => $"{Name} took the hold of {call.CallId}, and did not say that it holds", call, cancellationToken).ConfigureAwait(false);
            if (leg.Ended) throw Ended(call);
            // The other hears the music a moment later, if there is any. Resumed before that, it would go on hearing it,
            // and would not end with the call (seen with FreeSWITCH 1.10.12).
            await GiveTimeAsync(music.Task, BridgeTime, cancellationToken).ConfigureAwait(false);
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
            await AskAsync(session, $"uuid_hold off {Word(leg)}", "SipResumeFailed", $"{Name} refused to resume {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
            await SeenAsync(back, () => $"{Name} took the end of the hold of {call.CallId}, and did not say that it ended", call, cancellationToken).ConfigureAwait(false);
        }

        return Shown(call);
    }

    protected override async Task<SipCall> AnswerAsync(FreeSwitchSession session, string callId, CancellationToken cancellationToken)
    {
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        FreeSwitchLeg leg = WaitingLeg(call);
        using CallCondition<FreeSwitchCall> up = _mapper.Conditions.When(call, _ => leg.Up || leg.Ended);
        await AskAsync(session, $"uuid_answer {Word(leg)}", "SipAnswerFailed", $"{Name} refused to answer {call.CallId}", call.CallId, cancellationToken).ConfigureAwait(false);
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
            if (kept.HeldByUs) await session.Esl.RunAsync($"uuid_hold off {Word(kept)}", cancellationToken).ConfigureAwait(false);
            EslReply reply = await session.Esl.RunAsync($"uuid_transfer {Word(kept)} {destination}", cancellationToken).ConfigureAwait(false);
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

    // A blind transfer that was not seen to be done: the two talk still, or events tell what became of it.
    private async Task FindOutAsync(FreeSwitchSession session, FreeSwitchCall call, FreeSwitchTransfer transfer)
    {
        EslReply reply = await session.Esl.RunAsync($"uuid_getvar {Word(transfer.Kept)} bridge_to", CancellationToken.None).ConfigureAwait(false);
        lock (Calls.Sync)
        {
            if (call is { State: CallState.Transferring } && call.Transfer == transfer && !transfer.Done && reply.Text == transfer.Released!.Id) _mapper.AbandonTransfer(call, transfer.PrimaryBefore);
        }
    }

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
