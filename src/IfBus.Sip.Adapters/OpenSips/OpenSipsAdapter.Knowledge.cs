using System.Globalization;
using System.Text.Json;
using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.OpenSips;

/// <content>Registrations, trunks and counters.</content>
internal sealed partial class OpenSipsAdapter
{
    protected override async Task<IReadOnlyList<SipRegistration>> GetRegistrationsAsync(OpenSipsSession session, CancellationToken cancellationToken)
    {
        JsonElement dump = await session.Mi.AskAsync("ul_dump", RpcParameters.None, cancellationToken).ConfigureAwait(false);
        var found = new List<SipRegistration>();
        foreach (JsonElement domain in MiJson.Items(dump, "Domains"))
        {
            string? table = MiJson.Text(domain, "name");
            foreach (JsonElement aor in MiJson.Items(domain, "AORs"))
            {
                string name = MiJson.Text(aor, "AOR") ?? "";
                foreach (JsonElement contact in MiJson.Items(aor, "Contacts")) found.Add(Registration(name, contact, table));
            }
        }

        return found;
    }

    protected override async Task<SipRegistration> AddRegistrationAsync(OpenSipsSession session, SipRegistrationRequest request, CancellationToken cancellationToken)
    {
        CheckAor(request.Aor);
        if (!OpenSipsNumbers.IsUri(request.Contact)) throw new SipArgumentException("Contact", request.Contact, OpenSipsNumbers.UriRule + ".");
        // 0 is for ever.
        int seconds = request.Expires is { } time ? (int)Math.Ceiling(time.TotalSeconds) : 0;
        if (seconds is < 0 or > 31_536_000 || request.Expires is { } asked && asked <= TimeSpan.Zero) throw new SipArgumentException("Expires", request.Expires.ToString(), "more than zero, at most one year; left out: for ever.");
        string table = Configuration.Context ?? DefaultTable;
        await session.Mi.DoAsync("ul_add", RpcParameters.Of(table, request.Aor, request.Contact, seconds, "1.0", 0, 0, 0), cancellationToken).ConfigureAwait(false);
        JsonElement shown = await session.Mi.AskAsync("ul_show_contact", RpcParameters.Of(table, request.Aor), cancellationToken).ConfigureAwait(false);
        foreach (JsonElement contact in MiJson.Items(shown, "Contacts"))
        {
            if (MiJson.Text(contact, "Contact") == request.Contact) return Registration(request.Aor, contact, table);
        }

        throw new SipRejectedException($"{Name} took the registration of {request.Aor}, and does not show it.", "not in ul_show_contact", errorId: "SipRegistrationNotKept");
    }

    protected override async Task<bool> RemoveRegistrationAsync(OpenSipsSession session, string aor, string? contact, CancellationToken cancellationToken)
    {
        CheckAor(aor);
        string table = Configuration.Context ?? DefaultTable;
        try
        {
            // ul_rm says OK for one that is not there.
            await session.Mi.AskAsync("ul_show_contact", RpcParameters.Of(table, aor), cancellationToken).ConfigureAwait(false);
            if (contact is null) await session.Mi.DoAsync("ul_rm", RpcParameters.Of(table, aor), cancellationToken).ConfigureAwait(false);
            else await session.Mi.DoAsync("ul_rm_contact", RpcParameters.Of(table, aor, contact), cancellationToken).ConfigureAwait(false);
        }
        catch (SipRejectedException e) when (e.ServerCode == 404)
        {
            string what = contact is null ? "registration" : $"contact {SipText.Printable(contact)}";
            throw new SipRejectedException($"{Name} has no {what} of '{SipText.Printable(aor)}' in its table {table}: {e.ServerText}.", e.ServerText, 404, "SipRegistrationNotFound") { RecommendedAction = "Get-SipRegistration lists them." };
        }

        return true;
    }

    protected override async Task<IReadOnlyList<SipGateway>> GetGatewaysAsync(OpenSipsSession session, CancellationToken cancellationToken)
    {
        var found = new List<SipGateway>();
        if (session.Login.Commands.Contains("ds_list")) found.AddRange(Dispatcher(await session.Mi.AskAsync("ds_list", RpcParameters.None, cancellationToken).ConfigureAwait(false)));
        if (session.Login.Commands.Contains("lb_list")) found.AddRange(MiJson.Items(await session.Mi.AskAsync("lb_list", RpcParameters.None, cancellationToken).ConfigureAwait(false), "Destinations").Select(Balanced));
        if (session.Login.Commands.Contains("reg_list")) found.AddRange(MiJson.Items(await session.Mi.AskAsync("reg_list", RpcParameters.None, cancellationToken).ConfigureAwait(false), "Records").Select(Registrant));
        return found;
    }

    protected override async Task<SipGateway> SetGatewayAsync(OpenSipsSession session, string name, SipGatewayChange change, CancellationToken cancellationToken)
    {
        SipGateway now = (await GetGatewaysAsync(session, cancellationToken).ConfigureAwait(false)).FirstOrDefault(g => g.Name == name)
            ?? throw new SipRejectedException($"{Name} has no gateway '{SipText.Printable(name)}'.", "not listed", 404, "SipGatewayNotFound") { RecommendedAction = "Get-SipGateway lists them." };
        bool active = change.State == SipGatewayState.Active;
        if (change.State is SipGatewayState.Trying or SipGatewayState.Disabled || change.Probing is not null)
        {
            throw new SipArgumentException("State", change.State.ToString(), "Active or Inactive; the server decides by itself what it probes.");
        }

        string[] parts = name.Split(':', 2);
        switch (parts[0])
        {
            case "lb":
                Need(session, "lb_status", SipCapabilities.GatewayControl);
                await session.Mi.DoAsync("lb_status", RpcParameters.Of((int)(MiNumber(now, "id") ?? 0), active ? 1 : 0), cancellationToken).ConfigureAwait(false);
                break;
            case "reg":
                string command = active ? "reg_enable" : "reg_disable";
                Need(session, command, SipCapabilities.GatewayControl);
                await session.Mi.DoAsync(command, RpcParameters.Named(("aor", now.Fields["AOR"]!), ("contact", now.Fields["binding"] ?? ""), ("registrar", now.Fields["registrar"] ?? "")), cancellationToken).ConfigureAwait(false);
                break;
            default:
                Need(session, "ds_set_state", SipCapabilities.GatewayControl);
                string group = now.Fields["set"]!;
                string partition = now.Fields["partition"] ?? "default";
                // A partition that is not the default one is named before the set.
                RpcValue set = partition == "default" ? int.Parse(group, CultureInfo.InvariantCulture) : $"{partition}:{group}";
                await session.Mi.DoAsync("ds_set_state", RpcParameters.Of(active ? "a" : "i", set, now.Fields["URI"]!), cancellationToken).ConfigureAwait(false);
                break;
        }

        return (await GetGatewaysAsync(session, cancellationToken).ConfigureAwait(false)).FirstOrDefault(g => g.Name == name) ?? now;
    }

    protected override async Task<bool> ReloadGatewaysAsync(OpenSipsSession session, CancellationToken cancellationToken)
    {
        foreach (string command in (string[])["ds_reload", "lb_reload", "reg_reload"])
        {
            if (session.Login.Commands.Contains(command)) await session.Mi.DoAsync(command, RpcParameters.None, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    protected override async Task<SipStatistic> GetStatisticsAsync(OpenSipsSession session, CancellationToken cancellationToken)
    {
        JsonElement all = await session.Mi.AskAsync("get_statistics", RpcParameters.Of(RpcValue.List("all")), cancellationToken).ConfigureAwait(false);
        TimeSpan? up = Uptime(await session.Mi.AskAsync("uptime", RpcParameters.None, cancellationToken).ConfigureAwait(false));
        return new SipStatistic
        {
            Server = Name,
            ServerType = SipServerType.OpenSips,
            Version = session.Version,
            StartedAt = session.StartedAt,
            Uptime = up,
            ActiveCalls = Sum(MiJson.Number(all, "dialog:active_dialogs"), MiJson.Number(all, "dialog:early_dialogs")),
            ProcessedCalls = MiJson.Number(all, "dialog:processed_dialogs"),
            Fields = MiJson.Fields(all),
        };
    }

    private static void CheckAor(string aor)
    {
        bool good = aor.Length is > 0 and <= 255 && aor.All(c => c is > ' ' and <= '~' && c is not ('<' or '>' or '"' or ',' or ';' or '?'));
        if (!good) throw new SipArgumentException("Aor", aor, "the name of a registration as Get-SipRegistration shows it, for instance 1001 or 1001@example.com: no blanks, quotes, < > , ; ? and control characters.");
    }

    private static long? MiNumber(SipGateway gateway, string field) => long.TryParse(gateway.Fields[field], NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    private SipRegistration Registration(string aor, JsonElement contact, string? table)
    {
        // Left: seconds; 0 and less for one that stays, or is over.
        long? left = MiJson.Number(contact, "Expires");
        return new SipRegistration
        {
            Aor = aor,
            Contact = MiJson.Text(contact, "Contact") ?? "",
            Server = Name,
            Status = MiJson.Text(contact, "State"),
            Static = MiJson.Text(contact, "Expires") == "permanent" || left == 0,
            ExpiresAt = left is > 0 and < 1_000_000_000 ? Time.GetUtcNow().UtcDateTime.AddSeconds(left.Value) : null,
            UserAgent = MiJson.Text(contact, "User-agent"),
            Fields = new SipFieldCollection([.. MiJson.Fields(contact), .. table is null ? Array.Empty<SipField>() : [new SipField("table", table)]]),
        };
    }

    private IEnumerable<SipGateway> Dispatcher(JsonElement list)
    {
        foreach (JsonElement partition in MiJson.Items(list, "PARTITIONS"))
        {
            string name = MiJson.Text(partition, "name") ?? "default";
            foreach (JsonElement set in MiJson.Items(partition, "SETS"))
            {
                string id = MiJson.Text(set, "id") ?? "";
                foreach (JsonElement destination in MiJson.Items(set, "Destinations"))
                {
                    string uri = MiJson.Text(destination, "URI") ?? "";
                    string? state = MiJson.Text(destination, "state");
                    yield return new SipGateway
                    {
                        Name = name == "default" ? $"ds:{id}/{uri}" : $"ds:{name}/{id}/{uri}",
                        Server = Name,
                        Status = state,
                        Available = state == "Active",
                        Contacts = [uri],
                        Fields = new SipFieldCollection([new SipField("partition", name), new SipField("set", id), .. MiJson.Fields(destination)]),
                    };
                }
            }
        }
    }

    private SipGateway Balanced(JsonElement destination)
    {
        bool enabled = MiJson.Text(destination, "enabled") == "yes";
        return new SipGateway
        {
            Name = "lb:" + MiJson.Text(destination, "id"),
            Server = Name,
            Status = enabled ? "enabled" : "disabled",
            Available = enabled,
            ActiveChannels = (int?)MiJson.Items(destination, "Resources").Max(r => MiJson.Number(r, "load")),
            Contacts = MiJson.Text(destination, "uri") is { } uri ? [uri] : Array.Empty<string>(),
            Fields = MiJson.Fields(destination),
        };
    }

    private SipGateway Registrant(JsonElement record)
    {
        string? state = MiJson.Text(record, "state");
        return new SipGateway
        {
            Name = "reg:" + MiJson.Text(record, "AOR"),
            Server = Name,
            Status = MiJson.Text(record, "enabled") == "no" ? "disabled" : state,
            Available = state == "REGISTERED_STATE",
            Contacts = MiJson.Text(record, "registrar") is { } registrar ? [registrar] : Array.Empty<string>(),
            Fields = MiJson.Fields(record),
        };
    }
}
