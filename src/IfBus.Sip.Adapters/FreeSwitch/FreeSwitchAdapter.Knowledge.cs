using System.Globalization;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <content>Registrations, gateways and counters.</content>
internal sealed partial class FreeSwitchAdapter
{
    protected override async Task<IReadOnlyList<SipRegistration>> GetRegistrationsAsync(FreeSwitchSession session, CancellationToken cancellationToken)
    {
        EslReply reply = await AskAsync(session, "show registrations as json", "SipRejected", $"{Name} does not list its registrations", null, cancellationToken).ConfigureAwait(false);
        return FreeSwitchList.Rows(reply.Text).Select(row => new SipRegistration
        {
            Aor = $"{Text(row, "reg_user")}@{Text(row, "realm")}",
            // "sofia/internal/sip:1001@10.0.0.1:5060;transport=udp"
            Contact = Text(row, "url") is { } url && url.IndexOf("sip:", StringComparison.Ordinal) is >= 0 and int at ? url[at..] : Text(row, "url") ?? "",
            Server = Name,
            Status = "Registered",
            ExpiresAt = long.TryParse(Text(row, "expires"), NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds is > 0 and < 100_000_000_000 ? DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime : null,
            Fields = FieldsOf(row),
        }).ToArray();
    }

    protected override async Task<IReadOnlyList<SipGateway>> GetGatewaysAsync(FreeSwitchSession session, CancellationToken cancellationToken)
    {
        EslReply reply = await AskAsync(session, "sofia xmlstatus gateway", "SipRejected", $"{Name} does not list its gateways", null, cancellationToken).ConfigureAwait(false);
        XDocument list;
        try
        {
            using XmlReader reader = XmlReader.Create(new StringReader(reply.Text), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, IgnoreWhitespace = true });
            list = XDocument.Load(reader);
        }
        catch (XmlException e)
        {
            throw new SipProtocolException($"{Name}'s list of gateways is no XML: '{SipText.Printable(reply.Text)}'.", e);
        }

        return list.Descendants("gateway").Select(gateway =>
        {
            string? state = gateway.Element("state")?.Value;
            string? status = gateway.Element("status")?.Value;
            return new SipGateway
            {
                Name = gateway.Element("name")?.Value ?? "",
                Server = Name,
                Status = status is null ? state : $"{state} ({status})",
                Available = status is "UP" && state is not ("FAILED" or "FAIL_WAIT" or "EXPIRED" or "DOWN"),
                Contacts = gateway.Element("proxy")?.Value is { Length: > 0 } proxy ? [proxy] : Array.Empty<string>(),
                // It says "yes" for a password that is there; no more.
                Fields = new SipFieldCollection(gateway.Elements().Where(e => e.Name != "password").Select(e => new SipField(e.Name.LocalName, e.Value)).ToArray()),
            };
        }).ToArray();
    }

    protected override async Task<SipStatistic> GetStatisticsAsync(FreeSwitchSession session, CancellationToken cancellationToken)
    {
        EslReply reply = await AskAsync(session, "status", "SipRejected", $"{Name} does not tell its counters", null, cancellationToken).ConfigureAwait(false);
        FreeSwitchStatus status = FreeSwitchStatus.Parse(reply.Text);
        int? calls = session.Login.Commands.Contains("show") ? Total((await session.Esl.RunAsync("show calls count", cancellationToken).ConfigureAwait(false)).Text) : null;
        string[] lines = reply.Text.TrimEnd('\n').Split('\n');
        return new SipStatistic
        {
            Server = Name,
            ServerType = SipServerType.FreeSwitch,
            Version = session.Version,
            StartedAt = session.StartedAt,
            Uptime = session.StartedAt is { } started ? Time.GetUtcNow().UtcDateTime - started : null,
            ActiveCalls = calls,
            ActiveChannels = status.Sessions,
            // Sessions, one a leg: the server does not count calls.
            ProcessedCalls = status.SinceStartup,
            MaxCalls = status.MaxSessions,
            Fields = new SipFieldCollection(
            [
                .. lines.Select(l => new SipField("Status", l)),
                .. _mapper.LastHeartbeat is { } heartbeat ? EslJson.Fields(heartbeat).Where(f => f.Name is "Session-Count" or "Max-Sessions" or "Session-Per-Sec" or "Session-Per-Sec-Last" or "Session-Per-Sec-Max" or "Session-Peak-Max" or "Session-Since-Startup" or "Idle-CPU") : [],
            ]),
        };
    }

    private static SipFieldCollection FieldsOf(JsonElement row) =>
        new(row.EnumerateObject().Where(p => p.Value.ValueKind == JsonValueKind.String).Select(p => new SipField(p.Name, FreeSwitchList.Text(p.Value)!)).ToArray());
}
