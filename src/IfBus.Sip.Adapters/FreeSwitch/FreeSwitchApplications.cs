using System.Globalization;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>
/// An extension that calls nobody (an announcement, a conference, an echo) is the destination itself: the application
/// that its channel executes tells whether the caller has arrived (CHANNEL_EXECUTE; FreeSWITCH 1.10.12).
/// </summary>
internal static class FreeSwitchApplications
{
    private static readonly HashSet<string> Diallers = new(StringComparer.OrdinalIgnoreCase) { "bridge", "uuid_bridge", "att_xfer", "intercept", "three_way", "Dial" };

    // What they do is in their script, in another program or in their queue: each application that a script executes is told
    // by an event of its own (CHANNEL_EXECUTE), and whom a queue finds by CHANNEL_BRIDGE.
    private static readonly HashSet<string> Scripts = new(StringComparer.OrdinalIgnoreCase)
    {
        "basic", "callcenter", "erlang", "fifo", "httapi", "java", "javascript", "lua", "managed", "perl", "python", "python3", "socket",
    };

    private static readonly HashSet<string> Preparers = new(StringComparer.OrdinalIgnoreCase)
    {
        "acknowledge_call", "answer", "avmd_start", "avmd_stop", "bgsystem", "bind_digit_action", "bind_meta_app", "blind_transfer_ack", "block_dtmf", "break", "bridge_export", "callcenter_track",
        "capture", "capture_text", "check_acl", "cidlookup", "detect_speech", "distributor", "enum", "erlang_sendmsg", "fifo_track_call", "Goto", "nibblebill", "translate",
        "clear_digit_action", "clear_speech_cache", "cng_plc", "conference_set_auto_outcall", "curl", "db", "debug_media", "deduplicate_dtmf", "deflect", "delay_echo",
        "detect_audio", "detect_silence", "digit_action_set_realm", "displace_session", "early_hangup", "easyroute", "enable_heartbeat", "enable_keepalive", "eval", "event",
        "execute_extension", "export", "fax_detect", "filter_codecs", "flush_dtmf", "group", "hangup", "hash", "info", "jitterbuffer", "lcr", "limit", "limit_execute",
        "limit_hash", "limit_hash_execute", "log", "media_reset", "mkdir", "multiset", "multiunset", "mutex", "novideo", "pre_answer", "preprocess", "presence", "privacy",
        "push", "queue_dtmf", "record_session", "record_session_mask", "record_session_pause", "record_session_resume", "record_session_unmask", "recovery_refresh",
        "redirect", "remove_bugs", "rename", "respond", "reuse_caller_profile", "ring_ready", "sched_broadcast", "sched_cancel", "sched_hangup", "sched_heartbeat",
        "sched_transfer", "send_display", "send_dtmf", "send_info", "session_loglevel", "set", "set_audio_level", "set_global", "set_media_stats", "set_mute", "set_name",
        "set_profile_var", "set_user", "set_zombie_exec", "sofia_sla", "sofia_stir_shaken_vs", "start_dtmf", "start_dtmf_generate", "stop", "stop_displace_session", "stop_dtmf",
        "stop_dtmf_generate", "stop_record_session", "stop_tone_detect", "strftime", "system", "tone_detect", "transfer", "transfer_vars", "unbind_meta_app", "unblock_dtmf",
        "unhold", "unloop", "unset", "unshift", "verbose_events", "wait_for_answer", "wait_for_silence", "wait_for_video_ready",
    };

    /// <summary>True if a channel that executes this has arrived: it is not on its way to somebody else.</summary>
    /// <param name="application">The application.</param>
    /// <param name="data">Its arguments.</param>
    public static bool IsDestination(string? application, string? data)
    {
        if (application is null || Preparers.Contains(application) || Diallers.Contains(application) || Scripts.Contains(application)) return false;
        // A pause of some seconds stands before a bridge in many dialplans; a long one is a far end of its own.
        return !application.Equals("sleep", StringComparison.OrdinalIgnoreCase)
            || (double.TryParse(data, NumberStyles.Float, CultureInfo.InvariantCulture, out double milliseconds) && milliseconds > 10_000);
    }
}
