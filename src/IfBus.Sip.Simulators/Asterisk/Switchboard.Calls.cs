namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>The part of the switchboard that lives calls: dialling, answering, bridging, ending.</summary>
internal sealed partial class Switchboard
{
    // How an extension begins that says something before it dials.
    private const string Prompt = "prompt-";

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(2);

    // The two halves of a Local channel: one is talked with, two is in the dialplan.
    private (SimChannel One, SimChannel Two) MakeLocal(string exten, string context, string oneId, string twoId, string linkedid)
    {
        string serial = Serial();
        string begins = exten.Length > 0 ? exten : "s";
        SimChannel one = Make($"Local/{exten}@{context}-{serial};1", oneId, linkedid, 0, c => (c.Exten, c.Context) = (begins, context));
        SimChannel two = Make($"Local/{exten}@{context}-{serial};2", twoId, linkedid, 4, c => (c.Exten, c.Context) = (begins, context));
        (one.Twin, two.Twin) = (two, one);
        return (one, two);
    }

    private void TellLocalBridge(SimChannel one, SimChannel two, bool optimises = true) =>
        Tell("LocalBridge", "call", one.Headers("LocalOne") + two.Headers("LocalTwo") + $"Context: {one.Context}\r\nExten: {one.Exten}\r\nLocalOptimization: {(optimises ? "Yes" : "No")}\r\n");

    // A phone is called and does what its number says. caller is null when an Originate calls.
    private void Call(SimChannel channel, PhoneBehaviour phone, SimChannel? caller, TimeSpan timeout, Action answered, Action<int, int, string, bool> failed)
    {
        string Dialling(string status) => (caller?.Headers() ?? "") + channel.Headers("Dest") + $"DialStatus: {status}\r\n";
        bool open = true;
        After(channel, timeout, () =>
        {
            if (!open) return;
            open = false;
            // An Originate that gives up says no end of its dialling.
            if (caller is not null) Tell("DialEnd", "call", Dialling("NOANSWER"));
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
            if (caller is not null) channel.Exten = "";
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
                    AfterRun(channel, TimeSpan.FromSeconds(seconds), () => EndItself(channel));
                else EndItself(channel);
                break;
            case "PLAYBACK":
                AfterRun(channel, TimeSpan.FromSeconds(1), () => EndItself(channel));
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
                (channel.Application, channel.Data) = ("AppDial2", "(Outgoing Line)");
                After(channel, TimeSpan.Zero, () => EndItself(channel));
                break;
        }
    }

    // Its dialplan is at an end, which is Hangup(); or its one application is.
    private void EndItself(SimChannel channel)
    {
        if (channel.InDialplan) (channel.Priority, channel.Application, channel.Data) = (channel.Priority + 1, "Hangup", "");
        EndCall(channel, channel.InDialplan ? 16 : 0, 0, channel.InDialplan ? 16 : null);
    }

    private void RunExtension(SimChannel channel, string exten, bool incoming)
    {
        channel.InDialplan = true;
        if (exten == "conf")
        {
            channel.Priority = 2;
            EnterRoom(channel, "room1");
            return;
        }

        if (exten is "forge" or "forgedata" or "forgenum")
        {
            // A dialplan that lets line breaks into a variable, into an application's arguments, or into the caller's number.
            string forged = Uri.UnescapeDataString(channel.Variables.GetValueOrDefault("FORGED", ""));
            if (incoming) SetState(channel, 6);
            channel.Variables["EVIL"] = exten == "forge" ? forged : "";
            (channel.Priority, channel.Application, channel.Data) = exten == "forgedata" ? (2, "Echo", forged) : (3, "Wait", "3600");
            if (exten != "forgenum") return;
            channel.Number = forged;
            Tell("NewCallerid", "call", channel.Headers() + "CID-CallingPres: 0 (Presentation Allowed, Not Screened)\r\n");
            return;
        }

        PhoneBehaviour there = PhoneBehaviour.Of(exten, isExtension: true);
        if (there.Kind == PhoneKind.Application)
        {
            if (incoming) SetState(channel, 6);
            channel.Priority = 2;
            (channel.Application, channel.Data) = there.Application!.Value;
            if (channel.Application == "MusicOnHold") StartMusic(channel);
            if (there.TalksFor is { } time) AfterRun(channel, time, () => EndItself(channel));
        }
        else if (there.Kind == PhoneKind.Ends)
        {
            After(channel, TimeSpan.Zero, () => EndCall(channel, there.Cause, 0, soft: 16));
        }
        else if (exten.StartsWith(Prompt, StringComparison.OrdinalIgnoreCase))
        {
            // Something is said before a phone is dialled.
            if (incoming) SetState(channel, 6);
            (channel.Priority, channel.Application, channel.Data) = (2, "Playback", "one-moment-please");
            AfterRun(channel, TimeSpan.FromSeconds(1), () =>
            {
                channel.Priority = 3;
                Dial(channel, "sipp-" + exten[Prompt.Length..], TimeSpan.FromSeconds(20), null, null);
            });
        }
        else
        {
            Dial(channel, PhoneBehaviour.Endpoint(exten), TimeSpan.FromSeconds(20), incoming ? () => SetState(channel, 6) : null, null);
        }
    }

    // The dialplan of a channel calls a phone, bridges both, and ends with the phone's cause.
    private void Dial(SimChannel caller, string target, TimeSpan timeout, Action? answered, Action<int, int, string>? failed)
    {
        bool transfers = !caller.Exten.StartsWith("basic-", StringComparison.OrdinalIgnoreCase);
        (caller.Application, caller.Data) = ("Dial", $"PJSIP/{target},{(int)timeout.TotalSeconds}{(transfers ? ",tTkK" : "")}");
        PhoneBehaviour phone = PhoneBehaviour.Of(target, isExtension: false);
        if (phone.Kind is PhoneKind.Unknown or PhoneKind.Unreachable)
        {
            // No channel can be made: the caller's channel ends with "no route".
            After(caller, Moment, () =>
            {
                if (failed is not null)
                {
                    failed(3, 404, "CHANUNAVAIL");
                    return;
                }

                caller.Priority++;
                EndCall(caller, 3, 404, soft: 16);
            });
            return;
        }

        SimChannel callee = Make($"PJSIP/{target}-{Serial()}", NextId(), caller.Linkedid, 0, c => (c.Application, c.Data) = ("AppDial", "(Outgoing Line)"));
        callee.DialledBy = caller;
        caller.Callee = callee;
        caller.NoTransfers = callee.NoTransfers = !transfers;
        (callee.Number, callee.CallerName, callee.ConnectedNumber, callee.ConnectedName, callee.Exten) = (caller.Exten, caller.CallerName, caller.Number, caller.CallerName, caller.Exten);
        Tell("NewCallerid", "call", callee.Headers() + "CID-CallingPres: 0 (Presentation Allowed, Not Screened)\r\n");
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
                (caller.Bridge, callee.Bridge) = (bridge, bridge);
                (caller.WasBridged, callee.WasBridged) = (true, true);
                Tell("BridgeEnter", "call", BridgeHeaders(bridge, 1) + callee.Headers());
                Tell("BridgeEnter", "call", BridgeHeaders(bridge, 2) + caller.Headers());
                if (phone.TalksFor is { } talk) After(callee, talk, () => FarEndHangsUp(callee));
            },
            (cause, status, dialStatus, timedOut) =>
            {
                Hangup(callee, timedOut ? 0 : cause, timedOut ? 0 : status);
                caller.Callee = null;
                if (failed is not null)
                {
                    failed(cause, status, dialStatus);
                    return;
                }

                // It goes on to the Hangup() that stands below.
                caller.Records.Add(new SimRecord(caller.Application, caller.Data, callee.Name, dialStatus == "BUSY" ? "BUSY" : "NO ANSWER"));
                (caller.Application, caller.Data) = ("Hangup", "");
                caller.Priority++;
                End(caller, null, timedOut ? 16 : cause, timedOut ? 0 : cause == 21 ? 403 : status, caller.AnsweredAt is null ? "NO ANSWER" : "ANSWERED");
            });
    }

    private void FarEndHangsUp(SimChannel channel)
    {
        bool bridged = channel.Bridge is not null;
        Tell("HangupRequest", "call", channel.Headers() + (bridged != IsVersion16 ? "Cause: 16\r\n" : ""));
        EndCall(channel, bridged || IsVersion16 ? 16 : 0, 0, soft: 16);
    }

    // Ends a channel and what hangs on it: its bridge partner, the phone that it dials, the other half of a Local.
    private void EndCall(SimChannel channel, int cause, int sipStatus, int? soft)
    {
        if (channel.Gone) return;
        StopMusic(channel);
        LeaveRoom(channel);
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
            Respond(originate, null, channel.Uniqueid, 0, new SimCaller(channel.Number, channel.CallerName, channel.AccountCode));
        }

        SimChannel? partner = caller.Callee is { Gone: false } other ? other : null;
        bool talked = caller.Bridge is not null;
        if (talked && partner is not null)
        {
            // Who hangs up leaves first.
            Tell("BridgeLeave", "call", BridgeHeaders(caller.Bridge!, 1) + channel.Headers());
            Tell("BridgeLeave", "call", BridgeHeaders(caller.Bridge!, 0) + (channel == caller ? partner : caller).Headers());
            if (caller.InDialplan) Tell("SoftHangupRequest", "call", caller.Headers() + $"Cause: {soft}\r\n");
            Tell("BridgeDestroy", "call", BridgeHeaders(caller.Bridge!, 0));
        }
        else
        {
            if (partner is not null) Tell("DialEnd", "call", caller.Headers() + partner.Headers("Dest") + $"DialStatus: {(channel == partner ? "NOANSWER" : "CANCEL")}\r\n");
            if (soft is not null && (caller.InDialplan || caller.Originated)) Tell("SoftHangupRequest", "call", caller.Headers() + $"Cause: {soft}\r\n");
        }

        if (partner is not null && !talked) Hangup(partner, cause, cause == 17 ? 486 : 0);
        End(caller, partner, cause, sipStatus, caller.AnsweredAt is null ? "NO ANSWER" : partner is not null && !talked ? "NO ANSWER" : "ANSWERED", said: true);
        SimChannel? above = caller.Twin is { DialledBy: { Gone: false } waits } ? waits : null;
        if (partner is not null)
        {
            if (partner is { Gone: false, InDialplan: true })
            {
                Tell("SoftHangupRequest", "call", partner.Headers() + "Cause: 16\r\n");
                Record(partner, null, "ANSWERED");
            }

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
        Hangup(channel, cause, sipStatus);
        if (twin is null) return;
        Tell("SoftHangupRequest", "call", twin.Headers() + "Cause: 16\r\n");
        if (twin.Callee is { Gone: false } further) Hangup(further, cause, 0);
        Record(twin, null, twin.AnsweredAt is null ? "NO ANSWER" : "ANSWERED");
        Hangup(twin, cause, 0);
    }

    private static string BridgeHeaders(string id, int channels) =>
        $"BridgeUniqueid: {id}\r\nBridgeType: basic\r\nBridgeTechnology: simple_bridge\r\nBridgeCreator: <unknown>\r\nBridgeName: <unknown>\r\nBridgeNumChannels: {channels}\r\nBridgeVideoSourceMode: none\r\n";
}
