using System.Text;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>show: tables as JSON or with commas.</summary>
internal sealed partial class ApiCommands
{
    private const string ShowUsage =
        "-USAGE: codec|endpoint|application|api|dialplan|file|timer|calls [count]|channels [count|like <match string>]|calls|detailed_calls|bridged_calls|detailed_bridged_calls|aliases|complete|chat|management|modules|nat_map|say|interfaces|interface_types|tasks|limits|status\n";

    private void AddShow() => _functions["show"] = Show;

    private string Show(string argument)
    {
        List<string> words = [.. argument.Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        bool json = false;
        string delimiter = ",";
        int at = words.FindIndex(w => w.Is("as"));
        if (at > 0 && at + 1 < words.Count)
        {
            json = words[at + 1].Is("json");
            if (words[at + 1].Is("delim") && at + 2 < words.Count) delimiter = words[at + 2];
            words.RemoveRange(at, words.Count - at);
        }

        string what = words.Count > 0 ? words[0].ToLowerInvariant() : "";
        bool count = words.Count > 1 && words[1].Is("count");
        IEnumerable<FsChannel> legs = _board.Channels;
        List<List<(string Name, string Value)>> rows;
        switch (what)
        {
            case "channels":
                if (words.Count > 2 && words[1].Is("like")) legs = legs.Where(c => c.Name.Contains(words[2], StringComparison.OrdinalIgnoreCase) || c.Uuid.Contains(words[2], StringComparison.OrdinalIgnoreCase));
                rows = [.. legs.Select(ChannelRow)];
                break;
            case "calls" or "detailed_calls":
                rows = [.. legs.Where(c => c.Partner is null || c.BridgeOwner).Select(c => CallRow(c, what == "detailed_calls"))];
                break;
            case "bridged_calls" or "detailed_bridged_calls":
                rows = [.. legs.Where(c => c.BridgeOwner).Select(c => CallRow(c, what == "detailed_bridged_calls"))];
                break;
            case "registrations":
                rows = [.. Options.Registrations.Select(RegistrationRow)];
                break;
            case "codec" or "endpoint" or "application" or "api" or "dialplan" or "file" or "timer" or "aliases" or "modules" or "tasks" or "limits" or "interfaces":
                rows = Offered(what);
                break;
            default:
                return ShowUsage;
        }

        if (count) return json ? $"{{\"row_count\":{rows.Count}{(rows.Count == 0 ? ",\"rows\":[]" : "")}}}" : $"\n{rows.Count} total.\n";
        return json ? Json(rows) : Lines(rows, delimiter);
    }

    private static string Json(List<List<(string Name, string Value)>> rows)
    {
        if (rows.Count == 0) return "{\"row_count\": 0}\n";
        var writer = new ByteWriter();
        writer.Text($"{{\"row_count\":{rows.Count},\"rows\":[");
        for (int i = 0; i < rows.Count; i++)
        {
            writer.Byte(i == 0 ? '{' : ',');
            if (i > 0) writer.Byte('{');
            for (int k = 0; k < rows[i].Count; k++)
            {
                if (k > 0) writer.Byte(',');
                writer.Quoted(rows[i][k].Name);
                writer.Byte(':');
                writer.Quoted(rows[i][k].Value);
            }

            writer.Byte('}');
        }

        writer.Text("]}");
        return Encoding.Latin1.GetString(writer.Written);
    }

    private static string Lines(List<List<(string Name, string Value)>> rows, string delimiter)
    {
        var text = new StringBuilder();
        if (rows.Count > 0) text.AppendJoin(delimiter, rows[0].Select(f => f.Name)).Append('\n');
        foreach (List<(string Name, string Value)> row in rows) text.AppendJoin(delimiter, row.Select(f => f.Value)).Append('\n');
        return text.Append($"\n{rows.Count} total.\n").ToString();
    }

    private List<(string Name, string Value)> ChannelRow(FsChannel c)
    {
        CallerProfile p = c.Profile ?? new CallerProfile();
        return
        [
            ("uuid", c.Uuid), ("direction", c.Outbound ? "outbound" : "inbound"), ("created", _board.LocalTime(p.Times.Created)), ("created_epoch", $"{p.Times.Created / 1_000_000}"), ("name", c.Name),
            ("state", FsChannel.Word(c.Running)), ("cid_name", p.CallerName), ("cid_num", p.CallerNumber), ("ip_addr", p.NetworkAddress), ("dest", p.Destination),
            ("application", c.Variables["current_application"] ?? ""), ("application_data", c.Variables["current_application_data"] ?? ""), ("dialplan", p.Dialplan), ("context", p.Context),
            ("read_codec", c.Read?.Name ?? ""), ("read_rate", c.Read is null ? "" : $"{c.Read.Rate}"), ("read_bit_rate", c.Read is null ? "" : $"{c.Read.BitRate}"),
            ("write_codec", c.Write?.Name ?? ""), ("write_rate", c.Write is null ? "" : $"{c.Write.Rate}"), ("write_bit_rate", c.Write is null ? "" : $"{c.Write.BitRate}"),
            ("secure", ""), ("hostname", "localhost"), ("presence_id", c.Variables["presence_id"] ?? ""), ("presence_data", ""), ("accountcode", c.Variables["accountcode"] ?? ""),
            ("callstate", FsChannel.Word(c.CallState)), ("callee_name", p.CalleeName), ("callee_num", p.CalleeNumber), ("callee_direction", c.CalleeDirection), ("call_uuid", CallId(c)),
            ("sent_callee_name", c.SentCallee.Name ?? ""), ("sent_callee_num", c.SentCallee.Number ?? ""),
            ("initial_cid_name", c.Initial.Name ?? ""), ("initial_cid_num", c.Initial.Number ?? ""), ("initial_ip_addr", c.Initial.Address ?? ""), ("initial_dest", c.Initial.Destination ?? ""),
            ("initial_dialplan", c.Initial.Dialplan ?? ""), ("initial_context", "default"),
        ];
    }

    private List<(string Name, string Value)> CallRow(FsChannel c, bool detailed)
    {
        // What a leg began with is not told of calls.
        List<(string Name, string Value)> full = ChannelRow(c)[..^6];
        List<(string Name, string Value)> row = detailed ? full : Short(full, withCall: true);
        List<(string Name, string Value)> other = c.Partner is { } partner ? ChannelRow(partner)[..^6] : [.. full.Select(f => (f.Name, ""))];
        row.AddRange((detailed ? other : Short(other, withCall: false)).Select(f => ("b_" + f.Name, f.Value)));
        row.Add(("call_created_epoch", c.Partner is null ? "" : $"{c.BridgedEpoch}"));
        return row;
    }

    private static List<(string Name, string Value)> Short(List<(string Name, string Value)> row, bool withCall)
    {
        string[] names =
        [
            "uuid", "direction", "created", "created_epoch", "name", "state", "cid_name", "cid_num", "ip_addr", "dest", "presence_id", "presence_data", "accountcode", "callstate", "callee_name",
            "callee_num", "callee_direction", .. withCall ? new[] { "call_uuid", "hostname" } : [], "sent_callee_name", "sent_callee_num",
        ];
        return [.. names.Select(n => row.Find(f => f.Name == n))];
    }

    // Told once a leg has had a party change.
    private static string CallId(FsChannel c) => c.CalleeDirection.Length == 0 ? "" : c.Variables["call_uuid"] ?? c.Uuid;

    private List<(string Name, string Value)> RegistrationRow(FreeSwitchSimulatorRegistration r)
    {
        string contact = ByteText.Of(r.Contact);
        (string host, string port) = Address(contact);
        return
        [
            ("reg_user", ByteText.Of(r.User)), ("realm", "127.0.0.1"), ("token", $"reg-{r.User}"), ("url", $"sofia/internal/{contact}"), ("expires", $"{(_board.Now / 1_000_000) + 3600}"),
            ("network_ip", host), ("network_port", port), ("network_proto", "udp"), ("hostname", "localhost"), ("metadata", ""),
        ];
    }

    private static (string Host, string Port) Address(string contact)
    {
        string[] parts = contact[(contact.LastIndexOf('@') + 1)..].Replace("sip:", "", StringComparison.Ordinal).Split(':', ';');
        return (parts[0], parts.Length > 1 ? parts[1] : "5060");
    }
}
