using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>What the simulated server does for each action; texts as recorded from 22.10.</summary>
internal static partial class ManagerActions
{
    // Name, classes that may use it (empty: anybody), text of ListCommands.
    private static readonly (string Name, string Classes, string Text)[] Known =
    [
        ("Atxfer", "call", "Attended transfer."),
        ("BlindTransfer", "call", "Blind transfer channel(s) to the given destination"),
        ("Bridge", "call", "Bridge two channels already in the PBX."),
        ("CancelAtxfer", "call", "Cancel an attended transfer."),
        ("Challenge", "", "Generate Challenge for MD5 Auth."),
        ("Command", "command", "Execute Asterisk CLI Command."),
        ("ConfbridgeKick", "call", "Kick a Confbridge user."),
        ("ConfbridgeList", "reporting", "List participants in a conference."),
        ("ConfbridgeListRooms", "reporting", "List active conferences."),
        ("ConfbridgeLock", "call", "Lock a Confbridge conference."),
        ("ConfbridgeMute", "call", "Mute a Confbridge user."),
        ("ConfbridgeStartRecord", "system", "Start recording a Confbridge conference."),
        ("ConfbridgeStopRecord", "system", "Stop recording a Confbridge conference."),
        ("ConfbridgeUnlock", "call", "Unlock a Confbridge conference."),
        ("ConfbridgeUnmute", "call", "Unmute a Confbridge user."),
        ("CoreSettings", "system,reporting", "Show PBX core settings (version etc)."),
        ("CoreShowChannels", "system,reporting", "List currently active channels."),
        ("CoreStatus", "system,reporting", "Show PBX core status variables."),
        ("DialplanExtensionAdd", "system", "Add an extension to the dialplan"),
        ("Events", "", "Control Event Flow."),
        ("Filter", "system", "Dynamically add filters for the current manager session."),
        ("Getvar", "call,reporting", "Gets a channel variable or function value."),
        ("Hangup", "system,call", "Hangup channel."),
        ("ListCommands", "", "List available manager commands."),
        ("Login", "", "Login Manager."),
        ("Logoff", "", "Logoff Manager."),
        ("MixMonitor", "system", "Record a call and mix the audio during the recording.  Use of StopMixMonitor is required to guarantee the audio file is available for processing during dialplan execution."),
        ("MixMonitorMute", "system,call", "Mute / unMute a Mixmonitor recording."),
        ("Originate", "originate", "Originate a call."),
        ("PJSIPShowAors", "system", "Lists PJSIP AORs."),
        ("PJSIPShowContacts", "system", "Lists PJSIP Contacts."),
        ("PJSIPShowEndpoints", "system", "Lists PJSIP endpoints."),
        ("Ping", "", "Keepalive command."),
        ("PlayDTMF", "call", "Play DTMF signal on a specific channel."),
        ("QueueStatus", "", "Show queue status."),
        ("Redirect", "call", "Redirect (transfer) a call."),
        ("Reload", "system,config", "Send a reload event."),
        ("Setvar", "call", "Sets a channel variable or function value."),
        ("ShowDialPlan", "config,reporting", "Show dialplan contexts and extensions"),
        ("Status", "system,call,reporting", "List channel status."),
        ("StopMixMonitor", "system,call", "Stop recording a call through MixMonitor, and free the recording's file handle."),
        ("UserEvent", "user", "Send an arbitrary event."),
    ];

    /// <summary>Carries an action out and replies.</summary>
    public static async Task RunAsync(ManagerAction action, ManagerConnection connection, Switchboard board, AsteriskSimulatorOptions options, CancellationToken cancellationToken)
    {
        (string Name, string Classes, string Text) known = Array.Find(Known, k => action.Is(k.Name));
        // What modules bring is not there before they are loaded.
        bool loading = !board.IsBooted && known.Name is { } module && (module.StartsWith("PJSIP", StringComparison.Ordinal) || module.StartsWith("Confbridge", StringComparison.Ordinal) || module.StartsWith("Queue", StringComparison.Ordinal) || module.Contains("MixMonitor", StringComparison.Ordinal));
        if (known.Name is null || loading)
        {
            connection.Reply(action, "Error", $"Invalid/unknown command: {action.Name}. Use Action: ListCommands to show available commands.");
            return;
        }

        if (!connection.MayUse(known.Classes))
        {
            connection.Reply(action, "Error", "Permission denied");
            return;
        }

        if (known.Name == "Originate" && !IsTrue(action["Async"]))
        {
            await OriginateAndWaitAsync(action, connection, board, cancellationToken).ConfigureAwait(false);
            return;
        }

        if (known.Name == "PlayDTMF" && board.Find(action["Channel"]) is not null)
        {
            // The digit sounds for its time, and the session does nothing else.
            int sounds = int.TryParse(action["Duration"], NumberStyles.None, CultureInfo.InvariantCulture, out int given) ? Math.Min(given, 10_000) : 100;
            await Task.Delay(TimeSpan.FromMilliseconds(sounds), options.TimeProvider, cancellationToken).ConfigureAwait(false);
        }

        lock (board.Sync)
        {
            if (!RunControl(known.Name, action, connection, board)) Run(known.Name, action, connection, board, options);
        }
    }

    private static void Run(string name, ManagerAction action, ManagerConnection connection, Switchboard board, AsteriskSimulatorOptions options)
    {
        switch (name)
        {
            case "Ping":
                double now = (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds;
                connection.Reply(action, "Success", null, string.Create(CultureInfo.InvariantCulture, $"Ping: Pong\r\nTimestamp: {now:0.000000}\r\n"));
                break;
            case "Events":
                SetMask(action, connection);
                break;
            case "ListCommands":
                connection.Reply(action, "Success", null, string.Concat(Known.Where(k => connection.MayUse(k.Classes) && (board.IsBooted || k.Classes.Length == 0))
                    .Select(k => $"{k.Name}: {k.Text}  (Priv: {(k.Classes.Length == 0 ? "<none>" : k.Classes + ",all")})\r\n")));
                break;
            case "CoreSettings":
                connection.Reply(action, "Success", null,
                    $"AMIversion: {(board.IsVersion16 ? "5.0.4" : "11.0.0")}\r\nAsteriskVersion: {options.Version}\r\nSystemName: \r\nCoreMaxCalls: 0\r\nCoreMaxLoadAvg: 0.000000\r\nCoreRunUser: \r\nCoreRunGroup: \r\n"
                    + $"CoreMaxFilehandles: 0\r\nCoreRealTimeEnabled: No\r\nCoreCDRenabled: Yes\r\nCoreHTTPenabled: No\r\n{(board.IsVersion16 ? "" : "SoundsSearchCustomDir: No\r\n")}");
                break;
            case "CoreStatus":
                string date = board.StartedAt.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture), time = board.StartedAt.ToString("HH:mm:ss", CultureInfo.InvariantCulture);
                connection.Reply(action, "Success", null,
                    $"CoreStartupDate: {date}\r\nCoreStartupTime: {time}\r\nCoreReloadDate: {date}\r\nCoreReloadTime: {time}\r\nCoreCurrentCalls: {board.Channels.Count(c => c.InDialplan)}\r\n{(board.IsVersion16 ? "" : "CoreProcessedCalls: 0\r\n")}");
                break;
            case "Reload":
                connection.Reply(action, "Success", "Module Reloaded");
                break;
            case "CoreShowChannels":
                ShowChannels(action, connection, board);
                break;
            case "Status":
                ShowStatus(action, connection, board);
                break;
            case "Originate":
                Originate(action, connection, board, null);
                break;
            case "Hangup":
                HangUp(action, connection, board);
                break;
            case "Setvar":
                SetVariable(action, connection, board);
                break;
            case "Getvar":
                string variable = action["Variable"];
                string value = Function(variable, board) ?? (action.Has("Channel") ? Of(board.Find(action["Channel"]), variable) : board.Globals.GetValueOrDefault(variable)) ?? "";
                if (variable.Length == 0) connection.Reply(action, "Error", "No variable specified");
                else if (action.Has("Channel") && board.Find(action["Channel"]) is null) connection.Reply(action, "Error", "No such channel");
                else connection.Reply(action, "Success", null, $"Variable: {variable}\r\nValue: {value}\r\n");
                break;
            case "ShowDialPlan":
                ShowDialplan(action, connection, board);
                break;
            case "Command":
                Command(action, connection, board, options);
                break;
            case "Filter":
                Filter(action, connection, board.IsVersion16);
                break;
            case "UserEvent":
                connection.Reply(action, "Success", "Event Sent");
                board.Tell("UserEvent", "user", $"UserEvent: {action["UserEvent"]}\r\n{action.IdHeader}"
                    + string.Concat(action.Headers.Where(h => !h.Key.Equals("Action", StringComparison.OrdinalIgnoreCase) && !h.Key.Equals("ActionID", StringComparison.OrdinalIgnoreCase) && !h.Key.Equals("UserEvent", StringComparison.OrdinalIgnoreCase)).Select(h => $"{h.Key}: {h.Value}\r\n")));
                break;
        }
    }

    private static void SetMask(ManagerAction action, ManagerConnection connection)
    {
        if (action["EventMask"].Length == 0)
        {
            connection.Reply(action, "Error", "Invalid event mask");
            return;
        }

        connection.Mask = ManagerConnection.ParseMask(action["EventMask"]);
        connection.Reply(action, "Success", null, $"Events: {(connection.Mask is { Count: 0 } ? "Off" : "On")}\r\n");
    }

    private static void ShowChannels(ManagerAction action, ManagerConnection connection, Switchboard board)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Response: Success\r\n{action.IdHeader}EventList: start\r\nMessage: Channels will follow\r\n\r\n");
        foreach (SimChannel channel in board.Channels)
        {
            TimeSpan age = board.Now - channel.CreatedAt;
            text.Append(CultureInfo.InvariantCulture,
                $"Event: CoreShowChannel\r\n{action.IdHeader}{channel.Headers()}Application: {channel.Application}\r\nApplicationData: {channel.Data}\r\nDuration: {(int)age.TotalHours:00}:{age:mm\\:ss}\r\nBridgeId: {channel.Bridge}\r\n\r\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"Event: CoreShowChannelsComplete\r\n{action.IdHeader}EventList: Complete\r\nListItems: {board.Channels.Count}\r\n\r\n");
        connection.Write(text.ToString());
    }

    private static void ShowStatus(ManagerAction action, ManagerConnection connection, Switchboard board)
    {
        IReadOnlyCollection<SimChannel> shown = board.Channels;
        if (action["Channel"].Length > 0)
        {
            if (board.Find(action["Channel"]) is not { } one)
            {
                connection.Reply(action, "Error", "No such channel");
                return;
            }

            shown = [one];
        }

        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"Response: Success\r\n{action.IdHeader}EventList: start\r\nMessage: Channel status will follow\r\n\r\n");
        foreach (SimChannel channel in shown)
        {
            string format = channel.Name.StartsWith("Local/", StringComparison.Ordinal) ? "slin" : "ulaw";
            IEnumerable<string> wanted = action["AllVariables"].Length > 0 ? channel.Variables.Keys : action["Variables"].Split(',', StringSplitOptions.RemoveEmptyEntries);
            string variables = string.Concat(wanted.Select(v => $"Variable: {v}={(v == "CHANNEL(state)" ? channel.Word : channel.Variables.GetValueOrDefault(v, "(null)"))}\r\n"));
            text.Append(CultureInfo.InvariantCulture,
                $"Event: Status\r\nPrivilege: Call\r\n{channel.Headers()}Type: {channel.Name.Split('/')[0]}\r\nDNID: \r\nEffectiveConnectedLineNum: {SimChannel.Known(channel.ConnectedNumber)}\r\nEffectiveConnectedLineName: {SimChannel.KnownName(channel.ConnectedName)}\r\n"
                + $"TimeToHangup: 0\r\nBridgeID: {channel.Bridge}\r\nApplication: {channel.Application}\r\nData: {channel.Data}\r\nNativeformats: ({format})\r\nReadformat: {format}\r\nReadtrans: \r\nWriteformat: {format}\r\nWritetrans: \r\n"
                + $"Callgroup: 0\r\nPickupgroup: 0\r\nSeconds: {(int)(board.Now - channel.CreatedAt).TotalSeconds}\r\n{variables}{action.IdHeader}\r\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"Event: StatusComplete\r\n{action.IdHeader}EventList: Complete\r\nListItems: {shown.Count}\r\nItems: {shown.Count}\r\n\r\n");
        connection.Write(text.ToString());
    }

    private static async Task OriginateAndWaitAsync(ManagerAction action, ManagerConnection connection, Switchboard board, CancellationToken cancellationToken)
    {
        var outcome = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        bool begun;
        lock (board.Sync)
        {
            // A session does nothing else until the call is decided, not even events.
            connection.Hold(true);
            begun = Originate(action, connection, board, success => outcome.TrySetResult(success));
        }

        bool answered = begun && await outcome.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (board.Sync)
        {
            if (begun) connection.Reply(action, answered ? "Success" : "Error", answered ? "Originate successfully queued" : "Originate failed");
            connection.Hold(false);
        }
    }

    private static bool Originate(ManagerAction action, ManagerConnection connection, Switchboard board, Action<bool>? done)
    {
        string channel = action["Channel"], exten = action["Exten"], application = action["Application"];
        string? error =
            channel.Length == 0 ? "Channel not specified"
            : action.Has("Priority") && !int.TryParse(action["Priority"], NumberStyles.None, CultureInfo.InvariantCulture, out _) ? "Invalid priority"
            : action.Has("Timeout") && !int.TryParse(action["Timeout"], NumberStyles.Integer, CultureInfo.InvariantCulture, out _) ? "Invalid timeout"
            : !channel.Contains('/', StringComparison.Ordinal) ? "Invalid channel"
            : Math.Max(action["ChannelId"].Length, action["OtherChannelId"].Length) > 149 ? "Uniqueid length exceeds maximum of 149\n"
            : application.Length > 0 && !connection.MayUse("system") && application.ToUpperInvariant() is "SYSTEM" or "TRYSYSTEM" or "EXEC" or "TRYEXEC" or "AGI" or "EAGI" or "DEADAGI" or "MIXMONITOR" or "EXTERNALIVR" or "EVAL"
                ? board.IsVersion16 ? "Originate Access Forbidden: Application" : "Originate Access Forbidden: app or data blacklisted"
            : application.Length == 0 && exten.Length > 0 && PhoneBehaviour.Of(exten, isExtension: true).Kind == PhoneKind.Unknown && PhoneBehaviour.Bare(exten) == exten ? "Extension does not exist."
            : null;
        if (error is not null)
        {
            connection.Reply(action, "Error", error);
            return false;
        }

        int timeout = action.Has("Timeout") ? int.Parse(action["Timeout"], CultureInfo.InvariantCulture) : 30_000;
        Match caller = Regex.Match(action["CallerID"], @"^(?:(?<name>.*?)\s*<(?<number>[^>]*)>?|(?<number>[0-9*#+]+)|(?<name>.*))$", RegexOptions.Singleline, TimeSpan.FromSeconds(1));
        string callerName = caller.Groups["name"].Value.Trim();
        if (callerName.Length > 1 && callerName[0] == '"' && callerName[^1] == '"') callerName = callerName[1..^1].Replace("\\", "", StringComparison.Ordinal);
        // A number is kept without what makes it easy to read.
        string callerNumber = caller.Groups["number"].Value is var given && given.Length > 0 && given.All(c => char.IsAsciiDigit(c) || "+*# ().-".Contains(c)) ? string.Concat(given.Where(c => !" ().-".Contains(c))) : given;
        var variables = new List<KeyValuePair<string, string>>();
        foreach (string assignment in action.All("Variable").SelectMany(v => v.Split(',')))
        {
            int equals = assignment.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) variables.Add(new(Plain(assignment[..equals]), assignment[(equals + 1)..].Replace("\"", "", StringComparison.Ordinal).Replace("\\", "", StringComparison.Ordinal)));
        }

        if (done is null) connection.Reply(action, "Success", "Originate successfully queued");
        board.Originate(
            new SimOriginate(action.Id, channel, action["Context"], exten, application, action["Data"], done),
            action["ChannelId"], action["ChannelId"].Length > 0 ? action["OtherChannelId"] : "", new SimCaller(callerNumber, callerName, action["Account"]),
            timeout <= 0 ? TimeSpan.FromDays(1) : TimeSpan.FromMilliseconds(timeout), variables);
        return true;
    }

    private static void HangUp(ManagerAction action, ManagerConnection connection, Switchboard board)
    {
        string name = action["Channel"];
        // A cause that is none is ignored.
        int cause = int.TryParse(action["Cause"], NumberStyles.None, CultureInfo.InvariantCulture, out int given) && given is > 0 and <= 127 ? given : 0;
        if (name.Length == 0)
        {
            connection.Reply(action, "Error", "No channel specified");
        }
        else if (name.Length > 1 && name[0] == '/' && name[^1] == '/')
        {
            HangUpAll(action, connection, board, name[1..^1], cause);
        }
        else if (board.Find(name) is { } channel)
        {
            connection.Reply(action, "Success", "Channel Hungup");
            board.HangUp(channel, cause);
        }
        else
        {
            connection.Reply(action, "Error", "No such channel");
        }
    }

    private static void HangUpAll(ManagerAction action, ManagerConnection connection, Switchboard board, string pattern, int cause)
    {
        Regex expression;
        try
        {
            expression = new Regex(pattern, RegexOptions.None, TimeSpan.FromSeconds(1));
        }
        catch (ArgumentException)
        {
            connection.Reply(action, "Error", $"Regex compile failed on: {action["Channel"]}");
            return;
        }

        SimChannel[] channels = [.. board.Channels.Where(c => expression.IsMatch(c.Name))];
        connection.Write($"Response: Success\r\n{action.IdHeader}EventList: start\r\nMessage: Channels hung up will follow\r\n\r\n");
        foreach (SimChannel channel in channels) connection.Write($"Event: ChannelHungup\r\nChannel: {channel.Name}\r\n{action.IdHeader}\r\n");
        connection.Write($"Event: ChannelsHungupListComplete\r\n{action.IdHeader}EventList: Complete\r\nListItems: {channels.Length}\r\n\r\n");
        foreach (SimChannel channel in channels) board.HangUp(channel, cause);
    }

    private static void SetVariable(ManagerAction action, ManagerConnection connection, Switchboard board)
    {
        if (action["Variable"].Length == 0)
        {
            connection.Reply(action, "Error", "No variable specified");
        }
        else if (action.Has("Channel") && board.Find(action["Channel"]) is null)
        {
            connection.Reply(action, "Error", "No such channel");
        }
        else
        {
            Dictionary<string, string> variables = board.Find(action["Channel"]) is { } channel ? channel.Variables : board.Globals;
            variables[Plain(action["Variable"])] = action["Value"];
            connection.Reply(action, "Success", "Variable Set");
        }
    }

    // A variable or a function of a channel.
    private static string? Of(SimChannel? channel, string variable) => variable switch
    {
        _ when channel is null => null,
        "CALLERID(num)" => channel.Number,
        "CALLERID(name)" => channel.CallerName,
        "CALLERID(all)" => $"\"{channel.CallerName}\" <{channel.Number}>",
        "CHANNEL(state)" => channel.Word,
        "CHANNEL(uniqueid)" or "UNIQUEID" => channel.Uniqueid,
        "CHANNEL(linkedid)" => channel.Linkedid,
        "CHANNEL(name)" or "CHANNEL" => channel.Name,
        _ => channel.Variables.GetValueOrDefault(variable),
    };

    // One or two _ before a name have the variable inherited; they are no part of it.
    private static string Plain(string variable) => variable.StartsWith("__", StringComparison.Ordinal) ? variable[2..] : variable.StartsWith('_') ? variable[1..] : variable;

    private static void Command(ManagerAction action, ManagerConnection connection, Switchboard board, AsteriskSimulatorOptions options)
    {
        string command = action["Command"].Trim();
        if (command is "core restart now" or "core stop gracefully")
        {
            // The session that gave the command is told nothing: only its end.
            board.Remove(connection);
            if (command is "core restart now") board.RestartWanted?.Invoke();
            else board.StopGracefully();
            return;
        }

        string[]? output = command switch
        {
            "core show version" => [$"Asterisk {options.Version} (simulated)"],
            "core show channels concise" => [.. board.Channels.Select(c => $"{c.Name}!{c.Context}!{c.Exten}!{c.Priority}!{c.Word}!{c.Application}!{c.Data}!{c.Number}!!!3!{(int)(board.Now - c.CreatedAt).TotalSeconds}!{c.Bridge}!{c.Uniqueid}")],
            "core show uptime" => [$"System uptime: {(int)(board.Now - board.StartedAt).TotalSeconds} seconds", $"Last reload: {(int)(board.Now - board.StartedAt).TotalSeconds} seconds"],
            _ => null,
        };
        if (command.Length == 0)
        {
            connection.Reply(action, "Error", "No command provided");
            return;
        }

        string[] lines = output ?? [$"No such command '{command}' (type 'core show help {string.Join(' ', command.Split(' ').Take(2))}' for other possible commands)"];
        connection.Reply(action, output is null ? "Error" : "Success", "Command output follows", string.Concat((lines.Length == 0 ? [""] : lines).Select(l => $"Output: {l}\r\n")));
    }

    private static void Filter(ManagerAction action, ManagerConnection connection, bool is16)
    {
        if (!action["Operation"].Equals("Add", StringComparison.OrdinalIgnoreCase)) connection.Reply(action, "Error", "Unknown operation");
        else if (action["Filter"].Length == 0 && is16) connection.Reply(action, "Success", "Success");
        else if (action["Filter"].Length == 0) connection.Reply(action, "Error", "Filter was formatted incorrectly.  Check the syntax of the filter given.");
        else if (!connection.AddFilter(action["Filter"])) connection.Reply(action, "Error", "Filter did not compile.  Check the syntax of the filter given.");
        else connection.Reply(action, "Success", "Success");
    }

    private static bool IsTrue(string value) => value.ToLowerInvariant() is "true" or "yes" or "1" or "on" or "y" or "t";
}
