using System.Globalization;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.OpenSips;

/// <content>Calls that pass through.</content>
internal sealed partial class ProxyCore
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(5);

    /// <summary>A phone calls a number. Returns the SIP Call-ID.</summary>
    public string StartCall(string from, string to, SimDialog? transferred, Action<SimDialog, int>? told = null)
    {
        lock (Sync)
        {
            var dialog = new SimDialog
            {
                Id = Next(""),
                DbId = (14_000_000_000_000 + _number).ToString(CultureInfo.InvariantCulture),
                CallId = $"{Guid.NewGuid():N}@127.0.0.1",
                From = from,
                To = to,
                FromTag = "uac" + _number.ToString(CultureInfo.InvariantCulture),
                ToTag = "uas" + _number.ToString(CultureInfo.InvariantCulture),
                Osid = transferred?.Id,
                Number = _number,
                CreatedAt = Now,
            };
            Dialogs.Add(dialog);
            Processed++;
            PhoneBehaviour phone = PhoneBehaviour.Of(to, false);
            if (Find(to) is null) phone = new PhoneBehaviour(PhoneKind.Unknown, SipStatus: 404);
            if (phone.Kind is PhoneKind.Unknown or PhoneKind.Fails)
            {
                Later(Moment, () => Fail(dialog, phone.Kind == PhoneKind.Unknown ? 404 : phone.SipStatus, missedFirst: phone.Kind == PhoneKind.Fails, told));
                return dialog.CallId;
            }

            Later(Moment, () => Rings(dialog));
            if (phone.Kind != PhoneKind.Answers) return dialog.CallId;
            Later(Moment + (phone.RingsFor ?? Options.RingTime), () => Answer(dialog, phone, told));
            return dialog.CallId;
        }
    }

    public void Cancel(string callId)
    {
        lock (Sync)
        {
            if (Dialogs.Find(d => d.CallId == callId && d.State < 3) is { } dialog) Fail(dialog, 487, missedFirst: true, null);
        }
    }

    /// <summary>dlg_end_dlg. False if there is none.</summary>
    public bool End(string id)
    {
        lock (Sync)
        {
            SimDialog? dialog = Dialogs.Find(d => d.State < 5 && (d.Id == id || d.CallId == id));
            if (dialog is null) return false;
            Later(Moment, () =>
            {
                if (dialog.State < 3) Fail(dialog, 487, missedFirst: true, null);
                else Over(dialog);
            });
            return true;
        }
    }

    public int Talking(string number)
    {
        lock (Sync)
        {
            return Dialogs.Count(d => d.State is 3 or 4 && (d.From == number || d.To == number))
                + Tuples.Where(t => t.State < 5).Sum(t => t.Clients.Count(c => c.State == 5 && c.Number == number))
                + Sessions.Count(s => s.State == 5 && s.Number == number);
        }
    }

    public void HangUpByPhone(string phone)
    {
        lock (Sync)
        {
            foreach (SimDialog d in Dialogs.Where(d => d.State is 3 or 4 && (d.From == phone || d.To == phone || d.FromTag == phone || d.ToTag == phone)).ToArray()) Over(d);
            foreach (SimTuple t in Tuples.Where(t => t.Clients.Exists(c => c.State == 5 && (c.Number == phone || c.Key == phone))).ToArray()) Tuples.Remove(t);
            foreach (SimEntity s in Sessions.Where(s => s.State == 5 && (s.Number == phone || s.Key == phone)).ToArray())
            {
                Sessions.Remove(s);
                Tell(s, "TERMINATED", 0, null, "BYE");
            }
        }
    }

    /// <summary>call_hold and call_unhold: the phones take it a moment later. 0, or the code of the refusal.</summary>
    public int Hold(string callId, bool hold)
    {
        lock (Sync)
        {
            SimDialog? d = Dialogs.Find(x => x.CallId == callId && x.State < 5);
            if (d is null) return 404;
            if (d.State != 4) return 410;
            if (hold ? d.Held.Count == 2 : d.Held.Count == 0) return 480;
            string[] legs = hold ? ["caller", "callee"] : ["callee", "caller"];
            foreach (string leg in legs) HoldEvent(d, leg, hold, "start");
            Later(Moment, () =>
            {
                if (d.State != 4) return;
                foreach (string leg in (string[])["callee", "caller"])
                {
                    if (hold) d.Held.Add(leg);
                    else d.Held.Remove(leg);
                    HoldEvent(d, leg, hold, "ok");
                }
            });
            return 0;
        }
    }

    /// <summary>call_transfer: the phone of a leg is told to call somebody else, and does. False if there is no such call.</summary>
    public bool Transfer(string callId, string leg, string destination)
    {
        lock (Sync)
        {
            SimDialog? old = Dialogs.Find(x => x.CallId == callId && x.State == 4);
            if (old is null) return false;
            string kept = leg == "callee" ? old.To : old.From;
            string to = Number(destination);
            bool works = Find(to) is not null && PhoneBehaviour.Of(to, false).Kind is PhoneKind.Answers or PhoneKind.Rings;
            Later(Moment, () =>
            {
                // A phone whose transfer fails drops the old call all the same (wire/opensips).
                if (!works) Over(old);
                string next = "";
                next = StartCall(kept, to, old, (_, status) =>
                {
                    if (status == 200) Over(old);
                    TransferEvent(old, leg, next, destination, status == 200 ? "ok" : "fail", status == 200 ? "200 Answering" : "408 Request Timeout");
                });
                // The event of the beginning has the Call-ID for the leg (3.6.8).
                TransferEvent(old, next, next, destination, "start", "");
            });
            return true;
        }
    }

    /// <summary>
    /// call_transfer with transfer_callid: the phone of a leg is told to take another call's place. A phone whose number
    /// begins with noreplaces takes what it gets for a call of its own, and keeps the other. What is missing, or null.
    /// </summary>
    public string? TransferAttended(string callId, string leg, string otherId, string otherLeg)
    {
        lock (Sync)
        {
            SimDialog? other = Dialogs.Find(x => x.CallId == otherId && x.State == 4);
            if (other is null) return "Transfer dialog not found";
            SimDialog? old = Dialogs.Find(x => x.CallId == callId && x.State == 4);
            if (old is null) return "Dialog not found";
            string kept = leg == "callee" ? old.To : old.From;
            string to = otherLeg == "callee" ? other.To : other.From;
            bool obeys = !to.StartsWith("noreplaces", StringComparison.Ordinal);
            string destination = $"sip:{to}@{SipAddress}";
            Later(Moment, () =>
            {
                string next = "";
                next = StartCall(kept, to, null, (_, status) =>
                {
                    Over(old);
                    if (!obeys) return;
                    Over(other);
                    TransferEvent(old, leg, next, destination, status == 200 ? "ok" : "fail", status == 200 ? "200 Answering" : "408 Request Timeout");
                });
                // Of a call without Replaces it cannot tell that it is one of a transfer.
                if (!obeys) return;
                TransferEvent(old, next, next, destination, "start", "");
                TransferEvent(other, otherLeg, next, destination, "start", "");
            });
            return null;
        }
    }

    /// <summary>Dialogs that are over stay for a while.</summary>
    public void Sweep() => Dialogs.RemoveAll(d => d.EndedAt is { } ended && Now - ended > Options.EndedTime);

    private static string Number(string uri)
    {
        string rest = uri[(uri.IndexOf(':', StringComparison.Ordinal) + 1)..];
        return rest.Split('@', ';')[0].Replace("%23", "#", StringComparison.Ordinal);
    }

    private void Rings(SimDialog dialog)
    {
        if (dialog.State != 1) return;
        dialog.IsReplied = true;
        Move(dialog, 2);
    }

    private void Answer(SimDialog dialog, PhoneBehaviour phone, Action<SimDialog, int>? told)
    {
        // Each step has its own timer, and a late machine may run this one first.
        Rings(dialog);
        if (dialog.State != 2) return;
        dialog.AnsweredAt = Now;
        Move(dialog, 3);
        told?.Invoke(dialog, 200);
        Move(dialog, 4);
        if (phone.TalksFor is { } time) Later(time, () => Over(dialog));
    }

    private void Over(SimDialog dialog)
    {
        if (dialog.State is not (3 or 4)) return;
        Move(dialog, 5);
        double talked = (Now - dialog.AnsweredAt!.Value).TotalMilliseconds;
        JsonObject record = Accounting(dialog, 200, "OK", dialog.AnsweredAt.Value);
        record["duration"] = (int)Math.Ceiling(talked / 1000);
        record["ms_duration"] = (long)talked;
        record["setuptime"] = (int)(dialog.AnsweredAt.Value - dialog.CreatedAt).TotalSeconds;
        record["created"] = dialog.CreatedAt.ToUnixTimeSeconds();
        Raise("E_ACC_CDR", record);
    }

    // A refusal of a phone is accounted for before the dialog's event, one of the server's own after it.
    private void Fail(SimDialog dialog, int status, bool missedFirst, Action<SimDialog, int>? told)
    {
        if (dialog.State >= 3) return;
        Failed++;
        string words = status switch { 404 => "Not Found", 486 => "Busy Here", 487 => "Request Terminated", 603 => "Decline", 480 => "Temporarily Unavailable", _ => "Service Unavailable" };
        if (!missedFirst) Move(dialog, 5);
        JsonObject missed = Accounting(dialog, status, words, Now);
        missed["setuptime"] = (int)(Now - dialog.CreatedAt).TotalSeconds;
        missed["created"] = dialog.CreatedAt.ToUnixTimeSeconds();
        Raise("E_ACC_MISSED_EVENT", missed);
        if (missedFirst) Move(dialog, 5);
        Raise("E_ACC_EVENT", Accounting(dialog, status, words, Now));
        told?.Invoke(dialog, status);
    }

    private void Move(SimDialog dialog, int state)
    {
        int before = dialog.State;
        dialog.State = state;
        if (state == 5) dialog.EndedAt = Now;
        Raise("E_DLG_STATE_CHANGED", new JsonObject
        {
            ["id"] = dialog.Id,
            ["db_id"] = dialog.DbId,
            ["callid"] = dialog.CallId,
            ["from_tag"] = dialog.FromTag,
            ["to_tag"] = dialog.IsReplied ? dialog.ToTag : null,
            ["old_state"] = before,
            ["new_state"] = state,
        });
    }

    private static JsonObject Accounting(SimDialog d, int status, string words, DateTimeOffset at) => new()
    {
        ["method"] = "INVITE",
        ["from_tag"] = d.FromTag,
        ["to_tag"] = d.IsReplied ? d.ToTag : null,
        ["callid"] = d.CallId,
        ["sip_code"] = status.ToString(CultureInfo.InvariantCulture),
        ["sip_reason"] = words,
        ["time"] = at.ToUnixTimeSeconds(),
        ["caller"] = d.From,
        ["callee"] = d.To,
    };

    private void HoldEvent(SimDialog d, string leg, bool hold, string state) =>
        Raise("E_CALL_HOLD", new JsonObject { ["callid"] = d.CallId, ["leg"] = leg, ["action"] = hold ? "hold" : "unhold", ["state"] = state });

    private void TransferEvent(SimDialog old, string leg, string next, string destination, string state, string status) =>
        Raise("E_CALL_TRANSFER", new JsonObject { ["callid"] = old.CallId, ["leg"] = leg, ["transfer_callid"] = next, ["destination"] = destination, ["state"] = state, ["status"] = status });
}
