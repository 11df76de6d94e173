using System.Globalization;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The part of the switchboard that records, schedules ends, and receives digits. No file is ever written.</summary>
internal sealed partial class Switchboard
{
    private static readonly string[] RecordFormats = ["wav", "raw", "r8", "ul", "al", "au", "aiff", "gsm", "PCMU", "PCMA", "L16", "mp3", "ogg", "w64", "voc", "sph"];
    private long _taskId = 3;

    /// <summary>Starts a recording; false if the file cannot be one. A second one of the same file is none.</summary>
    public bool Record(FsChannel c, string path, int limit)
    {
        string format = path[(path.LastIndexOf('.') + 1)..];
        if (!RecordFormats.Contains(format) || path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal))
        {
            c.Variables.Set("record_completion_cause", "uri-failure");
            return false;
        }

        if (c.Recordings.Exists(r => r.Path == path)) return true;
        var recording = new FsRecording(path, Now);
        c.Recordings.Add(recording);
        Tell(c, "RECORD_START", after: e => e.Add("Record-File-Path", path));
        if (limit > 0) After(c, WholeSeconds(TimeSpan.FromSeconds(limit)), () => EndRecording(c, recording, "success-maxtime"));
        return true;
    }

    /// <summary>Stops a recording, or all; false if there is none.</summary>
    public bool StopRecording(FsChannel c, string path)
    {
        FsRecording[] meant = [.. c.Recordings.Where(r => path.Is("all") || r.Path == path)];
        foreach (FsRecording recording in meant) EndRecording(c, recording, "success-maxtime");
        return meant.Length > 0;
    }

    /// <summary>Ends a leg at a time: +seconds, or seconds since 1970.</summary>
    public void ScheduleHangup(FsChannel c, string when, string cause)
    {
        long now = Now / 1_000_000;
        long at = when.StartsWith('+') ? now + ByteText.Number(when[1..]) : long.TryParse(when, CultureInfo.InvariantCulture, out long time) ? time : now;
        long task = ++_taskId;
        EslEvent Task(string name, string function, int line) => Begin(name, "switch_scheduler.c", function, line)
            .Add("Task-ID", task).Add("Task-Desc", "switch_ivr_schedule_hangup").Add("Task-Group", c.Uuid).Add("Task-Runtime", at);
        if (Wants("ADD_SCHEDULE")) Fire(Task("ADD_SCHEDULE", "switch_scheduler_add_task_ex", 266));
        After(c, TimeSpan.FromSeconds(Math.Clamp(at - now, 0, 1_000_000)), () =>
        {
            HangUp(c, cause.Length > 0 ? Causes.Parse(cause) : Causes.AllottedTimeout);
            if (Wants("DEL_SCHEDULE")) Fire(Task("DEL_SCHEDULE", "task_thread_loop", 151));
        });
    }

    /// <summary>Digits come in; each is an event. Times are in units of the RTP clock.</summary>
    public void ReceiveDigits(FsChannel c, string digits, int duration, string source)
    {
        int i = 0;
        foreach (char digit in digits.Where(d => "0123456789*#ABCDabcd".Contains(d, StringComparison.Ordinal)))
        {
            After(c, TimeSpan.FromMilliseconds(20 * ++i), () =>
            {
                Tell(c, "DTMF", after: e => e.Add("DTMF-Digit", digit.ToString()).Add("DTMF-Duration", duration).Add("DTMF-Source", source));
                c.Variables.Set("last_dtmf_duration", duration);
            });
        }
    }

    /// <summary>Something listens to, or changes, a leg's sound.</summary>
    public void TellMediaBug(FsChannel c, bool start)
    {
        void Tell(string name) => this.Tell(c, name, e => e.Add("Media-Bug-Function", "audio").Add("Media-Bug-Target", "mute"));
        if (start) Tell("MEDIA_BUG_START");
        else Tell("MEDIA_BUG_STOP");
    }

    private void EndRecording(FsChannel c, FsRecording recording, string cause)
    {
        if (!c.Recordings.Remove(recording)) return;
        long samples = Math.Max(160, (Now - recording.StartedAt) / 125);
        c.Variables.Set("record_file_size", (samples * 2) + 44);
        c.Variables.Set("record_samples", samples);
        c.Variables.Set("record_seconds", samples / 8000);
        c.Variables.Set("record_ms", samples / 8);
        c.Variables.Set("record_completion_cause", cause);
        Tell(c, "RECORD_STOP", after: e => e.Add("Record-File-Path", recording.Path).Add("Record-Completion-Cause", cause));
    }
}
