namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The functions that do something with living calls.</summary>
internal sealed partial class ApiCommands
{
    private const string NoSession = "-ERR Cannot locate session!\n";
    private const string Digits = "0123456789*#ABCDabcdwWFf";

    private void AddControl()
    {
        _functions["uuid_kill"] = a =>
        {
            if (a.Length == 0) return "-USAGE: <uuid> [cause]\n";
            (string id, string cause) = ByteText.Cut(a);
            if (_board.Find(id) is not { } c) return NoChannel;
            _board.HangUp(c, cause.Length > 0 ? Causes.Parse(cause) : Causes.NormalClearing);
            return "+OK\n";
        };
        _functions["uuid_transfer"] = Transfer;
        _functions["uuid_bridge"] = a =>
        {
            string[] words = Words(a, 3);
            if (words.Length != 2) return "-USAGE: <uuid> <other_uuid>\n";
            if (_board.Find(words[0]) is not { } one || _board.Find(words[1]) is not { } other) return "-ERR Invalid uuid\n";
            _board.BridgeLegs(one, other);
            return $"+OK {words[1]}\n";
        };
        _functions["uuid_hold"] = Hold;
        _functions["uuid_record"] = Record;
        _functions["uuid_send_dtmf"] = a => Dtmf(a, "-USAGE: <uuid> <dtmf_data>\n", "sent", (_, _, _) => { });
        _functions["uuid_recv_dtmf"] = a => Dtmf(a, "-USAGE: <uuid> <dtmf_data>\n", "received", (c, digits, time) => _board.ReceiveDigits(c, digits, time, "APP"));
        _functions["uuid_flush_dtmf"] = a => _board.Find(a) is null ? NoSession : "+OK\n";
        _functions["uuid_break"] = a => a.Length == 0 ? "-USAGE: <uuid> [all]\n" : _board.Find(ByteText.Cut(a).Word) is { } c ? Done(() => _board.Break(c)) : NoChannel;
        _functions["uuid_park"] = a => _board.Find(a) is { } c ? Done(() => _board.ParkLeg(c)) : NoChannel;
        _functions["uuid_answer"] = a => _board.Find(a) is { } c ? Done(() => _board.Answer(c)) : "-ERROR\n";
        _functions["uuid_pre_answer"] = a => _board.Find(a) is { } c ? Done(() => _board.PreAnswer(c)) : "-ERROR\n";
        _functions["uuid_media"] = a => a.Length == 0 ? "-USAGE: [off] <uuid>\n" : _board.Find(Words(a, 2)[^1]) is null ? "-ERR Operation failed\n" : "+OK Success\n";
        _functions["uuid_media_reneg"] = a => a.Length == 0 ? "-USAGE: <uuid>[ <codec_string>]\n" : _board.Find(ByteText.Cut(a).Word) is null ? "-ERR Operation failed\n" : "+OK Success\n";
        _functions["uuid_audio"] = a => With(a, 2, "-USAGE: <uuid> [start [read|write] [mute|level <level>]|stop]\n", (c, words) => Done(() => _board.TellMediaBug(c, words[1].Is("start"))));
        _functions["uuid_limit"] = _ => "USAGE: uuid_limit <uuid> <backend> <realm> <resource> [<max>[/interval]] [number [dialplan [context]]]\n";
        _functions["uuid_displace"] = a => With(a, 3, "-USAGE: <uuid> [start|stop] <path> [<limit>] [mux]\n", (_, _) => "-ERR Cannot displace session!\n");
        _functions["uuid_display"] = a => With(a, 2, "-USAGE: <uuid> <display>\n", (_, _) => "+OK Success\n");
        _functions["uuid_broadcast"] = Broadcast;
        _functions["sched_hangup"] = a =>
        {
            string[] words = Words(a, 4);
            if (words.Length < 2) return "-USAGE: [+]<time> <uuid> [<cause>]\n";
            if (_board.Find(words[1]) is not { } c) return NoChannel;
            _board.ScheduleHangup(c, words[0], words.Length > 2 ? words[2] : "");
            return "+OK\n";
        };
    }

    private static string Done(Action action)
    {
        action();
        return "+OK\n";
    }

    private string Transfer(string argument)
    {
        const string Usage = "-USAGE: <uuid> [-bleg|-both] <dest-exten> [<dialplan>] [<context>]\n";
        List<string> words = [.. Words(argument, 5)];
        if (words.Count < 2) return Usage;
        if (_board.Find(words[0]) is not { } c) return NoChannel;
        string which = words[1].StartsWith('-') ? words[1] : "";
        if (which.Length > 0) words.RemoveAt(1);
        if (words.Count < 2) return Usage;
        string dialplan = words.Count > 2 ? words[2] : "XML";
        string context = words.Count > 3 ? words[3] : c.Profile?.Context ?? "default";
        if (which.Is("-both") && c.Partner is { } other)
        {
            _board.Transfer(other, words[1], dialplan, context);
        }
        else if (which.Is("-bleg") && c.Partner is { } partner)
        {
            c = partner;
        }

        _board.Transfer(c, words[1], dialplan, context);
        return "+OK\n";
    }

    private string Hold(string argument)
    {
        string[] words = Words(argument, 4);
        if (words.Length == 0) return "-USAGE: [off|toggle] <uuid> [<display>]\n-ERR Operation failed\n";
        bool off = words[0].Is("off");
        bool toggle = words[0].Is("toggle");
        string id = off || toggle ? words.ElementAtOrDefault(1) ?? "" : words[0];
        // An unknown leg is as good as one that is done.
        if (_board.Find(id) is not { } c) return "+OK Success\n";
        if (toggle) off = c.CallState == CallState.Held;
        return (off ? _board.Unhold(c) : _board.Hold(c)) ? "+OK Success\n" : "-ERR Operation failed\n";
    }

    private string Record(string argument)
    {
        const string Usage = "-USAGE: <uuid> [start|stop|mask|unmask] <path> [<limit>] [<recording_vars>]\n";
        string[] words = Words(argument, 5);
        if (words.Length < 3) return Usage;
        if (_board.Find(words[0]) is not { } c) return NoSession;
        string action = words[1].ToLowerInvariant();
        string path = words[2];
        bool recording = c.Recordings.Exists(r => r.Path == path);
        return action switch
        {
            "start" => _board.Record(c, path, words.Length > 3 ? ByteText.Number(words[3]) : 0) ? "+OK Success\n" : "-ERR Cannot record session!\n",
            "stop" => _board.StopRecording(c, path) ? "+OK Success\n" : "-ERR Cannot stop record session!\n",
            "pause" or "resume" or "mask" or "unmask" => recording ? "+OK Success\n" : $"-ERR Cannot {action} recording session!\n",
            _ => Usage,
        };
    }

    private string Dtmf(string argument, string usage, string word, Action<FsChannel, string, int> work)
    {
        string[] words = Words(argument, 2);
        if (words.Length < 2) return usage;
        if (_board.Find(words[0]) is not { } c) return NoSession;
        string[] parts = words[1].Split('@');
        string digits = parts[0];
        if (!digits.Any(d => Digits.Contains(d, StringComparison.Ordinal))) return "-ERR Operation failed\n";
        // Milliseconds, told in units of the RTP clock: 250 by itself, 8000 units at most 24 s.
        int time = parts.Length > 1 ? Math.Clamp(ByteText.Number(parts[1]), 50, 24_000) : 250;
        work(c, digits, time * 8);
        return $"+OK {words[0]} {word} DTMF {words[1]}.\n";
    }

    private string Broadcast(string argument)
    {
        string[] words = Words(argument, 4);
        if (words.Length < 2) return "-USAGE: <uuid> <path> [aleg|bleg|holdb|both]\n";
        if (_board.Find(words[0]) is not { } c) return "-ERR invalid uuid\n";
        string which = words.Length > 2 ? words[2].ToLowerInvariant() : "aleg";
        // path, or app::arguments, or app!cause::arguments
        string[] parts = words[1].Split("::", 2);
        string app = parts.Length > 1 ? parts[0].Split('!')[0] : "playback";
        string data = parts[^1];
        foreach (FsChannel leg in new[] { which is "aleg" or "both" or "holdb" ? c : null, which is "bleg" or "both" ? c.Partner : null }.OfType<FsChannel>())
            _board.Queue(leg, () => _board.ExecuteNow(leg, app, data));
        return "+OK Message sent\n";
    }
}
