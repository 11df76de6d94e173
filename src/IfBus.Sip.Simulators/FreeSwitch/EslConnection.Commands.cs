using System.Text;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The commands of a session; words are matched by their beginning and without case, as the server does (command-failures).</summary>
internal sealed partial class EslConnection
{
    private static readonly HashSet<string> EventNames = new(
        ("CUSTOM CLONE CHANNEL_CREATE CHANNEL_DESTROY CHANNEL_STATE CHANNEL_CALLSTATE CHANNEL_ANSWER CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE "
        + "CHANNEL_HOLD CHANNEL_UNHOLD CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_OUTGOING CHANNEL_PARK CHANNEL_UNPARK CHANNEL_APPLICATION "
        + "CHANNEL_ORIGINATE CHANNEL_UUID API LOG INBOUND_CHAN OUTBOUND_CHAN STARTUP SHUTDOWN PUBLISH UNPUBLISH TALK NOTALK SESSION_CRASH MODULE_LOAD MODULE_UNLOAD DTMF MESSAGE PRESENCE_IN "
        + "NOTIFY_IN PRESENCE_OUT PRESENCE_PROBE MESSAGE_WAITING MESSAGE_QUERY ROSTER CODEC BACKGROUND_JOB DETECTED_SPEECH DETECTED_TONE PRIVATE_COMMAND HEARTBEAT TRAP ADD_SCHEDULE DEL_SCHEDULE "
        + "EXE_SCHEDULE RE_SCHEDULE RELOADXML NOTIFY PHONE_FEATURE PHONE_FEATURE_SUBSCRIBE SEND_MESSAGE RECV_MESSAGE REQUEST_PARAMS CHANNEL_DATA GENERAL COMMAND SESSION_HEARTBEAT "
        + "CLIENT_DISCONNECTED SERVER_DISCONNECTED SEND_INFO RECV_INFO RECV_RTCP_MESSAGE SEND_RTCP_MESSAGE CALL_SECURE NAT RECORD_START RECORD_STOP PLAYBACK_START PLAYBACK_STOP CALL_UPDATE "
        + "FAILURE SOCKET_DATA MEDIA_BUG_START MEDIA_BUG_STOP CONFERENCE_DATA_QUERY CONFERENCE_DATA CALL_SETUP_REQ CALL_SETUP_RESULT CALL_DETAIL DEVICE_STATE TEXT SHUTDOWN_REQUESTED ALL").Split(' '),
        StringComparer.OrdinalIgnoreCase);

    private static readonly string[] MyEvents =
    [
        "CHANNEL_ANSWER", "CHANNEL_APPLICATION", "CHANNEL_BRIDGE", "CHANNEL_CREATE", "CHANNEL_DATA", "CHANNEL_DESTROY", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE", "CHANNEL_ORIGINATE", "CHANNEL_UUID", "CHANNEL_OUTGOING", "CHANNEL_PARK", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_STATE", "CHANNEL_UNBRIDGE",
        "CHANNEL_UNPARK", "DETECTED_SPEECH", "DTMF", "NOTALK", "TALK",
    ];

    private static readonly string[] LogLevels = ["console", "alert", "crit", "err", "warning", "notice", "info", "debug"];

    private FreeSwitchSimulatorUser? _user;
    private bool _authenticated;
    private bool _listening;
    private bool _logging;

    private async Task DoAsync(EslCommand command, CancellationToken cancellationToken)
    {
        string line = command.Line;
        board.CommandsReceived++;
        if (line.Begins("exit") || line.Begins("..."))
        {
            Reply("+OK bye");
            _leaving = true;
        }
        else if (!_authenticated)
        {
            Authenticate(line);
        }
        else if (line.Begins("api "))
        {
            await RunApiAsync(line[4..], cancellationToken).ConfigureAwait(false);
        }
        else if (line.Begins("bgapi "))
        {
            RunJob(line[6..], command["Job-UUID"]);
        }
        else
        {
            board.Enter(() => Reply(Answer(line, command) ?? "-ERR command not found"));
        }
    }

    private string? Answer(string line, EslCommand command)
    {
        if (line.Begins("filter ")) return Filter(line[7..].TrimStart(' '));
        if (line.Begins("myevents ")) return BindTo(ByteText.Cut(line[9..]).Word, line);
        if (line.Begins("divert_events")) return _session is null ? "-ERR not controlling a session." : "+OK events not diverted";
        if (line.Begins("sendmsg")) return SendMessage(line[7..].TrimStart(' '), command);
        if (line.Begins("sendevent")) return SendEvent(line[9..].TrimStart(' ', '\t'), command);
        if (line.Begins("log")) return Log(line);
        if (line.Begins("linger")) return _session is null ? "-ERR not controlling a session" : "+OK will linger";
        if (line.Begins("nolinger")) return _session is null ? "-ERR not controlling a session" : "+OK will not linger";
        if (line.Begins("nolog"))
        {
            bool was = _logging;
            _logging = false;
            return was ? "+OK no longer logging" : "-ERR not loging";
        }

        if (line.Begins("event")) return Subscribe(line);
        if (line.Begins("nixevent")) return Unsubscribe(line);
        return line.Begins("noevents") ? SubscribeNothing() : null;
    }

    private void Authenticate(string line)
    {
        if (line.Begins("auth "))
        {
            if (line[5..] == ByteText.Of(options.Secret)) Welcome("Reply-Text: +OK accepted\n", null);
            else Refuse();
        }
        else if (line.Begins("userauth "))
        {
            // user@domain:password, or user:password@domain
            Match match = Regex.Match(line[9..], "^([^@:]*)(?::([^@]*))?@([^:]*)(?::(.*))?$");
            string password = match.Groups[2].Success ? match.Groups[2].Value : match.Groups[4].Value;
            FreeSwitchSimulatorUser? user = options.Users.Append(new FreeSwitchSimulatorUser { Name = options.User, Domain = ByteText.ToText(match.Groups[3].Value), Password = options.Secret, AllowLog = true })
                .FirstOrDefault(u => match.Success && ByteText.Of(u.Name) == match.Groups[1].Value && ByteText.Of(u.Domain) == match.Groups[3].Value && password.Length > 0 && ByteText.Of(u.Password) == password);
            if (user is null) Refuse();
            else Welcome($"Reply-Text: +OK accepted\nAllowed-Events: {user.AllowedEvents ?? "all"}\nAllowed-API: {user.AllowedApi ?? "all"}\nAllowed-LOG: {(user.AllowLog ? "true" : "false")}\n", user);
        }
        else
        {
            Reply("-ERR command not found");
        }

        void Refuse()
        {
            Reply("-ERR invalid");
            _leaving = true;
        }

        void Welcome(string headers, FreeSwitchSimulatorUser? user)
        {
            Write($"Content-Type: command/reply\n{headers}\n");
            _user = user;
            _authenticated = true;
            board.Add(this);
        }
    }

    private bool MayUse(string api) => _user?.AllowedApi is not { } allowed || allowed.Split(' ', ',').Contains(api, StringComparer.Ordinal);

    private bool MayGet(string name) => _user?.AllowedEvents is not { } allowed || allowed.Split(' ', ',').Any(e => e.Is(name) || e.Is("ALL"));

    private async Task RunApiAsync(string text, CancellationToken cancellationToken)
    {
        (string name, string argument) = ByteText.Cut(text);
        if (!MayUse(name))
        {
            Reply("-ERR permission denied");
            return;
        }

        var done = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        board.Enter(() => board.Commands.Run(name, argument, this, done.SetResult));
        if (await Task.WhenAny(done.Task, Over).WaitAsync(cancellationToken).ConfigureAwait(false) != done.Task) return;
        string body = await done.Task.ConfigureAwait(false);
        if (body.Length == 0) body = "-ERR no reply\n";
        Write($"Content-Type: api/response\nContent-Length: {body.Length}\n\n{body}");
    }

    private void RunJob(string text, string? wantedId)
    {
        (string name, string argument) = ByteText.Cut(text);
        if (!MayUse(name))
        {
            Reply("-ERR permission denied");
            return;
        }

        string id = string.IsNullOrEmpty(wantedId) ? ByteText.NewId() : wantedId;
        Write($"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {id}\nJob-UUID: {id}\n\n");
        void Start() => board.Commands.Run(name, argument, this, body =>
        {
            board.TellJob(id, name, argument, body);
            if (--_jobs == 0 && _leaving) _jobsDone.TrySetResult();
        });
        board.Enter(() =>
        {
            _jobs++;
            // The job is another thread: it may begin later than the next command.
            if (options.Faults.EarlyKillFails) board.At(TimeSpan.FromMilliseconds(100), Start);
            else Start();
        });
    }

    private string Subscribe(string line)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        string[] words = space < 0 ? [] : line[(space + 1)..].Split(' ');
        bool known = false;
        bool custom = false;
        for (int i = 0; i < words.Length; i++)
        {
            string word = words[i];
            if (i == 0 && word.ToLowerInvariant() is "plain" or "json" or "xml")
            {
                _format = word.Is("json") ? EslFormat.Json : word.Is("xml") ? EslFormat.Xml : EslFormat.Plain;
                continue;
            }

            // Once CUSTOM was said every word is a subclass.
            if (custom)
            {
                lock (_gate) _subclasses.Add(word);
            }
            else if (Known(word) is { } name)
            {
                if (!MayGet(name)) return "-ERR permission denied";
                known = true;
                custom = name == "CUSTOM";
                lock (_gate)
                {
                    if (name == "ALL") Events = null;
                    else Events?.Add(name);
                }
            }
        }

        if (!known) return "-ERR no keywords supplied";
        _listening = true;
        board.CountWanted();
        return $"+OK event listener enabled {(_format == EslFormat.Json ? "json" : _format == EslFormat.Xml ? "xml" : "plain")}";
    }

    private string Unsubscribe(string line)
    {
        int space = line.IndexOf(' ', StringComparison.Ordinal);
        bool known = false;
        bool custom = false;
        lock (_gate)
        {
            foreach (string word in space < 0 ? [] : line[(space + 1)..].Split(' '))
            {
                if (custom)
                {
                    _subclasses.Remove(word);
                    continue;
                }

                if (Known(word) is not { } name) continue;
                known = true;
                custom = name == "CUSTOM";
                if (name == "ALL") Events = [];
                else if (!custom) (Events ??= [.. EventNames.Where(n => n != "ALL")]).Remove(name);
            }
        }

        if (!known) return "-ERR no keywords supplied";
        _listening = true;
        board.CountWanted();
        return "+OK events nixed";
    }

    private string SubscribeNothing()
    {
        lock (_gate)
        {
            Events = [];
            _subclasses.Clear();
            _waiting.Clear();
        }

        bool was = _listening;
        _listening = false;
        board.CountWanted();
        return was ? "+OK no longer listening for events" : "-ERR not listening for events";
    }

    private static string? Known(string word)
    {
        if (word.Length > 13 && EventNames.TryGetValue(word[13..], out string? name)) return name;
        return EventNames.TryGetValue(word, out name) ? name : null;
    }

    private string Filter(string text)
    {
        (string header, string value) = ByteText.Cut(text);
        bool hasValue = text.Contains(' ', StringComparison.Ordinal);
        if (header.Is("delete") && hasValue)
        {
            (header, value) = ByteText.Cut(value);
            lock (_gate) _filters.RemoveAll(f => header.Is("all") || (f.Header.Is(header) && (value.Length == 0 || f.Value == value)));
            return $"+OK filter deleted. [{header}][{value}]";
        }

        if (!hasValue) return "-ERR invalid syntax";
        if (header.Is("add")) (header, value) = ByteText.Cut(value);
        Regex? pattern = null;
        if (value.StartsWith('/'))
        {
            try
            {
                pattern = new Regex(value.Trim('/'), RegexOptions.None, TimeSpan.FromSeconds(1));
            }
            catch (ArgumentException)
            {
                pattern = new Regex("$^", RegexOptions.None, TimeSpan.FromSeconds(1));
            }
        }

        lock (_gate) _filters.Add((header, value, pattern));
        return $"+OK filter added. [{header}]=[{value}]";
    }

    private string BindTo(string uuid, string line)
    {
        lock (_gate)
        {
            _session = board.Find(uuid)?.Uuid;
            if (Events is { } events) events.UnionWith(MyEvents);
            if (line.Contains("json", StringComparison.OrdinalIgnoreCase)) _format = EslFormat.Json;
            else if (line.Contains("xml", StringComparison.OrdinalIgnoreCase)) _format = EslFormat.Xml;
        }

        _listening = true;
        board.CountWanted();
        return "+OK Events Enabled";
    }

    private string SendMessage(string uuid, EslCommand command)
    {
        if (uuid.Length == 0) uuid = command["session-id"] ?? _session ?? "";
        if (uuid.Length == 0 || board.Find(uuid) is not { } channel) return $"-ERR invalid session id [{uuid}]";
        string what = command["call-command"] ?? "";
        if (what.Is("execute") && command["execute-app-name"] is { Length: > 0 } app)
            board.Queue(channel, () => board.ExecuteNow(channel, app, command["execute-app-arg"] ?? command.Body, command["Event-UUID"], command["loops"] is { } loops ? ByteText.Number(loops) : 1));
        else if (what.Is("hangup"))
            board.Post(() => board.HangUp(channel, Causes.Parse(command["hangup-cause"])));
        return "+OK";
    }

    private string SendEvent(string name, EslCommand command)
    {
        string id = ByteText.NewId();
        string known = Known(name) ?? "CLONE";
        if (board.Wants(known))
        {
            // The client's headers come first, those of every event after them.
            string? subclass = known == "CUSTOM" ? command["Event-Subclass"] : null;
            var e = new EslEvent(known, subclass) { Body = command.Body.Length > 0 ? command.Body : null };
            e.Add("Event-Subclass", subclass).Add("Command", "sendevent " + name);
            foreach ((string header, string value) in command.Headers.Where(h => subclass is null || !h.Key.Is("Event-Subclass"))) e.Add(header, value);
            e.Add("Event-UUID", id).Headers.AddRange(board.Begin(known, "mod_event_socket.c", "parse_command", 2275).Headers);
            board.Fire(e);
        }

        return "+OK " + id;
    }

    private string Log(string line)
    {
        if (_user is { AllowLog: false }) return "-ERR permission denied";
        string level = line[3..].TrimStart(' ').Split(' ')[0];
        int number = char.IsAsciiDigit(level.FirstOrDefault()) ? ByteText.Number(level) : Array.FindIndex(LogLevels, l => l.Is(level));
        if (level.Length == 0) number = 7;
        if (number is < 0 or > 10) return "-ERR invalid log level";
        _logging = true;
        return $"+OK log level {level} [{number}]";
    }
}
