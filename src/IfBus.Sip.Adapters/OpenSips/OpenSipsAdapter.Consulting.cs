using System.Text.Json;
using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.OpenSips;

/// <content>
/// Attended transfers. The server cannot have a phone consult somebody: the phone makes that call, as phones do, and the
/// server brings the two that are left together by a REFER with Replaces.
/// </content>
internal sealed partial class OpenSipsAdapter
{
    // How long phones may take to leave what the transfer has made useless, before the server ends it.
    private static readonly TimeSpan LeavingTime = TimeSpan.FromSeconds(1);

    private async Task<SipCall> ConsultAsync(OpenSipsCall call, SipTransferRequest request, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (call.Kind != OpenSipsKind.Dialog) throw new SipNotSupportedException($"{Name} does attended transfers of calls that pass through it (call_transfer), not of those that it makes itself. Nothing was sent.", SipCapabilities.AttendedTransfer);
        string to = OpenSipsNumbers.Number(Destination(call, request.To))!.Replace("%23", "#", StringComparison.Ordinal);
        string? mover = request.Keep == SipParty.To ? call.From : call.To;
        if (mover is null || _mapper.Between(mover, to) is not { } consultation)
        {
            throw new SipCallStateException($"{mover ?? "The party that is to be released"} has no call with {to} on {Name} that {call.CallId} could be transferred to. Nothing was sent.", call.State, "SipNoConsultation")
            {
                Server = Name,
                CallId = call.CallId,
            };
        }

        OpenSipsTransfer transfer = _mapper.BeginTransfer(call, request.Keep, to, consultation);
        using CallCondition<OpenSipsCall> answered = _mapper.Conditions.When(call, c => transfer.Done || consultation.State is CallState.Connected or CallState.OnHold);
        if (!await InTimeAsync(answered, limit, () => $"{to} has not answered", call, cancellationToken, "Its phone rings on. Move-SipCall -Cancel gives the transfer up.").ConfigureAwait(false)) throw Ended(call);
        return transfer.Done ? throw Refused(call, to, transfer.Failure ?? "the consultation has ended") : Shown(call);
    }

    protected override async Task<SipCall> EndTransferAsync(OpenSipsSession session, string callId, bool complete, CancellationToken cancellationToken)
    {
        OpenSipsCall call = FindLive<OpenSipsCall>(callId);
        OpenSipsTransfer transfer;
        OpenSipsCall consultation;
        lock (Calls.Sync)
        {
            if (call is not { State: CallState.Transferring, Transfer: { Done: false, Completing: false, Consultation: { } other } going }) throw WrongState(call, "SipNoTransfer", "has no attended transfer that goes on");
            (transfer, consultation) = (going, other);
            if (complete && consultation.State is not (CallState.Connected or CallState.OnHold)) throw WrongState(call, "SipTransferNotAnswered", $"cannot be completed: {transfer.To} has not answered");
            transfer.Completing = complete;
        }

        if (!complete)
        {
            await EndAsync(session, consultation, cancellationToken).ConfigureAwait(false);
            return Shown(call);
        }

        using CallCondition<OpenSipsCall> done = _mapper.Conditions.When(call, _ => transfer.Done);
        try
        {
            // legs: who is told to call, and whom it takes over.
            RpcParameters parameters = RpcParameters.Named(
                ("callid", call.SipCallId!), ("leg", transfer.Keep == SipParty.To ? "callee" : "caller"),
                ("transfer_callid", consultation.SipCallId!), ("transfer_leg", consultation.To == transfer.To ? "callee" : "caller"));
            JsonElement reply = await session.Mi.DoAsync("call_transfer", parameters, cancellationToken).ConfigureAwait(false);
            if (MiJson.Number(reply, "Code") is >= 300 and long code) throw Unfinished($"the phone refused the REFER: {code} {MiJson.Text(reply, "Reason")}");
            await InTimeAsync(done, Configuration.RequestTimeout, () => $"The phone that stays has not called {transfer.To}", call, cancellationToken, "Move-SipCall -Complete tries again, -Cancel gives the transfer up.").ConfigureAwait(false);
        }
        catch (SipRejectedException e)
        {
            throw Unfinished(e.ServerText);
        }
        finally
        {
            lock (Calls.Sync) transfer.Completing &= transfer.Done || transfer.NewDialogId is not null;
        }

        SipCall after = Shown(call);
        if (transfer.Failure is { } failure || after.State == CallState.Terminated) throw new SipTransferException($"The transfer of {call.CallId} to {transfer.To} failed: {SipText.Printable(transfer.Failure ?? $"the call ended ({after.Cause})")}.{(after.State == CallState.Terminated ? " The call is over." : "")}") { Server = Name, CallId = call.CallId, Call = after };
        await ReleaseAsync(session, call, transfer, consultation, cancellationToken).ConfigureAwait(false);
        return Shown(call);

        SipTransferException Unfinished(string why) => new($"The transfer of {call.CallId} to {transfer.To} was not completed: {SipText.Printable(why)}. The parties talk as they did.") { Server = Name, CallId = call.CallId, Call = Shown(call) };
    }

    // A phone that obeys Replaces leaves the consultation by itself, and the phone that stays the old call. Others do not.
    private async Task ReleaseAsync(OpenSipsSession session, OpenSipsCall call, OpenSipsTransfer transfer, OpenSipsCall consultation, CancellationToken cancellationToken)
    {
        using (CallCondition<OpenSipsCall> left = _mapper.Conditions.When(call, _ => transfer.OldEnded && consultation.State == CallState.Terminated))
        {
            Task first = await Task.WhenAny(left.Task, Task.Delay(LeavingTime, Time, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (first == left.Task) return;
        }

        if (!transfer.OldEnded && transfer.OldDialogId is { } old)
        {
            try
            {
                await session.Mi.DoAsync("dlg_end_dlg", RpcParameters.Named(("dialog_id", old), ("extra_hdrs", OpenSipsCommands.Reason(HangupCause.NormalClearing))), cancellationToken).ConfigureAwait(false);
            }
            catch (SipRejectedException e) when (e.ServerCode == 404)
            {
                // It has ended meanwhile.
            }
        }

        if (consultation.State != CallState.Terminated) await EndAsync(session, consultation, cancellationToken).ConfigureAwait(false);
    }

    private async Task EndAsync(OpenSipsSession session, OpenSipsCall call, CancellationToken cancellationToken)
    {
        if (Calls.Wait(call.CallId, []) is not { } waiter) return;
        try
        {
            await HangUpAsync(session, call, HangupCause.NormalClearing, OpenSipsCommands.Reason(HangupCause.NormalClearing), cancellationToken).ConfigureAwait(false);
            await EndedAsync(call, waiter, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Calls.StopWaiting(call.CallId, waiter);
        }
    }
}
