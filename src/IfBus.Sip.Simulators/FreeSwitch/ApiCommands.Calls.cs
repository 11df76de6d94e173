using System.Text;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The functions that make calls and say what there is to know of one.</summary>
internal sealed partial class ApiCommands
{
    private const string NoChannel = "-ERR No such channel!\n";
    private const string OriginateUsage = "-USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]\n";

    private void AddCalls()
    {
        _slow["originate"] = Originate;
        _functions["uuid_exists"] = a => _board.Find(a) is null ? "false" : "true";
        _functions["uuid_getvar"] = a => With(a, 2, "-USAGE: <uuid> <var>\n", (c, words) => c.Variables[words[1]] ?? "_undef_");
        _functions["uuid_setvar"] = a =>
        {
            // The rest of the line is the value; escapes in it are replaced.
            (string id, string rest) = ByteText.Cut(a);
            (string name, string value) = ByteText.Cut(rest);
            if (name.Length == 0) return "-USAGE: <uuid> <var> [value]\n";
            if (_board.Find(id) is not { } c) return NoChannel;
            c.Variables.Set(name, Unescape(value), check: false);
            return "+OK\n";
        };
        _functions["uuid_setvar_multi"] = a =>
        {
            (string id, string list) = ByteText.Cut(a);
            if (list.Length == 0) return "-USAGE: <uuid> <var>=<value>;<var>=<value>...\n";
            if (_board.Find(id) is not { } c) return NoChannel;
            foreach (string item in OriginateSyntax.Separate(list, ';', 64))
            {
                int equals = item.IndexOf('=', StringComparison.Ordinal);
                if (equals > 0) c.Variables.Set(item[..equals], item[(equals + 1)..]);
            }

            return "+OK\n";
        };
        _functions["uuid_buglist"] = a => _board.Find(a) is { } c
            ? "<media-bugs>\n" + string.Concat(c.Recordings.Select(r => $" <media-bug>\n  <function>session_record</function>\n  <target>{r.Path}</target>\n  <thread-locked>0</thread-locked>\n </media-bug>\n")) + "</media-bugs>\n"
            : NoSession;
        _functions["uuid_dump"] = a =>
        {
            string[] words = Words(a, 4);
            if (words.Length == 0) return "-USAGE: <uuid> [format]\n";
            if (_board.Find(words[0]) is not { } c) return NoChannel;
            string format = words.Length > 1 ? words[1].ToLowerInvariant() : "";
            return _board.Dump(c).Payload(format == "json" ? EslFormat.Json : format == "xml" ? EslFormat.Xml : EslFormat.Plain, encoded: format != "plain");
        };
    }

    // Does something with a leg, after looking whether there are enough words.
    private string With(string argument, int words, string usage, Func<FsChannel, string[], string> work)
    {
        string[] list = Words(argument, 5);
        if (list.Length < words) return usage;
        return _board.Find(list[0]) is { } c ? work(c, list) : NoChannel;
    }

    private void Originate(string argument, Action<string> done)
    {
        string[] words = Words(argument, 10);
        if (words.Length is < 2 or > 7)
        {
            done(OriginateUsage);
            return;
        }

        string? Word(int i) => i < words.Length && !words[i].Is("undef") ? words[i] : null;
        if (Word(1) is null)
        {
            // switch_assert(exten): the whole server aborts (seen with FreeSWITCH 1.10.12).
            _board.At(TimeSpan.FromMilliseconds(1), () => _board.CrashWanted?.Invoke());
            return;
        }

        int limit = Word(6) is { } text ? ByteText.Number(text) : 60;
        Call(new OriginateRequest(Word(0) ?? "", Word(4) ?? "", Word(5) ?? "", TimeSpan.FromSeconds(limit > 0 ? limit : 60), null, (leg, cause) =>
        {
            if (leg is null || leg.Down)
            {
                done($"-ERR {Causes.Name(leg is null ? cause : leg.HangupCause)}\n");
                return;
            }

            string destination = Word(1)!;
            // Before an application the parties change sides at once, before an extension when it is looked for.
            if (destination.Length > 1 && destination[0] == '&') _board.FlipCallerId(leg);
            done($"+OK {leg.Uuid}\n");
            _board.RunDestination(leg, destination, Word(2) ?? "XML", Word(3) ?? "default");
        }));
    }

    // Several originates at once if the text says so; the first that succeeds is it.
    private void Call(OriginateRequest request)
    {
        string[] parts = request.DialString.Split(OriginateSyntax.Enterprise);
        if (parts.Length == 1)
        {
            new OriginateAttempt(_board, request).Start();
            return;
        }

        int open = parts.Length;
        int lastCause = Causes.DestinationOutOfOrder;
        bool won = false;
        var attempts = new List<OriginateAttempt>();
        foreach (string part in parts)
        {
            attempts.Add(new OriginateAttempt(_board, request with
            {
                DialString = part,
                Done = (leg, cause) =>
                {
                    open--;
                    if (leg is not null && won)
                    {
                        _board.HangUp(leg, Causes.LoseRace);
                    }
                    else if (leg is not null)
                    {
                        won = true;
                        attempts.ForEach(a => a.Cancel(Causes.LoseRace));
                        request.Done(leg, cause);
                    }
                    else
                    {
                        lastCause = cause;
                        if (open == 0 && !won) request.Done(null, lastCause);
                    }
                },
            }));
        }

        foreach (OriginateAttempt attempt in attempts.ToArray()) attempt.Start();
    }

    // One escape after the other; quotes in pairs go, one alone stays.
    private static string Unescape(string value)
    {
        var text = new StringBuilder(value.Length);
        int open = -1;
        for (int i = 0; i < value.Length; i++)
        {
            if (value[i] == '\\' && i + 1 < value.Length && "nrts'\\".Contains(value[i + 1], StringComparison.Ordinal))
            {
                i++;
                text.Append(value[i] switch { 'n' => '\n', 'r' => '\r', 't' => '\t', 's' => ' ', char c => c });
            }
            else if (value[i] == '\'' && open >= 0)
            {
                text.Remove(open, 1);
                open = -1;
            }
            else
            {
                if (value[i] == '\'') open = text.Length;
                text.Append(value[i]);
            }
        }

        return text.ToString();
    }
}
