using System.Globalization;
using System.Text;
using System.Text.Json;
using IfBus.Sip.Adapters.Diagnostics;

namespace IfBus.Sip.Adapters.OpenSips;

/// <content>How calls end, and what is recorded of it.</content>
internal sealed partial class OpenSipsMapper
{
    /// <summary>
    /// Holds the table against the server's list of dialogs. A dialog in the list that we have not is new or was missed;
    /// one of ours that is not there may have come after the list was made, so it is returned to be asked for.
    /// </summary>
    /// <returns>How many calls stood otherwise than we had them, and the live dialogs that the list has not.</returns>
    public (int Changed, List<OpenSipsCall> Missing) Reconcile(IReadOnlyCollection<DialogRow> rows, bool afterLoss)
    {
        lock (calls.Sync)
        {
            int changed = 0;
            var listed = new HashSet<string>(rows.Count, StringComparer.Ordinal);
            foreach (DialogRow row in rows)
            {
                listed.Add(row.Id);
                if (_dialogs.TryGetValue(row.Id, out OpenSipsCall? call))
                {
                    changed += Refresh(call, row) ? 1 : 0;
                }
                else if (row.State is >= DialogState.New and < DialogState.Ended && !_pending.ContainsKey(row.Id))
                {
                    Attach(row.Id, row.SipCallId, row, isNew: false, row.State, default);
                    if (afterLoss) changed++;
                }
            }

            Conditions.Check();
            return (changed, [.. _dialogs.Where(d => d.Value.State != CallState.Terminated && d.Value.DialogId == d.Key && d.Value.FinishAt is null && !listed.Contains(d.Key)).Select(d => d.Value)]);
        }
    }

    /// <summary>A dialog is gone from the server, and how it ended was not told.</summary>
    public void Gone(OpenSipsCall call, HangupCause? cause)
    {
        lock (calls.Sync)
        {
            if (call.State == CallState.Terminated || call.FinishAt is not null) return;
            End(call, call.HangupWanted ?? cause ?? HangupCause.EndedUnseen, null, "the server does not have it any more; how it ended was not told", default);
            Conditions.Check();
        }
    }

    /// <summary>Ends a call of ours for a reason that is known.</summary>
    public void End(OpenSipsCall call, HangupCause cause, string? text)
    {
        lock (calls.Sync)
        {
            if (call.State == CallState.Terminated) return;
            End(call, cause, null, text, default);
            Conditions.Check();
        }
    }

    // True if the list shows it otherwise than events have told.
    private bool Refresh(OpenSipsCall call, DialogRow row)
    {
        if (call.DialogId != row.Id || call.FinishAt is not null) return false;
        CallState before = call.State;
        call.ExpiresAt = row.ExpiresAt ?? call.ExpiresAt;
        if (call.Legs.Count == 0) Describe(call, row);
        if (row.State >= DialogState.Answered && call.AnsweredAt is null) call.AnsweredAt = row.AnsweredAt;
        if (row.State is >= DialogState.Early and <= DialogState.Ended) Apply(call, row.Id, row.State, default);
        if (row.Held is { } held && (call.State is CallState.Connected or CallState.OnHold) && row.State == DialogState.Talking && call.Transfer is not { Done: false }) Hold(call, held);
        return call.State != before;
    }

    private void DialogEnded(OpenSipsCall call, string dialogId, ReadOnlyMemory<byte> raw)
    {
        // Nothing is moved yet while a party consults: the call ends as any other.
        if (call.Transfer is { Done: false, Consultation: not null, Completing: false } idle) idle.Done = true;
        if (call.Transfer is { Done: false } transfer && transfer.NewDialogId != dialogId)
        {
            // The phone has dropped the old call; E_CALL_TRANSFER says what becomes of the new one.
            transfer.OldEnded = true;
            if (call.HangupWanted is { } wanted && transfer.NewDialogId is null)
            {
                transfer.Done = true;
                transfer.Failure = "hung up by us";
                End(call, wanted, null, null, raw);
            }
            else if (transfer.Failure is not null)
            {
                TransferFailed(call, transfer, raw);
            }

            return;
        }

        if (call.Transfer is { Done: false } other)
        {
            other.Failure ??= "the new call ended";
            other.OldEnded = true;
            TransferFailed(call, other, raw);
            return;
        }

        if (call.DialogId != dialogId || call.FinishAt is not null) return;
        if (call.AnsweredAt is not null)
        {
            // A BYE: the server says neither whose nor why.
            bool expired = call.HangupWanted is null && call.ExpiresAt is { } limit && calls.Now >= limit;
            End(call, call.HangupWanted ?? (expired ? HangupCause.RecoveryOnTimerExpire : HangupCause.NormalClearing), null, expired ? "the server's dialog time-out" : null, raw);
        }
        else if (call.SipStatus is not null || !HasReasons || Recall(call))
        {
            Finish(call, raw);
        }
        else
        {
            call.FinishAt = time.GetTimestamp() + (long)(ReasonTime.TotalSeconds * time.TimestampFrequency);
            call.EndedAt = calls.Now;
            _finishing.Add(call);
        }
    }

    // Why it failed may have been told before it was known.
    private bool Recall(OpenSipsCall call)
    {
        if (call.SipCallId is null || !_failures.Remove(call.SipCallId, out Failure? failure)) return false;
        (call.SipStatus, call.CauseText) = (failure.Status, failure.Reason);
        if (failure.Record is { } record) records.Add(record with { CallId = call.CallId });
        failure.Record = null;
        // A dialog that is over is not found by its Call-ID any more.
        call.From ??= failure.Caller;
        call.To ??= failure.Callee;
        return true;
    }

    // The call failed before it was answered.
    private void Finish(OpenSipsCall call, ReadOnlyMemory<byte> raw)
    {
        _finishing.Remove(call);
        call.FinishAt = null;
        HangupCause cause = call.HangupWanted ?? (call.SipStatus is { } status ? Cause(status, call.State) : HangupCause.Unknown);
        End(call, cause, call.SipStatus, call.CauseText ?? (call.SipStatus is null ? "the server's accounting did not tell why" : null), raw);
    }

    // A 408 of a phone that rang is nobody who answers; of one that never did, no phone.
    private static HangupCause Cause(int status, CallState state) => status switch
    {
        408 when state == CallState.Ringing => HangupCause.NoAnswer,
        487 => HangupCause.NormalClearing,
        _ => SipStatusCauses.Cause(status),
    };

    private void End(OpenSipsCall call, HangupCause cause, int? status, string? text, ReadOnlyMemory<byte> raw)
    {
        call.Cause = cause;
        call.SipStatus = status;
        call.CauseText = text;
        foreach (KeyValuePair<string, OpenSipsCall> dialog in _dialogs.Where(d => d.Value == call).ToArray())
        {
            _dialogs.Remove(dialog.Key);
            records.Remember(Encoding.UTF8.GetBytes(dialog.Key), call);
        }

        if (call.SipCallId is { } sipCallId)
        {
            if (_bySipCallId.TryGetValue(sipCallId, out OpenSipsCall? named) && named == call) _bySipCallId.Remove(sipCallId);
            records.Remember(Encoding.UTF8.GetBytes(sipCallId), call);
        }

        if (call is { Kind: OpenSipsKind.Session, Key: { } key }) _sessions.Remove(key);
        calls.Move(call, CallState.Terminated, raw.Span, EventReader.Instance);
        ConsultationEnded(call);
    }

    // E_ACC_MISSED_EVENT or E_ACC_EVENT: a call, or a branch of one, failed with a status.
    private void OnFailure(JsonElement e, string name, ReadOnlyMemory<byte> raw)
    {
        if (MiJson.Text(e, "callid") is not { } sipCallId || MiJson.Number(e, "sip_code") is not (>= 300 and <= 699 and long code)) return;
        int status = (int)code;
        string? words = MiJson.Text(e, "sip_reason");
        bool known = _bySipCallId.ContainsKey(sipCallId) || Find(sipCallId) is not null;
        if (name == "E_ACC_MISSED_EVENT" && known) OnDetailRecord(e, answered: false);
        if (_dialogs.Values.FirstOrDefault(c => c.Transfer is { Done: false } t && (t.NewSipCallId == sipCallId || c.SipCallId == sipCallId)) is { Transfer: { } transfer } moving)
        {
            transfer.SipStatus = status;
            if (transfer.FailAt is not null) TransferFailed(moving, transfer, raw);
            return;
        }

        if (!_bySipCallId.TryGetValue(sipCallId, out OpenSipsCall? call))
        {
            // It comes before the dialog's own event, or while its addresses are asked for.
            Remember(sipCallId, new Failure(status, words, MiJson.Text(e, "caller"), MiJson.Text(e, "callee"))
            {
                Record = name == "E_ACC_MISSED_EVENT" && !known ? Record(e, answered: false, null, null) : null,
                PlaceAt = time.GetTimestamp() + (long)(5 * ReasonTime.TotalSeconds * time.TimestampFrequency),
            });
            return;
        }

        if (call.AnsweredAt is not null) return;
        call.SipStatus = status;
        call.CauseText = words;
        call.From ??= MiJson.Text(e, "caller");
        call.To ??= MiJson.Text(e, "callee");
        if (call.FinishAt is not null) Finish(call, raw);
    }

    private void Remember(string sipCallId, Failure failure)
    {
        if (_failures.TryGetValue(sipCallId, out Failure? before))
        {
            before.Record ??= failure.Record;
            return;
        }

        _failures.Add(sipCallId, failure);
        _failureOrder.Enqueue(sipCallId);
        if (_failureOrder.Count > MostFailures && _failures.Remove(_failureOrder.Dequeue(), out Failure? oldest)) Place(oldest);
    }

    private void Place(Failure failure)
    {
        if (failure.Record is { } record) records.Add(record);
        failure.Record = null;
    }

    // Oldest first; what has been claimed is gone already.
    private void PlaceOld(long now)
    {
        while (_failureOrder.TryPeek(out string? oldest))
        {
            if (_failures.TryGetValue(oldest, out Failure? failure))
            {
                if (failure.PlaceAt > now) return;
                Place(failure);
                _failures.Remove(oldest);
            }

            _failureOrder.Dequeue();
        }
    }

    // By its name, or as it waits for its addresses: then it is a call now.
    private OpenSipsCall? Find(string sipCallId)
    {
        if (_bySipCallId.TryGetValue(sipCallId, out OpenSipsCall? call)) return call;
        return records.RecentCall(Encoding.UTF8.GetBytes(sipCallId));
    }

    private void OnDetailRecord(JsonElement e, bool answered)
    {
        if (!records.Keeps) return;
        string? sipCallId = MiJson.Text(e, "callid");
        OpenSipsCall? call = sipCallId is null ? null : Find(sipCallId);
        if (call is null && sipCallId is not null && _pending.Values.FirstOrDefault(p => p.SipCallId == sipCallId) is { } pending)
        {
            // Answered and over before its addresses have come: they will not come any more in time for this.
            records.Add(Record(e, answered, pending.Id, null));
            return;
        }

        records.Add(Record(e, answered, call?.CallId, call));
    }

    private SipCallDetailRecord Record(JsonElement e, bool answered, string? callId, OpenSipsCall? call)
    {
        DateTime? at = MiJson.Time(e, "time");
        DateTime? created = MiJson.Time(e, "created");
        TimeSpan? talked = MiJson.Number(e, "ms_duration") is >= 0 and < 1_000_000_000_000 and long ms ? TimeSpan.FromMilliseconds(ms) : null;
        TimeSpan? setup = MiJson.Number(e, "setuptime") is >= 0 and < 1_000_000_000 and long seconds ? TimeSpan.FromSeconds(seconds) : null;
        string? status = MiJson.Text(e, "sip_code");
        return new SipCallDetailRecord
        {
            CallId = callId,
            Server = server,
            ServerType = SipServerType.OpenSips,
            LegId = MiJson.Text(e, "callid"),
            // Extra fields of the script, which most scripts name so.
            From = MiJson.Text(e, "caller") ?? call?.From,
            To = MiJson.Text(e, "callee") ?? call?.To,
            StartedAt = created,
            AnsweredAt = answered ? at : null,
            EndedAt = answered ? at + talked : at,
            Duration = answered ? setup + talked : setup,
            BillableDuration = answered ? talked : TimeSpan.Zero,
            Disposition = answered ? "ANSWERED" : string.Create(CultureInfo.InvariantCulture, $"{status} {MiJson.Text(e, "sip_reason")}").Trim(),
            Fields = MiJson.Fields(e),
        };
    }

    /// <summary>Notes that something of ours went wrong without anybody waiting.</summary>
    public void Failed(Exception e, string what) => Log.WorkFailed(log, e, server, what);

    /// <param name="Status">sip_code.</param>
    /// <param name="Reason">sip_reason.</param>
    /// <param name="Caller">An extra field of the script, which most scripts name so.</param>
    /// <param name="Callee">The same.</param>
    private sealed record Failure(int Status, string? Reason, string? Caller, string? Callee)
    {
        /// <summary>Its detail record, as long as the call is not known.</summary>
        public SipCallDetailRecord? Record { get; set; }

        /// <summary>When the record is to be had without a call: the script accounts for what has no dialog.</summary>
        public long PlaceAt { get; init; }
    }
}
