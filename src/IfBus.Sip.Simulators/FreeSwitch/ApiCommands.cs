using System.Globalization;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>
/// The functions of <c>api</c> and <c>bgapi</c>, in the server's own words, by name. Under the switchboard's lock. What
/// takes time answers later; while it does, a connection that asked with <c>api</c> waits.
/// </summary>
internal sealed partial class ApiCommands
{
    private readonly Switchboard _board;
    private readonly Dictionary<string, Func<string, string>> _functions = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Action<string, Action<string>>> _slow = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _globals = new() { ["domain"] = "127.0.0.1", ["hostname"] = "localhost", ["local_ip_v4"] = "127.0.0.1", ["switchname"] = "localhost", ["recordings_dir"] = "/var/lib/freeswitch/recordings", ["hold_music"] = "local_stream://moh" };

    public ApiCommands(Switchboard board)
    {
        _board = board;
        AddServer();
        AddCalls();
        AddControl();
        AddShow();
        AddSofia();
        AddConference();
    }

    private FreeSwitchSimulatorOptions Options => _board.Options;

    /// <summary>Runs a function; the outcome may come later, then under the lock too.</summary>
    public void Run(string name, string argument, EslConnection? connection, Action<string> done)
    {
        // Blanks around do not count, between command and arguments neither.
        string command = name.Trim(' ');
        string text = argument.Trim(' ', '\r', '\n', '\t');
        long sequence = _board.TakeSequence();
        void End(string body)
        {
            _board.TellApi(command, text, sequence);
            done(body);
        }

        if (command.Is("reload") || command.Is("unload"))
        {
            Reload(text, End);
        }
        else if (_slow.TryGetValue(command, out Action<string, Action<string>>? slow))
        {
            slow(text, End);
        }
        else if (_functions.TryGetValue(command, out Func<string, string>? function))
        {
            End(function(text));
        }
        else
        {
            End($"-ERR {name} Command not found!\n");
        }
    }

    /// <summary>The outcome of a function that answers at once; of another one nothing.</summary>
    public string RunNow(string name, string argument)
    {
        string body = "";
        Run(name, argument, null, b => body = b);
        return body;
    }

    /// <summary>A global variable; empty if there is none.</summary>
    public string Global(string name) => _globals.GetValueOrDefault(name, "");

    // uuid:ID in front names a leg, which the real server does not look at here.
    private static string WithoutId(string text) => text.Begins("uuid:") ? ByteText.Cut(text).After : text;

    private static string[] Words(string text, int max) => [.. OriginateSyntax.Separate(text, ' ', max)];

    private void AddServer()
    {
        string version = Options.Version + "-release";
        _functions["status"] = _ => Status(version);
        _functions["version"] = a => a.Is("short") ? version + "\n" : $"FreeSWITCH Version {version}~64bit ( 64bit)\n";
        _functions["uptime"] = a => a.ToLowerInvariant() switch
        {
            "ms" => $"{(long)_board.Uptime.TotalMilliseconds}\n",
            "us" => $"{_board.Uptime.Ticks / 10}\n",
            _ => $"{(long)_board.Uptime.TotalSeconds}\n",
        };
        _functions["hostname"] = _ => "localhost";
        _functions["switchname"] = _ => "localhost";
        _functions["global_getvar"] = a => a == "core_uuid" ? _board.CoreId : a.Length == 0 ? string.Concat(_globals.Select(g => $"{g.Key}={g.Value}\n")) : _globals.GetValueOrDefault(a, "");
        _functions["global_setvar"] = a =>
        {
            int equals = a.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) return "-USAGE: <var>=<value> [=<value2>]\n";
            _globals[a[..equals]] = a[(equals + 1)..];
            return "+OK";
        };
        _functions["strepoch"] = a => DateTime.TryParse(a, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal | DateTimeStyles.AdjustToUniversal, out DateTime time)
            ? $"{new DateTimeOffset(time).ToUnixTimeSeconds()}"
            : $"{_board.Now / 1_000_000}";
        _functions["module_exists"] = a => a is "mod_sofia" or "mod_commands" or "mod_dptools" or "mod_conference" or "mod_event_socket" or "mod_loopback" or "mod_dialplan_xml" or "mod_sndfile" ? "true" : "false";
        _functions["create_uuid"] = _ => ByteText.NewId();
        _functions["echo"] = a => a;
        _functions["eval"] = a => _board.Expand(null, WithoutId(a));
        _slow["expand"] = (a, done) =>
        {
            (string name, string arguments) = ByteText.Cut(_board.Expand(null, WithoutId(a)));
            Run(name, arguments, null, done);
        };
        _functions["log"] = _ => "+OK\n";
        _functions["reloadxml"] = _ => "+OK [Success]\n";
        _functions["reloadacl"] = _ => "+OK acl reloaded\n";
        _functions["system"] = a =>
        {
            _board.SystemCommands.Add(ByteText.ToText(a));
            return "";
        };
        _functions["bg_system"] = a =>
        {
            _board.SystemCommands.Add(ByteText.ToText(a));
            return "+OK\n";
        };
        _functions["fsctl"] = Control;
        _functions["hupall"] = a =>
        {
            int cause = a.Length == 0 ? 703 : Causes.Parse(Words(a, 11)[0]);
            _board.HangUpAll(cause == Causes.None ? 703 : cause);
            return $"+OK hangup all channels with cause {Causes.Name(cause == Causes.None ? 703 : cause)}\n";
        };
        _slow["msleep"] = (a, done) => _board.At(TimeSpan.FromMilliseconds(Math.Clamp(ByteText.Number(a), 1, 3_600_000)), () => done("+OK"));
        _slow["sleep"] = (a, done) => _board.At(TimeSpan.FromSeconds(Math.Clamp(ByteText.Number(a), 1, 3600)), () => done("+OK"));
    }

    private string Status(string version)
    {
        int count = _board.Channels.Count();
        return $"UP {_board.UptimeText()}\nFreeSWITCH (Version {version}  64bit) is ready\n{_board.SessionsSinceStart} session(s) since startup\n"
            + $"{count} session(s) - peak {_board.PeakSessions}, last 5min {_board.PeakSessions} \n"
            + $"{_board.LastSecond()} session(s) per Sec out of max {_board.SessionsPerSecond}, peak {_board.PeakPerSecond}, last 5min {_board.PeakPerSecond} \n"
            + $"{_board.MaxSessions} session(s) max\nmin idle cpu 0.00/97.67\nCurrent Stack Size/Max 240K/240K\n";
    }

    private string Control(string argument)
    {
        string[] words = Words(argument, 5);
        string what = words.Length > 0 ? words[0].ToLowerInvariant() : "";
        string? value = words.Length > 1 ? words[1] : null;
        switch (what)
        {
            case "":
                return "-USAGE: [api_expansion [on|off]|recover|send_sighup|hupall|pause [inbound|outbound]|resume [inbound|outbound]|shutdown [cancel|elegant|asap|now|restart]|sps|max_sessions]\n";
            case "pause" or "resume":
                bool pause = what == "pause";
                if (value is null || value.Is("inbound")) _board.PausedInbound = pause;
                if (value is null || value.Is("outbound")) _board.PausedOutbound = pause;
                return "+OK\n";
            case "pause_check":
                return (value is null ? _board.PausedInbound && _board.PausedOutbound : value.Is("inbound") ? _board.PausedInbound : _board.PausedOutbound) ? "true" : "false";
            case "ready_check":
                return "true";
            case "shutdown_check":
                return "false";
            case "max_sessions":
                if (value is not null && ByteText.Number(value) > 0) _board.MaxSessions = ByteText.Number(value);
                return $"+OK max sessions: {_board.MaxSessions}\n";
            case "sps":
                if (value is not null && ByteText.Number(value) > 0) _board.SessionsPerSecond = ByteText.Number(value);
                return $"+OK sessions per second: {_board.SessionsPerSecond}\n";
            case "last_sps":
                return $"+OK last sessions per second: {_board.LastSecond()}\n";
            case "hupall":
                _board.HangUpAll(703);
                return "+OK\n";
            case "loglevel":
                return "+OK log level: INFO [6]\n";
            case "shutdown":
                if (value is null || !value.Is("cancel")) _board.At(TimeSpan.FromMilliseconds(10), () => _board.ShutdownWanted?.Invoke());
                return "+OK\n";
            case "crash":
                return "+OK\n";
            default:
                return "-ERR Invalid command\nUSAGE: fsctl [api_expansion [on|off]|recover|send_sighup|hupall|pause [inbound|outbound]|resume [inbound|outbound]|shutdown [cancel|elegant|asap|now|restart]|sps|max_sessions]\n";
        }
    }

    // The Event Socket cannot unload itself while it is asked: it does so in the background.
    private void Reload(string module, Action<string> done)
    {
        if (!module.Contains("mod_event_socket", StringComparison.OrdinalIgnoreCase))
        {
            done("+OK Reloading XML\n+OK module unloaded\n+OK module loaded\n");
            return;
        }

        done($"+OK Job-UUID: {ByteText.NewId()}\n");
        _board.At(TimeSpan.FromMilliseconds(10), () => _board.ReloadWanted?.Invoke());
    }
}
