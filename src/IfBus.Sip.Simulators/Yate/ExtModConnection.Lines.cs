namespace IfBus.Sip.Simulators.Yate;

/// <summary>The lines a client may send.</summary>
internal sealed partial class ExtModConnection
{
    private string? _trackParam;
    private string _debugName = "glob";
    private int _debugLevel = 9;
    private int _timeout = engine.Options.HandlerTimeout;
    private int _maxQueue = 1000;
    private bool _timeBomb;
    private bool _reenter;
    private bool _selfWatch;
    private bool _setData = true;
    private bool _setTime;

    // False when the connection is to end.
    private bool Do(string line)
    {
        if (_left) return false;
        if (!_ready) return Begin(line);
        if (line.StartsWith("%%<message:", StringComparison.Ordinal))
        {
            // What is no good answer is as none: it goes on waiting.
            _ = TakeAnswer(line);
            return true;
        }

        if (line == "%%>quit")
        {
            Say("%%<quit");
            return false;
        }

        if (!(Command(line, "%%>install:", InstallHandler) || Command(line, "%%>uninstall:", UninstallHandler) || Command(line, "%%>watch:", name => Say($"%%<watch:{name}:{YateText.Word(Add(name))}"))
            || Command(line, "%%>unwatch:", name => Say($"%%<unwatch:{name}:{YateText.Word(_watched.Remove(name))}")) || Command(line, "%%>output:", static _ => { })
            || Debug(line) || SetLocal(line) || TakeMessage(line)))
            Say("Error in: " + line);
        return true;
    }

    private static bool Command(string line, string start, Action<string> action)
    {
        if (!line.StartsWith(start, StringComparison.Ordinal)) return false;
        action(line[start.Length..]);
        return true;
    }

    private static bool Debug(string line) => line.StartsWith("%%>debug:", StringComparison.Ordinal) && line.IndexOf(':', 9) > 9;

    // The first line says what the client is; nothing else is taken, and no word is said.
    private bool Begin(string line)
    {
        if (!line.StartsWith("%%>connect:", StringComparison.Ordinal)) return false;
        _ready = line["%%>connect:".Length..].Split(':')[0] == "global";
        return _ready;
    }

    private bool Add(string name)
    {
        if (_watched.Contains(name)) return false;
        _watched.Add(name);
        return true;
    }

    private void InstallHandler(string text)
    {
        // PRIO:NAME[:FILTERKEY[:FILTERVALUE]]; the number that a priority begins with counts, and without one it is 100.
        int colon = text.IndexOf(':', StringComparison.Ordinal);
        string first = colon < 0 ? text : text[..colon];
        int digits = first.StartsWith('-') ? 1 : 0;
        while (digits < first.Length && char.IsAsciiDigit(first[digits])) digits++;
        int priority = YateText.Number(first[..digits]) ?? 100;
        string[] rest = (colon < 0 ? "" : text[(colon + 1)..]).Split(':', 3);
        string name = rest[0];
        (string, string)? filter = rest.Length > 1 && rest[1].Length > 0 && YateText.TryUnescape(rest[1], out string key) && YateText.TryUnescape(rest.Length > 2 ? rest[2] : "", out string value) ? (key, value) : null;
        bool ok = name.Length > 0 && !_handlers.Exists(h => h.Name == name);
        if (ok) _handlers.Add(engine.Install(name, priority, string.IsNullOrEmpty(_trackParam) ? null : _trackParam, filter, ReceivedAsync));
        Say($"%%<install:{priority}:{name}:{YateText.Word(ok)}");
    }

    private void UninstallHandler(string name)
    {
        YateHandler? handler = _handlers.Find(h => h.Name == name);
        if (handler is not null)
        {
            _handlers.Remove(handler);
            engine.Uninstall(handler);
        }

        Say($"%%<uninstall:{handler?.Priority ?? 0}:{name}:{YateText.Word(handler is not null)}");
    }

    private bool SetLocal(string line)
    {
        if (!line.StartsWith("%%>setlocal:", StringComparison.Ordinal)) return false;
        int colon = line.IndexOf(':', "%%>setlocal:".Length);
        if (colon <= "%%>setlocal:".Length) return false;
        string name = line["%%>setlocal:".Length..colon];
        string value = line[(colon + 1)..].Trim(' ', '\t');
        (string now, bool ok) = Set(name, value);
        Say($"%%<setlocal:{name}:{now}:{YateText.Word(ok)}");
        return true;
    }

    // The value that holds now, and if it was taken.
    private (string Value, bool Ok) Set(string name, string value)
    {
        switch (name)
        {
            case "trackparam":
                if (value.Length > 0) _trackParam = value;
                return (_trackParam ?? "", true);
            case "reason":
                return (value, true);
            case "timeout":
                _timeout = YateText.Number(value) ?? _timeout;
                return (YateText.Word(_timeout), true);
            case "timebomb":
                return Flag(ref _timeBomb, value);
            case "maxqueue":
                _maxQueue = Math.Clamp(YateText.Number(value) ?? _maxQueue, 0, 10_000);
                return (YateText.Word(_maxQueue), true);
            case "bufsize":
                Resize(Math.Clamp(YateText.Number(value) ?? _buffer.Length, MinLine, MaxLine));
                return (YateText.Word(_buffer.Length), true);
            case "restart":
                return ("false", true);
            case "reenter":
                return Flag(ref _reenter, value);
            case "setdata":
                return Flag(ref _setData, value);
            case "settime":
                return Flag(ref _setTime, value);
            case "selfwatch":
                return Flag(ref _selfWatch, value);
            case "runid":
                return (YateText.Word(engine.RunId), value.Length == 0);
            case "debuglevel":
                _debugLevel = Math.Clamp(YateText.Number(value) ?? _debugLevel, 0, 10);
                return (YateText.Word(_debugLevel), true);
            case "debugname":
                if (value.Length > 0 && _debugName == "glob") _debugName = value;
                return (_debugName, true);
        }

        if (name.StartsWith("engine.", StringComparison.Ordinal))
            return engine.RunParameters.TryGetValue(name[7..], out string? parameter) ? (parameter, value.Length == 0) : ("", false);
        if (name.StartsWith("config.", StringComparison.Ordinal)) return Configured(name[7..], value.Length == 0);
        if (name.StartsWith("loaded.", StringComparison.Ordinal)) return (YateText.Word(YateEngine.Loaded.Contains(name[7..])), value.Length == 0);
        return (value, false);
    }

    private (string, bool) Configured(string key, bool ask) => key switch
    {
        "general.nodename" => (engine.Options.NodeName, ask),
        "general.modload" => ("disable", ask),
        "general.maxworkers" => (YateText.Word(engine.Options.MaxWorkers), ask),
        "telephony.timeout" => (YateText.Word(engine.Options.Timeout), ask),
        "general" or "telephony" or "modules" => ("", ask),
        _ => ("", false),
    };

    private static (string, bool) Flag(ref bool flag, string value)
    {
        flag = YateText.Boolean(value) ?? flag;
        return (YateText.Word(flag), true);
    }

    private bool TakeMessage(string line)
    {
        const string Start = "%%>message:";
        if (!line.StartsWith(Start, StringComparison.Ordinal)) return false;
        int first = line.IndexOf(':', Start.Length);
        int second = first < 0 ? -1 : line.IndexOf(':', first + 1);
        if (second < 0 || !YateText.TryUnescape(line[Start.Length..first], out string id)) return false;
        string time = line[(first + 1)..second];
        long seconds = 0;
        if (time.Length > 0 && !(uint.TryParse(time, out uint given) && (seconds = given) >= 0)) return false;
        var message = new YateMessage("", seconds > 0 ? seconds * 1_000_000 : engine.Now) { Sender = this, Id = id };
        if (!message.TryRead(line.AsSpan(second + 1))) return false;
        engine.MessagesReceived++;
        // With the id of a message that it is asked about, it acts on the leg that that one is about (disconnect-reroute).
        if (id.Length > 0 && _waiting.Find(w => w.Id == id) is { } asked) message.About = asked.Message.About;
        engine.Enqueue(message);
        return true;
    }

    private bool TakeAnswer(string line)
    {
        const string Start = "%%<message:";
        foreach (Waiting waiting in _waiting)
        {
            string head = Start + waiting.Id + ":";
            if (!line.StartsWith(head, StringComparison.Ordinal)) continue;
            int colon = line.IndexOf(':', head.Length);
            if (colon < 0) return false;
            string word = line[head.Length..colon];
            if (word is not ("true" or "false")) return false;
            // As far as it can be read it holds, even if it is refused in the end.
            if (colon + 1 < line.Length && !waiting.Message.TryRead(line.AsSpan(colon + 1))) return false;
            _waiting.Remove(waiting);
            waiting.End(word == "true");
            return true;
        }

        return false;
    }
}
