namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The part of the switchboard that plays the far ends: phones, the other half of loopbacks, phones that call.</summary>
internal sealed partial class Switchboard
{
    private long _tag;

    /// <summary>A leg is answered: by its phone, or by the dialplan.</summary>
    private void MarkAnswered(FsChannel c)
    {
        if (c.Answered || c.Down) return;
        if (c is { Outbound: false, Twin: { } twin }) MarkAnswered(twin);
        if (c.Endpoint == "sofia") TakeMedia(c);
        c.Answered = true;
        c.Profile!.Times.Answered = Now;
        Tell(c, "CHANNEL_ANSWER");
        c.Variables.Set("endpoint_disposition", "ANSWER");
        ExecuteOn(c, "execute_on_answer");
        ApiOn(c, "api_on_answer");
        if (c.Down) return;
        SetCallState(c, CallState.Active);
        // It is ready for its originate when what it does now is done.
        if (c.Twin is not null && c.Outbound) Post(() => c.Attempt?.LegReady(c));
        else c.Attempt?.LegReady(c);
    }

    /// <summary>180, or ring_ready in the dialplan.</summary>
    private void MarkRinging(FsChannel c)
    {
        if (c.RingReady || c.Answered || c.Down) return;
        if (c is { Outbound: false, Twin: { } twin }) MarkRinging(twin);
        c.RingReady = true;
        c.Profile!.Times.Progress = Now;
        if (c.Endpoint == "sofia" && c.Outbound)
        {
            c.Profile.NetworkAddress = "127.0.0.1";
            SofiaVariables.Respond(c, c.Target!, NextTag(), media: false);
        }

        Tell(c, "CHANNEL_PROGRESS");
        SetCallState(c, CallState.Ringing);
        if (c.Attempt?.Caller is { Answered: false } caller) MarkRinging(caller);
    }

    /// <summary>183 with sound, or pre_answer in the dialplan.</summary>
    private void MarkEarlyMedia(FsChannel c)
    {
        if (c.EarlyMedia || c.Answered || c.Down) return;
        if (c is { Outbound: false, Twin: { } twin }) MarkEarlyMedia(twin);
        c.EarlyMedia = true;
        c.Profile!.Times.ProgressMedia = Now;
        bool phone = c.Endpoint == "sofia" && c.Outbound;
        if (phone)
        {
            c.Profile.NetworkAddress = "127.0.0.1";
            SofiaVariables.Respond(c, c.Target!, NextTag(), media: true);
        }

        c.Variables.Set("endpoint_disposition", "EARLY MEDIA");
        Tell(c, "CHANNEL_PROGRESS_MEDIA");
        SetCallState(c, CallState.Early);
        if (phone)
        {
            TellCodecs(c, Codec.Pcmu, own: false);
            SofiaVariables.Talk(c, c.MediaPort);
        }

        if (c.Attempt?.Caller is { Answered: false } caller) MarkEarlyMedia(caller);
        if (c.Attempt is not { EarlyMediaWins: true } attempt) return;
        if (c.Twin is not null) Post(() => attempt.LegReady(c));
        else attempt.LegReady(c);
    }

    // What the number of a phone stands for.
    private void CallPhone(FsChannel c)
    {
        PhoneBehaviour phone = c.Phone!;
        switch (phone.Kind)
        {
            case PhoneKind.Dead:
                break;
            case PhoneKind.Fails or PhoneKind.Ends:
                if (phone.EarlyMedia) After(c, Moment, () => MarkEarlyMedia(c));
                After(c, phone.EarlyMedia ? Options.RingTime + Moment : Moment, () => Refuse(c, phone));
                break;
            default:
                After(c, Moment, () =>
                {
                    if (phone.EarlyMedia) MarkEarlyMedia(c);
                    else MarkRinging(c);
                });
                if (phone.Kind == PhoneKind.Rings) break;
                After(c, (phone.RingsFor ?? Options.RingTime) + Moment, () =>
                {
                    if (c.Attempt?.Caller?.Read == Codec.L16)
                    {
                        // It was offered nothing but what its caller speaks (dialplan-bridge-incompatible-codec).
                        HangUp(c, Causes.IncompatibleDestination);
                        return;
                    }

                    MarkAnswered(c);
                    if (phone.TalksFor is { } talk) After(c, talk, () => FarEndHangsUp(c));
                });
                break;
        }
    }

    private void Refuse(FsChannel c, PhoneBehaviour phone)
    {
        if (c.Answered) return;
        c.HangupDisposition = "recv_refuse";
        int status = phone.SipStatus > 0 ? phone.SipStatus : 503;
        SofiaVariables.Refuse(c, c.Target!, status, NextTag());
        int cause = Causes.OfSipStatus(status);
        if (phone.SipStatus == 0)
        {
            // The cause is in a Reason header.
            cause = phone.Cause;
            c.Variables.Set("sip_reason", $"Q.850;cause={cause}");
        }

        HangUp(c, cause);
    }

    private void FarEndHangsUp(FsChannel c)
    {
        if (c.Down) return;
        if (c.Endpoint != "sofia")
        {
            HangUp(c, Causes.NormalClearing);
            return;
        }

        bool talked = c.Answered;
        int status = talked ? 200 : c.Outbound ? 480 : 487;
        int cause = talked ? Causes.NormalClearing : Causes.OfSipStatus(status);
        c.HangupDisposition = talked ? "recv_bye" : c.Outbound ? "recv_refuse" : "recv_cancel";
        if (talked) c.Variables.Set("sip_reason", "Q.850;cause=16;text=\"Terminated by far end\"");
        SofiaVariables.Ended(c.Variables, status, cause);
        HangUp(c, cause);
    }

    private string TakeIncoming(string from, string exten)
    {
        if (!TakeSession(outbound: false)) throw new InvalidOperationException("The server takes no more calls.");
        string id = ByteText.NewId();
        string tag = NextTag();
        long now = Now;
        var c = new FsChannel(id, $"sofia/internal/{from}@127.0.0.1:5087", outbound: false) { MediaPort = TakePort() };
        _channels[id] = c;
        c.Running = ChannelState.New;
        Tell(c, "CHANNEL_STATE");
        VariableList v = c.Variables;
        v.Set("direction", "inbound");
        v.Set("uuid", id);
        v.Set("call_uuid", id);
        c.Number = _sessions;
        v.Set("session_id", _sessions);
        c.Profile = new CallerProfile
        {
            Username = from,
            Dialplan = "XML",
            CallerName = from,
            CallerNumber = from,
            OriginalName = from,
            OriginalNumber = from,
            NetworkAddress = "127.0.0.1",
            Ani = from,
            Destination = exten,
            Uuid = id,
            Source = "mod_sofia",
            ChannelName = c.Name,
            Times = new TimeTable { ProfileCreated = now, Created = now },
        };
        c.Initial = (from, from, "127.0.0.1", exten, "XML");
        SofiaVariables.Incoming(c, from, exten, tag);
        TellCodecs(c, Codec.Pcmu, own: false);
        SetState(c, ChannelState.Init);
        c.State = ChannelState.Routing;
        Tell(c, "CHANNEL_CREATE");
        Arrive(c);
        return id;
    }

    // A leg that comes to the dialplan from outside: its phone is told that it rings.
    private void Arrive(FsChannel c)
    {
        c.Running = ChannelState.Routing;
        SetCallState(c, CallState.Ringing);
        Tell(c, "CHANNEL_STATE");
        if (!c.Profile!.Dialplan.Is("inline"))
        {
            TakeExtension(c);
            return;
        }

        SetState(c, ChannelState.Execute);
        RunList(c, Inline(c.Profile.Destination));
    }

    private FsChannel CreateLoopback(OriginateAttempt attempt, DialLeg leg, string id)
    {
        // DESTINATION/CONTEXT/DIALPLAN, or app=NAME:ARGUMENTS, which is as good as an inline dialplan.
        bool app = leg.Data.StartsWith("app=", StringComparison.OrdinalIgnoreCase);
        string[] parts = app ? [leg.Data[4..], "", "inline"] : leg.Data.Split('/', 3);
        string exten = parts[0];
        string context = parts.Length > 1 && parts[1].Length > 0 ? parts[1] : "default";
        FsChannel a = Make(
            attempt, leg, id, new FsChannel(ByteText.NewId(), $"loopback/{exten}-a", outbound: true) { Endpoint = "loopback" }, exten, context, "mod_loopback");
        a.Profile!.Context = context;
        if (parts.Length > 2 && parts[2].Length > 0) a.Profile.Dialplan = parts[2];
        a.Twin = new FsChannel(ByteText.NewId(), $"loopback/{exten}-b", outbound: false) { Endpoint = "loopback", Twin = a };
        return a;
    }

    private void StartTwin(FsChannel a, FsChannel b)
    {
        TakeSession(outbound: false);
        TellCodecs(b, Codec.L16, own: true);
        CallerProfile profile = a.Profile!.Clone();
        (profile.Outbound, profile.LogicalOutbound, profile.Uuid, profile.ChannelName, profile.Times) = (false, false, b.Uuid, b.Name, a.Profile.Times.Clone());
        b.Profile = profile;
        b.Initial = a.Initial;
        VariableList v = b.Variables;
        v.Set("direction", "inbound");
        v.Set("uuid", b.Uuid);
        v.Set("call_uuid", b.Uuid);
        b.Number = _sessions;
        v.Set("session_id", _sessions);
        v.Set("channel_name", b.Name);
        v.Set("read_codec", "L16");
        v.Set("read_rate", 8000);
        v.Set("write_codec", "L16");
        v.Set("write_rate", 8000);
        foreach ((string key, string value) in a.Attempt?.Globals ?? []) v.Set(key, value);
        v.Set("other_loopback_leg_uuid", a.Uuid);
        v.Set("loopback_leg", "B");
        a.Variables.Set("other_loopback_leg_uuid", b.Uuid);
        a.Variables.Set("loopback_leg", "A");
        _channels[b.Uuid] = b;
    }

    private void RunTwin(FsChannel b)
    {
        if (b.Down) return;
        SetState(b, ChannelState.Init);
        b.State = ChannelState.Routing;
        Tell(b, "CHANNEL_CREATE");
        Arrive(b);
    }

    // Sound begins at the answer, if it has not begun before.
    private void TakeMedia(FsChannel c)
    {
        if (!c.Outbound)
        {
            SofiaVariables.AnswerIncoming(c, c.MediaPort, NextTag());
            return;
        }

        if (c.EarlyMedia) return;
        if (!c.RingReady)
        {
            c.Profile!.NetworkAddress = "127.0.0.1";
            SofiaVariables.Respond(c, c.Target!, NextTag(), media: false);
        }

        TellCodecs(c, Codec.Pcmu, own: false);
        SofiaVariables.Talk(c, c.MediaPort);
    }

    private string NextTag() => $"{++_tag:x8}";
}
