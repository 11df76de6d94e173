namespace IfBus.Sip.Simulators.Yate;

/// <summary>What goes over the wire between the engine and the phone, and what is said of it.</summary>
internal sealed partial class SipChannel
{
    /// <summary>Routes the call of a phone.</summary>
    public async Task RouteAsync()
    {
        YateMessage auth = Engine.NewMessage("user.auth");
        auth.Set("protocol", "sip").Set("method", "INVITE").Set("uri", $"sip:{Called}@127.0.0.1:5780");
        Transport(auth).Set("newcall", true).Set("domain", _domain).Set("id", Id).Set("caller", _from).Set("called", Called).Set("billid", BillId);
        // The answer refuses nothing in the recorded configuration.
        await Engine.DispatchAsync(auth).ConfigureAwait(true);
        YateMessage startup = Message("chan.startup");
        startup.Set("caller", _from).Set("called", Called).Set("connection_id", "general");
        Engine.Enqueue(startup);
        YateMessage call = RouteMessage();
        call.About = this;
        _driver.Routing++;
        bool routed = await RouteAsync(call).ConfigureAwait(true);
        _driver.Routing--;
        if (routed) _driver.RoutedCalls++;
        call.About = null;
        Deref();
    }

    public override async ValueTask<bool> UpdateAsync(YateMessage message)
    {
        string operation = message["operation"] ?? "";
        if (operation is "" or "transfer" || _hungUp) return false;
        if (operation == "request" && message.Bool("rtp_forced") && Answered)
        {
            bool past = message.Bool("rtp_forward");
            if (past) message.Set("rtp_forward", "accepted");
            Offer(past, message.Has("media"));
            return true;
        }

        if (operation == "request" && message.Has("rtp_forward"))
        {
            message.Set("rtp_forward", "accepted");
            After(Engine.Options.NetworkTime, AgreeToForward);
            return true;
        }

        if (operation == "notify" && message["rtp_forward"] == "accepted") return true;
        if (operation == "request")
        {
            message.Set("error", "failure").Set("reason", "Mismatched RTP forwarding");
            return false;
        }

        if (operation == "initiate") return await InitiateAsync().ConfigureAwait(true);
        if (operation == "notify" && message.Bool("audio_changed") && !message.Bool("mute") && !message.Bool("rtp_forward") && Answered)
        {
            await ReinviteAsync().ConfigureAwait(true);
            return true;
        }

        message.Set("error", "nocall");
        return false;
    }

    private static YateParams Sdp(YateMessage message) => message.Set("media", "yes").Set("formats", "mulaw").Set("transport", "RTP/AVP").Set("rtp_rfc2833", false);

    private async Task<bool> RouteAsync(YateMessage call)
    {
        await Engine.DispatchAsync(call).ConfigureAwait(true);
        // Usually another worker has told of the new leg meanwhile.
        if (!Engine.Options.Faults.Reorder) Engine.Pump();
        call.Name = "call.route";
        call.Return = "";
        call.Clear("handlers").Clear("error");
        call.Time = Engine.Now;
        bool handled = await Engine.DispatchAsync(call).ConfigureAwait(true);
        string to = call.Return.Trim();
        if (Dead || _hungUp) return false;
        if (!handled || to.Length == 0)
        {
            Reject(call["error"] ?? "noroute", call["reason"] ?? (call.Has("error") ? null : "No route to call target"));
            return handled;
        }

        if (to is "-" or "error")
        {
            Reject(call["error"] ?? "unknown", call["reason"]);
            return handled;
        }

        Routed(call);
        call.Name = "call.execute";
        call.Set("callto", to).Clear("error").Clear("handlers");
        call.Return = "";
        call.Time = Engine.Now;
        if (await Engine.DispatchAsync(call).ConfigureAwait(true))
        {
            Accept(call);
            return true;
        }

        YateMessage lost = Message("chan.disconnected");
        string? why = call["reason"] ?? (call.Has("error") ? null : "Could not connect to target");
        lost.Set("error", call["error"] ?? "noconn").Set("reason", why).Set("reroute", true);
        lost.About = this;
        if (!await Engine.DispatchAsync(lost).ConfigureAwait(true)) Reject(lost["error"]!, why);
        lost.About = null;
        return false;
    }

    private YateMessage RouteMessage()
    {
        YateMessage call = Engine.NewMessage("call.preroute");
        call.Set("id", Id).Set("module", "sip").Set("status", Status).Set("address", Address).Set("billid", BillId).Set("answered", false).Set("direction", Direction);
        call.Set("callid", $"sip/{_callId}/{_remoteTag}/").Set("caller", _from).Set("called", Called).Set("callername", "Test " + char.ToUpperInvariant(_from[0]) + _from[1..]).Set("antiloop", "19");
        Transport(call).Set("sip_uri", $"sip:{Called}@127.0.0.1:5780").Set("sip_from", $"sip:{_from}@{Address}").Set("sip_to", $"<sip:{Called}@127.0.0.1:5780>").Set("sip_callid", _callId);
        call.Set("device", "").Set("sip_contact", $"<sip:{_from}@{Address}>").Set("sip_content-type", "application/sdp").Set("newcall", true).Set("domain", _domain).Set("rtp_addr", "127.0.0.1");
        Sdp(call).Set("rtp_port", "20050").Set("rtp_forward", "possible");
        return call;
    }

    private YateParams Transport(YateMessage message)
    {
        message.Set("ip_host", _phone.Host).Set("ip_port", YateText.Word(_phone.Port)).Set("ip_transport", "UDP");
        return message.Add("address", Address).Set("connection_id", "general").Set("connection_reliable", false);
    }

    // Ours to a phone that called.
    private void Respond(int status, string phrase)
    {
        Parameters.Set("cause_sip", YateText.Word(status)).Set("reason_sip", phrase);
        EmitUpdate();
    }

    // The dialog has its second tag now: for those who keep records.
    private void EmitUpdate()
    {
        if (_tagged && !Outgoing) return;
        _tagged = true;
        YateMessage message = Message("call.update");
        message.Add("operation", "cdrbuild");
        Engine.Enqueue(message);
    }

    private void IsRinging()
    {
        _remoteTag = _driver.NewTag();
        Parameters.Set("cause_sip", "180").Set("reason_sip", "Ringing");
        SetStatus("ringing");
        YateMessage message = Message("call.ringing");
        message.Set("sip_contact", $"<sip:{Address};transport=UDP>").Set("earlymedia", false);
        Engine.Enqueue(message);
    }

    private void EarlyMedia()
    {
        _remoteTag = _driver.NewTag();
        Parameters.Set("cause_sip", "183").Set("reason_sip", "Session Progress");
        HasMedia = true;
        SetStatus("progressing");
        YateMessage message = Message("call.progress");
        message.Set("sip_contact", $"<sip:{Address};transport=UDP>").Set("sip_content-type", "application/sdp");
        Sdp(message);
        Engine.Enqueue(message);
        EmitUpdate();
    }

    private async Task AnsweredAsync()
    {
        if (_remoteTag.Length == 0) _remoteTag = _driver.NewTag();
        Parameters.Set("cause_sip", "200").Set("reason_sip", "OK");
        SetStatus("answered");
        SetReason("", 0);
        HasMedia = true;
        await RtpAsync(m => m.Set("localip", "127.0.0.1").Set("remoteip", _phone.Host).Set("remoteport", "20000").Set("evpayload", false)).ConfigureAwait(true);
        if (_hungUp) return;
        YateMessage message = Message("call.answered");
        message.Set("sip_contact", $"<sip:{Address};transport=UDP>").Set("sip_content-type", "application/sdp");
        Sdp(message);
        Engine.Enqueue(message);
        (Peer as WaveChannel)?.Play();
        if (_behaviour.TalksFor is { } talks) After(talks, () => Engine.Loop.Go(HangUpByPhoneAsync()));
    }

    // Our answer to a phone that called: its acknowledgement starts the sound.
    private async Task AnswerMediaAsync()
    {
        Parameters.Clear("reason_sip").Set("cause_sip", "200");
        HasMedia = true;
        await RtpAsync(m => m.Set("remoteip", _phone.Host)).ConfigureAwait(true);
        EmitUpdate();
        (Peer as WaveChannel)?.Play();
        After(Engine.Options.NetworkTime, () => Engine.Loop.Go(RtpAsync(m => m.Set("localip", "127.0.0.1").Set("remoteip", _phone.Host).Set("remoteport", "20050").Set("evpayload", false))));
    }

    private async Task RefuseAsync(int status)
    {
        if (_hungUp) return;
        _remoteTag = _remoteTag.Length > 0 ? _remoteTag : _driver.NewTag();
        string phrase = Reasons.Phrase(status) ?? "";
        Parameters.Set("cause_sip", YateText.Word(status)).Set("reason_sip", phrase);
        SetReason(phrase, status);
        await HangUpAsync().ConfigureAwait(true);
    }

    private async Task TimeOutAsync()
    {
        Parameters.Set("cause_sip", "408");
        SetReason("Request Timeout", 408);
        await HangUpAsync().ConfigureAwait(true);
    }

    // The end of the leg is told first, then its peer is left.
    private async Task HangUpAsync()
    {
        if (_hungUp) return;
        _hungUp = true;
        Forget();
        if (_rtpId.Length > 0) await EndRtpAsync().ConfigureAwait(true);
        if (_byeReason is not null) Parameters.Set("sip_reason", _byeReason);
        YateMessage message = Message("chan.hangup");
        if (_reason.Length > 0) message.Set("reason", _reason);
        Engine.Enqueue(message);
        Disconnect(Reasons.Word(_reasonStatus) is { } word && !Answered ? word : _reason.Length > 0 ? _reason : null, parameters: Parameters);
    }

    // A re-INVITE: whoever handles chan.rtp before the module of it does can change what is offered.
    private async Task ReinviteAsync()
    {
        YateMessage offer = RtpMessage();
        offer.Set("localip", "127.0.0.1").Set("remoteip", _phone.Host).Set("remoteport", "20000").Set("evpayload", false);
        if (_remoteDirection.Length > 0) offer.Set("sdp_" + _remoteDirection, "");
        await Engine.DispatchAsync(offer).ConfigureAwait(true);
        string direction = DirectionOf(offer);
        YateMessage fresh = RtpMessage(withId: false);
        fresh.Set("localip", "127.0.0.1").Set("remoteip", _phone.Host).Set("remoteport", "").Set("evpayload", false);
        await Engine.DispatchAsync(fresh).ConfigureAwait(true);
        direction = DirectionOf(fresh) is { Length: > 0 } latest ? latest : direction;
        _rtpId = fresh["rtpid"] ?? _rtpId;
        _remoteDirection = direction.Length > 0 ? direction : "sendrecv";
        After(Engine.Options.NetworkTime, () => Engine.Loop.Go(ReinvitedAsync()));
    }

    private async Task ReinvitedAsync()
    {
        await RtpAsync(m =>
        {
            m.Set("localip", "127.0.0.1").Set("remoteip", _phone.Host).Set("remoteport", "20000").Set("evpayload", false);
            m.Set("sdp_" + _remoteDirection, "");
        }).ConfigureAwait(true);
        YateMessage message = Message("call.update");
        message.Set("sip_contact", $"<sip:{Address};transport=UDP>").Set("sip_content-type", "application/sdp").Set("operation", "notify");
        Sdp(message).Set("sdp_" + _remoteDirection, "");
        Engine.Enqueue(message);
    }

    // The sound is to go past the server: the other leg is asked, and agrees.
    private Task<bool> InitiateAsync()
    {
        YateMessage message = Message("call.update");
        message.Set("operation", "request").Set("rtp_forward", "yes").Set("rtp_addr", "127.0.0.1");
        Sdp(message).Set("rtp_port", "20000").Set("sdp_sendrecv", "");
        HasMedia = false;
        Engine.Enqueue(message);
        return Task.FromResult(true);
    }

    private void AgreeToForward()
    {
        YateMessage message = Message("call.update");
        message.Set("sip_contact", $"<sip:{Address};transport=UDP>").Set("sip_content-type", "application/sdp").Set("operation", "notify");
        Sdp(message).Set("rtp_forward", "accepted").Set("rtp_addr", "127.0.0.1").Set("rtp_port", "20000").Add("rtp_rfc2833", "false");
        HasMedia = false;
        Engine.Enqueue(message);
    }

    // A re-INVITE that leaves the engine's own sound alone until the phone has agreed.
    private void Offer(bool past, bool asBefore) => After(Engine.Options.NetworkTime, () =>
    {
        YateMessage message = Message("call.update");
        message.Set("sip_contact", $"<sip:{Address};transport=UDP>");
        if (_behaviour.RefusesReinvites)
        {
            message.Set("operation", "reject").Set("error", "nomedia").Set("reason", "Not Acceptable Here");
            Engine.Enqueue(message);
            return;
        }

        message.Set("sip_content-type", "application/sdp").Set("operation", "notify");
        Sdp(message);
        _remoteDirection = past ? "recvonly" : "sendrecv";
        message.Set("sdp_" + _remoteDirection, "");
        if (past) message.Set("rtp_forward", "yes").Set("rtp_addr", "127.0.0.1").Set("rtp_port", "20000");
        if (!asBefore || past) HasMedia = !past;
        Engine.Enqueue(message);
    });

    private static string DirectionOf(YateMessage message) =>
        message.Has("osdp_sendonly") ? "sendonly" : message.Has("osdp_inactive") ? "inactive" : message.Has("osdp_recvonly") ? "recvonly" : message.Has("osdp_sendrecv") ? "sendrecv" : "";

    private YateMessage RtpMessage(bool withId = true)
    {
        YateMessage message = Engine.NewMessage("chan.rtp");
        message.Set("id", Id).Set("module", "sip").Set("call_direction", Direction).Set("call_address", Address).Set("call_status", Status).Set("call_billid", BillId);
        if (withId && _rtpId.Length > 0) message.Set("rtpid", _rtpId);
        message.Set("media", "audio").Set("transport", "RTP/AVP").Set("direction", "bidir").Set("format", "mulaw").Set("ipv6_support", false);
        return message;
    }

    private async Task RtpAsync(Action<YateMessage> more)
    {
        YateMessage message = RtpMessage();
        more(message);
        message.About = this;
        await Engine.DispatchAsync(message).ConfigureAwait(true);
        _rtpId = message["rtpid"] ?? _rtpId;
        message.About = null;
    }

    private async Task EndRtpAsync()
    {
        YateMessage message = Engine.NewMessage("chan.rtp");
        message.Set("rtpid", _rtpId).Set("media", "audio").Set("transport", "RTP/AVP").Set("terminate", true);
        message.Set("call_direction", Direction).Set("call_address", Address).Set("call_status", Status).Set("call_billid", BillId);
        message.About = this;
        await Engine.DispatchAsync(message).ConfigureAwait(true);
        message.About = null;
        if (HasMedia) Parameters.Set("rtp_stats", "PS=0,OS=0,PR=0,OR=0,PL=0");
    }

    /// <summary>The module of the sound, which knows the ports.</summary>
    public static bool Rtp(YateMessage message, SipDriver driver)
    {
        // Asked of a leg by somebody else, it makes nothing.
        if (message.About is SipChannel asked && message["direction"] is not ("bidir" or "receive" or "send") && !message.Bool("terminate"))
        {
            if (!asked.HasMedia || message["media"] == "video") return false;
            message.Set("rtpid", asked._rtpId);
        }

        if (!message.Has("localip")) message.Set("localip", "127.0.0.1");
        var leg = (message.About ?? driver.Find(message["id"])) as SipChannel;
        message.Set("localport", YateText.Word(leg?._rtpPort ?? driver.NewRtpPort()));
        if (message.Bool("terminate"))
        {
            if (leg is { HasMedia: true }) message.Set("stats", "PS=0,OS=0,PR=0,OR=0,PL=0");
            message.Set("status", "terminated");
            return true;
        }

        bool made = !message.Has("rtpid");
        if (made) message.Set("rtpid", "yrtp/" + SipDriver.NewNumber());
        message.Set("status", made ? "created" : "updated");
        return true;
    }
}
