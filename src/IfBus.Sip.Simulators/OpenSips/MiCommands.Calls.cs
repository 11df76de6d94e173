using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.OpenSips;

/// <content>Dialogs, call operations, and calls that the server makes.</content>
internal sealed partial class MiCommands
{
    private void AddCalls()
    {
        foreach (string name in (string[])["dlg_list", "dlg_list_ctx"])
            Add(name, true, a => List(a, name == "dlg_list_ctx"), "", "callid", "callid,from_tag", "index,counter");
        Add("dlg_end_dlg", a =>
        {
            if (a.Has("extra_hdrs")) a.Text("extra_hdrs");
            return _core.End(a.Text("dialog_id")) ? "OK" : throw new MiError(404, "Requested Dialog not found");
        }, "dialog_id", "dialog_id,extra_hdrs");
        Add("call_hold", a => Held(_core.Hold(a.Text("callid"), true), "Both dialog legs are on hold"), "callid");
        Add("call_unhold", a => Held(_core.Hold(a.Text("callid"), false), "No dialog legs on hold"), "callid");
        Add("call_transfer", a =>
        {
            string leg = a.Text("leg");
            if (leg is not ("caller" or "callee")) throw Arguments.Bad("leg");
            if (a.Has("destination")) return _core.Transfer(a.Text("callid"), leg, a.Text("destination")) ? "Accepted" : throw new MiError(404, "Dialog not found");
            string other = a.Text("transfer_leg");
            if (other is not ("caller" or "callee")) throw MiError.Invalid("Bad type for parameter 'transfer_leg'");
            string? missing = _core.TransferAttended(a.Text("callid"), leg, a.Text("transfer_callid"), other);
            return missing is null ? "Accepted" : throw new MiError(404, missing);
        }, "callid,leg,destination", "callid,leg,transfer_callid,transfer_leg");
        Add("b2b_trigger_scenario", a =>
        {
            if (a.Has("context")) a.List("context");
            string first = Entity(a.Text("entity1"), "entity1");
            string second = Entity(a.Text("entity2"), "entity2");
            return _core.Join(a.Text("scenario_id"), first, second) ? "OK" : throw new MiError(500, "Failed to initialize scenario");
        }, "scenario_id,entity1,entity2", "scenario_id,entity1,entity2,context");
        Add("b2b_list", _ => new JsonObject { ["Tuples"] = new JsonArray([.. _core.Tuples.Select(t => (JsonNode)t.Show())]) }, "");
        Add("b2be_list", _ => new JsonArray([.. _core.Tuples.SelectMany(t => t.Clients.Select(c => (JsonNode)c.ShowEntity(t.Key))), .. _core.Sessions.Select(s => (JsonNode)s.ShowEntity(""))]), "");
        Add("b2b_bridge", a => _core.Bridge(a.Text("dialog_id"), a.Text("new_uri"), a.Has("flag") && a.Number("flag") == 1) ? "OK" : throw new MiError(-32000, "Server error", "Command handler returned null"), "dialog_id,new_uri", "dialog_id,new_uri,flag", "dialog_id,new_uri,prov_media_uri", "dialog_id,new_uri,flag,prov_media_uri");
        Add("b2b_terminate_call", a => _core.Terminate(a.Text("key")) ? "OK" : throw new MiError(404, "B2B session not found"), "key");
        Add("ua_session_client_start", a => _core.CallOne(a.Text("ruri"), a.Text("from")), "ruri,to,from", "ruri,to,from,body", "ruri,to,from,body,flags");
        Add("ua_session_list", _ => new JsonArray([.. _core.Sessions.Select(s => (JsonNode)s.ShowEntity(""))]), "");
        Add("ua_session_terminate", a => _core.EndOne(a.Text("key")) ? "OK" : throw new MiError(500, "Failed to terminate session"), "key");
    }

    // "client1,sip:A" with a display name perhaps; not an array.
    private static string Entity(string text, string name)
    {
        string[] parts = text.Split(',');
        return parts.Length > 1 && parts[1].Length > 0 ? parts[1] : throw new MiError(400, $"Missing destination URI for {name}");
    }

    private static JsonNode Held(int code, string already) => code switch
    {
        0 => "OK",
        404 => throw new MiError(404, "Dialog not found"),
        410 => throw new MiError(410, "Dialog not ready"),
        _ => throw new MiError(480, already),
    };

    private JsonObject List(Arguments a, bool context)
    {
        if (a.Has("callid"))
        {
            string callId = a.Text("callid");
            // One that is over is not found by its Call-ID any more.
            SimDialog? one = _core.Dialogs.Find(d => d.CallId == callId && d.State < 5 && (!a.Has("from_tag") || d.FromTag == a.Text("from_tag")));
            return one is null ? throw new MiError(404, "No such dialog") : new JsonObject { ["Dialog"] = one.Show(context, ProxyCore.SipAddress) };
        }

        if (!a.Has("index")) return new JsonObject { ["Dialogs"] = Show(_core.Dialogs, context) };
        int index = a.Number("index");
        int counter = a.Number("counter");
        IEnumerable<SimDialog> page = _core.Dialogs.Skip(index);
        return new JsonObject { ["count"] = _core.Dialogs.Count, ["Dialogs"] = Show(counter == 0 ? page : page.Take(counter), context) };
    }

    private static JsonArray Show(IEnumerable<SimDialog> dialogs, bool context) => new([.. dialogs.Select(d => (JsonNode)d.Show(context, ProxyCore.SipAddress))]);
}
