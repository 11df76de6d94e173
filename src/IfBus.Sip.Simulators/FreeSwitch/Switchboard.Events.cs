using System.Globalization;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The part of the switchboard that tells: which headers an event has, and in which order.</summary>
internal sealed partial class Switchboard
{
    // Where in the server's code an event comes from.
    private static readonly Dictionary<string, (string File, string Function, int Line)> Sources = new()
    {
        ["CHANNEL_ANSWER"] = ("switch_channel.c", "switch_channel_perform_mark_answered", 3846),
        ["CHANNEL_BRIDGE"] = ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1689),
        ["CHANNEL_CALLSTATE"] = ("switch_channel.c", "switch_channel_perform_set_callstate", 301),
        ["CHANNEL_CREATE"] = ("switch_core_state_machine.c", "switch_core_session_run", 626),
        ["CHANNEL_DATA"] = ("mod_commands.c", "uuid_dump_function", 6468),
        ["CHANNEL_DESTROY"] = ("switch_core_session.c", "switch_core_session_perform_destroy", 1584),
        ["CHANNEL_EXECUTE"] = ("switch_core_session.c", "switch_core_session_exec", 2944),
        ["CHANNEL_EXECUTE_COMPLETE"] = ("switch_core_session.c", "switch_core_session_exec", 2967),
        ["CHANNEL_HANGUP"] = ("switch_channel.c", "switch_channel_perform_hangup", 3445),
        ["CHANNEL_HANGUP_COMPLETE"] = ("switch_core_state_machine.c", "switch_core_session_reporting_state", 943),
        ["CHANNEL_HOLD"] = ("switch_ivr.c", "switch_ivr_hold", 1558),
        ["CHANNEL_ORIGINATE"] = ("switch_core_state_machine.c", "switch_core_session_run", 632),
        ["CHANNEL_OUTGOING"] = ("switch_core_session.c", "switch_core_session_outgoing_channel", 768),
        ["CHANNEL_PARK"] = ("switch_ivr.c", "switch_ivr_park", 1002),
        ["CHANNEL_PROGRESS"] = ("switch_channel.c", "switch_channel_perform_mark_ring_ready_value", 3505),
        ["CHANNEL_PROGRESS_MEDIA"] = ("switch_channel.c", "switch_channel_perform_mark_pre_answered", 3560),
        ["CHANNEL_STATE"] = ("switch_channel.c", "switch_channel_perform_set_running_state", 2408),
        ["CHANNEL_UNBRIDGE"] = ("switch_ivr_bridge.c", "switch_ivr_multi_threaded_bridge", 1879),
        ["CHANNEL_UNHOLD"] = ("switch_ivr.c", "switch_ivr_unhold", 1638),
        ["CHANNEL_UNPARK"] = ("switch_ivr.c", "switch_ivr_park", 1213),
        ["CHANNEL_UUID"] = ("switch_core_session.c", "switch_core_session_set_uuid", 2051),
        ["DTMF"] = ("switch_channel.c", "switch_channel_dequeue_dtmf", 677),
        ["MEDIA_BUG_START"] = ("switch_core_media_bug.c", "switch_core_media_bug_add", 1014),
        ["MEDIA_BUG_STOP"] = ("switch_core_media_bug.c", "switch_core_media_bug_destroy", 84),
        ["PLAYBACK_START"] = ("switch_ivr_play_say.c", "switch_ivr_play_file", 1646),
        ["PLAYBACK_STOP"] = ("switch_ivr_play_say.c", "switch_ivr_play_file", 2020),
        ["RECORD_START"] = ("switch_ivr_async.c", "record_callback", 1481),
        ["RECORD_STOP"] = ("switch_ivr_async.c", "send_record_stop_event", 1240),
    };

    // These tell the variables too (switch_channel_event_set_extended_data).
    private static readonly HashSet<string> WithVariables =
    [
        "CHANNEL_CREATE", "CHANNEL_ORIGINATE", "CHANNEL_UUID", "CHANNEL_ANSWER", "CHANNEL_PARK", "CHANNEL_UNPARK", "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_PROGRESS",
        "CHANNEL_PROGRESS_MEDIA", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DATA", "CHANNEL_EXECUTE", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_DESTROY", "RECORD_START",
        "RECORD_STOP", "PLAYBACK_START", "PLAYBACK_STOP", "CALL_UPDATE", "MEDIA_BUG_START", "MEDIA_BUG_STOP", "CHANNEL_HOLD", "CHANNEL_UNHOLD",
    ];

    /// <summary>An API event: fired when the command has ended, with the number of when it began.</summary>
    public void TellApi(string command, string argument, long sequence)
    {
        if (Wants("API"))
            Fire(Begin("API", "switch_loadable_module.c", "switch_api_execute", 2954, sequence: sequence).Add("API-Command", command).Add("API-Command-Argument", argument));
    }

    /// <summary>The number of an event that comes later.</summary>
    public long TakeSequence() => ++_sequence;

    /// <summary>The outcome of a bgapi.</summary>
    public void TellJob(string jobId, string command, string argument, string body)
    {
        if (Wants("BACKGROUND_JOB"))
            Fire(Begin("BACKGROUND_JOB", "mod_event_socket.c", "api_exec", 1572, body: body).Add("Job-UUID", jobId).Add("Job-Command", command).Add("Job-Command-Arg", argument));
    }

    /// <summary>All fields of a leg, as uuid_dump gives them.</summary>
    public EslEvent Dump(FsChannel c)
    {
        EslEvent e = Begin("CHANNEL_DATA", "mod_commands.c", "uuid_dump_function", 6468);
        AddChannel(e, c);
        AddVariables(e, c);
        return e;
    }

    private void Tell(FsChannel c, string name, Action<EslEvent>? before = null, Action<EslEvent>? after = null, (string File, string Function, int Line)? source = null)
    {
        if (!Wants(name)) return;
        (string file, string function, int line) = source ?? Sources[name];
        EslEvent e = Begin(name, file, function, line);
        before?.Invoke(e);
        AddChannel(e, c);
        if (WithVariables.Contains(name)) AddVariables(e, c);
        after?.Invoke(e);
        Fire(e);
    }

    private static void AddChannel(EslEvent e, FsChannel c)
    {
        e.Add("Channel-State", FsChannel.Word(c.Running)).Add("Channel-Call-State", FsChannel.Word(c.CallState)).Add("Channel-State-Number", (int)c.State)
            .Add("Channel-Name", c.Name).Add("Unique-ID", c.Uuid).Add("Call-Direction", c.Outbound ? "outbound" : "inbound").Add("Presence-Call-Direction", c.Outbound ? "outbound" : "inbound")
            .Add("Channel-HIT-Dialplan", !c.Outbound || c.HitDialplan).Add("Channel-Call-UUID", c.Variables["call_uuid"] ?? c.Uuid).Add("Answer-State", c.AnswerState);
        if (c.HangupCause != Causes.None) e.Add("Hangup-Cause", Causes.Name(c.HangupCause));
        AddCodec(e, "Channel-Read-Codec", c.Read);
        AddCodec(e, "Channel-Write-Codec", c.Write);
        c.Profile?.AddTo(e, "Caller");
        if (c.OtherType.Length == 0 || c.OtherProfile is null) return;
        e.Add("Other-Type", c.OtherType);
        c.OtherProfile.AddTo(e, "Other-Leg");
    }

    private static void AddVariables(EslEvent e, FsChannel c)
    {
        foreach ((string name, string value) in c.Variables.Items) e.Headers.Add(new("variable_" + name, value));
    }

    private static void AddCodec(EslEvent e, string prefix, Codec? codec)
    {
        if (codec is not null) e.Add(prefix + "-Name", codec.Name).Add(prefix + "-Rate", codec.Rate).Add(prefix + "-Bit-Rate", codec.BitRate);
    }

    private void SetRunning(FsChannel c, ChannelState state)
    {
        c.Running = state;
        Tell(c, "CHANNEL_STATE");
    }

    // The next state is decided before the one that it is in is told to run.
    private void SetState(FsChannel c, ChannelState state)
    {
        c.State = state;
        SetRunning(c, state);
    }

    private void SetCallState(FsChannel c, CallState state)
    {
        CallState before = c.CallState;
        if (before == state) return;
        c.CallState = state;
        Tell(c, "CHANNEL_CALLSTATE", e => e.Add("Original-Channel-Call-State", FsChannel.Word(before)).Add("Channel-Call-State-Number", (int)state));
    }

    private void TellCodecs(FsChannel c, Codec codec, bool own)
    {
        // The read codec of a SIP leg is told when both are set already.
        c.Read = codec;
        if (!own) c.Write = codec;
        Tell(
            c, "CODEC",
            after: e => e.Add("channel-read-codec-name", codec.Name).Add("channel-read-codec-rate", codec.Rate).Add("channel-read-codec-bit-rate", codec.BitRate),
            source: own ? ("switch_core_codec.c", "switch_core_session_set_read_codec", 279) : ("switch_core_codec.c", "switch_core_session_set_real_read_codec", 168));
        c.Write = codec;
        Tell(
            c, "CODEC",
            after: e => e.Add("Channel-Write-Codec-Name", codec.Name).Add("Channel-Write-Codec-Rate", codec.Rate).Add("Channel-Write-codec-bit-rate", codec.BitRate),
            source: ("switch_core_codec.c", "switch_core_session_set_write_codec", 450));
    }

    private void TellHeartbeat()
    {
        if (!Wants("HEARTBEAT")) return;
        int count = Channels.Count();
        Fire(Begin("HEARTBEAT", "switch_core.c", "send_heartbeat", 95)
            .Add("Event-Info", "System Ready").Add("Up-Time", UptimeText()).Add("FreeSWITCH-Version", Options.Version + "-release~64bit").Add("Uptime-msec", (long)Uptime.TotalMilliseconds)
            .Add("Session-Count", count).Add("Max-Sessions", MaxSessions).Add("Session-Per-Sec", SessionsPerSecond).Add("Session-Per-Sec-Last", LastSecond())
            .Add("Session-Per-Sec-Max", _peakInSecond).Add("Session-Per-Sec-FiveMin", _peakInSecond).Add("Session-Since-Startup", _sessions)
            .Add("Session-Peak-Max", _peak).Add("Session-Peak-FiveMin", _peak).Add("Idle-CPU", "97.666667"));
    }

    /// <summary>The time since the start in the server's words.</summary>
    public string UptimeText()
    {
        TimeSpan up = Uptime;
        static string Some(long count, string what) => $"{count.ToString(CultureInfo.InvariantCulture)} {what}{(count == 1 ? "" : "s")}";
        return $"{Some(up.Days / 365, "year")}, {Some(up.Days % 365, "day")}, {Some(up.Hours, "hour")}, {Some(up.Minutes, "minute")}, {Some(up.Seconds, "second")}, "
            + $"{Some(up.Milliseconds, "millisecond")}, {Some(up.Ticks / 10 % 1000, "microsecond")}";
    }
}
