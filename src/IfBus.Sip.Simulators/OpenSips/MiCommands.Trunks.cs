using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.OpenSips;

/// <content>Registrations and trunks.</content>
internal sealed partial class MiCommands
{
    private void AddTrunks()
    {
        Add("ul_dump", _ => new JsonObject { ["Domains"] = new JsonArray(new JsonObject { ["name"] = "location", ["hash_size"] = 512, ["AORs"] = _core.ShowRegistered() }) }, "");
        Add("ul_show_contact", a =>
        {
            Table(a);
            string aor = a.Text("aor");
            return _core.Find(aor) is { } contacts
                ? new JsonObject { ["AOR"] = aor, ["Contacts"] = new JsonArray([.. contacts.Select(c => (JsonNode)c.Show(_core.Now))]) }
                : throw new MiError(404, "AOR not found");
        }, "table_name,aor");
        Add("ul_add", a =>
        {
            Table(a);
            a.Text("q");
            _core.Register(a.Text("aor"), a.Text("contact"), a.Number("expires"));
            return "OK";
        }, "table_name,aor,contact,expires,q,unused,flags,methods");
        Add("ul_rm", a =>
        {
            Table(a);
            _core.Unregister(a.Text("aor"), null);
            return "OK";
        }, "table_name,aor");
        Add("ul_rm_contact", a =>
        {
            Table(a);
            return _core.Unregister(a.Text("aor"), a.Text("contact")) ? "OK" : throw new MiError(404, "Contact not found");
        }, "table_name,aor,contact");
        Add("ds_list", _ => new JsonObject
        {
            ["PARTITIONS"] = new JsonArray(new JsonObject
            {
                ["name"] = "default",
                ["SETS"] = new JsonArray(new JsonObject { ["id"] = 1, ["Destinations"] = new JsonArray([.. _core.Destinations.Select(d => (JsonNode)new JsonObject { ["URI"] = d.Key, ["state"] = d.Value, ["first_hit_counter"] = 0, ["attr"] = "uas" })]) }),
            }),
        }, "", "full", "partition");
        Add("ds_set_state", a =>
        {
            string state = a.Text("state");
            if (state is not ("a" or "i" or "p")) throw new MiError(500, "Bad state value");
            string uri = a.Text("address");
            if (a.Number("group") != 1 || !_core.Destinations.ContainsKey(uri)) throw new MiError(404, "destination not found");
            // p is ignored for one that is not probed, and OK all the same.
            if (state != "p") _core.Destinations[uri] = state == "a" ? "Active" : "Inactive";
            _core.Raise("E_DISPATCHER_STATUS", new JsonObject { ["group"] = 1, ["address"] = uri, ["status"] = state == "i" ? "inactive" : "active", ["reason"] = "MI command" });
            return "OK";
        }, "state,group,address");
        Add("ds_reload", _ => "OK", "");
        Add("lb_list", _ => new JsonObject { ["Destinations"] = new JsonArray([.. _core.Balanced.Select(b => (JsonNode)Balanced(b.Key, b.Value))]) }, "");
        Add("lb_status", a =>
        {
            int id = a.Number("destination_id");
            if (!_core.Balanced.TryGetValue(id, out bool enabled)) throw new MiError(404, "Destination ID not found");
            if (!a.Has("new_status")) return new JsonObject { ["enable"] = enabled ? "yes" : "no", ["attrs"] = "a" };
            _core.Balanced[id] = a.Number("new_status") != 0;
            _core.Raise("E_LOAD_BALANCER_STATUS", new JsonObject { ["group"] = 1, ["uri"] = "sip:127.0.0.1:15070", ["status"] = _core.Balanced[id] ? "enabled" : "disabled" });
            return "OK";
        }, "destination_id", "destination_id,new_status");
        Add("lb_reload", _ => "OK", "");
        Add("reg_list", _ => new JsonObject { ["Records"] = new JsonArray() }, "");
        Add("reg_reload", _ => "OK", "");
    }

    private static JsonObject Balanced(int id, bool enabled) => new()
    {
        ["uri"] = "sip:127.0.0.1:1507" + (id - 1),
        ["id"] = id,
        ["group"] = 1,
        ["enabled"] = enabled ? "yes" : "no",
        ["auto-reenable"] = enabled ? "on" : "off",
        ["Resources"] = new JsonArray(new JsonObject { ["name"] = "pstn", ["max"] = 100, ["load"] = 0 }),
        ["attrs"] = "a",
    };

    private static void Table(Arguments a)
    {
        if (a.Text("table_name") != "location") throw new MiError(404, "Table not found");
    }
}
