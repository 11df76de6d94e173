using System.Globalization;

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
        List<SipFieldCollection> legs = call.Records;
        // Begun in the same millisecond, who called comes before who was called.
        SipFieldCollection first = legs.OrderBy(Begin).ThenBy(l => l["direction"] == "outgoing").First();
        // Who was called is what the call was made for; a leg that came in, or our silent one, is not.
        SipFieldCollection called = legs.Where(l => l["direction"] == "outgoing").DefaultIfEmpty(first).MaxBy(Begin)!;
        DateTime? started = Moment(Begin(first));
        TimeSpan? talked = Seconds(called["billtime"]);
        DateTime? ended = Moment(legs.Max(End));
        bool answered = talked > TimeSpan.Zero || call.AnsweredAt is not null;
        return new SipCallDetailRecord
        {
            CallId = call.CallId,
            Server = server,
            ServerType = SipServerType.Yate,
            LegId = first["chan"],
            // A call of ours says who; the engine writes its silent leg for nobody.
            From = call.IsOurs ? call.From : call.From ?? first["caller"],
            To = call.To ?? first["called"],
            CallerId = first["callername"] ?? (first["caller"] == "dumb/" ? null : first["caller"]),
            Channel = first["chan"],
            DestinationChannel = called == first ? null : called["chan"],
            StartedAt = started,
            AnsweredAt = answered && talked is { } time && Moment(End(called)) is { } end ? end - time : null,
            EndedAt = ended,
            Duration = ended - started,
            BillableDuration = talked,
            Disposition = called["reason"] is { Length: > 0 } reason ? reason : called["status"],
            Fields = new SipFieldCollection([.. legs.SelectMany(l => l)]),
        };
    }

    private static double Begin(SipFieldCollection leg) => double.TryParse(leg["time"], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) ? seconds : 0;

    private static double End(SipFieldCollection leg) => Begin(leg) + (Seconds(leg["duration"])?.TotalSeconds ?? 0);

    private static DateTime? Moment(double seconds) => seconds is > 0 and < 100_000_000_000 ? DateTime.UnixEpoch.AddMilliseconds(Math.Round(seconds * 1000)) : null;

    private static TimeSpan? Seconds(string? text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0 and < 1_000_000_000 ? TimeSpan.FromMilliseconds(Math.Round(seconds * 1000)) : null;
}
