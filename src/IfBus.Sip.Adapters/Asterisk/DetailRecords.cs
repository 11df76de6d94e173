using System.Globalization;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>The Cdr events of one server, the last of them. A record may come before or after its channel's Hangup.</summary>
internal sealed class DetailRecords(string server, int size, TimeProvider time)
{
    private readonly object _gate = new();
    private readonly Queue<SipCallDetailRecord> _records = new();
    private readonly Utf8Table<AsteriskCall> _recent = new();
    private readonly Queue<byte[]> _recentOrder = new();

    /// <summary>Keeps the ids of an ended call's legs for records that come later.</summary>
    public void Remember(AsteriskCall call)
    {
        lock (_gate)
        {
            foreach (AsteriskLeg leg in call.Legs)
            {
                if (_recentOrder.Count >= 2 * Math.Max(size, 100)) _recent.Remove(_recentOrder.Dequeue());
                if (_recent.TryGet(leg.IdBytes, out _)) continue;
                _recent.Set(leg.IdBytes, call);
                _recentOrder.Enqueue(leg.IdBytes);
            }
        }
    }

    /// <summary>The lately ended call that a leg belonged to.</summary>
    public AsteriskCall? RecentCall(ReadOnlySpan<byte> legId)
    {
        lock (_gate) return _recent.TryGet(legId, out AsteriskCall? call) ? call : null;
    }

    /// <summary>Takes a Cdr event.</summary>
    public void Add(ReadOnlySpan<byte> message, AsteriskCall? call)
    {
        if (size == 0) return;
        SipCallDetailRecord record = Read(AmiFieldReader.Instance.Read(message), call?.CallId);
        lock (_gate)
        {
            if (_records.Count >= size) _records.Dequeue();
            _records.Enqueue(record);
        }
    }

    /// <summary>The records that a filter lets through, oldest first.</summary>
    public List<SipCallDetailRecord> Find(SipDetailRecordFilter filter)
    {
        lock (_gate)
        {
            return _records.Where(r =>
                (filter.CallId is null || r.CallId == filter.CallId)
                && (filter.After is null || r.StartedAt >= filter.After)
                && (filter.Before is null || r.StartedAt < filter.Before)).ToList();
        }
    }

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
