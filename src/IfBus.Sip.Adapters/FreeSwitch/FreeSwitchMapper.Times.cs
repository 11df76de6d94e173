namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>The part of the mapper that knows when things happened: by the server's stamps, since events may be read late and together.</summary>
internal sealed partial class FreeSwitchMapper
{
    private readonly ServerClock _clock = new();

    // When an event of a call happened, in our time. One distance of the clocks for a whole call: times between its events are the server's own.
    private DateTime TimeOf(FreeSwitchCall call, ReadOnlySpan<byte> json)
    {
        if (Stamp(json) is not { } stamp) return calls.Now;
        TimeSpan ahead = _clock.Hear(stamp, _arrived);
        call.Ahead ??= ahead;
        // The server's clock was set back.
        if (stamp + call.Ahead < call.CreatedAt) call.Ahead = _arrived - stamp;
        return stamp + call.Ahead.Value;
    }

    private static DateTime? Stamp(ReadOnlySpan<byte> json) => FreeSwitchDetailRecord.Moment(json, "Event-Date-Timestamp"u8);
}
