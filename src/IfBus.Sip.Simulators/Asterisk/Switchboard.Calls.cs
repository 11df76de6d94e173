namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>The part of the switchboard that lives calls: dialling, answering, bridging, ending.</summary>
internal sealed partial class Switchboard
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(2);

    private void OriginatePhone(SimOriginate originate, string rest, string id, string number, string name, TimeSpan timeout, IReadOnlyList<KeyValuePair<string, string>> variables)
    {
        // PJSIP/phone, PJSIP/number@trunk, PJSIP/trunk/sip:...
        string endpoint = rest.Split('/')[0];
        if (endpoint.Split('@') is [_, { Length: > 0 } trunk]) endpoint = trunk;
        PhoneBehaviour phone = PhoneBehaviour.Of(endpoint, isExtension: false);
        if (phone.Kind is PhoneKind.Unknown or PhoneKind.Unreachable || endpoint.Length == 0)
        {
            Respond(originate, null, id, 0, number, name);
            return;
        }

        bool early = Options.Faults.Reorder && phone.Kind == PhoneKind.Fails;
        if (early) Respond(originate, null, id, 0, number, name);
        SimChannel channel = Make($"PJSIP/{endpoint}-{Serial()}", id, null, 0);
        foreach ((string key, string value) in variables) channel.Variables[key] = value;
        Identify(channel, number, name);
        Tell("DialBegin", "call", channel.Headers("Dest") + $"DialString: {rest}\r\n");
        channel.Originate = early ? null : originate;
        Call(
            channel, phone, caller: null, timeout,
            answered: () =>
            {
                channel.Originate = null;
                Respond(originate, channel, id, 4, number, name);
                RunDestination(channel, originate);
                if (phone.TalksFor is { } talk) After(channel, talk, () => FarEndHangsUp(channel));
            },
            failed: (cause, status, dialStatus, timedOut) =>
            {
                channel.Originate = null;
                if (!early) Respond(originate, null, id, timedOut ? 3 : 0, number, name);
                Record(channel, null, dialStatus switch { "BUSY" => "BUSY", "CONGESTION" => "FAILED", _ => "NO ANSWER" });
                Hangup(channel, timedOut && IsVersion16 ? 0 : cause, status);
            });
    }

    private void OriginateLocal(SimOriginate originate, string rest, string id, string otherId, string number, string name, TimeSpan timeout, IReadOnlyList<KeyValuePair<string, string>> variables)
    {
        string exten = rest.Split('@')[0];
        string context = rest.Contains('@', StringComparison.Ordinal) ? rest[(rest.IndexOf('@', StringComparison.Ordinal) + 1)..].Split('/')[0] : "default";
        (SimChannel one, SimChannel two) = MakeLocal(exten, context, id, otherId.Length > 0 ? otherId : id + ";2", id);
        foreach ((string key, string value) in variables) one.Variables[key] = two.Variables[key] = value;
        Identify(one, number, name);
        Identify(two, number, name);
        TellLocalBridge(one, two);
        Tell("DialBegin", "call", one.Headers("Dest") + $"DialString: {exten}@{context}\r\n");
        one.Originate = originate;

        void Up()
        {
            SetState(two, 6);
            SetState(one, 6);
            Tell("DialEnd", "call", one.Headers("Dest") + "DialStatus: ANSWER\r\n");
            one.Originate = null;
            Respond(originate, one, id, 4, number, name);
            RunDestination(one, originate);
        }

        void Fail(int reason, int causeOne, int causeTwo, string dialStatus)
        {
            Tell("DialEnd", "call", one.Headers("Dest") + $"DialStatus: {dialStatus}\r\n");
            one.Originate = null;
            Record(one, null, dialStatus == "BUSY" ? "BUSY" : dialStatus == "NOANSWER" ? "NO ANSWER" : "FAILED");
            Hangup(one, causeOne, 0);
            Hangup(two, causeTwo, 0);
            Respond(originate, null, id, reason, number, name);
            Record(two, null, dialStatus == "BUSY" ? "BUSY" : "FAILED");
        }

        PhoneBehaviour there = PhoneBehaviour.Of(exten, isExtension: true);
        After(one, timeout, () =>
        {
            if (one.Originate is null) return;
            if (two.Callee is { } ringing) Hangup(ringing, 0, 0);
            Respond(originate, null, id, 3, number, name);
            one.Originate = null;
            int cause = IsVersion16 ? 0 : 19;
            Hangup(two, cause, 0);
            Hangup(one, cause, 0);
            Record(one, null, "NO ANSWER");
        });
        switch (there.Kind)
        {
            case PhoneKind.Application:
                (two.Application, two.Data) = there.Application!.Value;
                Up();
                if (there.TalksFor is { } time) After(two, time, () => EndCall(two, 0, 0, soft: 16));
                break;
            case PhoneKind.Fails when there.Cause == 17:
                two.State = 7;
                Fail(5, 0, 17, "BUSY");
                break;
            case PhoneKind.Ends:
                // Congestion() says so on the way; Hangup(34) does not.
                bool congestion = exten.StartsWith("congestion", StringComparison.OrdinalIgnoreCase);
                Fail(congestion ? 8 : 0, congestion ? 0 : there.Cause, there.Cause, "CONGESTION");
                break;
            case PhoneKind.Unknown:
                Fail(0, 0, 0, "CHANUNAVAIL");
                break;
            case PhoneKind.Rings or PhoneKind.Dead:
                SetState(one, 5);
                Tell("DialState", "call", one.Headers("Dest") + "DialStatus: RINGING\r\n");
                break;
            default:
                Dial(two, PhoneBehaviour.Bare(exten), timeout, Up, (cause, _, status) => Fail(cause == 17 ? 5 : 0, cause, cause, status));
                break;
        }
    }

    // The two halves of a Local channel: one is talked with, two is in the dialplan.
    private (SimChannel One, SimChannel Two) MakeLocal(string exten, string context, string oneId, string twoId, string linkedid)
    {
        string serial = Serial();
        SimChannel one = Make($"Local/{exten}@{context}-{serial};1", oneId, linkedid, 0, c => (c.Exten, c.Context) = (exten, context));
        SimChannel two = Make($"Local/{exten}@{context}-{serial};2", twoId, linkedid, 4, c => (c.Exten, c.Context) = (exten, context));
        (one.Twin, two.Twin) = (two, one);
        return (one, two);
    }

    private void TellLocalBridge(SimChannel one, SimChannel two) =>
        Tell("LocalBridge", "call", one.Headers("LocalOne") + two.Headers("LocalTwo") + $"Context: {one.Context}\r\nExten: {one.Exten}\r\nLocalOptimization: Yes\r\n");

    // A phone is called and does what its number says. caller is null when an Originate calls.
    private void Call(SimChannel channel, PhoneBehaviour phone, SimChannel? caller, TimeSpan timeout, Action answered, Action<int, int, string, bool> failed)
    {
        string Dialling(string status) => (caller?.Headers() ?? "") + channel.Headers("Dest") + $"DialStatus: {status}\r\n";
        bool open = true;
        After(channel, timeout, () =>
        {
            if (!open) return;
            open = false;
            Tell("DialEnd", "call", Dialling("NOANSWER"));
            failed(19, 480, "NOANSWER", true);
        });
        if (phone.Kind == PhoneKind.Fails)
        {
            After(channel, Moment, () =>
            {
                open = false;
                Tell("HangupRequest", "call", channel.Headers() + $"Cause: {phone.Cause}\r\n" + (IsVersion16 || phone.SipStatus == 0 ? "" : $"TechCause: {phone.SipStatus}\r\n"));
                Tell("DialEnd", "call", Dialling(phone.DialStatus));
                failed(phone.Cause, phone.SipStatus, phone.DialStatus, false);
            });
            return;
        }

        if (phone.Kind == PhoneKind.Dead) return;
        After(channel, Moment, () =>
        {
            // On a busy machine timers may come late and out of order.
            if (channel.State != 0) return;
            SetState(channel, 5);
            Tell("DialState", "call", Dialling("RINGING"));
        });
        if (phone.Kind == PhoneKind.Rings) return;
        After(channel, (phone.RingsFor ?? Options.RingTime) + Moment, () =>
        {
            if (!open) return;
            open = false;
            SetState(channel, 6);
            Tell("DialEnd", "call", Dialling("ANSWER"));
            answered();
        });
    }

    private void RunDestination(SimChannel channel, SimOriginate originate)
    {
        if (originate.Application.Length > 0) RunApplication(channel, originate.Application, originate.Data);
        else if (originate.Exten.Length > 0)
        {
            (channel.Context, channel.Exten) = (originate.Context, originate.Exten);
            RunExtension(channel, originate.Exten, incoming: false);
        }
    }

    private void RunApplication(SimChannel channel, string application, string data)
    {
        (channel.Application, channel.Data) = (application, data);
        switch (application.ToUpperInvariant())
        {
            case "WAIT":
                if (double.TryParse(data, System.Globalization.CultureInfo.InvariantCulture, out double seconds) && seconds is > 0 and < 1e6)
                    AfterRun(channel, TimeSpan.FromSeconds(seconds), () => EndCall(channel, 0, 0, soft: 16));
                else EndCall(channel, 0, 0, soft: 16);
                break;
            case "PLAYBACK":
                AfterRun(channel, TimeSpan.FromSeconds(1), () => EndCall(channel, 0, 0, soft: 16));
                break;
            case "DIAL":
                string[] parts = data.Split(',');
                string target = parts[0][(parts[0].IndexOf('/', StringComparison.Ordinal) + 1)..];
                TimeSpan ring = parts.Length > 1 && double.TryParse(parts[1], System.Globalization.CultureInfo.InvariantCulture, out double limit) ? TimeSpan.FromSeconds(limit) : TimeSpan.FromHours(1);
                Dial(channel, target, ring, null, null);
                break;
            case "ECHO" or "MILLIWATT" or "MUSICONHOLD" or "CONFBRIDGE" or "QUEUE":
                break;
            default:
                // An unknown application ends the call at once.
                After(channel, TimeSpan.Zero, () => EndCall(channel, 0, 0, soft: 16));
                break;
        }
    }

    private void RunExtension(SimChannel channel, string exten, bool incoming)
    {
        PhoneBehaviour there = PhoneBehaviour.Of(exten, isExtension: true);
        if (there.Kind == PhoneKind.Application)
        {
            if (incoming) SetState(channel, 6);
            channel.Priority = 2;
            (channel.Application, channel.Data) = there.Application!.Value;
            if (channel.Application == "MusicOnHold") StartMusic(channel);
            if (there.TalksFor is { } time) AfterRun(channel, time, () => EndCall(channel, 0, 0, soft: 16));
        }
        else if (there.Kind == PhoneKind.Ends)
        {
            After(channel, TimeSpan.Zero, () => EndCall(channel, there.Cause, 0, soft: 16));
        }
        else
        {
            Dial(channel, PhoneBehaviour.Bare(exten), TimeSpan.FromSeconds(20), incoming ? () => SetState(channel, 6) : null, null);
        }
    }

    // The dialplan of a channel calls a phone, bridges both, and ends with the phone's cause.
    private void Dial(SimChannel caller, string target, TimeSpan timeout, Action? answered, Action<int, int, string>? failed)
    {
        (caller.Application, caller.Data) = ("Dial", $"PJSIP/{target},{(int)timeout.TotalSeconds}");
        PhoneBehaviour phone = PhoneBehaviour.Of(target, isExtension: false);
        if (phone.Kind is PhoneKind.Unknown or PhoneKind.Unreachable)
        {
            // No channel can be made: the caller's channel ends with "no route".
            After(caller, Moment, () =>
            {
                if (failed is not null) failed(3, 404, "CHANUNAVAIL");
                else EndCall(caller, 3, 404, soft: 16);
            });
            return;
        }

        SimChannel callee = Make($"PJSIP/{target}-{Serial()}", NextId(), caller.Linkedid, 0, c => (c.Application, c.Data) = ("AppDial", "(Outgoing Line)"));
        callee.DialledBy = caller;
        caller.Callee = callee;
        caller.NoTransfers = callee.NoTransfers = caller.Exten.StartsWith("basic-", StringComparison.OrdinalIgnoreCase);
        (callee.Number, callee.CallerName, callee.ConnectedNumber, callee.ConnectedName, callee.Exten) = (caller.Exten, caller.CallerName, caller.Number, caller.CallerName, caller.Exten);
        Tell("NewConnectedLine", "call", callee.Headers());
        Tell("DialBegin", "call", caller.Headers() + callee.Headers("Dest") + $"DialString: {target}\r\n");
        caller.ConnectedNumber = caller.Exten;
        Tell("NewConnectedLine", "call", caller.Headers());
        Call(
            callee, phone, caller, timeout,
            () =>
            {
                answered?.Invoke();
                string bridge = Guid.NewGuid().ToString();
                Tell("BridgeCreate", "call", BridgeHeaders(bridge, 0));
                callee.Exten = "";
                (caller.Bridge, callee.Bridge) = (bridge, bridge);
                Tell("BridgeEnter", "call", BridgeHeaders(bridge, 1) + callee.Headers());
                Tell("BridgeEnter", "call", BridgeHeaders(bridge, 2) + caller.Headers());
                if (phone.TalksFor is { } talk) After(callee, talk, () => FarEndHangsUp(callee));
            },
            (cause, status, dialStatus, timedOut) =>
            {
                Hangup(callee, timedOut ? 0 : cause, timedOut ? 0 : status);
                caller.Callee = null;
                if (failed is not null) failed(cause, status, dialStatus);
                else End(caller, callee, timedOut ? 16 : cause, timedOut ? 0 : cause == 21 ? 403 : status, dialStatus == "BUSY" ? "BUSY" : "NO ANSWER");
            });
    }

    private void FarEndHangsUp(SimChannel channel)
    {
        bool bridged = channel.Bridge is not null;
        Tell("HangupRequest", "call", channel.Headers() + (bridged || IsVersion16 ? "Cause: 16\r\n" : ""));
        EndCall(channel, bridged || IsVersion16 ? 16 : 0, 0, soft: 16);
    }

    // Ends a channel and what hangs on it: its bridge partner, the phone that it dials, the other half of a Local.
    private void EndCall(SimChannel channel, int cause, int sipStatus, int soft)
    {
        if (channel.Gone) return;
        if ((channel.DialledBy ?? channel).ConsultedBy is { Consult.Answered: true } consulting)
        {
            // Takes all that belongs to the consultation along.
            EndConsultation(consulting);
            return;
        }

        if (channel.Consult is { } consult)
        {
            if (consult.Answered)
            {
                CompleteConsultation(channel);
                End(channel, null, cause, sipStatus, "ANSWERED");
                return;
            }

            EndConsultation(channel);
        }

        SimChannel caller = channel.DialledBy is { Gone: false, Callee: { } callee } dialler && callee == channel ? dialler : channel;
        if (channel.Originate is { } originate)
        {
            // Ended while it was being called.
            channel.Originate = null;
            Tell("DialEnd", "call", channel.Headers("Dest") + "DialStatus: NOANSWER\r\n");
            Respond(originate, null, channel.Uniqueid, 0, channel.Number, channel.CallerName);
        }

        SimChannel? partner = caller.Callee is { Gone: false } other ? other : null;
        bool talked = caller.Bridge is not null;
        if (talked && partner is not null)
        {
            Tell("BridgeLeave", "call", BridgeHeaders(caller.Bridge!, 1) + caller.Headers());
            Tell("SoftHangupRequest", "call", caller.Headers() + $"Cause: {soft}\r\n");
            Tell("BridgeLeave", "call", BridgeHeaders(caller.Bridge!, 0) + partner.Headers());
            Tell("BridgeDestroy", "call", BridgeHeaders(caller.Bridge!, 0));
        }
        else
        {
            if (partner is not null) Tell("DialEnd", "call", caller.Headers() + partner.Headers("Dest") + $"DialStatus: {(channel == partner ? "NOANSWER" : "CANCEL")}\r\n");
            Tell("SoftHangupRequest", "call", caller.Headers() + $"Cause: {soft}\r\n");
        }

        if (partner is not null && !talked) Hangup(partner, cause, 0);
        End(caller, partner, cause, sipStatus, caller.AnsweredAt is null ? "NO ANSWER" : partner is not null && !talked ? "NO ANSWER" : "ANSWERED", said: true);
        SimChannel? above = caller.Twin is { DialledBy: { Gone: false } waits } ? waits : null;
        if (partner is not null)
        {
            Hangup(partner, cause, 0);
            if (partner.Twin is { Gone: false } half) EndCall(half, cause, 0, soft);
        }

        if (above is not null) EndCall(above, cause, 0, soft);
    }

    // What the dialplan has in mind, for as long as it is not sent elsewhere.
    private void AfterRun(SimChannel channel, TimeSpan time, Action action)
    {
        int run = channel.Run;
        After(channel, time, () =>
        {
            if (channel.Run == run) action();
        });
    }

    private void End(SimChannel channel, SimChannel? callee, int cause, int sipStatus, string disposition, bool said = false)
    {
        if (!said) Tell("SoftHangupRequest", "call", channel.Headers() + "Cause: 16\r\n");
        Record(channel, callee, disposition);
        SimChannel? twin = channel.Twin is { Gone: false } other ? other : null;
        if (twin is not null) Tell("HangupRequest", "call", twin.Headers() + $"Cause: {cause}\r\n");
        channel.Exten = "h";
        Hangup(channel, cause, sipStatus);
        if (twin is null) return;
        Tell("SoftHangupRequest", "call", twin.Headers() + "Cause: 16\r\n");
        if (twin.Callee is { Gone: false } further) Hangup(further, cause, 0);
        twin.Exten = "h";
        Hangup(twin, cause, 0);
        Record(twin, null, twin.AnsweredAt is null ? "NO ANSWER" : "ANSWERED");
    }

    private static string BridgeHeaders(string id, int channels) =>
        $"BridgeUniqueid: {id}\r\nBridgeType: basic\r\nBridgeTechnology: simple_bridge\r\nBridgeCreator: <unknown>\r\nBridgeName: <unknown>\r\nBridgeNumChannels: {channels}\r\nBridgeVideoSourceMode: none\r\n";
}
