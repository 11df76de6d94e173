using System.Collections;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>
/// The engine writes a record for each leg (call.cdr operation=finalize), none for a call. This folds them: begin and
/// end of the whole, the answer of whoever was called last, the fields of all legs (wire/yate, CDR; Yate 6.4.1).
/// </summary>
internal static class YateDetailRecord
{
    /// <summary>The record of a call that has ended.</summary>
    public static SipCallDetailRecord Fold(YateCall call, string server)
    {
        YateLegRecord[] legs = [.. call.Records];
        // Begun in the same millisecond, who called comes before who was called.
        YateLegRecord first = legs.OrderBy(l => l.Begin).ThenBy(l => l.IsOutgoing).First();
        // Who was called is what the call was made for; a leg that came in, or our silent one, is not.
        YateLegRecord called = legs.Where(l => l.IsOutgoing).DefaultIfEmpty(first).MaxBy(l => l.Begin)!;
        DateTime? started = Moment(first.Begin);
        TimeSpan? talked = called.Talked is { } seconds ? TimeSpan.FromMilliseconds(Math.Round(Math.Min(seconds, 1_000_000_000) * 1000)) : null;
        DateTime? ended = Moment(legs.Max(l => l.End));
        bool answered = talked > TimeSpan.Zero || call.AnsweredAt is not null;
        return new SipCallDetailRecord
        {
            CallId = call.CallId,
            Server = server,
            ServerType = SipServerType.Yate,
            LegId = first["chan"u8],
            // A call of ours says who; the engine writes its silent leg for nobody.
            From = call.IsOurs ? call.From : call.From ?? first["caller"u8],
            To = call.To ?? first["called"u8],
            CallerId = first["callername"u8] ?? (first["caller"u8] == "dumb/" ? null : first["caller"u8]),
            Channel = first["chan"u8],
            DestinationChannel = called == first ? null : called["chan"u8],
            StartedAt = started,
            AnsweredAt = answered && talked is { } time && Moment(called.End) is { } end ? end - time : null,
            EndedAt = ended,
            Duration = ended - started,
            BillableDuration = talked,
            Disposition = called["reason"u8] ?? called["status"u8],
            Fields = new SipFieldCollection(new Fields(legs)),
        };
    }

    private static DateTime? Moment(double seconds) => seconds is > 0 and < 100_000_000_000 ? DateTime.UnixEpoch.AddMilliseconds(Math.Round(seconds * 1000)) : null;

    // Hardly anybody looks at them: kept as they came, read by who does.
    private sealed class Fields(YateLegRecord[] legs) : IReadOnlyList<SipField>
    {
        private List<SipField>? _read;

        public int Count => Read.Count;

        public SipField this[int index] => Read[index];

        private List<SipField> Read => _read ??= [.. legs.SelectMany(l => l.Fields)];

        public IEnumerator<SipField> GetEnumerator() => Read.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
