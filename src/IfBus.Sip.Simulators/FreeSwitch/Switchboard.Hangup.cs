namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The part of the switchboard that ends legs, and the detail record that CHANNEL_HANGUP_COMPLETE is.</summary>
internal sealed partial class Switchboard
{
    /// <summary>Ends a leg: CHANNEL_HANGUP at once, the rest when what is being done now is done.</summary>
    public void HangUp(FsChannel c, int cause)
    {
        if (c.Down) return;
        c.Down = true;
        c.HangupCause = cause;
        c.State = ChannelState.Hangup;
        if (c.Profile is not null) c.Profile.Times.HungUp = Now;
        if (c.Partner is { } partner)
        {
            c.Variables.Set("last_bridge_role", c.BridgeOwner ? "originator" : "originatee");
            partner.Variables.Set("last_bridge_hangup_cause", Causes.Name(cause));
        }

        Tell(c, "CHANNEL_HANGUP");
        Post(() => Finish(c));
    }

    /// <summary>hupall, and the shutdown.</summary>
    public void HangUpAll(int cause)
    {
        foreach (FsChannel c in Channels.ToArray()) HangUp(c, cause);
    }

    private void Finish(FsChannel c)
    {
        foreach (EslConnection listener in _listeners) listener.OnEnded(c.Uuid);
        if (c.HangupDisposition.Length > 0) c.Variables.Set("sip_hangup_disposition", c.HangupDisposition);
        while (c.Applications.Count > 0) EndApplication(c, hangingUp: true);
        LeaveBridge(c);
        SetRunning(c, ChannelState.Hangup);
        if (c.Twin is not null) c.Variables.Set("is_loopback", 1);
        foreach (FsRecording recording in c.Recordings.ToArray()) EndRecording(c, recording, "success-silence");
        SetCallState(c, CallState.Hangup);
        if (c.Twin is { Down: false } twin) HangUp(twin, c.HangupCause);
        SetState(c, ChannelState.Reporting);
        AddRecord(c);
        Tell(c, "CHANNEL_HANGUP_COMPLETE", e => e.Add("Hangup-Cause", Causes.Name(c.HangupCause)));
        c.Attempt?.LegEnded(c);
        c.Attempt = null;
        c.State = ChannelState.Destroy;
        Tell(c, "CHANNEL_DESTROY");
        SetRunning(c, ChannelState.Destroy);
        if (_channels.TryGetValue(c.Uuid, out FsChannel? mine) && mine == c) _channels.Remove(c.Uuid);
        c.Timers.ForEach(t => t.Dispose());
        c.Timers.Clear();
    }

    private void AddRecord(FsChannel c)
    {
        VariableList v = c.Variables;
        CallerProfile profile = c.Profile!;
        TimeTable times = profile.Times;
        v.Set("hangup_cause", Causes.Name(c.HangupCause));
        v.Set("hangup_cause_q850", Causes.Q850(c.HangupCause));
        v.Set("digits_dialed", "none");
        Stamp("start", times.Created);
        Stamp("profile_start", times.ProfileCreated);
        Stamp("answer", times.Answered);
        Stamp("bridge", times.Bridged);
        Stamp("hold", times.LastHold);
        Stamp("progress", times.Progress);
        Stamp("progress_media", times.ProgressMedia);
        if (c.Holds.Count > 0) v.Set("hold_events", $"{{{string.Join(',', c.Holds)}}}");
        Stamp("end", times.HungUp);
        Epoch("start", times.Created);
        Epoch("profile_start", times.ProfileCreated);
        Epoch("answer", times.Answered);
        Epoch("bridge", times.Bridged);
        Epoch("last_hold", times.LastHold);
        v.Set("hold_accum_seconds", times.HoldAccum / 1_000_000);
        v.Set("hold_accum_usec", times.HoldAccum);
        v.Set("hold_accum_ms", times.HoldAccum / 1000);
        Epoch("resurrect", 0);
        Epoch("progress", times.Progress);
        Epoch("progress_media", times.ProgressMedia);
        Epoch("end", times.HungUp);
        v.Set("last_app", v["current_application"]);
        v.Set("last_arg", v["current_application_data"]);
        v.Set("caller_id", $"\"{profile.CallerName}\" <{profile.CallerNumber}>");
        foreach ((string unit, long size) in new[] { ("sec", 1_000_000L), ("msec", 1000L), ("usec", 1L) })
        {
            // Whole seconds are of the clock, not of the call.
            long Span(long from, long to) => from == 0 || to == 0 ? 0 : (to / size) - (from / size);
            string Name(string what) => unit == "sec" ? what + "sec" : what + unit;
            v.Set(unit switch { "sec" => "duration", "msec" => "mduration", _ => "uduration" }, Span(times.Created, times.HungUp));
            v.Set(Name("bill"), Span(times.Answered, times.HungUp));
            v.Set(Name("progress"), Span(times.Created, times.Progress));
            v.Set(Name("answer"), Span(times.Created, times.Answered));
            v.Set(Name("wait"), Span(times.Created, times.Bridged));
            v.Set(Name("progress_media"), Span(times.Created, times.ProgressMedia));
            v.Set(Name("flow_bill"), times.Answered == 0 ? 0 : Span(times.Created, times.HungUp));
        }

        if (c.Endpoint == "sofia") AddSipRecord(c);

        void Stamp(string what, long time)
        {
            if (time > 0) v.Set(what + "_stamp", LocalTime(time));
        }

        void Epoch(string what, long time)
        {
            v.Set(what + "_epoch", time / 1_000_000);
            v.Set(what + "_uepoch", time);
        }
    }

    private static void AddSipRecord(FsChannel c)
    {
        VariableList v = c.Variables;
        if (c.HangupDisposition.Length == 0)
        {
            c.HangupDisposition = c.Answered ? "send_bye" : c.Outbound ? "send_cancel" : "send_refuse";
            v.Set("sip_hangup_disposition", c.HangupDisposition);
            if (!c.Answered && c.Outbound)
            {
                v.Set("sip_invite_failure_status", 487);
                v.Set("sip_invite_failure_phrase", "CANCEL");
            }
        }

        if (!c.Answered && !c.EarlyMedia) return;
        foreach (string counter in RtpCounters) v.Set("rtp_audio_" + counter, counter.EndsWith("_percentage", StringComparison.Ordinal) ? "100.00" : counter.EndsWith("_mos", StringComparison.Ordinal) ? "4.50"
            : counter.Contains("variance", StringComparison.Ordinal) || counter.EndsWith("_rate", StringComparison.Ordinal) || counter.EndsWith("_interval", StringComparison.Ordinal) ? "0.00" : "0");
    }

    private static readonly string[] RtpCounters =
    [
        "in_raw_bytes", "in_media_bytes", "in_packet_count", "in_media_packet_count", "in_skip_packet_count", "in_jitter_packet_count", "in_dtmf_packet_count", "in_cng_packet_count",
        "in_flush_packet_count", "in_largest_jb_size", "in_jitter_min_variance", "in_jitter_max_variance", "in_jitter_loss_rate", "in_jitter_burst_rate", "in_mean_interval", "in_flaw_total",
        "in_quality_percentage", "in_mos", "out_raw_bytes", "out_media_bytes", "out_packet_count", "out_media_packet_count", "out_skip_packet_count", "out_dtmf_packet_count", "out_cng_packet_count",
        "rtcp_packet_count", "rtcp_octet_count",
    ];
}
