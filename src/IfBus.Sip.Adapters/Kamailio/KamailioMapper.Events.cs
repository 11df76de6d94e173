using System.Globalization;
using System.Text.Json;
using IfBus.Sip.Adapters.Diagnostics;

namespace IfBus.Sip.Adapters.Kamailio;

/// <content>What the server's script sends by evapi: see about_IfBus.Sip_Kamailio for the script.</content>
internal sealed partial class KamailioMapper
{
    /// <summary>One event, on the reader of the event socket.</summary>
    public void OnEvent(JsonElement item, ReadOnlySpan<byte> raw)
    {
        string name = KamailioDialog.Text(item, "event") ?? (item.TryGetProperty("jsonrpc", out _) ? "jsonrpc" : "event");
        SipCall? shown;
        lock (calls.Sync)
        {
            KamailioCall? call = Apply(name, item, raw);
            shown = call is null ? null : calls.Snapshot(call);
        }

        PublishOther(name, raw, shown);
    }

    /// <summary>Something that is no JSON: the script has put a phone's text into it as it came.</summary>
    public void OnBrokenEvent(ReadOnlySpan<byte> raw, Exception e)
    {
        Log.BrokenEvent(log, server, e.Message);
        if (!events.Wants(SipEventTypes.Error)) return;
        events.Publish(new SipEvent(SipEventTypes.Error, server, SipServerType.Kamailio, calls.Now, "BrokenEvent", raw.ToArray(), KamailioFieldReader.Instance)
        {
            Message = $"{server} sent an event that is no JSON; it was not used. The calls are read again from the server's list.",
        });
    }

    private KamailioCall? Apply(string name, JsonElement item, ReadOnlySpan<byte> raw)
    {
        switch (name)
        {
            case "call.new":
                return Find(item, create: true);
            case "call.ringing":
                return OnRinging(item, raw);
            case "dialog.start":
                return OnStart(item, raw);
            case "dialog.end":
                return OnEnd(item, raw);
            case "dialog.failed":
                return OnFailed(item, raw);
            default:
                return null;
        }
    }

    private KamailioCall? OnRinging(JsonElement item, ReadOnlySpan<byte> raw)
    {
        // The script knows no dialog where a reply passes; the Call-ID has to do.
        if (KamailioDialog.Text(item, "callid") is not { } id || !_byCallId.TryGetValue(id, out KamailioCall? call)) return null;
        call.DialogState = Math.Max(call.DialogState, KamailioDialog.Early);
        Step(call, KamailioDialog.Early, null, raw);
        return call;
    }

    private KamailioCall? OnStart(JsonElement item, ReadOnlySpan<byte> raw)
    {
        if (Key(item) is { } first && _firsts.TryGetValue(first, out KamailioCall? ours))
        {
            if (ours.Originate is { } originate) OnFirstAnswered(originate);
            return ours;
        }

        if (Find(item, create: true) is not { } call) return null;
        // It is sent before the dialog is: start_ts is 0 in it, ts is the same second.
        call.DialogState = Math.Max(call.DialogState, KamailioDialog.ConfirmedNoAck);
        Step(call, KamailioDialog.ConfirmedNoAck, KamailioDialog.Time(KamailioDialog.Number(item, "start_ts")) ?? KamailioDialog.Time(KamailioDialog.Number(item, "ts")), raw);
        return call;
    }

    private KamailioCall? OnEnd(JsonElement item, ReadOnlySpan<byte> raw)
    {
        // The server leaves a first party that it has told whom to call; the call itself is only about to begin.
        if (Key(item) is { } first && _firsts.TryGetValue(first, out KamailioCall? ours))
        {
            if (ours.Originate is { } originate) OnFirstAnswered(originate);
            return ours;
        }

        if (Find(item, create: false) is not { State: not CallState.Terminated } call) return null;
        if (KamailioDialog.Text(item, "to_tag") is { } tag) call.Callee = call.Callee with { Tag = tag };
        call.EndedBy = call.HangupWanted is not null ? "us" : EndedBy(call, item);
        if (!call.IsOurs) call.EndedAt ??= KamailioDialog.Time(KamailioDialog.Number(item, "ts"));
        End(call, raw);
        return call;
    }

    private KamailioCall? OnFailed(JsonElement item, ReadOnlySpan<byte> raw)
    {
        // dlg.end_dlg on a call that rings fires one that is not true: the dialog is not deleted (evapi-call-events recording).
        if (KamailioDialog.Number(item, "state") is { } state && state != KamailioDialog.Deleted) return null;
        int? status = KamailioDialog.Number(item, "code") is >= 300 and <= 699 and { } code ? (int)code : null;
        if (Key(item) is { } key && _firsts.TryGetValue(key, out KamailioCall? ours))
        {
            if (ours.Originate is not { } originate || ours.State == CallState.Terminated) return ours;
            originate.FirstStatus = status;
            EndOriginate(ours, originate);
            return ours;
        }

        if (Find(item, create: true) is not { State: not CallState.Terminated } call) return null;
        call.SipStatus = status;
        // A reply of the server's own, 404 for instance, has no code in the event (evapi-call-events recording).
        if (status is null) call.CauseText = "the server itself refused the call, and its event does not say with what";
        // The caller's CANCEL is the one failure that says who.
        if (status == 487 && call.HangupWanted is null) call.EndedBy = "caller";
        if (!call.IsOurs) call.EndedAt ??= KamailioDialog.Time(KamailioDialog.Number(item, "ts"));
        End(call, raw);
        return call;
    }

    // A BYE has the tag or at least the address of the phone that sent it; what the server ends itself carries a message of its own.
    private static string? EndedBy(KamailioCall call, JsonElement item)
    {
        if (KamailioDialog.Text(item, "method") is not { } method) return null;
        if (method != "BYE") return "server";
        if (KamailioDialog.Text(item, "bye_tag") is { } tag)
        {
            if (tag == call.Caller.Tag) return "caller";
            if (tag == call.Callee.Tag) return "callee";
        }

        if (KamailioDialog.Text(item, "source") is not { } source) return null;
        bool caller = IsAt(call.Caller.Contact, source);
        bool callee = IsAt(call.Callee.Contact, source);
        return caller == callee ? null : caller ? "caller" : "callee";
    }

    private static bool IsAt(string? contact, string source) =>
        contact is not null && (contact.EndsWith("@" + source, StringComparison.Ordinal) || contact.Contains($"@{source};", StringComparison.Ordinal) || contact == "sip:" + source);

    private static DialogKey? Key(JsonElement item) =>
        KamailioDialog.Number(item, "h_entry") is { } entry && KamailioDialog.Number(item, "h_id") is { } id ? new DialogKey(entry, id) : null;

    // The call of an event; one that is not known yet is added if the event says enough.
    private KamailioCall? Find(JsonElement item, bool create)
    {
        if (Key(item) is not { } key) return KamailioDialog.Text(item, "callid") is { } id && _byCallId.TryGetValue(id, out KamailioCall? found) ? found : null;
        if (_live.TryGetValue(key, out KamailioCall? call) || _firsts.TryGetValue(key, out call)) return call;
        if (!create || _over.ContainsKey(key) || KamailioDialog.Text(item, "callid") is not { } callId) return null;
        // An event may have the contact in angle brackets, the list does not.
        var dialog = new KamailioDialog(
            key, callId, KamailioDialog.Text(item, "from_uri"), KamailioDialog.Text(item, "to_uri"), KamailioDialog.Unconfirmed,
            0, KamailioDialog.Number(item, "ts") ?? 0, 0, new DialogSide(KamailioDialog.Text(item, "from_tag"), KamailioDialog.Text(item, "contact")?.Trim('<', '>')), default);
        OnDialog(dialog, fresh: false);
        return _live.TryGetValue(key, out call) || _firsts.TryGetValue(key, out call) ? call : null;
    }
}
