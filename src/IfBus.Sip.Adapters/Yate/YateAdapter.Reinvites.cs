namespace IfBus.Sip.Adapters.Yate;

/// <content>
/// Hold by re-INVITE. The engine sends a phone the SDP that we write (call.update operation=request rtp_forward=yes), and
/// with rtp_forced=yes its own RTP goes on until the phone has agreed: one that refuses, or says nothing, notices nothing
/// (seen, Yate 6.4.1). Without it, and by audio_changed=true, the RTP is replaced before the phone is asked. A phone that
/// has agreed has no RTP any more, so it gets new ports when it is taken back.
/// </content>
internal sealed partial class YateAdapter
{
    // The engine tells how it went: a phone that says nothing it gives up after 7.5 s (seen), or after what it is set to.
    private static readonly TimeSpan ReinviteTime = TimeSpan.FromSeconds(40);

    protected override async Task<SipCall> HoldAsync(YateSession session, string callId, SipHoldMethod? method, CancellationToken cancellationToken)
    {
        if (method != SipHoldMethod.Reinvite) return await HoldAsync(session, callId, cancellationToken).ConfigureAwait(false);
        YateCall call = FindLive<YateCall>(callId);
        await SettleAsync(call, cancellationToken).ConfigureAwait(false);
        YateLeg[] legs;
        lock (Calls.Sync)
        {
            (YateLeg one, YateLeg other) = PartiesToHold(call);
            legs = [one, other];
        }

        var sounds = new List<(YateLeg Leg, string Address, string Port)>(2);
        foreach (YateLeg leg in legs) sounds.Add(await SoundOfAsync(session, call, leg, cancellationToken).ConfigureAwait(false));

        // From here on without the caller's token: both are held in the end, or neither.
        foreach ((YateLeg leg, string address, string port) in sounds)
        {
            string? refused = await OfferAsync(session, call, leg, HoldOf(leg, address, port), forwards: true).ConfigureAwait(false);
            if (refused is null)
            {
                _mapper.SetReinvited(leg, held: true);
                continue;
            }

            // The leg counts as one whose sound goes past the engine, though it does not: offered what it has, all is as before.
            await OfferAsync(session, call, leg, Request(leg, forwards: false, ("media", "yes"), ("formats", FormatsOf(leg))), forwards: false).ConfigureAwait(false);
            string back = await TakeBackAsync(session, call).ConfigureAwait(false) is { } still ? still : "The parties talk as before";
            throw new SipRejectedException($"{Name} could not hold {call.CallId} by re-INVITE: the phone of {leg.Id} {SipText.Printable(refused)}. {back}.", refused, errorId: "SipHoldFailed")
            {
                CallId = call.CallId,
                RecommendedAction = "Suspend-SipCall without -Method holds by media and asks no phone.",
            };
        }

        return Shown(call);
    }

    // Those that are held by re-INVITE; what is wrong if one of them stays so.
    private async Task<string?> TakeBackAsync(YateSession session, YateCall call)
    {
        List<YateLeg> legs;
        lock (Calls.Sync) legs = call.Legs.FindAll(l => l is { Ended: false, Reinvited: true });
        string? wrong = null;
        foreach (YateLeg leg in legs)
        {
            string? refused = await OfferAsync(session, call, leg, Request(leg, forwards: false, ("formats", FormatsOf(leg)), ("ossdp_sendrecv", "")), forwards: false).ConfigureAwait(false);
            if (refused is null) _mapper.SetReinvited(leg, held: false);
            else wrong = $"The phone of {leg.Id} {SipText.Printable(refused)}, so it is still held";
        }

        return wrong;
    }

    private async Task<SipCall> ResumeReinvitedAsync(YateSession session, YateCall call)
    {
        if (await TakeBackAsync(session, call).ConfigureAwait(false) is not { } wrong) return Shown(call);
        throw new SipRejectedException($"{Name} could not resume {call.CallId}. {wrong}.", wrong, errorId: "SipResumeFailed") { CallId = call.CallId, RecommendedAction = "Resume-SipCall asks it again." };
    }

    // Null if the phone agreed, else what it did.
    private async Task<string?> OfferAsync(YateSession session, YateCall call, YateLeg leg, ExtModuleMessage offer, bool forwards)
    {
        lock (Calls.Sync) leg.Reinvite = null;
        // Of an offer of its own a phone says nothing of forwarding.
        using CallCondition<YateCall> told = _mapper.Conditions.When(call, _ => leg.Ended || leg.Reinvite is { } outcome && (!outcome.Agreed || outcome.Forwards == forwards));
        ExtModuleAnswer answer = await session.Engine.SendAsync(offer, CancellationToken.None).ConfigureAwait(false);
        if (!answer.Processed && !leg.Ended) return $"was not asked ({answer["reason"] ?? answer["error"] ?? "the server does not say why"})";
        await InTimeAsync(told, ReinviteTime, () => $"{Name} sent {leg.Id} of {call.CallId} a re-INVITE, and did not say what became of it", call, CancellationToken.None).ConfigureAwait(false);
        lock (Calls.Sync)
        {
            if (leg.Ended) throw Ended(call);
            return leg.Reinvite is { Agreed: false } outcome ? outcome.Reason is { } reason ? $"refused ({reason})" : "refused, or did not answer" : null;
        }
    }

    // Where the engine takes a phone's sound: the RTP module says it of a leg that has some.
    private async Task<(YateLeg Leg, string Address, string Port)> SoundOfAsync(YateSession session, YateCall call, YateLeg leg, CancellationToken cancellationToken)
    {
        string? why = leg.Id.StartsWith("sip/", StringComparison.Ordinal) ? null : "it is no SIP phone";
        if (why is null)
        {
            ExtModuleMessage sound = On(leg, "chan.rtp"), sight = On(leg, "chan.rtp");
            sound.Add("media", "audio");
            sight.Add("media", "video");
            ExtModuleAnswer[] answers = await Task.WhenAll(session.Engine.SendAsync(sound, cancellationToken), session.Engine.SendAsync(sight, cancellationToken)).ConfigureAwait(false);
            if (answers[0] is { Processed: true } there && there["localip"] is { } address && there["localport"] is { } port && there["ocrypto_suite"] is null && !answers[1].Processed) return (leg, address, port);
            if (leg.Ended) throw Ended(call);
            why = answers[1].Processed ? "it has video too" : answers[0].Processed ? "its sound is encrypted" : "its sound does not go through the server";
        }

        throw new SipNotSupportedException($"{Name} cannot hold {call.CallId} by re-INVITE: of {leg.Id}, {why}. No phone was asked.", SipCapabilities.Hold) { CallId = call.CallId, RecommendedAction = "Suspend-SipCall without -Method holds by media." };
    }

    private static ExtModuleMessage HoldOf(YateLeg leg, string address, string port) => Request(
        leg,
        forwards: true,
        ("rtp_addr", address),
        ("rtp_port", port),
        ("media", "yes"),
        ("formats", FormatsOf(leg) ?? "alaw,mulaw"),
        ("rtp_rfc2833", "101"),
        ("osdp_sendonly", ""));

    private static ExtModuleMessage Request(YateLeg leg, bool forwards, params (string Key, string? Value)[] more)
    {
        var message = new ExtModuleMessage("call.update") { { "targetid", leg.Id }, { "operation", "request" }, { "rtp_forward", forwards ? "yes" : "no" }, { "rtp_forced", "yes" }, { "transport", "RTP/AVP" } };
        foreach ((string key, string? value) in more) message.Add(key, value);
        return message;
    }

    // Of a phone that called the engine does not tell what was agreed: its partner has mostly the same.
    private static string? FormatsOf(YateLeg leg) => leg.Formats ?? leg.Peer?.Formats;

    // Under the lock.
    private void CheckHasSound(YateCall call)
    {
        if (call.Legs.Exists(l => l is { Ended: false, Reinvited: true })) throw WrongState(call, "SipCallOnHold", "is on hold by re-INVITE; resume it first");
    }
}
