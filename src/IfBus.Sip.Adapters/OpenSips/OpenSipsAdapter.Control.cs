using System.Text.Json;
using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.OpenSips;

/// <content>Transfers, hold and resume.</content>
internal sealed partial class OpenSipsAdapter
{
    protected override async Task<SipCall> TransferAsync(OpenSipsSession session, string callId, SipTransferRequest request, CancellationToken cancellationToken)
    {
        if (request.Keep == SipParty.Both) throw new SipArgumentException("Keep", request.Keep.ToString(), "From or To: one party stays, the other goes.");
        TimeSpan limit = CallRules.RingTime(request.Timeout, Configuration);
        OpenSipsCall call = FindLive<OpenSipsCall>(callId);
        lock (Calls.Sync) CheckTransferable(call);
        if (request.Attended) return await ConsultAsync(call, request, limit, cancellationToken).ConfigureAwait(false);
        switch (call.Kind)
        {
            case OpenSipsKind.Dialog when !session.Login.Commands.Contains("call_transfer") || !session.Login.Events.Contains("E_CALL_TRANSFER"):
            case OpenSipsKind.Scenario when !session.Login.Commands.Contains("b2b_bridge"):
                throw new SipNotSupportedException($"{Name} cannot transfer such a call: {(call.Kind == OpenSipsKind.Dialog ? "call_transfer and E_CALL_TRANSFER of callops.so" : "b2b_bridge of b2b_logic.so")} is missing. Nothing was sent.", SipCapabilities.BlindTransfer);
            case OpenSipsKind.Session:
                throw new SipNotSupportedException($"{Name} cannot transfer a call of one leg: there is nobody to bring together. Nothing was sent.", SipCapabilities.BlindTransfer);
        }

        string destination = call.Kind == OpenSipsKind.Dialog
            ? Destination(call, request.To)
            : await AddressAsync(session, request.To, "To", request.Context, cancellationToken).ConfigureAwait(false);
        OpenSipsTransfer transfer = _mapper.BeginTransfer(call, request.Keep, request.To);
        using CallCondition<OpenSipsCall> done = _mapper.Conditions.When(call, _ => transfer.Done);
        try
        {
            bool keepTo = request.Keep == SipParty.To;
            if (call.Kind == OpenSipsKind.Dialog)
            {
                // Answered by the phone: it takes or refuses the REFER.
                JsonElement reply = await session.Mi.DoAsync(
                    "call_transfer", RpcParameters.Named(("callid", call.SipCallId!), ("leg", keepTo ? "callee" : "caller"), ("destination", destination)), cancellationToken).ConfigureAwait(false);
                if (MiJson.Number(reply, "Code") is >= 300 and long code) throw Refused(call, request.To, $"the phone refused the REFER: {code} {MiJson.Text(reply, "Reason")}");
            }
            else
            {
                await session.Mi.DoAsync(
                    "b2b_bridge",
                    keepTo ? RpcParameters.Named(("dialog_id", call.Key!), ("new_uri", destination), ("flag", 1)) : RpcParameters.Named(("dialog_id", call.Key!), ("new_uri", destination)),
                    cancellationToken).ConfigureAwait(false);
                session.Wake();
            }
        }
        catch (SipRejectedException e)
        {
            _mapper.TransferRefused(call, transfer, e.ServerText);
            throw Refused(call, request.To, e.ServerText);
        }
        catch (SipTransferException e)
        {
            _mapper.TransferRefused(call, transfer, e.Message);
            throw;
        }

        await InTimeAsync(done, limit, () => $"{request.To} has not answered", call, cancellationToken, "The transfer goes on. Wait-SipCall waits on; Stop-SipCall ends the call.").ConfigureAwait(false);
        SipCall after = Shown(call);
        if (transfer.Failure is null && after.State != CallState.Terminated) return after;
        int? said = transfer.SipStatus ?? after.SipStatus;
        string how = said is { } status ? $"the destination answered {status}" : transfer.Failure ?? $"the call ended ({after.Cause})";
        string left = after.State == CallState.Terminated ? " The call is over: the phone dropped it when it began the transfer." : " The call goes on as it was.";
        throw new SipTransferException($"The transfer of {call.CallId} to {request.To} failed: {SipText.Printable(how)}.{left}", said == 404 ? "SipDestinationNotFound" : "SipTransferFailed") { Server = Name, CallId = call.CallId, Call = after };
    }

    protected override SipHoldMethod HoldMethod => SipHoldMethod.Reinvite;

    protected override Task<SipCall> HoldAsync(OpenSipsSession session, string callId, CancellationToken cancellationToken) => HoldAsync(session, callId, hold: true, cancellationToken);

    protected override Task<SipCall> ResumeAsync(OpenSipsSession session, string callId, CancellationToken cancellationToken) => HoldAsync(session, callId, hold: false, cancellationToken);

    private async Task<SipCall> HoldAsync(OpenSipsSession session, string callId, bool hold, CancellationToken cancellationToken)
    {
        OpenSipsCall call = FindLive<OpenSipsCall>(callId);
        CallState wanted = hold ? CallState.OnHold : CallState.Connected;
        if (call.Kind != OpenSipsKind.Dialog) throw new SipNotSupportedException($"{Name} holds calls that pass through it (call_hold), not those that it makes itself. Nothing was sent.", SipCapabilities.Hold);
        lock (Calls.Sync)
        {
            if (hold && call.State == CallState.OnHold) throw WrongState(call, "SipCallOnHold", "is on hold already");
            if (hold && call.State != CallState.Connected) throw WrongState(call, "SipCallNotConnected", "is not connected");
            if (!hold && call.State != CallState.OnHold) throw WrongState(call, "SipCallNotOnHold", "is not on hold");
            call.HoldFailure = null;
        }

        using CallCondition<OpenSipsCall> seen = _mapper.Conditions.When(call, c => c.State == wanted || c.HoldFailure is not null);
        try
        {
            await session.Mi.DoAsync(hold ? "call_hold" : "call_unhold", RpcParameters.Named(("callid", call.SipCallId!)), cancellationToken).ConfigureAwait(false);
        }
        catch (SipRejectedException e) when (e.ServerCode == 480)
        {
            // It is so already: the server knows.
            _mapper.Hold(call, hold);
            return Shown(call);
        }
        catch (SipRejectedException e)
        {
            throw new SipRejectedException($"{Name} refused to {(hold ? "hold" : "resume")} {call.CallId}: {SipText.Printable(e.ServerText)}.", e.ServerText, e.ServerCode, hold ? "SipHoldFailed" : "SipResumeFailed") { CallId = call.CallId };
        }

        await SeenAsync(seen, () => $"{Name} sent the re-INVITEs for {call.CallId}, and has not said that both phones took them", call, cancellationToken).ConfigureAwait(false);
        if (call.HoldFailure is { } leg) throw new SipRejectedException($"The {leg} of {call.CallId} refused the re-INVITE to be {(hold ? "held" : "resumed")}.", "fail", errorId: hold ? "SipHoldFailed" : "SipResumeFailed") { CallId = call.CallId };
        return Shown(call);
    }

    // A number is called where the call itself went: at the server, whose script routes it.
    private string Destination(OpenSipsCall call, string to)
    {
        if (CallRules.IsUri(to)) return OpenSipsNumbers.IsUri(to) ? to : throw new SipArgumentException("To", to, OpenSipsNumbers.UriRule + ".", "SipInvalidNumber");
        if (!CallRules.IsNumber(to)) throw new SipArgumentException("To", to, CallRules.NumberRule + ", or " + OpenSipsNumbers.UriRule + ".", "SipInvalidNumber");
        if (Configuration.EndpointTemplate is { } template) return OpenSipsNumbers.FromTemplate(template, to);
        string host = OpenSipsNumbers.HostPort(call.ToUri) ?? throw new SipArgumentException("To", to, "a SIP URI: the server has not told where this call went.", "SipInvalidNumber");
        return OpenSipsNumbers.FromTemplate("sip:{0}@" + host, to);
    }

    private SipTransferException Refused(OpenSipsCall call, string to, string why) => new($"The transfer of {call.CallId} to {to} failed: {SipText.Printable(why)}. The call goes on as it was.") { Server = Name, CallId = call.CallId, Call = Shown(call) };
}
