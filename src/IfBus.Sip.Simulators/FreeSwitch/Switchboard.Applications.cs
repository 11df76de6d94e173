using System.Globalization;
using System.Text;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The part of the switchboard that runs the dialplan: extensions and their applications.</summary>
internal sealed partial class Switchboard
{
    private readonly Dictionary<FsChannel, Queue<Action>> _messages = [];

    /// <summary>The leg was made by an originate that has succeeded: it runs <c>&amp;app(args)</c> or goes to an extension.</summary>
    public void RunDestination(FsChannel c, string destination, string dialplan, string context)
    {
        if (destination.Length > 1 && destination[0] == '&')
        {
            // The argument is cut at the first closing parenthesis.
            string text = destination[1..].Split(')')[0];
            int open = text.IndexOf('(', StringComparison.Ordinal);
            (string app, string data) = open < 0 ? (text, "") : (text[..open], text[(open + 1)..]);
            Post(() =>
            {
                if (c.Down) return;
                SetState(c, ChannelState.Execute);
                RunList(c, [(app, data)]);
            });
            return;
        }

        Transfer(c, destination, dialplan, context, first: true);
    }

    /// <summary>The caller becomes the called one: the leg now runs in the dialplan as if its phone had called.</summary>
    public void FlipCallerId(FsChannel c)
    {
        CallerProfile p = c.Profile!;
        c.HitDialplan = true;
        c.CalleeDirection = "RECV";
        c.Variables.Set("pre_transfer_caller_id_name", p.CallerName);
        c.Variables.Set("pre_transfer_caller_id_number", p.CallerNumber);
        (p.CallerName, p.CallerNumber, p.CalleeName, p.CalleeNumber) = (p.CalleeName, p.CalleeNumber, p.CallerName, p.CallerNumber);
        c.Variables.Set("channel_cid_flipped", "yes");
        Tell(c, "CALL_UPDATE", e => e.Add("Direction", "RECV"), source: ("switch_channel.c", "switch_channel_flip_cid", 3277));
    }

    /// <summary>Something for the leg to do beside its application, one thing after the other (sendmsg, uuid_broadcast).</summary>
    public void Queue(FsChannel c, Action message)
    {
        if (!_messages.TryGetValue(c, out Queue<Action>? queue)) _messages[c] = queue = new Queue<Action>();
        queue.Enqueue(message);
        Post(() => RunMessages(c));
    }

    /// <summary>Runs an application inside the one that runs.</summary>
    /// <param name="c">The leg.</param>
    /// <param name="name">Application.</param>
    /// <param name="data">Its arguments.</param>
    /// <param name="id">Application-UUID, or null for one of the server's.</param>
    /// <param name="loops">How often, as told in a variable; -1 is for ever. It is done once.</param>
    public void ExecuteNow(FsChannel c, string name, string data, string? id = null, int loops = 1)
    {
        c.Variables.Set("current_loop", 1);
        c.Variables.Set("total_loops", loops);
        Execute(c, name, data, id, looped: true);
        if (!Applications.ContainsKey(name)) EndLoops(c);
    }

    /// <summary>Replaces ${variable} and ${function(arguments)}; without a leg there are global variables only.</summary>
    public string Expand(FsChannel? c, string text)
    {
        if (!text.Contains("${", StringComparison.Ordinal)) return text;
        var expanded = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] != '$' || i + 1 == text.Length || text[i + 1] != '{')
            {
                expanded.Append(text[i]);
                continue;
            }

            // One that is never closed goes to the end of the text.
            int end = OriginateSyntax.FindEnd(text, i + 1, '{', '}');
            if (end < 0) end = text.Length;
            string inner = Expand(c, text[(i + 2)..end]);
            int open = inner.IndexOf('(', StringComparison.Ordinal);
            expanded.Append(open > 0 ? CallFunction(inner[..open], inner[(open + 1)..].TrimEnd(')')) : c?.Variables[inner] ?? Commands.Global(inner));
            i = end;
        }

        return expanded.ToString();
    }

    private string CallFunction(string name, string arguments) => Commands.RunNow(name, arguments).TrimEnd('\n');

    // An inline dialplan: the extension itself is a list of applications.
    private static List<(string Name, string Data)> Inline(string exten) =>
        [.. OriginateSyntax.Separate(exten, ',', 100).Select(item => item.Split(':', 2) is [var app, var data] ? (app, data) : (item, ""))];

    private void TakeExtension(FsChannel c, bool first = false)
    {
        if (Dialplan.Find(c.Profile!.Destination, c) is not { } list)
        {
            HangUp(c, Causes.NoRouteDestination);
            return;
        }

        if (first) FlipCallerId(c);
        SetState(c, ChannelState.Execute);
        RunList(c, list);
    }

    private void RunList(FsChannel c, List<(string Name, string Data)> list)
    {
        c.Run++;
        c.Extension.Clear();
        foreach ((string, string) item in list) c.Extension.Enqueue(item);
        c.Variables.Set("call_uuid", c.Variables["call_uuid"] ?? c.Uuid);
        RunNext(c);
    }

    private void RunNext(FsChannel c)
    {
        if (c.Down || c.Running != ChannelState.Execute || c.State != ChannelState.Execute) return;
        if (c.Extension.TryDequeue(out (string Name, string Data) next)) Execute(c, next.Name, next.Data, null);
        else HangUp(c, Causes.NormalClearing);
    }

    private void Execute(FsChannel c, string name, string rawData, string? id, bool looped = false)
    {
        string data = Expand(c, rawData);
        if (!Applications.TryGetValue(name, out Action<Switchboard, FsChannel, RunningApplication>? run))
        {
            HangUp(c, Causes.DestinationOutOfOrder);
            return;
        }

        var app = new RunningApplication(name, data, id ?? ByteText.NewId()) { Looped = looped };
        c.Variables.Set("current_application_data", data, check: false);
        c.Variables.Set("current_application", name);
        c.Variables.Set("current_application_response", null);
        c.Applications.Push(app);
        Tell(c, "CHANNEL_EXECUTE", after: e => e.Add("Application", name).Add("Application-Data", data).Add("Application-UUID", app.Id));
        run(this, c, app);
    }

    // The application that runs has done its work; what is below it, or next in the dialplan, goes on.
    private void Complete(FsChannel c, RunningApplication app)
    {
        if (!c.Applications.TryPeek(out RunningApplication? top) || top != app) return;
        EndApplication(c, hangingUp: false);
        if (c.Down) return;
        if (c.Applications.Count > 0) RunMessages(c);
        else if (c.State == ChannelState.Execute) RunNext(c);
    }

    private void EndApplication(FsChannel c, bool hangingUp)
    {
        RunningApplication app = c.Applications.Peek();
        app.Ending?.Invoke(hangingUp);
        if (c.Applications.TryPeek(out RunningApplication? top) && top == app) c.Applications.Pop();
        if (app.Response != "_none_") c.Variables.Set("current_application_response", app.Response);
        if (app.Silent) return;
        Tell(c, "CHANNEL_EXECUTE_COMPLETE", after: e => e.Add("Application", app.Name).Add("Application-Data", app.Data).Add("Application-Response", app.Response).Add("Application-UUID", app.Id));
        if (app.Looped) EndLoops(c);
    }

    private static void EndLoops(FsChannel c)
    {
        c.Variables.Set("current_loop", null);
        c.Variables.Set("total_loops", null);
    }

    // Only beside what waits: a leg that plays or sleeps inside its application takes the next message after that.
    private void RunMessages(FsChannel c)
    {
        if (!_messages.TryGetValue(c, out Queue<Action>? queue)) return;
        while (c.IsUp && c.Applications.Count <= 1 && queue.TryDequeue(out Action? message)) message();
        if (queue.Count == 0 || c.Down) _messages.Remove(c);
    }

    private void ExecuteOn(FsChannel c, string variable)
    {
        if (c.Variables[variable] is not { } text) return;
        (string name, string data) = ByteText.Cut(text.Replace("::", " ", StringComparison.Ordinal));
        Execute(c, name, data, null);
    }

    private void ApiOn(FsChannel c, string variable)
    {
        if (c.Variables[variable] is not { } text) return;
        (string name, string arguments) = ByteText.Cut(Expand(c, text));
        Commands.RunNow(name, arguments);
    }

    // How long something sounds; null for without end.
    private static TimeSpan? Length(string file)
    {
        if (file.StartsWith("silence_stream://", StringComparison.Ordinal))
        {
            int time = ByteText.Number(file["silence_stream://".Length..]);
            return time < 0 ? null : TimeSpan.FromMilliseconds(time);
        }

        if (file.StartsWith("local_stream://", StringComparison.Ordinal)) return null;
        if (!file.StartsWith("tone_stream://", StringComparison.Ordinal)) return TimeSpan.FromSeconds(1);
        int loops = 1;
        int at = file.IndexOf("loops=", StringComparison.Ordinal);
        if (at >= 0) loops = ByteText.Number(file[(at + 6)..]);
        if (loops < 0) return null;
        double sum = 0;
        for (int open = file.IndexOf("%(", StringComparison.Ordinal); open >= 0; open = file.IndexOf("%(", open + 2, StringComparison.Ordinal))
        {
            string[] parts = file[(open + 2)..].Split(',', ')');
            sum += ByteText.Number(parts[0]) + (parts.Length > 1 ? ByteText.Number(parts[1]) : 0);
        }

        return TimeSpan.FromMilliseconds(Math.Min(Math.Max(sum, 20) * Math.Max(loops, 1), 86_400_000));
    }

    private void Play(FsChannel c, RunningApplication app)
    {
        string file = app.Data;
        int scheme = file.IndexOf("://", StringComparison.Ordinal);
        string? kind = scheme > 0 ? file[..scheme] : null;
        void Headers(EslEvent e)
        {
            if (kind is not "silence_stream") e.Add("Playback-File-Type", kind);
            e.Add("Playback-File-Path", file);
        }

        if (c.CallState == CallState.Down && !c.Answered) MarkEarlyMedia(c);
        long from = Now;
        Tell(c, "PLAYBACK_START", after: Headers);
        app.Ending = _ =>
        {
            long time = (Now - from) / 1000;
            c.Variables.Set("playback_last_offset_pos", time * 8);
            c.Variables.Set("playback_seconds", time / 1000);
            c.Variables.Set("playback_ms", time);
            c.Variables.Set("playback_samples", time * 8);
            app.Response = "FILE PLAYED";
            Tell(c, "PLAYBACK_STOP", after: e =>
            {
                Headers(e);
                e.Add("Playback-Status", "done");
            });
        };
        if (Length(file) is { } length) AfterRun(c, length, () => Complete(c, app));
    }

    private void Park(FsChannel c, RunningApplication app)
    {
        Tell(c, "CHANNEL_PARK");
        app.Ending = _ => Tell(c, "CHANNEL_UNPARK");
    }

    private void Sleep(FsChannel c, RunningApplication app)
    {
        double time = double.TryParse(app.Data, CultureInfo.InvariantCulture, out double ms) ? Math.Clamp(ms, 0, 4e9) : 0;
        AfterRun(c, TimeSpan.FromMilliseconds(Math.Max(time, 1)), () => Complete(c, app));
    }
}
