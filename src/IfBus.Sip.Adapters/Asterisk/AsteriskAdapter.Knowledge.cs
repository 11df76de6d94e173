using System.Globalization;

namespace IfBus.Sip.Adapters.Asterisk;

/// <content>Contacts, endpoints, queues and counters.</content>
internal sealed partial class AsteriskAdapter
{
    protected override async Task<IReadOnlyList<SipRegistration>> GetRegistrationsAsync(AsteriskSession session, CancellationToken cancellationToken)
    {
        var found = new List<SipRegistration>();
        // Registered ones only; none is an error there.
        AmiReply contacts = await session.Ami.RequestAsync(new AmiAction("PJSIPShowContacts"), cancellationToken).ConfigureAwait(false);
        if (!contacts.IsSuccess && !contacts.Message.StartsWith("No Contacts", StringComparison.OrdinalIgnoreCase)) throw Rejected(contacts, "SipRejected", $"{Name} does not list its contacts", null);
        foreach (AmiMessage item in contacts.Items ?? [])
        {
            SipFieldCollection fields = item.ReadFields();
            string? status = fields["Status"];
            found.Add(new SipRegistration
            {
                // ObjectName is aor;@hash.
                Aor = fields["Aor"] ?? fields["AOR"] ?? (fields["ObjectName"] ?? "").Split(';', '@')[0],
                Contact = fields["Uri"] ?? fields["URI"] ?? "",
                Server = Name,
                Status = status,
                Reachable = Reachable(status),
                RoundTrip = RoundTrip(fields["RoundtripUsec"]),
                ExpiresAt = long.TryParse(fields["RegExpire"] ?? fields["ExpirationTime"], NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds is > 0 and < 10_000_000_000 ? DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime : null,
                UserAgent = fields["UserAgent"] is { Length: > 0 } agent ? agent : null,
                Fields = fields,
            });
        }

        // Those that stand in the configuration: "aor/uri," each.
        AmiReply aors = await session.Ami.RequestAsync(new AmiAction("PJSIPShowAors"), cancellationToken).ConfigureAwait(false);
        foreach (AmiMessage item in aors.Items ?? [])
        {
            SipFieldCollection fields = item.ReadFields();
            foreach (string contact in Contacts(fields["Contacts"]))
            {
                if (found.Exists(r => r.Aor == fields["ObjectName"] && r.Contact == contact)) continue;
                found.Add(new SipRegistration { Aor = fields["ObjectName"] ?? "", Contact = contact, Server = Name, Static = true, Fields = fields });
            }
        }

        return found;
    }

    protected override async Task<IReadOnlyList<SipGateway>> GetGatewaysAsync(AsteriskSession session, CancellationToken cancellationToken)
    {
        AmiReply reply = await session.Ami.RequestAsync(new AmiAction("PJSIPShowEndpoints"), cancellationToken).ConfigureAwait(false);
        if (!reply.IsSuccess && !reply.Message.StartsWith("No ", StringComparison.OrdinalIgnoreCase)) throw Rejected(reply, "SipRejected", $"{Name} does not list its endpoints", null);
        return [.. (reply.Items ?? []).Select(item =>
        {
            SipFieldCollection fields = item.ReadFields();
            string? state = fields["DeviceState"];
            return new SipGateway
            {
                Name = fields["ObjectName"] ?? "",
                Server = Name,
                Status = state,
                Available = state is not (null or "Unavailable" or "Invalid"),
                ActiveChannels = Whole(ActiveChannels(fields["ActiveChannels"])),
                Contacts = Contacts(fields["Contacts"]),
                Fields = fields,
            };
        })];
    }

    protected override async Task<IReadOnlyList<SipQueue>> GetQueuesAsync(AsteriskSession session, string? name, CancellationToken cancellationToken)
    {
        var action = new AmiAction("QueueStatus");
        if (name is not null) action.Add("Queue", name, "Name");
        AmiReply reply = await AskAsync(session.Ami, action, "SipRejected", $"{Name} does not list its queues", null, cancellationToken).ConfigureAwait(false);
        List<SipFieldCollection> items = [.. reply.Items.Select(i => i.ReadFields())];
        return [.. items.Where(f => f["Event"] == "QueueParams").Select(f => new SipQueue
        {
            Name = f["Queue"] ?? "",
            Server = Name,
            Strategy = f["Strategy"],
            Completed = Whole(f["Completed"]),
            Abandoned = Whole(f["Abandoned"]),
            HoldTime = Seconds(f["Holdtime"]),
            TalkTime = Seconds(f["TalkTime"]),
            Members = items.Where(m => m["Event"] == "QueueMember" && m["Queue"] == f["Queue"]).Select(m => new SipQueueMember(
                m["Name"], m["Location"] ?? m["StateInterface"], DeviceState(m["Status"]), m["Paused"] == "1", m["InCall"] == "1", Whole(m["CallsTaken"]))).ToArray(),
            Waiting = items.Where(e => e["Event"] == "QueueEntry" && e["Queue"] == f["Queue"]).Select(e => new SipQueueEntry(
                Whole(e["Position"]), e["Channel"], e["CallerIDNum"] is "<unknown>" ? null : e["CallerIDNum"], Seconds(e["Wait"]))).ToArray(),
        })];
    }

    protected override async Task<SipStatistic> GetStatisticsAsync(AsteriskSession session, CancellationToken cancellationToken)
    {
        Task<AmiReply> settings = session.Ami.RequestAsync(new AmiAction("CoreSettings"), cancellationToken);
        Task<AmiReply> status = session.Ami.RequestAsync(new AmiAction("CoreStatus"), cancellationToken);
        int? channels = session.Commands.Contains("CoreShowChannels")
            ? (await session.Ami.RequestAsync(new AmiAction("CoreShowChannels"), cancellationToken).ConfigureAwait(false)).Items?.Count
            : null;
        SipFieldCollection set = (await settings.ConfigureAwait(false)).Response.ReadFields();
        AmiReply told = await status.ConfigureAwait(false);
        if (!told.IsSuccess) throw Rejected(told, "SipRejected", $"{Name} does not tell its counters", null);
        SipFieldCollection counters = told.Response.ReadFields();
        return new SipStatistic
        {
            Server = Name,
            ServerType = SipServerType.Asterisk,
            Version = session.Version,
            StartedAt = session.StartedAt,
            Uptime = session.StartedAt is { } started ? Time.GetUtcNow().UtcDateTime - started : null,
            ActiveCalls = Whole(counters["CoreCurrentCalls"]),
            ActiveChannels = channels,
            ProcessedCalls = long.TryParse(counters["CoreProcessedCalls"], NumberStyles.None, CultureInfo.InvariantCulture, out long processed) ? processed : null,
            MaxCalls = Whole(set["CoreMaxCalls"]) is > 0 and { } most ? most : null,
            Fields = new SipFieldCollection([.. set.Where(f => f.Name is not ("Response" or "Message")), .. counters.Where(f => f.Name is not ("Response" or "Message"))]),
        };
    }

    private static bool? Reachable(string? status) => status switch
    {
        "Reachable" or "Avail" => true,
        "Unreachable" or "Unavail" => false,
        _ => null,
    };

    private static TimeSpan? RoundTrip(string? microseconds) =>
        long.TryParse(microseconds, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value is > 0 and < 1_000_000_000 ? TimeSpan.FromMicroseconds(value) : null;

    private static string[] Contacts(string? list) =>
        [.. (list ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(c => c.Contains('/', StringComparison.Ordinal) ? c[(c.IndexOf('/', StringComparison.Ordinal) + 1)..] : c)];

    // "2" or "2 of inf".
    private static string? ActiveChannels(string? text) => text?.Split(' ')[0];

    private static int? Whole(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;

    private static TimeSpan? Seconds(string? text) => Whole(text) is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    // AST_DEVICE_* (Asterisk 16 and 22, devicestate.h).
    private static string? DeviceState(string? number) => number switch
    {
        "0" => "Unknown",
        "1" => "Not in use",
        "2" => "In use",
        "3" => "Busy",
        "4" => "Invalid",
        "5" => "Unavailable",
        "6" => "Ringing",
        "7" => "Ring, in use",
        "8" => "On hold",
        _ => number,
    };
}
