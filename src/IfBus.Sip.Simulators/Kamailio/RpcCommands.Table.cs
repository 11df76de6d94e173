using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.Kamailio;

/// <content>The commands, with the replies of the recordings.</content>
internal sealed partial class RpcCommands
{
    private readonly SortedDictionary<string, List<(string Contact, int Expires, string Q)>> _registered = new(StringComparer.OrdinalIgnoreCase)
    {
        ["1001"] = [("sip:1001@127.0.0.1:15071", 3600, "0.5")],
        ["1002"] = [("sip:1002@127.0.0.1:15072;transport=tcp", 0, "-1")],
    };

    private readonly List<(int Set, string Uri, string Flags)> _destinations = [(1, "sip:127.0.0.1:15070", "AX"), (1, "sip:127.0.0.1:15071", "AP"), (2, "sip:127.0.0.1:15079", "IP")];
    private readonly SortedDictionary<string, SortedDictionary<string, JsonNode>> _tables = new(StringComparer.Ordinal) { ["ipban"] = [], ["cdr"] = [], ["notes"] = [] };
    private DateTimeOffset _reloadedAt = DateTimeOffset.MinValue;

    private Dictionary<string, Func<List<JsonElement>, JsonNode?>> Table() => new(StringComparer.Ordinal)
    {
        ["core.version"] = _ => $"kamailio {_options.Version} (x86_64/{(IsSix ? "Linux" : "linux")}) ",
        ["core.uptime"] = _ => new JsonObject { ["now"] = "Sun Nov 22 22:10:24 2026", ["up_since"] = "Sun Nov 22 22:10:24 2026", ["uptime"] = Uptime },
        ["core.shmmem"] = _ => new JsonObject { ["total"] = 268435456, ["free"] = 262270944, ["used"] = 4324120, ["real_used"] = 6164512, ["max_used"] = 6164512, ["fragments"] = 2 },
        ["core.echo"] = p => new JsonArray([.. p.Where(v => v.ValueKind is JsonValueKind.String or JsonValueKind.Number).Select(v => (JsonNode)(v.ValueKind == JsonValueKind.String ? v.GetString()! : v.GetRawText()))]),
        ["system.listMethods"] = _ => new JsonArray([.. _commands.Keys.Order(StringComparer.Ordinal).Select(k => (JsonNode)k)]),
        ["dlg.list"] = _ => new JsonArray([.. _core.List(static _ => true)]),
        ["dlg.dlg_list"] = p => OneDialog(Text(p, 0), p.Count > 1 ? Text(p, 1) : null),
        ["dlg.list_match"] = Match,
        ["dlg.briefing"] = _ => new JsonArray([.. _core.List(static _ => true).Select(Brief)]),
        ["dlg.stats_active"] = _ => new JsonObject
        {
            ["starting"] = _core.CountState(1),
            ["connecting"] = _core.CountState(2),
            ["answering"] = _core.CountState(3),
            ["ongoing"] = _core.CountState(4),
            ["all"] = _core.LiveCount,
        },
        ["dlg.end_dlg"] = EndDialog,
        ["dlg.terminate_dlg"] = TerminateDialog,
        ["dlg.is_alive"] = p => _core.Find(Text(p, 0), Text(p, 1)) is { State: < 5 } found && found.ToTag == Text(p, 2) ? "Alive" : throw new RpcFailure(404, "Dialog not found"),
        ["dlg.profile_list"] = p => new JsonArray([.. Profile(p)]),
        ["dlg.profile_get_size"] = p => Profile(p).Count,
        ["tm.cancel"] = p => _core.Cancel(Text(p, 0), Text(p, 1)) ? "branches remaining (waiting for timeout)" : throw new RpcFailure(400, "Transaction not found"),
        ["dlg.bridge_dlg"] = p =>
        {
            _core.Bridge(Text(p, 0), Text(p, 1));
            return null;
        },
        ["ul.dump"] = p => Dump(p.Count > 0 && Text(p, 0) == "brief"),
        ["ul.lookup"] = p => Lookup(Text(p, 0), Text(p, 1)),
        ["ul.add"] = Add,
        ["ul.rm"] = p =>
        {
            CheckTable(Text(p, 0));
            _registered.Remove(Text(p, 1));
            return null;
        },
        ["ul.rm_contact"] = RemoveContact,
        ["dispatcher.list"] = _ => Destinations(),
        ["dispatcher.set_state"] = SetState,
        ["dispatcher.reload"] = _ => Reload(),
        ["uac.reg_dump"] = _ => new JsonArray(Trunk("line1", 20, "sip:127.0.0.1:5060"), Trunk("line2", 18, "sip:127.0.0.1:15079")),
        ["stats.fetchn"] = Statistics,
        ["stats.get_statistics"] = p => p.Count == 0 ? throw new RpcFailure(400, "Please provide which stats to retrieve") : new JsonArray([.. Counters(p).Select(c => (JsonNode)FormattableString.Invariant($"{c.Key.Replace('.', ':')} = {c.Value}"))]),
        ["htable.dump"] = p => new JsonArray([.. HashTable(p).Select((e, i) => (JsonNode)new JsonObject { ["entry"] = i, ["size"] = 1, ["slot"] = new JsonArray(new JsonObject { ["name"] = e.Key, ["value"] = e.Value.DeepClone(), ["type"] = e.Value.GetValueKind() == JsonValueKind.Number ? "int" : "str" }) })]),
        ["htable.get"] = p => HashTable(p).TryGetValue(Text(p, 1), out JsonNode? value) ? new JsonObject { ["item"] = new JsonObject { ["name"] = Text(p, 1), ["value"] = value.DeepClone(), ["flags"] = 2 } } : throw new RpcFailure(500, "Key name doesn't exist in htable."),
        ["htable.sets"] = p => Set(p, Text(p, 2)),
        ["htable.seti"] = p => Set(p, Number(p, 2)),
        ["htable.setxs"] = p => Set(p, Text(p, 2)),
        ["htable.setxi"] = p => Set(p, Number(p, 2)),
        ["htable.setex"] = p => HashTable(p).ContainsKey(Text(p, 1)) ? "Ok" : throw new RpcFailure(500, "Key name doesn't exist in htable."),
        ["htable.flush"] = p =>
        {
            HashTable(p).Clear();
            return "Ok. Htable flushed.";
        },
        ["htable.delete"] = p => HashTable(p).Remove(Text(p, 1)) ? "Ok. Key deleted." : throw new RpcFailure(404, "Key not found in htable."),
    };

    private bool IsSix => _options.Version.StartsWith("6.", StringComparison.Ordinal);

    private long Uptime => Math.Max(0, (long)(_options.TimeProvider.GetUtcNow() - _core.Started).TotalSeconds);

    // The script counts every call in three of them, two by the user of a party.
    private List<JsonObject> Profile(List<JsonElement> p)
    {
        string name = Text(p, 0);
        if (name is not ("inbound" or "caller" or "callee")) throw new RpcFailure(404, "Profile not found: " + name);
        string? value = p.Count > 1 ? Text(p, 1) : null;
        return _core.List(d => d.State < 5 && (value is null || ProxyCore.User(name == "caller" ? d.FromUri : d.ToUri) == value));
    }

    private JsonObject? OneDialog(string callId, string? tag) => _core.Find(callId, tag)?.Show(_core.Now);

    private JsonArray Match(List<JsonElement> p)
    {
        string key = Text(p, 0), relation = Text(p, 1), value = Text(p, 2);
        bool Fits(SimDialog dialog)
        {
            string text = key switch
            {
                "furi" => dialog.FromUri,
                "turi" or "ruri" => dialog.ToUri,
                "callid" => dialog.CallId,
                _ => throw new RpcFailure(500, "Invalid parameters"),
            };
            return relation == "sw" ? text.StartsWith(value, StringComparison.Ordinal) : text == value;
        }

        List<JsonObject> found = _core.List(Fits);
        return found.Count > 0 ? new JsonArray([.. found]) : throw new RpcFailure(404, "Not found");
    }

    // Its to_tag is the from-tag once more: so it is on 5.6.3 and 6.1.5.
    private static JsonObject Brief(JsonObject dialog) => new()
    {
        ["h_entry"] = dialog["h_entry"]!.DeepClone(),
        ["h_id"] = dialog["h_id"]!.DeepClone(),
        ["call-id"] = dialog["call-id"]!.DeepClone(),
        ["from_tag"] = dialog["caller"]!["tag"]!.DeepClone(),
        ["to_tag"] = dialog["caller"]!["tag"]!.DeepClone(),
        ["state"] = dialog["state"]!.DeepClone(),
    };

    private JsonNode? EndDialog(List<JsonElement> p)
    {
        _core.EndByServer(_core.Find(Number(p, 0), Number(p, 1)) ?? throw new RpcFailure(404, "Dialog not found"));
        return null;
    }

    private JsonNode? TerminateDialog(List<JsonElement> p)
    {
        const string Need = "Need a Callid ,from tag ,to tag";
        string to = Text(p, 2, Need, 400);
        SimDialog? dialog = _core.Find(Text(p, 0, Need, 400), Text(p, 1, Need, 400));
        if (dialog is null || dialog.ToTag != to) throw new RpcFailure(500, "Couldnt find callid in dialog");
        _core.EndByServer(dialog);
        return null;
    }

    private static void CheckTable(string table)
    {
        if (table != "location") throw new RpcFailure(500, "Domain table not found");
    }

    private JsonObject Dump(bool brief) => new()
    {
        ["Domains"] = new JsonArray(new JsonObject
        {
            ["Domain"] = new JsonObject
            {
                ["Domain"] = "location",
                ["Size"] = 1024,
                ["AoRs"] = new JsonArray([.. _registered.Keys.Select(k => (JsonNode)(brief ? new JsonObject { ["AoR"] = k } : new JsonObject { ["Info"] = Info(k) }))]),
                ["Stats"] = new JsonObject { ["Records"] = _registered.Count, ["Max-Slots"] = 1 },
            },
        }),
    };

    private JsonObject Info(string aor) => new()
    {
        ["AoR"] = aor,
        ["Contacts"] = new JsonArray([.. _registered[aor].Select(c => (JsonNode)new JsonObject
        {
            ["Contact"] = new JsonObject
            {
                ["Address"] = c.Contact,
                ["Expires"] = c.Expires == 0 ? "permanent" : c.Expires,
                ["Q"] = decimal.Parse(c.Q, CultureInfo.InvariantCulture),
                ["Call-ID"] = "dfjrewr12386fd6-343@kamailio.rpc",
                ["CSeq"] = 1,
                ["User-Agent"] = "kamailio SIP Router - RPC Server",
                ["Received"] = "[not set]",
                ["Path"] = "[not set]",
                ["State"] = "CS_NEW",
            },
        })]),
    };

    private JsonObject Lookup(string table, string aor)
    {
        CheckTable(table);
        return _registered.Keys.FirstOrDefault(k => k.Equals(aor, StringComparison.OrdinalIgnoreCase)) is { } found ? Info(found) : throw new RpcFailure(500, "AOR not found in location table");
    }

    private JsonNode? Add(List<JsonElement> p)
    {
        const string Need = "Not enough parameters or wrong format";
        if (p.Count < 9) throw new RpcFailure(500, Need);
        CheckTable(Text(p, 0));
        string aor = Text(p, 1, Need), contact = Text(p, 2, Need);
        if (!_registered.TryGetValue(aor, out List<(string Contact, int Expires, string Q)>? contacts)) _registered[aor] = contacts = [];
        contacts.RemoveAll(c => c.Contact == contact);
        contacts.Add((contact, Number(p, 3, Need), Text(p, 4, Need)));
        return null;
    }

    private JsonNode? RemoveContact(List<JsonElement> p)
    {
        CheckTable(Text(p, 0));
        if (!_registered.TryGetValue(Text(p, 1), out List<(string Contact, int Expires, string Q)>? contacts)) throw new RpcFailure(404, "AoR not found");
        if (contacts.RemoveAll(c => c.Contact == Text(p, 2)) == 0) throw new RpcFailure(404, "Contact not found");
        if (contacts.Count == 0) _registered.Remove(Text(p, 1));
        return null;
    }

    private JsonObject Destinations() => new()
    {
        ["NRSETS"] = 2,
        ["RECORDS"] = new JsonArray([.. _destinations.GroupBy(d => d.Set).OrderByDescending(g => g.Key).Select(g => (JsonNode)new JsonObject
        {
            ["SET"] = new JsonObject
            {
                ["ID"] = g.Key,
                ["TARGETS"] = new JsonArray([.. g.Select((d, i) => (JsonNode)new JsonObject
                {
                    ["DEST"] = Destination(d.Uri, d.Flags, i),
                })]),
            },
        })]),
    };

    // 6.1 has three members more (v61-dispatcher recording).
    private JsonObject Destination(string uri, string flags, int index)
    {
        var shown = new JsonObject();
        if (IsSix) shown["IDX"] = index;
        shown["URI"] = uri;
        shown["FLAGS"] = flags;
        shown["PRIORITY"] = 0;
        if (IsSix) shown["IUID"] = FormattableString.Invariant($"dspt-6b036fc2-69d3-1-{index}");
        var attributes = new JsonObject { ["BODY"] = "weight=50" };
        if (IsSix) attributes["PROBING_COUNT"] = 0;
        attributes["WEIGHT"] = 50;
        attributes["SOCKET"] = null;
        shown["ATTRS"] = attributes;
        return shown;
    }

    private JsonNode SetState(List<JsonElement> p)
    {
        string state = Text(p, 0);
        int set = Number(p, 1);
        string address = Text(p, 2);
        if (state.Length is < 1 or > 2 || !"iatd".Contains(state[0], StringComparison.Ordinal) || (state.Length == 2 && state[1] != 'p')) throw new RpcFailure(500, "Unknown State Value");
        int at = _destinations.FindIndex(d => d.Set == set && d.Uri == address);
        if (at < 0) throw new RpcFailure(500, "State Update Failed");
        _destinations[at] = (set, address, char.ToUpperInvariant(state[0]) + (state.Length == 2 ? "P" : "X"));
        return "Ok. Dispatcher state updated.";
    }

    private JsonNode Reload()
    {
        DateTimeOffset now = _options.TimeProvider.GetUtcNow();
        if (now - _reloadedAt < TimeSpan.FromSeconds(5)) throw new RpcFailure(500, "Ongoing reload");
        _reloadedAt = now;
        return "Ok. Dispatcher successfully reloaded.";
    }

    // The password in clear text, as the real one tells it.
    private static JsonObject Trunk(string name, int flags, string proxy) => new()
    {
        ["l_uuid"] = name,
        ["l_username"] = "trunk",
        ["l_domain"] = "127.0.0.1",
        ["auth_username"] = "trunk",
        ["auth_password"] = "secret-test",
        ["auth_ha1"] = "none",
        ["auth_proxy"] = proxy,
        ["expires"] = 60,
        ["flags"] = flags,
    };

    private Dictionary<string, long> Counters(List<JsonElement> p)
    {
        var all = new Dictionary<string, long>
        {
            ["core.rcv_requests"] = 12,
            ["dialog.active_dialogs"] = _core.CountState(4),
            ["dialog.early_dialogs"] = _core.CountState(2),
            ["dialog.expired_dialogs"] = 0,
            ["dialog.failed_dialogs"] = _core.FailedDialogs,
            ["dialog.processed_dialogs"] = _core.ProcessedDialogs,
            ["usrloc.registered_users"] = _registered.Count,
        };
        string[] wanted = [.. Enumerable.Range(0, p.Count).Select(i => Text(p, i))];
        return all.Where(c => wanted.Any(w => w == "all" || (w.EndsWith(':') ? c.Key.StartsWith(w[..^1] + ".", StringComparison.Ordinal) : c.Key.EndsWith("." + w, StringComparison.Ordinal)))).ToDictionary();
    }

    private JsonObject Statistics(List<JsonElement> p)
    {
        if (p.Count == 0) throw new RpcFailure(400, "Please provide which stats to retrieve");
        var found = new JsonObject();
        foreach ((string name, long value) in Counters(p)) found[name] = value;
        return found;
    }

    private SortedDictionary<string, JsonNode> HashTable(List<JsonElement> p) => _tables.TryGetValue(Text(p, 0), out SortedDictionary<string, JsonNode>? table) ? table : throw new RpcFailure(500, "No such htable");

    private JsonNode Set(List<JsonElement> p, JsonNode value)
    {
        HashTable(p)[Text(p, 1)] = value;
        return "Ok. Key set to new value.";
    }
}
