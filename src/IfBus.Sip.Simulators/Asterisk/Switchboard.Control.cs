namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>The part of the switchboard that moves living calls: Redirect, Bridge, transfers, rooms, recordings.</summary>
internal sealed partial class Switchboard
{
    private readonly Dictionary<string, SimRoom> _rooms = new(StringComparer.Ordinal);
    private readonly HashSet<(string Context, string Exten, int Priority)> _added = [];
    private long _monitors;

    /// <summary>The feature code of attended transfers, and the one that gives them up (features.conf of the recordings).</summary>
    public const string TransferCode = "*2", AbortCode = "*1";

    /// <summary>The context in which everything but <see cref="AddExtension"/>'s lives.</summary>
    private const string AddedContext = "ifbus-sip";

    public IReadOnlyDictionary<string, SimRoom> Rooms => _rooms;

    /// <summary>DialplanExtensionAdd. Only what our own adapter adds is given a meaning: hold, answer, and _r. for rooms.</summary>
    public void AddExtension(string context, string exten, int priority) => _added.Add((context, exten, priority));

    /// <summary>DIALPLAN_EXISTS.</summary>
    public bool Exists(string context, string exten, int priority)
    {
        if (_added.Any(a => a.Context == context)) return _added.Contains((context, exten, priority)) || (exten.StartsWith('r') && _added.Contains((context, "_r.", priority)));
        return IsName(exten) && IsName(context) && context != AddedContext && !context.StartsWith("nosuch", StringComparison.Ordinal) && priority == 1 && (PhoneBehaviour.Of(exten, isExtension: true).Kind != PhoneKind.Unknown || PhoneBehaviour.Bare(exten) != exten);
    }

    /// <summary>The steps of an extension, as they stand in the dialplan; none if there is no such extension.</summary>
    public (string Exten, (string Application, string Data)[] Steps) Dialplan(string context, string exten)
    {
        if (!Exists(context, exten, 1)) return (exten, []);
        if (exten.StartsWith(Prompt, StringComparison.OrdinalIgnoreCase)) return ("_prompt-.", [("Answer", ""), ("Playback", "one-moment-please"), ("Dial", "PJSIP/sipp-${EXTEN:7},20,tTkK"), ("Hangup", "")]);
        PhoneBehaviour there = PhoneBehaviour.Of(exten, isExtension: true);
        return there.Kind switch
        {
            PhoneKind.Application => (exten, [("Answer", ""), there.Application!.Value, ("Hangup", "")]),
            PhoneKind.Ends => (exten, [("Hangup", "")]),
            _ => (exten, [("Dial", $"PJSIP/{PhoneBehaviour.Endpoint(exten)},20,tTkK"), ("Hangup", "")]),
        };
    }

    /// <summary>The channel that shares a bridge with another.</summary>
    public SimChannel? PartnerOf(SimChannel channel) =>
        channel.Bridge is not { } bridge ? null
        : channel.Callee is { Gone: false } callee && callee.Bridge == bridge ? callee
        : channel.DialledBy is { Gone: false } caller && caller.Bridge == bridge ? caller
        : _channels.Values.FirstOrDefault(c => c != channel && c.Bridge == bridge);

    /// <summary>The Redirect action, of one channel or of two at once. Whom the one talked with, or was calling, is dropped.</summary>
    public void Redirect(SimChannel channel, string context, string exten, SimChannel? extra, string extraContext, string extraExten)
    {
        // A channel in a bridge knows where it goes before it leaves.
        if (channel.Bridge is not null) (channel.Context, channel.Exten, channel.Priority) = (context, exten, 1);
        if (extra?.Bridge is not null) (extra.Context, extra.Exten, extra.Priority) = (extraContext, extraExten, 1);
        SimChannel? partner = Separate(channel);
        if (extra is not null && extra != partner) Separate(extra);
        if (partner is not null && partner != extra) EndCall(partner, 16, 0, soft: 16);
        Run(channel, context, exten);
        if (extra is { Gone: false }) Run(extra, extraContext, extraExten);
    }

    /// <summary>The Bridge action.</summary>
    public void Join(SimChannel one, SimChannel other)
    {
        Separate(one);
        Separate(other);
        string bridge = Guid.NewGuid().ToString();
        Tell("BridgeCreate", "call", BridgeHeaders(bridge, 0));
        foreach (SimChannel channel in new[] { one, other })
        {
            channel.Run++;
            StopMusic(channel);
            (channel.Bridge, channel.WasBridged) = (bridge, true);
            if (channel.Application.Length > 0) channel.Records.Add(new SimRecord(channel.Application, channel.Data, channel == one ? other.Name : null, "ANSWERED"));
            (channel.Application, channel.Data) = ("", "");
            channel.Priority++;
            Tell("BridgeEnter", "call", BridgeHeaders(bridge, channel == one ? 1 : 2) + channel.Headers());
        }

        // The first is taken out of its dialplan for good, the second goes on in it.
        one.InDialplan = false;
        (one.Callee, other.DialledBy) = (other, one);
    }

    /// <summary>The BlindTransfer action, of a channel in a bridge: its partner goes, it is hung up.</summary>
    public void TransferBlind(SimChannel transferer, string context, string exten)
    {
        SimChannel partner = PartnerOf(transferer)!;
        string bridge = transferer.Bridge!;
        Tell("Unhold", "call", transferer.Headers());
        NoteDial(transferer, partner);
        Tell("BridgeLeave", "call", BridgeHeaders(bridge, 1) + transferer.Headers());
        Tell("BlindTransfer", "call", "Result: Success\r\n" + transferer.Headers("Transferer") + partner.Headers("Transferee") + BridgeHeaders(bridge, 2) + $"IsExternal: Yes\r\nContext: {context}\r\nExtension: {exten}\r\n");
        (partner.Context, partner.Exten, partner.Priority) = (context, exten, 1);
        Tell("BridgeLeave", "call", BridgeHeaders(bridge, 0) + partner.Headers());
        Tell("BridgeDestroy", "call", BridgeHeaders(bridge, 0));
        Unlink(transferer, partner);
        EndCall(transferer, 16, 0, soft: 16);
        Run(partner, context, exten);
    }

    /// <summary>The Atxfer action: types code and number on the channel, and what follows of it where the call allows transfers.</summary>
    public void Consult(SimChannel transferer, string context, string exten)
    {
        SimChannel? other = PartnerOf(transferer);
        string typed = TransferCode + exten;
        bool allowed = other is not null && transferer.Consult is null && exten.All(char.IsAsciiDigit) && !transferer.NoTransfers;
        for (int i = 0; i < typed.Length; i++)
        {
            int at = i;
            After(transferer, Moment * (i + 1), () =>
            {
                Play(transferer, typed[at], receive: true);
                if (!allowed) return;
                if (at == TransferCode.Length - 1)
                {
                    Tell("Hold", "call", transferer.Headers());
                    StartMusic(other!);
                }

                if (at == typed.Length - 1) StartConsultation(transferer, other!, context, exten);
            });
        }
    }

    /// <summary>The CancelAtxfer action.</summary>
    public void CancelConsultation(SimChannel transferer)
    {
        for (int i = 0; i < AbortCode.Length; i++)
        {
            int at = i;
            After(transferer, Moment * (i + 1), () =>
            {
                Play(transferer, AbortCode[at], receive: true);
                if (at == AbortCode.Length - 1) EndConsultation(transferer);
            });
        }
    }

    /// <summary>A DTMF event pair.</summary>
    public void Digit(SimChannel channel, char digit, string direction)
    {
        Tell("DTMFBegin", "dtmf", channel.Headers() + $"Digit: {digit}\r\nDirection: {direction}\r\n");
        Tell("DTMFEnd", "dtmf", channel.Headers() + $"Digit: {digit}\r\nDurationMs: 100\r\nDirection: {direction}\r\n");
    }

    /// <summary>The PlayDTMF action: to the channel, of which the other half of a Local hears it; or as if the channel had sent it, of which only the end is told.</summary>
    public void Play(SimChannel channel, char digit, bool receive)
    {
        if (receive) Tell("DTMFEnd", "dtmf", channel.Headers() + $"Digit: {digit}\r\nDurationMs: 100\r\nDirection: Received\r\n");
        else if (channel.Twin is { Gone: false } half) Digit(half, digit, "Received");
        else Digit(channel, digit, "Sent");
    }

    /// <summary>The MixMonitor action; returns the id.</summary>
    public string StartMonitor(SimChannel channel, string file)
    {
        string id = $"0x{0x7f0000001000 + (++_monitors * 0x40):x}";
        channel.Monitors.Add(id);
        channel.Variables["MIXMONITOR_FILENAME"] = "/var/spool/asterisk/monitor/" + file;
        Tell("MixMonitorStart", "call", channel.Headers());
        return id;
    }

    /// <summary>The StopMixMonitor action; without an id one of them.</summary>
    public bool StopMonitor(SimChannel channel, string id)
    {
        string? found = id.Length == 0 ? channel.Monitors.FirstOrDefault() : channel.Monitors.Find(m => m == id);
        if (found is null) return false;
        channel.Monitors.Remove(found);
        channel.MutedMonitors.Remove(found);
        Tell("MixMonitorStop", "call", channel.Headers());
        return true;
    }

    /// <summary>The MixMonitorMute action. 22 takes an id and mutes all of the channel without one; 16 knows no id and mutes the first.</summary>
    public bool MuteMonitor(SimChannel channel, string id, bool muted)
    {
        string[] meant = [.. IsVersion16 ? channel.Monitors.Take(1) : channel.Monitors.Where(m => id.Length == 0 || m == id)];
        foreach (string monitor in meant)
        {
            if (muted) channel.MutedMonitors.Add(monitor);
            else channel.MutedMonitors.Remove(monitor);
        }

        return meant.Length > 0;
    }

    /// <summary>Puts somebody out of a room; its dialplan ends there.</summary>
    public void Kick(SimRoom room, SimChannel channel)
    {
        LeaveRoom(channel);
        EndCall(channel, 16, 0, soft: 16);
    }

    /// <summary>Headers of a room.</summary>
    public static string RoomHeaders(SimRoom room) => $"Conference: {room.Name}\r\n" + RoomBridgeHeaders(room);

    private static string RoomBridgeHeaders(SimRoom room) =>
        $"BridgeUniqueid: {room.Bridge}\r\nBridgeType: base\r\nBridgeTechnology: softmix\r\nBridgeCreator: ConfBridge\r\nBridgeName: {room.Name}\r\nBridgeNumChannels: {room.Channels}\r\nBridgeVideoSourceMode: none\r\n";

    private void Run(SimChannel channel, string context, string exten)
    {
        channel.Run++;
        StopMusic(channel);
        if (channel.Room is not null) LeaveRoom(channel);
        if (Exists(context, exten, 1)) (channel.Context, channel.Exten, channel.Priority) = (context, exten, 1);
        channel.InDialplan = true;
        if (_added.Any(a => a.Context == context))
        {
            if (exten == "hold") EnterMusic(channel);
            else if (exten == "answer") RunAnswer(channel);
            else if (exten.StartsWith('r') && Exists(context, exten, 1)) EnterRoom(channel, exten[1..]);
            else EndCall(channel, 0, 0, soft: 16);
        }
        else if (!Exists(context, exten, 1))
        {
            EndCall(channel, channel.WasBridged ? 16 : 0, 0, soft: 16);
        }
        else
        {
            RunExtension(channel, exten, incoming: channel.State != 6);
        }
    }

    private void RunAnswer(SimChannel channel)
    {
        if (channel.State != 6) SetState(channel, 6);
        (channel.Application, channel.Data, channel.Priority) = ("Wait", "86400", 2);
    }

    private void EnterMusic(SimChannel channel)
    {
        (channel.Application, channel.Data) = ("MusicOnHold", "");
        StartMusic(channel);
    }

    private void StartMusic(SimChannel channel)
    {
        if (channel.HearsMusic) return;
        channel.HearsMusic = true;
        Tell("MusicOnHoldStart", "call", channel.Headers() + "Class: default\r\n");
    }

    private void StopMusic(SimChannel channel)
    {
        if (!channel.HearsMusic) return;
        channel.HearsMusic = false;
        Tell("MusicOnHoldStop", "call", channel.Headers());
    }

    private void EnterRoom(SimChannel channel, string name)
    {
        (channel.Application, channel.Data) = ("ConfBridge", name);
        if (channel.State != 6) SetState(channel, 6);
        if (!_rooms.TryGetValue(name, out SimRoom? room))
        {
            room = new SimRoom(name, Guid.NewGuid().ToString());
            _rooms.Add(name, room);
            Tell("BridgeCreate", "call", RoomBridgeHeaders(room));
            room.IsOpen = true;
            Tell("ConfbridgeStart", "call", RoomHeaders(room));
        }
        else if (room.Locked)
        {
            EndCall(channel, 0, 0, soft: 16);
            return;
        }

        room.Members.Add(channel);
        channel.Room = room;
        channel.EnteredAt = Now;
        Tell("BridgeEnter", "call", RoomBridgeHeaders(room) + channel.Headers());
        Tell("ConfbridgeJoin", "call", RoomHeaders(room) + channel.Headers() + "Admin: No\r\nMuted: No\r\n");
    }

    private void LeaveRoom(SimChannel channel)
    {
        if (channel.Room is not { } room) return;
        channel.Room = null;
        Tell("ConfbridgeLeave", "call", RoomHeaders(room) + channel.Headers() + "Admin: No\r\n");
        room.Members.Remove(channel);
        room.Muted.Remove(channel);
        Tell("BridgeLeave", "call", RoomBridgeHeaders(room) + channel.Headers());
        if (room.Members.Count > 0) return;
        _rooms.Remove(room.Name);
        Tell("ConfbridgeEnd", "call", RoomHeaders(room));
        room.IsOpen = false;
        Tell("BridgeDestroy", "call", RoomBridgeHeaders(room));
    }

    // Takes a channel out of its bridge, or ends its dialling; returns whom it talked with.
    private SimChannel? Separate(SimChannel channel)
    {
        if (channel.Consult is not null) EndConsultation(channel);
        SimChannel? partner = PartnerOf(channel);
        if (partner is not null)
        {
            string bridge = channel.Bridge!;
            NoteDial(channel, partner);
            Tell("BridgeLeave", "call", BridgeHeaders(bridge, 1) + channel.Headers());
            Tell("BridgeLeave", "call", BridgeHeaders(bridge, 0) + partner.Headers());
            Tell("BridgeDestroy", "call", BridgeHeaders(bridge, 0));
            Unlink(channel, partner);
        }
        else if (channel.Callee is { Gone: false } ringing)
        {
            Tell("DialEnd", "call", channel.Headers() + ringing.Headers("Dest") + "DialStatus: CANCEL\r\n");
            Hangup(ringing, 0, 0);
            channel.Callee = null;
        }

        return partner;
    }

    // A Dial that is left has a detail record of its own.
    private static void NoteDial(SimChannel one, SimChannel other)
    {
        foreach ((SimChannel caller, SimChannel callee) in new[] { (one, other), (other, one) })
        {
            if (caller.Application != "Dial" || caller.Callee != callee) continue;
            caller.Records.Add(new SimRecord(caller.Application, caller.Data, callee.Name, "ANSWERED"));
            (caller.Application, caller.Data) = ("", "");
        }
    }

    private static void Unlink(SimChannel one, SimChannel other)
    {
        (one.Bridge, other.Bridge) = (null, null);
        foreach (SimChannel channel in new[] { one, other })
        {
            if (channel.Callee == one || channel.Callee == other) channel.Callee = null;
            if (channel.DialledBy == one || channel.DialledBy == other) channel.DialledBy = null;
        }
    }

    private void StartConsultation(SimChannel transferer, SimChannel other, string context, string exten)
    {
        (SimChannel one, SimChannel two) = MakeLocal(exten, context, NextId(), NextId(), transferer.Linkedid);
        var consult = new SimConsult(other, one, two, transferer.Bridge!, Guid.NewGuid().ToString());
        transferer.Consult = consult;
        two.ConsultedBy = transferer;
        Tell("BridgeCreate", "call", BridgeHeaders(consult.NewBridge, 0));
        TellLocalBridge(one, two);
        Tell("BridgeEnter", "call", BridgeHeaders(consult.NewBridge, 1) + one.Headers());
        Tell("BridgeLeave", "call", BridgeHeaders(consult.OldBridge, 1) + transferer.Headers());
        Tell("BridgeEnter", "call", BridgeHeaders(consult.NewBridge, 2) + transferer.Headers());
        (one.Bridge, transferer.Bridge) = (consult.NewBridge, consult.NewBridge);
        void Answered()
        {
            SetState(two, 6);
            SetState(one, 6);
            consult.Answered = true;
            Tell("DialEnd", "call", one.Headers("Dest") + "DialStatus: ANSWER\r\n");
        }

        PhoneBehaviour there = PhoneBehaviour.Of(exten, isExtension: true);
        if (there.Kind == PhoneKind.Application)
        {
            (two.Application, two.Data) = there.Application!.Value;
            Answered();
        }
        else if (there.Kind is PhoneKind.Ends or PhoneKind.Unknown)
        {
            EndConsultation(transferer);
        }
        else
        {
            Dial(two, PhoneBehaviour.Endpoint(exten), TimeSpan.FromSeconds(20), Answered, (_, _, _) => EndConsultation(transferer));
        }
    }

    // The transferer goes back to whom it talked with.
    private void EndConsultation(SimChannel transferer)
    {
        if (transferer.Consult is not { } consult) return;
        transferer.Consult = null;
        Tell("BridgeLeave", "call", BridgeHeaders(consult.NewBridge, 1) + transferer.Headers());
        transferer.Bridge = consult.OldBridge;
        Tell("BridgeEnter", "call", BridgeHeaders(consult.OldBridge, 2) + transferer.Headers());
        StopMusic(consult.Other);
        Tell("Unhold", "call", transferer.Headers());
        consult.One.Bridge = null;
        EndCall(consult.Two, 16, 0, soft: 16);
        if (!consult.One.Gone) EndCall(consult.One, 16, 0, soft: 16);
    }

    // The transferer hangs up after the destination has answered: the other two are together.
    private void CompleteConsultation(SimChannel transferer)
    {
        SimConsult consult = transferer.Consult!;
        transferer.Consult = null;
        Tell("BridgeLeave", "call", BridgeHeaders(consult.NewBridge, 1) + transferer.Headers());
        Tell("BridgeLeave", "call", BridgeHeaders(consult.NewBridge, 0) + consult.One.Headers());
        Tell("BridgeEnter", "call", BridgeHeaders(consult.OldBridge, 2) + consult.One.Headers());
        StopMusic(consult.Other);
        Tell(
            "AttendedTransfer", "call",
            "Result: Success\r\n" + transferer.Headers("OrigTransferer") + $"OrigBridgeUniqueid: {consult.OldBridge}\r\n" + transferer.Headers("SecondTransferer")
            + $"SecondBridgeUniqueid: {consult.NewBridge}\r\n" + consult.Other.Headers("Transferee") + $"DestType: Bridge\r\nDestBridgeUniqueid: {consult.OldBridge}\r\n");
        Tell("BridgeDestroy", "call", BridgeHeaders(consult.NewBridge, 0));
        Unlink(transferer, consult.Other);
        (consult.Other.Bridge, consult.One.Bridge) = (consult.OldBridge, consult.OldBridge);
        (consult.Other.Callee, consult.One.DialledBy) = (consult.One, consult.Other);
    }
}
