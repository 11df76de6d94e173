namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The part of the switchboard that lets two legs talk with each other, and takes them apart.</summary>
internal sealed partial class Switchboard
{
    private const string UuidBridge = "uuid_bridge";

    /// <summary>Joins two legs, whatever they do now.</summary>
    public void BridgeLegs(FsChannel a, FsChannel b)
    {
        if (a == b)
        {
            // Said to be done, and the leg is left with nothing to do (uuid-bridge).
            NewProfile(a, $"uuid_br:{b.Uuid}");
            (a.OtherType, a.OtherProfile) = ("originatee", Other(b, live: true));
            a.Variables.Set("uuid_bridge", b.Uuid);
            SetBond(a, b);
            a.State = ChannelState.ConsumeMedia;
            Post(() =>
            {
                StopApplications(a);
                if (a.IsUp) SetRunning(a, ChannelState.ConsumeMedia);
            });
            return;
        }

        a.State = b.State = ChannelState.Hibernate;
        NewProfile(a, $"uuid_br:{b.Uuid}");
        NewProfile(b, $"uuid_br:{a.Uuid}");
        b.HitDialplan = false;
        b.Profile!.CallerNumber = a.Profile!.CallerNumber;
        (a.OtherType, a.OtherProfile) = ("originatee", Other(b, live: true));
        (b.OtherType, b.OtherProfile) = ("originator", Other(a, live: false));
        a.Variables.Set("uuid_bridge", b.Uuid);
        SetBond(a, b);
        SetBond(b, a);
        Post(() =>
        {
            foreach (FsChannel leg in new[] { a, b })
            {
                StopApplications(leg);
                LeaveBridge(leg);
                if (leg.Down) continue;
                SetRunning(leg, ChannelState.Hibernate);
                SetState(leg, ChannelState.Reset);
                SetState(leg, ChannelState.SoftExecute);
            }

            a.Variables.Set("uuid_bridge", null);
            if (a.Down || b.Down)
            {
                // One ended meanwhile: the other has nobody to talk to.
                FsChannel rest = a.Down ? b : a;
                if (rest.IsUp) HangUp(rest, Causes.NormalClearing);
                return;
            }

            TellSoftExecute(a, b, 1236);
            b.Variables.Set("call_uuid", b.Variables["call_uuid"] ?? b.Uuid);
            TellSoftExecute(b, a, 1243);
            Connect(a, b);
            b.State = ChannelState.ExchangeMedia;
            SetRunning(b, ChannelState.ExchangeMedia);
            SayWhoIsThere(a, b);
        });
    }

    /// <summary>Sends a leg to an extension, or to a list of applications if the dialplan is inline.</summary>
    public void Transfer(FsChannel c, string exten, string dialplan, string context, bool first = false)
    {
        bool inline = dialplan.Is("inline");
        c.State = ChannelState.Routing;
        c.Profile!.Times.Transferred = 0;
        string before = c.Profile.Destination;
        NewProfile(c, $"bl_xfer:{exten}/{context}/{dialplan}");
        c.Profile.Dialplan = dialplan;
        c.Profile.Context = context;
        c.Profile.Destination = exten;
        c.Profile.Rdnis = before;
        (c.OtherType, c.OtherProfile) = ("", null);
        c.Variables.Set("max_forwards", c.Variables["max_forwards"] is { } left ? ByteText.Number(left) - 1 : 70);
        Post(() =>
        {
            StopApplications(c);
            LeaveBridge(c);
            if (c.Down || c.State != ChannelState.Routing) return;
            c.HitDialplan = true;
            SetRunning(c, ChannelState.Routing);
            if (!inline)
            {
                TakeExtension(c, first);
                return;
            }

            if (first) FlipCallerId(c);

            c.Profile.Destination = before;
            c.Profile.Rdnis = "";
            SetState(c, ChannelState.Execute);
            RunList(c, Inline(exten));
        });
    }

    /// <summary>Takes a leg out of what it does, to wait.</summary>
    public void ParkLeg(FsChannel c)
    {
        c.State = ChannelState.Park;
        Post(() =>
        {
            StopApplications(c);
            LeaveBridge(c);
            if (c.IsUp) RunPark(c);
        });
    }

    /// <summary>uuid_break: what plays ends.</summary>
    public void Break(FsChannel c)
    {
        if (c.Applications.TryPeek(out RunningApplication? top) && top.Name.Is("playback")) Complete(c, top);
    }

    /// <summary>uuid_answer.</summary>
    public void Answer(FsChannel c) => MarkAnswered(c);

    /// <summary>uuid_pre_answer.</summary>
    public void PreAnswer(FsChannel c) => MarkEarlyMedia(c);

    /// <summary>Puts a leg on hold: false if it is.</summary>
    public bool Hold(FsChannel c)
    {
        if (c.CallState == CallState.Held) return false;
        // Only a phone can be told, and only then the leg is held.
        if (c.Endpoint == "sofia")
        {
            c.Profile!.Times.LastHold = Now;
            SetCallState(c, CallState.Held);
        }

        Tell(c, "CHANNEL_HOLD");
        if (c.Partner is { } partner)
            Queue(partner, () => ExecuteNow(partner, "playback", "tone_stream://%(400,2600,350);loops=-1", loops: -1));
        return true;
    }

    /// <summary>Takes a leg off hold: false if it is not.</summary>
    public bool Unhold(FsChannel c)
    {
        if (c.CallState != CallState.Held) return false;
        c.Profile!.Times.HoldAccum += Now - c.Profile.Times.LastHold;
        c.Holds.Add($"{{{c.Profile.Times.LastHold},{Now}}}");
        SetCallState(c, CallState.Unheld);
        if (c.Partner is { } partner) StopHoldMusic(partner);
        Tell(c, "CHANNEL_UNHOLD");
        SetCallState(c, CallState.Active);
        return true;
    }

    // The dialplan's bridge: calls, and joins what answers.
    private void Bridge(FsChannel c, RunningApplication app)
    {
        if (c.Answered) SetCallState(c, CallState.RingWait);
        TimeSpan limit = TimeSpan.FromSeconds(c.Variables["call_timeout"] is { } text && ByteText.Number(text) > 0 ? ByteText.Number(text) : 60);
        var attempt = new OriginateAttempt(this, new OriginateRequest(app.Data, "", "", limit, c, (leg, cause) => BridgeDone(c, app, leg, cause)));
        app.Ending = _ =>
        {
            attempt.Cancel(Causes.OriginatorCancel);
            LeaveBridge(c);
        };
        attempt.Start();
    }

    private void BridgeDone(FsChannel c, RunningApplication app, FsChannel? leg, int cause)
    {
        if (c.Down || !c.Applications.Contains(app))
        {
            if (leg is not null) HangUp(leg, Causes.OriginatorCancel);
            return;
        }

        c.Variables.Set("originate_disposition", leg is null ? Causes.Name(cause) : "SUCCESS");
        c.Variables.Set("DIALSTATUS", leg is not null ? "SUCCESS" : cause == 17 ? "BUSY" : cause == 19 ? "NOANSWER" : cause == 21 ? "DONTCALL" : Causes.Name(cause));
        if (leg is null)
        {
            if (c.Variables["originated_legs"] is { } legs) c.Variables.Set("originate_causes", $"{legs.Split(';')[0]};{Causes.Name(cause)}");
            c.Variables.Set("originate_failed_cause", Causes.Name(cause));
            c.Variables.Set("last_bridge_hangup_cause", Causes.Name(cause));
            if (c.Answered) SetCallState(c, CallState.Active);
            if (c.Variables.IsTrue("continue_on_fail")) Complete(c, app);
            else Post(() => HangUp(c, cause));
            return;
        }

        c.Variables.Set("originate_signal_bond", null);

        MarkAnswered(c);
        (c.OtherType, c.OtherProfile) = ("originatee", Other(leg, live: true));
        SetCallState(c, CallState.Active);
        c.Variables.Set("originate_causes", $"{leg.Uuid};NONE");
        c.Variables.Set("signal_bond", leg.Uuid);
        Connect(c, leg);
        leg.State = ChannelState.ExchangeMedia;
        SetRunning(leg, ChannelState.ExchangeMedia);
        SayWhoIsThere(c, leg);
    }

    private void Connect(FsChannel owner, FsChannel other)
    {
        (owner.Partner, other.Partner, owner.BridgeOwner, other.BridgeOwner) = (other, owner, true, false);
        owner.Profile!.Times.Bridged = Now;
        owner.BridgedEpoch = Now / 1_000_000;
        Tell(owner, "CHANNEL_BRIDGE", e => e.Add("Bridge-A-Unique-ID", owner.Uuid).Add("Bridge-B-Unique-ID", other.Uuid));
        other.Profile!.Times.Bridged = Now;
    }

    // Each phone is told whom it talks with.
    private void SayWhoIsThere(FsChannel a, FsChannel b)
    {
        b.Variables.Set("call_uuid", a.Variables["call_uuid"] ?? a.Uuid);
        foreach ((FsChannel leg, FsChannel other) in new[] { (a, b), (b, a) })
        {
            CallerProfile there = other.Profile!;
            (string name, string number) = other.Outbound && other.CalleeDirection.Length == 0 ? (there.CalleeName, there.CalleeNumber) : (there.CallerName, there.CallerNumber);
            leg.Variables.Set("bridge_to", other.Uuid);
            leg.Variables.Set("last_bridge_to", other.Uuid);
            leg.Variables.Set("bridge_channel", other.Name);
            leg.Variables.Set("bridge_uuid", other.Uuid);
            leg.Variables.Set("signal_bond", other.Uuid);
            leg.Variables.Set("last_sent_callee_id_name", name);
            leg.Variables.Set("last_sent_callee_id_number", number);
            if (leg.Endpoint != "sofia") continue;
            leg.SentCallee = (name, number);
            leg.CalleeDirection = "SEND";
            Tell(
                leg, "CALL_UPDATE", e => e.Add("Direction", "SEND").Add("Sent-Callee-ID-Name", name).Add("Sent-Callee-ID-Number", number).Add("Bridged-To", other.Uuid),
                source: ("mod_sofia.c", "sofia_receive_message", 2100));
        }
    }

    // A leg goes out of its bridge, on its own or because it ends; the other one goes its way.
    private void LeaveBridge(FsChannel c)
    {
        if (c.Partner is not { } other) return;
        (FsChannel owner, FsChannel second) = c.BridgeOwner ? (c, other) : (other, c);
        (c.Partner, other.Partner, c.BridgeOwner, other.BridgeOwner) = (null, null, false, false);
        second.Variables.Set("call_uuid", second.Uuid);
        foreach (FsChannel leg in new[] { c, other })
        {
            StopHoldMusic(leg);
            leg.Variables.Set("bridge_to", null);
            if (c.IsUp) leg.Variables.Set("signal_bond", null);
            if (leg == owner || leg != c) leg.Variables.Set("bridge_hangup_cause", c.Down ? Causes.Name(c.HangupCause) : "NORMAL_CLEARING");
        }

        void Unbridge() => Tell(owner, "CHANNEL_UNBRIDGE", e => e.Add("Bridge-A-Unique-ID", owner.Uuid).Add("Bridge-B-Unique-ID", second.Uuid));
        if (owner == c)
        {
            GoOn(other);
            Unbridge();
        }
        else
        {
            Unbridge();
            GoOn(other);
        }
    }

    // What a leg does whose partner has gone.
    private void GoOn(FsChannel c)
    {
        if (c.Down || c.State is ChannelState.Routing or ChannelState.Hibernate or ChannelState.Park) return;
        if (c.Variables.IsTrue("park_after_bridge"))
        {
            StopApplications(c);
            c.State = ChannelState.Park;
            RunPark(c);
        }
        else if (c.Applications.FirstOrDefault(a => a.Name.Is("bridge")) is { } bridge)
        {
            // Music on top of it ends with it.
            while (c.Applications.Peek() != bridge) EndApplication(c, hangingUp: false);
            Complete(c, bridge);
        }
        else
        {
            if (c.Running == ChannelState.SoftExecute)
            {
                StopApplications(c);
                SetState(c, ChannelState.Execute);
            }

            HangUp(c, Causes.NormalClearing);
        }
    }

    private void RunPark(FsChannel c)
    {
        SetRunning(c, ChannelState.Park);
        var park = new RunningApplication("park", "", "") { Silent = true };
        c.Applications.Push(park);
        Park(c, park);
    }

    private void StopApplications(FsChannel c)
    {
        c.Run++;
        c.Extension.Clear();
        while (c.IsUp && c.Applications.Count > 0) EndApplication(c, hangingUp: false);
    }

    private void StopHoldMusic(FsChannel c)
    {
        if (c.Applications.TryPeek(out RunningApplication? top) && top.Data.StartsWith("tone_stream://%(400,2600,350)", StringComparison.Ordinal) && c.IsUp) Complete(c, top);
    }

    private void TellSoftExecute(FsChannel c, FsChannel other, int line) => Tell(
        c, "CHANNEL_EXECUTE", after: e => e.Add("Application", UuidBridge).Add("Application-Data", other.Uuid), source: ("switch_ivr_bridge.c", "uuid_bridge_on_soft_execute", line));

    private static void SetBond(FsChannel c, FsChannel other)
    {
        c.Variables.Set("bridge_channel", other.Name);
        c.Variables.Set("bridge_uuid", other.Uuid);
        c.Variables.Set("signal_bond", other.Uuid);
        c.Variables.Set("original_destination_number", c.Profile!.Destination);
        c.Variables.Set("original_caller_id_name", c.Profile.CallerName);
        c.Variables.Set("original_caller_id_number", c.Profile.CallerNumber);
    }

    // A transfer of whatever kind begins a new profile.
    private void NewProfile(FsChannel c, string what)
    {
        CallerProfile profile = c.Profile!.Clone();
        string source = $"{Now / 1_000_000}:{ByteText.NewId()}:{what}";
        profile.Index++;
        profile.LogicalOutbound = false;
        profile.TransferSource = source;
        profile.Times = profile.Times.Clone();
        profile.Times.ProfileCreated = Now;
        c.Profile = profile;
        c.Variables.Push("transfer_history", source);
        c.Variables.Set("transfer_source", source);
    }

    // How one leg is told in the events of the other.
    private static CallerProfile Other(FsChannel c, bool live)
    {
        CallerProfile profile = c.Profile!.Clone();
        profile.Index = 0;
        profile.TransferSource = "";
        if (live) profile.LogicalOutbound = false;
        else profile.Times = new TimeTable();
        return profile;
    }

    // Called by a leg that bridges: it is the originator.
    private static void Originate(FsChannel caller, FsChannel c) => (c.OtherType, c.OtherProfile) = ("originator", Other(caller, live: false));

    private static void Describe(FsChannel caller, FsChannel c)
    {
        VariableList v = c.Variables;
        if (caller.Read is { } codec) v.Set("originator_codec", $"{codec.Name}@{codec.Rate}h@20i");
        v.Set("originator", caller.Uuid);
        v.Set("signal_bond", caller.Uuid);
        v.Set("switch_m_sdp", caller.Variables["switch_r_sdp"]);
        v.Set("call_uuid", caller.Variables["call_uuid"] ?? caller.Uuid);
        caller.Profile!.CalleeName = c.Profile!.CalleeName;
        caller.Profile.CalleeNumber = c.Profile.CalleeNumber;
        caller.Variables.Set("originate_disposition", "failure");
        caller.Variables.Set("DIALSTATUS", "INVALIDARGS");
        caller.Variables.Set("originate_signal_bond", c.Uuid);
        caller.Variables.Set("originated_legs", $"{c.Uuid};{c.Profile.CalleeName};{c.Profile.CalleeNumber}");
    }
}
