using System.Globalization;
using System.Text.Json;
using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.Kamailio;

/// <content>Registrations, trunks, counters, and raw commands.</content>
internal sealed partial class KamailioAdapter
{
    private const string RegistrationPrefix = "uac/";

    // Bits of "flags" in uac.reg_dump (Kamailio 5.6).
    private const int Disabled = 1, InProgress = 2, Registered = 4, Authenticating = 8;

    protected override async Task<IReadOnlyList<SipRegistration>> GetRegistrationsAsync(KamailioSession session, CancellationToken cancellationToken)
    {
        var found = new List<SipRegistration>();
        foreach ((string table, JsonElement domain) in Tables(await session.Rpc.CallAsync("ul.dump", RpcParameters.None, RpcOptions.Read, cancellationToken).ConfigureAwait(false)))
        {
            foreach (JsonElement entry in Items(domain, "AoRs"))
            {
                if (Member(entry, "Info") is not { } info || KamailioDialog.Text(info, "AoR") is not { } aor) continue;
                found.AddRange(Contacts(info, aor, table));
            }
        }

        return found;
    }

    protected override async Task<SipRegistration> AddRegistrationAsync(KamailioSession session, SipRegistrationRequest request, CancellationToken cancellationToken)
    {
        if (!CallRules.IsNumber(request.Aor) && !KamailioNumbers.IsAddress("sip:" + request.Aor))
            throw new SipArgumentException("Aor", request.Aor, CallRules.NumberRule + "; or user@host, as Get-SipRegistration shows them.");
        if (!KamailioNumbers.IsAddress(request.Contact, needsUser: false)) throw new SipArgumentException("Contact", request.Contact, "a SIP URI such as sip:1001@10.0.0.7:5060 with ;transport= at most.");
        if (request.Expires is { } time && (time < TimeSpan.FromSeconds(1) || time > TimeSpan.FromDays(3650))) throw new SipArgumentException("Expires", time.ToString(), "1 second to 3650 days; left out: for good.");
        string table = (await TablesAsync(session, cancellationToken).ConfigureAwait(false)).FirstOrDefault().Name ?? "location";
        long seconds = request.Expires is { } expires ? (long)Math.Ceiling(expires.TotalSeconds) : 0;
        await session.Rpc.CallAsync("ul.add", RpcParameters.Of(table, request.Aor, request.Contact, seconds, 1, "", 0, 0, 0), RpcOptions.Change, cancellationToken).ConfigureAwait(false);
        JsonElement now = await session.Rpc.CallAsync("ul.lookup", RpcParameters.Of(table, request.Aor), RpcOptions.Read, cancellationToken).ConfigureAwait(false);
        return Contacts(now, KamailioDialog.Text(now, "AoR") ?? request.Aor, table).FirstOrDefault(r => r.Contact == request.Contact)
            ?? throw new SipProtocolException($"{Name} took the contact {request.Contact}, and does not show it.");
    }

    protected override async Task<bool> RemoveRegistrationAsync(KamailioSession session, string aor, string? contact, CancellationToken cancellationToken)
    {
        string? table = null;
        foreach ((string name, JsonElement domain) in await TablesAsync(session, cancellationToken).ConfigureAwait(false))
        {
            // The server compares without regard to case.
            if (Items(domain, "AoRs").Any(e => aor.Equals(KamailioDialog.Text(e, "AoR"), StringComparison.OrdinalIgnoreCase))) table ??= name;
        }

        if (table is null) throw NotRegistered($"{Name} has no registration of '{SipText.Printable(aor)}'.", "AOR not found");
        try
        {
            // ul.rm says success for an address that is not there, too.
            if (contact is null) await session.Rpc.CallAsync("ul.rm", RpcParameters.Of(table, aor), RpcOptions.Change, cancellationToken).ConfigureAwait(false);
            else await session.Rpc.CallAsync("ul.rm_contact", RpcParameters.Of(table, aor, contact), RpcOptions.Change, cancellationToken).ConfigureAwait(false);
        }
        catch (SipRejectedException e) when (e.ServerCode == 404)
        {
            throw NotRegistered($"{Name} has no contact {SipText.Printable(contact)} of '{SipText.Printable(aor)}'.", e.ServerText);
        }

        return true;

        SipRejectedException NotRegistered(string message, string words) => new(message, words, 404, "SipRegistrationNotFound") { RecommendedAction = "Get-SipRegistration lists them." };
    }

    protected override async Task<IReadOnlyList<SipGateway>> GetGatewaysAsync(KamailioSession session, CancellationToken cancellationToken)
    {
        var found = new List<SipGateway>();
        if (session.Login.Methods.Contains("dispatcher.list")) found.AddRange(await DispatcherAsync(session, cancellationToken).ConfigureAwait(false));
        if (session.Login.Methods.Contains("uac.reg_dump"))
        {
            JsonElement list = await session.Rpc.CallAsync("uac.reg_dump", RpcParameters.None, RpcOptions.Read, cancellationToken).ConfigureAwait(false);
            if (list.ValueKind == JsonValueKind.Array) found.AddRange(list.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.Object).Select(Trunk));
        }

        return found;
    }

    protected override async Task<SipGateway> SetGatewayAsync(KamailioSession session, string name, SipGatewayChange change, CancellationToken cancellationToken)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash < 1 || !int.TryParse(name.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out int set))
            throw new SipArgumentException("Name", name, "a dispatcher's destination as Get-SipGateway names it: set/address, for instance 1/sip:10.0.0.7:5060.");
        string address = name[(slash + 1)..];
        // "all" would be every destination of the set.
        if (!CallRules.IsUri(address)) throw new SipArgumentException("Name", name, "set/address with the SIP address of one destination.");
        string state = change.State switch
        {
            SipGatewayState.Active => "a",
            SipGatewayState.Inactive => "i",
            SipGatewayState.Trying => "t",
            _ => "d",
        };
        if (change.Probing == true) state += "p";
        await session.Rpc.CallAsync("dispatcher.set_state", RpcParameters.Of(state, set, address), RpcOptions.Change, cancellationToken).ConfigureAwait(false);
        return (await DispatcherAsync(session, cancellationToken).ConfigureAwait(false)).Find(g => g.Name == name)
            ?? throw new SipRejectedException($"{Name} has no destination {SipText.Printable(name)}.", "not in dispatcher.list", 404, "SipGatewayNotFound");
    }

    protected override async Task<bool> ReloadGatewaysAsync(KamailioSession session, CancellationToken cancellationToken)
    {
        await session.Rpc.CallAsync("dispatcher.reload", RpcParameters.None, RpcOptions.Change, cancellationToken).ConfigureAwait(false);
        return true;
    }

    protected override async Task<SipStatistic> GetStatisticsAsync(KamailioSession session, CancellationToken cancellationToken)
    {
        JsonElement counters = await session.Rpc.CallAsync("stats.fetchn", RpcParameters.Of("all"), RpcOptions.Read, cancellationToken).ConfigureAwait(false);
        var fields = new List<SipField>(KamailioFieldReader.Fields(counters));
        if (session.Login.Methods.Contains("core.shmmem"))
        {
            JsonElement memory = await session.Rpc.CallAsync("core.shmmem", RpcParameters.None, RpcOptions.Read, cancellationToken).ConfigureAwait(false);
            fields.AddRange(KamailioFieldReader.Fields(memory).Select(f => new SipField("core.shmmem." + f.Name, f.Value)));
        }

        return new SipStatistic
        {
            Server = Name,
            ServerType = SipServerType.Kamailio,
            Version = session.Version,
            StartedAt = session.StartedAt,
            Uptime = session.StartedAt is { } started ? Time.GetUtcNow().UtcDateTime - started : null,
            ActiveCalls = await CountAsync(session, cancellationToken).ConfigureAwait(false),
            ProcessedCalls = counters.ValueKind == JsonValueKind.Object ? KamailioDialog.Number(counters, "dialog.processed_dialogs") : null,
            Fields = new SipFieldCollection(fields),
        };
    }

    protected override async Task<SipCommandResult> InvokeCommandAsync(KamailioSession session, SipCommandRequest request, CancellationToken cancellationToken)
    {
        if (!CallRules.IsWord(request.Name)) throw new SipArgumentException("Name", request.Name, "the name of an RPC command, for instance htable.dump: letters, digits and . _ -");
        // Names are ignored by the server, the order counts; a number as text is taken for a number.
        if (!request.IsOrdered) throw new SipArgumentException("Field", "@{ " + string.Join("; ", request.Fields.Select(f => f.Key)) + " }", "[ordered]@{ ... } with the parameters in the order of the command: Kamailio takes them by that alone, and a plain hash table has none. Nothing was sent.");
        RpcParameters parameters = RpcParameters.Of([.. request.Fields.Select(f => (RpcValue)f.Value)]);
        JsonElement result;
        try
        {
            result = await session.Rpc.CallAsync(request.Name, parameters, RpcOptions.Change, cancellationToken).ConfigureAwait(false);
        }
        catch (SipRejectedException e)
        {
            return new SipCommandResult { Server = Name, Command = request.Name, Success = false, Message = e.ServerCode is { } code ? FormattableString.Invariant($"{code} {e.ServerText}") : e.ServerText };
        }

        bool isList = result.ValueKind == JsonValueKind.Array;
        bool isObject = result.ValueKind == JsonValueKind.Object;
        return new SipCommandResult
        {
            Server = Name,
            Command = request.Name,
            Success = true,
            Message = result.ValueKind == JsonValueKind.String ? result.GetString() : null,
            Fields = isObject ? KamailioFieldReader.Fields(result) : SipFieldCollection.Empty,
            Items = isList ? [.. result.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.Object).Select(KamailioFieldReader.Fields)] : [],
            Output = isList ? [.. result.EnumerateArray().Where(e => e.ValueKind != JsonValueKind.Object).Select(KamailioFieldReader.Text)] : isObject ? [] : [KamailioFieldReader.Text(result)],
        };
    }

    private static JsonElement? Member(JsonElement e, string name) => e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Object ? value : null;

    private static IEnumerable<JsonElement> Items(JsonElement e, string name) =>
        e.ValueKind == JsonValueKind.Object && e.TryGetProperty(name, out JsonElement list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Where(i => i.ValueKind == JsonValueKind.Object) : [];

    private static IEnumerable<(string Name, JsonElement Domain)> Tables(JsonElement dump)
    {
        foreach (JsonElement entry in Items(dump, "Domains"))
        {
            if (Member(entry, "Domain") is { } domain && KamailioDialog.Text(domain, "Domain") is { } name) yield return (name, domain);
        }
    }

    private static async Task<List<(string Name, JsonElement Domain)>> TablesAsync(KamailioSession session, CancellationToken cancellationToken) =>
        [.. Tables(await session.Rpc.CallAsync("ul.dump", RpcParameters.Of("brief"), RpcOptions.Read, cancellationToken).ConfigureAwait(false))];

    private IEnumerable<SipRegistration> Contacts(JsonElement info, string aor, string table)
    {
        DateTime now = Time.GetUtcNow().UtcDateTime;
        foreach (JsonElement entry in Items(info, "Contacts"))
        {
            if (Member(entry, "Contact") is not { } contact || KamailioDialog.Text(contact, "Address") is not { } address) continue;
            long? seconds = KamailioDialog.Number(contact, "Expires");
            yield return new SipRegistration
            {
                Aor = aor,
                Contact = address,
                Server = Name,
                Static = KamailioDialog.Text(contact, "Expires") == "permanent",
                Status = "Registered",
                ExpiresAt = seconds is > 0 and < 100_000_000_000 ? now.AddSeconds(seconds.Value) : null,
                UserAgent = KamailioDialog.Text(contact, "User-Agent"),
                Fields = new SipFieldCollection([new SipField("Table", table), .. KamailioFieldReader.Fields(contact)]),
            };
        }
    }

    private async Task<List<SipGateway>> DispatcherAsync(KamailioSession session, CancellationToken cancellationToken)
    {
        JsonElement list;
        try
        {
            list = await session.Rpc.CallAsync("dispatcher.list", RpcParameters.None, RpcOptions.Read, cancellationToken).ConfigureAwait(false);
        }
        catch (SipRejectedException e) when (e.ServerText.Contains("No Destination Sets", StringComparison.OrdinalIgnoreCase))
        {
            return [];
        }

        var found = new List<SipGateway>();
        foreach (JsonElement record in Items(list, "RECORDS"))
        {
            if (Member(record, "SET") is not { } set || KamailioDialog.Number(set, "ID") is not { } id) continue;
            foreach (JsonElement target in Items(set, "TARGETS"))
            {
                if (Member(target, "DEST") is not { } destination || KamailioDialog.Text(destination, "URI") is not { } uri) continue;
                string flags = KamailioDialog.Text(destination, "FLAGS") ?? "";
                found.Add(new SipGateway
                {
                    Name = FormattableString.Invariant($"{id}/{uri}"),
                    Server = Name,
                    Status = State(flags),
                    Available = flags.StartsWith('A') || flags.StartsWith('T'),
                    Contacts = [uri],
                    Fields = KamailioFieldReader.Fields(destination),
                });
            }
        }

        return found;
    }

    // "AX", "IP": active, inactive, trying, disabled; then whether its health is tested.
    private static string? State(string flags)
    {
        string? state = flags.Length == 0 ? null : flags[0] switch
        {
            'A' => "Active",
            'I' => "Inactive",
            'T' => "Trying",
            'D' => "Disabled",
            _ => flags,
        };
        return flags.Length > 1 && flags[1] == 'P' ? state + " (probing)" : state;
    }

    private SipGateway Trunk(JsonElement e)
    {
        long flags = KamailioDialog.Number(e, "flags") ?? 0;
        string status = (flags & Disabled) != 0 ? "Disabled" : (flags & Registered) != 0 ? "Registered" : (flags & Authenticating) != 0 ? "Authenticating" : (flags & InProgress) != 0 ? "Registering" : "Not registered";
        return new SipGateway
        {
            Name = RegistrationPrefix + (KamailioDialog.Text(e, "l_uuid") ?? ""),
            Server = Name,
            Status = status,
            Available = status == "Registered",
            Contacts = KamailioDialog.Text(e, "auth_proxy") is { } proxy ? [proxy] : [],
            // The server tells the password in clear text; it ends here.
            Fields = KamailioFieldReader.Fields(e),
        };
    }
}
