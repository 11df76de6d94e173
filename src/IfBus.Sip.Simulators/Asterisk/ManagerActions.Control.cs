using System.Globalization;
using System.Text;

namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>The actions that move and record living calls, and tell what the server knows; texts as recorded from 22.10.</summary>
internal static partial class ManagerActions
{
    // False if the action is none of these.
    private static bool RunControl(string name, ManagerAction action, ManagerConnection connection, Switchboard board)
    {
        switch (name)
        {
            case "Redirect":
                Redirect(action, connection, board);
                break;
            case "Bridge":
                if (board.Find(action["Channel1"]) is not { } one) connection.Reply(action, "Error", "Channel1 does not exists: " + action["Channel1"]);
                else if (board.Find(action["Channel2"]) is not { } other) connection.Reply(action, "Error", "Channel2 does not exists: " + action["Channel2"]);
                else
                {
                    connection.Reply(action, "Success", "Channels have been bridged");
                    board.Join(one, other);
                }

                break;
            case "BlindTransfer":
                TransferBlind(action, connection, board);
                break;
            case "Atxfer" or "CancelAtxfer":
                if (board.Find(action["Channel"]) is not { } transferer) connection.Reply(action, "Error", "Channel specified does not exist");
                else
                {
                    connection.Reply(action, "Success", name + " successfully queued");
                    if (name == "Atxfer") board.Consult(transferer, action["Context"], action["Exten"]);
                    else board.CancelConsultation(transferer);
                }

                break;
            case "MixMonitor" or "StopMixMonitor" or "MixMonitorMute":
                Monitor(name, action, connection, board);
                break;
            case "PlayDTMF":
                if (board.Find(action["Channel"]) is not { } played) connection.Reply(action, "Error", "Channel not found");
                else if (action["Digit"].Length == 0) connection.Reply(action, "Error", "No digit specified");
                else
                {
                    connection.Reply(action, "Success", "DTMF successfully queued");
                    board.Play(played, action["Digit"][0], IsTrue(action["Receive"]));
                }

                break;
            case "DialplanExtensionAdd":
                if (!int.TryParse(action["Priority"], NumberStyles.None, CultureInfo.InvariantCulture, out int priority) || action["Application"].Length == 0) connection.Reply(action, "Error", "The priority specified was invalid.");
                else
                {
                    board.AddExtension(action["Context"], action["Extension"], priority);
                    connection.Reply(action, "Success", "Added requested extension");
                }

                break;
            case "PJSIPShowContacts":
                connection.Reply(action, "Error", "No Contacts found\n");
                break;
            case "PJSIPShowAors":
                List(action, connection, "A listing of AORs follows, presented as AorList events", "AorListComplete", Phones.Select(p => $"Event: AorList\r\n{action.IdHeader}ObjectType: aor\r\nObjectName: {p}\r\nMaxContacts: 0\r\nContacts: {p}/sip:{p}@127.0.0.1:5080\r\n"));
                break;
            case "PJSIPShowEndpoints":
                List(action, connection, "A listing of Endpoints follows, presented as EndpointList events", "EndpointListComplete", Phones.Append("unreach").Select(p =>
                {
                    int up = board.Channels.Count(c => c.Name.StartsWith($"PJSIP/{p}-", StringComparison.Ordinal));
                    return $"Event: EndpointList\r\n{action.IdHeader}ObjectType: endpoint\r\nObjectName: {p}\r\nTransport: transport-udp\r\nAor: {p}\r\nAuths: \r\nOutboundAuths: \r\nContacts: {p}/sip:{p}@127.0.0.1:5080,\r\n"
                        + $"DeviceState: {(p == "unreach" ? "Unavailable" : up > 0 ? "In use" : "Not in use")}\r\nActiveChannels: {up}\r\n";
                }));
                break;
            case "QueueStatus":
                bool wanted = action["Queue"].Length == 0 || action["Queue"] == "q1";
                SimChannel[] waiting = [.. board.Channels.Where(c => c is { Application: "Queue", Data: "q1" }).OrderBy(c => c.AnsweredAt)];
                List(action, connection, "Queue status will follow", "QueueStatusComplete", wanted
                    ? [
                        $"Event: QueueParams\r\nQueue: q1\r\nMax: 0\r\nStrategy: ringall\r\nCalls: {waiting.Length}\r\nHoldtime: 0\r\nTalkTime: 0\r\nCompleted: 0\r\nAbandoned: 0\r\nServiceLevel: 0\r\nServicelevelPerf: 0.0\r\nServicelevelPerf2: 0.0\r\nWeight: 0\r\n{action.IdHeader}",
                        $"Event: QueueMember\r\nQueue: q1\r\nName: Ringer\r\nLocation: Local/ring@ifbus\r\nStateInterface: Local/ring@ifbus\r\nMembership: static\r\nPenalty: 0\r\nCallsTaken: 0\r\nLastCall: 0\r\nLastPause: 0\r\nLoginTime: 0\r\nInCall: 0\r\nStatus: 1\r\nPaused: 0\r\nPausedReason: \r\nWrapuptime: 0\r\n{action.IdHeader}",
                        .. waiting.Select((c, i) =>
                            $"Event: QueueEntry\r\nQueue: q1\r\nPosition: {i + 1}\r\nChannel: {c.Name}\r\nUniqueid: {c.Uniqueid}\r\nCallerIDNum: {c.Number}\r\nCallerIDName: {c.CallerName}\r\nConnectedLineNum: {c.ConnectedNumber}\r\nConnectedLineName: {c.ConnectedName}\r\n"
                            + $"Wait: {(int)(board.Now - (c.AnsweredAt ?? board.Now)).TotalSeconds}\r\nPriority: 0\r\n{action.IdHeader}"),
                    ]
                    : []);
                break;
            default:
                if (!name.StartsWith("Confbridge", StringComparison.Ordinal)) return false;
                Conference(name, action, connection, board);
                break;
        }

        return true;
    }

    private static readonly string[] Phones = ["1001", "1002"];

    private static void Redirect(ManagerAction action, ManagerConnection connection, Switchboard board)
    {
        SimChannel? extra = null;
        if (action["Context"].Length == 0)
        {
            connection.Reply(action, "Error", "Context not specified");
        }
        else if (board.Find(action["Channel"]) is not { } channel)
        {
            connection.Reply(action, "Error", $"Channel does not exist: {action["Channel"]}");
        }
        else if (action["ExtraChannel"].Length > 0 && (extra = board.Find(action["ExtraChannel"])) is null)
        {
            connection.Reply(action, "Error", $"ExtraChannel does not exist: {action["ExtraChannel"]}");
        }
        else
        {
            connection.Reply(action, "Success", extra is null ? "Redirect successful" : "Dual Redirect successful");
            board.Redirect(channel, action["Context"], action["Exten"], extra, action["ExtraContext"], action["ExtraExten"]);
        }
    }

    private static void TransferBlind(ManagerAction action, ManagerConnection connection, Switchboard board)
    {
        if (board.Find(action["Channel"]) is not { } channel)
        {
            connection.Reply(action, "Error", "Channel specified does not exist");
        }
        else if (board.PartnerOf(channel) is null)
        {
            connection.Reply(action, "Error", "Transfer invalid");
            board.Tell("BlindTransfer", "call", $"Result: Invalid\r\n{channel.Headers("Transferer")}IsExternal: Yes\r\nContext: {action["Context"]}\r\nExtension: {action["Exten"]}\r\n");
        }
        else
        {
            connection.Reply(action, "Success", "Transfer succeeded");
            board.TransferBlind(channel, action["Context"], action["Exten"]);
        }
    }

    private static void Monitor(string name, ManagerAction action, ManagerConnection connection, Switchboard board)
    {
        if (board.Find(action["Channel"]) is not { } channel)
        {
            connection.Reply(action, "Error", "No such channel");
        }
        else if (name == "MixMonitor")
        {
            if (action["File"].Length == 0)
            {
                connection.Reply(action, "Error", "Could not start monitoring channel");
                return;
            }

            string id = board.StartMonitor(channel, action["File"]);
            string options = action["Options"];
            bool tells = options.StartsWith("i(", StringComparison.Ordinal) && options.EndsWith(')');
            if (tells) channel.Variables[options[2..^1]] = id;
            connection.Reply(action, "Success", null, tells ? $"MixMonitorID: {id}\r\n" : "");
        }
        else if (name == "StopMixMonitor")
        {
            if (board.StopMonitor(channel, action["MixMonitorID"])) connection.Reply(action, "Success", null);
            else connection.Reply(action, "Error", "Could not stop monitoring channel");
        }
        else if (action["Direction"] is not ("read" or "write" or "both"))
        {
            connection.Reply(action, "Error", "Invalid direction specified. Must be read, write or both");
        }
        else if (!board.MuteMonitor(channel, action["MixMonitorID"], action["State"] == "1"))
        {
            connection.Reply(action, "Error", "Cannot set mute flag");
        }
        else
        {
            connection.Reply(action, "Success", null);
            board.Tell("MixMonitorMute", "call", channel.Headers() + $"Direction: {action["Direction"]}\r\nState: {action["State"]}\r\n");
        }
    }

    private static void Conference(string name, ManagerAction action, ManagerConnection connection, Switchboard board)
    {
        bool listing = name is "ConfbridgeListRooms" or "ConfbridgeList";
        if (board.Rooms.Count == 0)
        {
            connection.Reply(action, "Error", "No active conferences.");
            return;
        }

        if (name == "ConfbridgeListRooms")
        {
            List(action, connection, "Confbridge conferences will follow", "ConfbridgeListRoomsComplete", board.Rooms.Values.Select(r =>
                $"Event: ConfbridgeListRooms\r\n{action.IdHeader}Conference: {r.Name}\r\nParties: {r.Members.Count}\r\nMarked: 0\r\nLocked: {(r.Locked ? "Yes" : "No")}\r\nMuted: No\r\n"));
            return;
        }

        if (!board.Rooms.TryGetValue(action["Conference"], out SimRoom? room))
        {
            connection.Reply(action, "Error", listing ? "No active conferences." : "No Conference by that name found.");
            return;
        }

        string who = action["Channel"];
        bool everybody = who.Equals("all", StringComparison.OrdinalIgnoreCase) || who.Equals("participants", StringComparison.OrdinalIgnoreCase);
        // Mute and unmute take the first whose name begins so, Kick takes the whole name.
        SimChannel[] members = everybody ? [.. room.Members] : [.. room.Members.Where(m => name == "ConfbridgeKick" ? m.Name == who : m.Name.StartsWith(who, StringComparison.OrdinalIgnoreCase)).Take(1)];
        switch (name)
        {
            case "ConfbridgeList":
                List(action, connection, "Confbridge user list will follow", "ConfbridgeListComplete", room.Members.Select(m =>
                    $"Event: ConfbridgeList\r\n{action.IdHeader}Conference: {room.Name}\r\nAdmin: No\r\nMarkedUser: No\r\nWaitMarked: No\r\nEndMarked: No\r\n{(board.IsVersion16 ? "" : "EndMarkedAny: No\r\n")}Waiting: No\r\nMuted: {(room.Muted.Contains(m) ? "Yes" : "No")}\r\nTalking: No\r\n"
                    + $"AnsweredTime: {(int)(board.Now - (m.EnteredAt ?? board.Now)).TotalSeconds}\r\n{m.Headers()}"));
                break;
            case "ConfbridgeLock" or "ConfbridgeUnlock":
                room.Locked = name == "ConfbridgeLock";
                connection.Reply(action, "Success", room.Locked ? "Conference locked" : "Conference unlocked");
                break;
            case "ConfbridgeStartRecord":
                if (room.Recording) connection.Reply(action, "Error", "Conference is already being recorded.");
                else
                {
                    room.Recording = true;
                    connection.Reply(action, "Success", "Conference Recording Started.");
                    board.Tell("ConfbridgeRecord", "call", Switchboard.RoomHeaders(room));
                }

                break;
            case "ConfbridgeStopRecord":
                if (!room.Recording) connection.Reply(action, "Error", "Internal error while stopping recording.");
                else
                {
                    connection.Reply(action, "Success", "Conference Recording Stopped.");
                    board.Tell("ConfbridgeStopRecord", "call", Switchboard.RoomHeaders(room));
                    room.Recording = false;
                }

                break;
            default:
                if (who.Length == 0)
                {
                    connection.Reply(action, "Error", "No channel name provided.");
                    return;
                }

                if (members.Length == 0)
                {
                    connection.Reply(action, "Error", "No Channel by that name found in Conference.");
                    return;
                }

                if (name == "ConfbridgeKick")
                {
                    connection.Reply(action, "Success", everybody ? "All participants kicked" : "User kicked");
                    foreach (SimChannel member in members) board.Kick(room, member);
                    return;
                }

                bool mute = name == "ConfbridgeMute";
                connection.Reply(action, "Success", mute ? "User muted" : "User unmuted");
                foreach (SimChannel member in members)
                {
                    if (mute) room.Muted.Add(member);
                    else room.Muted.Remove(member);
                    board.Tell(name, "call", Switchboard.RoomHeaders(room) + member.Headers() + "Admin: No\r\n");
                }

                break;
        }
    }

    private static void ShowDialplan(ManagerAction action, ManagerConnection connection, Switchboard board)
    {
        string context = action["Context"], exten = action["Extension"];
        (string Exten, (string Application, string Data)[] Steps) there = board.Dialplan(context, exten);
        if (there.Steps.Length == 0)
        {
            connection.Reply(action, "Error", $"Did not find extension {exten}@{context}");
            return;
        }

        List(action, connection, "DialPlan list will follow", "ShowDialPlanComplete", there.Steps.Select((s, i) =>
            $"Event: ListDialplan\r\n{action.IdHeader}Context: {context}\r\nExtension: {there.Exten}\r\nPriority: {i + 1}\r\nApplication: {s.Application}\r\nAppData: {s.Data}\r\nRegistrar: pbx_config\r\n"));
    }

    private static void List(ManagerAction action, ManagerConnection connection, string message, string complete, IEnumerable<string> items)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Response: Success\r\n{action.IdHeader}EventList: start\r\nMessage: {message}\r\n\r\n");
        int count = 0;
        foreach (string item in items)
        {
            text.Append(item).Append("\r\n");
            count++;
        }

        text.Append(CultureInfo.InvariantCulture, $"Event: {complete}\r\n{action.IdHeader}EventList: Complete\r\nListItems: {count}\r\n\r\n");
        connection.Write(text.ToString());
    }

    // A function, where it is one that is asked for.
    private static string? Function(string variable, Switchboard board)
    {
        if (variable == "FEATUREMAP(atxfer)") return Switchboard.TransferCode;
        if (!variable.StartsWith("DIALPLAN_EXISTS(", StringComparison.Ordinal) || !variable.EndsWith(')')) return null;
        string[] parts = variable["DIALPLAN_EXISTS(".Length..^1].Split(',');
        return parts.Length == 3 && int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out int priority) && board.Exists(parts[0], parts[1], priority) ? "1" : "0";
    }
}
