namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The part of the switchboard that knows the applications by name.</summary>
internal sealed partial class Switchboard
{
    /// <summary>The applications of its dialplan.</summary>
    public static IEnumerable<string> ApplicationNames => Applications.Keys;

    private static readonly Dictionary<string, Action<Switchboard, FsChannel, RunningApplication>> Applications = new(StringComparer.OrdinalIgnoreCase)
    {
        ["answer"] = Then((s, c, _) => s.MarkAnswered(c)),
        ["pre_answer"] = Then((s, c, _) => s.MarkEarlyMedia(c)),
        ["ring_ready"] = Then((s, c, _) => s.MarkRinging(c)),
        ["park"] = (s, c, app) => s.Park(c, app),
        ["echo"] = Wait,
        ["delay_echo"] = Wait,
        ["sleep"] = (s, c, app) => s.Sleep(c, app),
        ["playback"] = (s, c, app) => s.Play(c, app),
        ["endless_playback"] = (s, c, app) => s.Play(c, app),
        ["hangup"] = (s, c, app) => s.HangUp(c, Causes.Parse(app.Data)),
        ["set"] = Then((_, c, app) => SetVariable(c, app.Data)),
        ["export"] = Then((_, c, app) => SetVariable(c, app.Data)),
        ["unset"] = Then((_, c, app) => c.Variables.Set(app.Data, null)),
        ["multiset"] = Then((_, c, app) =>
        {
            foreach (string item in OriginateSyntax.Separate(app.Data, ' ', 100)) SetVariable(c, item);
        }),
        ["system"] = Then((s, _, app) => s.SystemCommands.Add(ByteText.ToText(app.Data))),
        ["bgsystem"] = Then((s, _, app) => s.SystemCommands.Add(ByteText.ToText(app.Data))),
        ["log"] = Then((_, _, _) => { }),
        ["info"] = Then((_, _, _) => { }),
        ["bridge_export"] = Then((_, _, _) => { }),
        ["flush_dtmf"] = Then((_, _, _) => { }),
        ["send_dtmf"] = Then((_, _, _) => { }),
        ["bridge"] = (s, c, app) => s.Bridge(c, app),
        ["transfer"] = Then((s, c, app) => s.Transfer(c, ByteText.Cut(app.Data).Word, "XML", "default")),
        ["sched_hangup"] = Then((s, c, app) => s.ScheduleHangup(c, ByteText.Cut(app.Data).Word, ByteText.Cut(app.Data).After)),
        ["conference"] = (s, c, app) => s.JoinConference(c, app),
        ["record_session"] = Then((s, c, app) => s.Record(c, app.Data, 0)),
        ["stop_record_session"] = Then((s, c, app) => s.StopRecording(c, app.Data)),
        ["hold"] = Then((s, c, _) => s.Hold(c)),
        ["soft_hold"] = Wait,
    };

    // Does its work at once.
    private static Action<Switchboard, FsChannel, RunningApplication> Then(Action<Switchboard, FsChannel, RunningApplication> work) => (s, c, app) =>
    {
        work(s, c, app);
        s.Complete(c, app);
    };

    // Goes on until the leg is sent elsewhere.
    private static void Wait(Switchboard s, FsChannel c, RunningApplication app)
    {
    }

    private static void SetVariable(FsChannel c, string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals > 0) c.Variables.Set(text[..equals].Trim(' '), text[(equals + 1)..].Trim(' '));
    }
}
