using System.Globalization;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>Reads Cdr events. A record may come before or after its channel's Hangup.</summary>
internal sealed class AsteriskDetailRecords(string server, TimeProvider time)
{
    /// <summary>One Cdr event.</summary>
    public SipCallDetailRecord Read(ReadOnlySpan<byte> message, string? callId) => Read(AmiFieldReader.Instance.Read(message), callId);

    private SipCallDetailRecord Read(SipFieldCollection fields, string? callId)
    {
        TimeSpan zone = Zone(fields["EndTime"]);
        return new SipCallDetailRecord
        {
            CallId = callId,
            Server = server,
            ServerType = SipServerType.Asterisk,
            LegId = Value("UniqueID"),
            From = Value("Source"),
            To = Value("Destination"),
            CallerId = Value("CallerID"),
            Channel = Value("Channel"),
            DestinationChannel = Value("DestinationChannel"),
            StartedAt = Moment("StartTime"),
            AnsweredAt = Moment("AnswerTime"),
            EndedAt = Moment("EndTime"),
            Duration = Seconds("Duration"),
            BillableDuration = Seconds("BillableSeconds"),
            Disposition = Value("Disposition"),
            Fields = fields,
        };

        string? Value(string name) => fields[name] is { Length: > 0 } text ? text : null;

        DateTime? Moment(string name) => Parse(fields[name]) is { } local ? DateTime.SpecifyKind(local - zone, DateTimeKind.Utc) : null;

        TimeSpan? Seconds(string name) =>
            long.TryParse(fields[name], NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds < int.MaxValue ? TimeSpan.FromSeconds(seconds) : null;
    }

    // Asterisk writes its local time without a zone. A record comes when its call ends, so the distance of EndTime to
    // now, to the nearest quarter of an hour, is the server's offset from UTC.
    private TimeSpan Zone(string? endTime)
    {
        if (Parse(endTime) is not { } local) return TimeSpan.Zero;
        double quarters = (local - time.GetUtcNow().UtcDateTime).TotalMinutes / 15;
        return Math.Abs(quarters) <= 14 * 4 + 1 ? TimeSpan.FromMinutes(Math.Round(quarters) * 15) : TimeSpan.Zero;
    }

    private static DateTime? Parse(string? text) =>
        DateTime.TryParseExact(text, "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out DateTime moment) ? moment : null;
}
