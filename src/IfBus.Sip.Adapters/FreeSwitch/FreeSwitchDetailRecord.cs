using System.Collections;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>Reads the detail record that CHANNEL_HANGUP_COMPLETE carries: one a leg, times to the microsecond.</summary>
internal static class FreeSwitchDetailRecord
{
    /// <summary>One CHANNEL_HANGUP_COMPLETE.</summary>
    public static SipCallDetailRecord Read(ReadOnlySpan<byte> json, string server, string callId) => new()
    {
        CallId = callId,
        Server = server,
        ServerType = SipServerType.FreeSwitch,
        LegId = EslJson.Text(json, "Unique-ID"u8),
        // The caller-id fields swap sides when a leg that was called is answered; the original stays.
        From = EslJson.Text(json, "Caller-Orig-Caller-ID-Number"u8) ?? EslJson.Text(json, "Caller-Caller-ID-Number"u8),
        To = EslJson.Text(json, "Caller-Destination-Number"u8),
        CallerId = EslJson.Text(json, "Caller-Orig-Caller-ID-Name"u8) ?? EslJson.Text(json, "Caller-Caller-ID-Name"u8),
        Channel = EslJson.Text(json, "Channel-Name"u8),
        DestinationChannel = EslJson.Text(json, "Other-Leg-Channel-Name"u8),
        StartedAt = Moment(json, "variable_start_uepoch"u8),
        AnsweredAt = Moment(json, "variable_answer_uepoch"u8),
        EndedAt = Moment(json, "variable_end_uepoch"u8),
        // duration and billsec are whole seconds rounded over the clock; these are exact.
        Duration = Milliseconds(json, "variable_mduration"u8),
        BillableDuration = Milliseconds(json, "variable_billmsec"u8),
        Disposition = EslJson.Text(json, "Hangup-Cause"u8),
        Fields = new SipFieldCollection(new Fields(json.ToArray())),
    };

    /// <summary>Microseconds since 1970; null if there are none.</summary>
    public static DateTime? Moment(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name) =>
        EslJson.Number(json, name) is > 0 and < 100_000_000_000_000_000 and { } microseconds ? DateTime.UnixEpoch.AddTicks(microseconds * 10) : null;

    private static TimeSpan? Milliseconds(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name) =>
        EslJson.Number(json, name) is >= 0 and < 1_000_000_000_000 and { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;

    // 200 fields that hardly anybody looks at: kept as they came, read by who does.
    private sealed class Fields(byte[] json) : IReadOnlyList<SipField>
    {
        private List<SipField>? _read;

        public int Count => Read.Count;

        public SipField this[int index] => Read[index];

        private List<SipField> Read => _read ??= EslJson.Fields(json);

        public IEnumerator<SipField> GetEnumerator() => Read.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
