using System.Text;
using System.Text.Json;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>Turns what the server tells, by events and in lists, into calls. No I/O; all changes under the lock of the call table.</summary>
internal sealed partial class OpenSipsMapper(string server, CallTable calls, EventHub events, DetailRecordStore<OpenSipsCall> records, TimeProvider time, ILogger log)
{
    private const int MostPending = 100_000;
    private const int MostFailures = 10_000;

    /// <summary>How long the event that says why a call failed is waited for: it may come after the end (wire/opensips, events).</summary>
    private static readonly TimeSpan ReasonTime = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, OpenSipsCall> _dialogs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OpenSipsCall> _bySipCallId = new(StringComparer.Ordinal);
    private readonly Dictionary<string, OpenSipsCall> _sessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, PendingDialog> _pending = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<JsonElement>> _earlySessions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Failure> _failures = new(StringComparer.Ordinal);
    private readonly Queue<string> _failureOrder = new();
    private readonly List<OpenSipsCall> _finishing = [];

    /// <summary>What callers wait for.</summary>
    public CallConditions<OpenSipsCall> Conditions { get; } = new(calls);

    /// <summary>Asks for the addresses of a dialog that only its events have told of: SIP Call-ID and dialog id. Must not wait.</summary>
    public Action<string, string>? LookUp { get; init; }

    /// <summary>The next dialog of a call that is to end has appeared.</summary>
    public Action<OpenSipsCall>? LateHangup { get; init; }

    /// <summary>True if the server tells why calls fail (E_ACC_MISSED_EVENT or E_ACC_EVENT is subscribed).</summary>
    public bool HasReasons { get; set; }

    /// <summary>True while something is decided by time.</summary>
    public bool HasWaiting => _finishing.Count > 0 || _failureOrder.Count > 0;

    /// <summary>Takes one event.</summary>
    public void OnEvent(string name, JsonElement parameters, ReadOnlyMemory<byte> raw)
    {
        lock (calls.Sync)
        {
            switch (name)
            {
                case "E_DLG_STATE_CHANGED": OnDialog(parameters, raw); break;
                case "E_ACC_CDR": OnDetailRecord(parameters, answered: true); break;
                case "E_ACC_MISSED_EVENT" or "E_ACC_EVENT": OnFailure(parameters, name, raw); break;
                case "E_CALL_TRANSFER": OnTransfer(parameters, raw); break;
                case "E_CALL_HOLD": OnHold(parameters, raw); break;
                case "E_UA_SESSION": OnSession(parameters, raw); break;
            }

            Conditions.Check();
        }

        if (!events.Wants(SipEventTypes.Other)) return;
        events.Publish(new SipEvent(SipEventTypes.Other, server, SipServerType.OpenSips, time.GetUtcNow().UtcDateTime, name, raw.ToArray(), EventReader.Instance));
    }

    /// <summary>Adds a call of ours, before the command that makes it is sent.</summary>
    public void Expect(OpenSipsCall call)
    {
        lock (calls.Sync)
        {
            calls.Add(call);
            calls.Move(call, CallState.Dialing);
        }
    }

    /// <summary>The server has not taken it.</summary>
    public void Forget(OpenSipsCall call) => calls.Remove(call);

    /// <summary>The details of a dialog have come, or cannot be had.</summary>
    public void Found(string dialogId, DialogRow? row)
    {
        lock (calls.Sync)
        {
            if (!_pending.Remove(dialogId, out PendingDialog? pending)) return;
            Attach(pending.Id, pending.SipCallId, row, pending.First <= DialogState.Early, pending.Last, pending.Raw);
            Conditions.Check();
        }
    }

    /// <summary>Decides what time decides.</summary>
    public void OnTick()
    {
        lock (calls.Sync)
        {
            long now = time.GetTimestamp();
            for (int i = _finishing.Count - 1; i >= 0; i--)
            {
                OpenSipsCall call = _finishing[i];
                if (call.Transfer is { Done: false, FailAt: { } limit } transfer)
                {
                    if (limit <= now) TransferFailed(call, transfer, default);
                }
                else if (call.FinishAt is null || call.FinishAt <= now)
                {
                    Finish(call, default);
                }
            }

            PlaceOld(now);
            Conditions.Check();
        }
    }

    private void OnDialog(JsonElement e, ReadOnlyMemory<byte> raw)
    {
        if (MiJson.Text(e, "id") is not { } id || MiJson.Text(e, "callid") is not { } sipCallId) return;
        if (DialogRow.ReadState(e, "new_state") is not { } state) return;
        DialogState before = DialogRow.ReadState(e, "old_state") ?? 0;
        if (_dialogs.TryGetValue(id, out OpenSipsCall? call))
        {
            if (MiJson.Text(e, "to_tag") is { } tag && call.DialogId == id && call.Legs.Count == 2) call.Legs[1].Id = tag;
            Apply(call, id, state, raw);
        }
        else if (_pending.TryGetValue(id, out PendingDialog? pending))
        {
            if (state > pending.Last) pending.Last = state;
        }
        else if (records.RecentCall(Encoding.UTF8.GetBytes(id)) is null)
        {
            // Events have no addresses: they are asked for before anybody is told of the call.
            if (_pending.Count < MostPending && LookUp is { } lookUp)
            {
                _pending.Add(id, new PendingDialog(id, sipCallId, before, raw) { Last = state });
                lookUp(sipCallId, id);
            }
            else
            {
                Attach(id, sipCallId, null, before <= DialogState.Early, state, raw);
            }
        }
    }

    // A dialog that was not known becomes a call, or the next dialog of one that is being transferred.
    private void Attach(string id, string sipCallId, DialogRow? row, bool isNew, DialogState state, ReadOnlyMemory<byte> raw)
    {
        if (_dialogs.ContainsKey(id)) return;
        if (row is not null && row.State > state) state = row.State;
        if (NextOf(sipCallId, row) is { } moved)
        {
            Bind(moved, id, sipCallId, row);
            Apply(moved, id, state, raw);
            if (moved.HangupWanted is not null && state != DialogState.Ended) LateHangup?.Invoke(moved);
            return;
        }

        var call = new OpenSipsCall(id, ours: false, OpenSipsKind.Dialog) { Seen = true, DialogId = id, SipCallId = sipCallId };
        // Seen from its first reply on, it is new now; otherwise the server does not tell when it began.
        if (isNew) call.CreatedAt = calls.Now;
        _dialogs[id] = call;
        _bySipCallId[sipCallId] = call;
        if (row is not null) Describe(call, row);
        calls.Add(call);
        calls.Move(call, CallState.Dialing, raw.Span, EventReader.Instance);
        if (row?.AnsweredAt is { } answered && state >= DialogState.Answered) call.AnsweredAt = answered;
        Apply(call, id, state, raw);
        if (row?.Held == true) Hold(call, both: true);
    }

    private static void Describe(OpenSipsCall call, DialogRow row)
    {
        call.From = OpenSipsNumbers.Number(row.FromUri);
        call.To = OpenSipsNumbers.Number(row.ToUri);
        call.ToUri = row.ToUri;
        call.ExpiresAt = row.ExpiresAt;
        call.Legs.Clear();
        call.Legs.Add(new OpenSipsLeg(row.FromTag ?? "caller", row.CallerContact ?? row.FromUri));
        call.Legs.Add(new OpenSipsLeg(row.ToTag ?? "callee", row.CalleeContact ?? row.ToUri));
    }

    private void Apply(OpenSipsCall call, string dialogId, DialogState state, ReadOnlyMemory<byte> raw)
    {
        if (state == DialogState.Ended)
        {
            DialogEnded(call, dialogId, raw);
            return;
        }

        if (call.DialogId != dialogId) return;
        foreach (OpenSipsLeg leg in call.Legs) leg.State = state >= DialogState.Answered ? "confirmed" : state == DialogState.Early ? "early" : null;
        if (call.Transfer is { Done: false } transfer)
        {
            if (transfer.NewDialogId == dialogId && state >= DialogState.Answered) TransferDone(call, transfer, raw);
            return;
        }

        if (state == DialogState.Early && call.State == CallState.Dialing) calls.Move(call, CallState.Ringing, raw.Span, EventReader.Instance);
        if (state >= DialogState.Answered && (call.State is CallState.Dialing or CallState.Ringing))
        {
            // A 486 of a branch that was tried before counts no more.
            call.SipStatus = null;
            call.CauseText = null;
            calls.Move(call, CallState.Connected, raw.Span, EventReader.Instance);
        }
    }

    private void OnHold(JsonElement e, ReadOnlyMemory<byte> raw)
    {
        if (MiJson.Text(e, "callid") is not { } sipCallId || !_bySipCallId.TryGetValue(sipCallId, out OpenSipsCall? call)) return;
        string leg = MiJson.Text(e, "leg") ?? "";
        string? state = MiJson.Text(e, "state");
        bool hold = MiJson.Text(e, "action") == "hold";
        if (state == "fail")
        {
            call.HoldFailure = leg;
            return;
        }

        if (state != "ok") return;
        if (hold) call.HeldLegs.Add(leg);
        else call.HeldLegs.Remove(leg);
        if (call.HeldLegs.Count == 2 && call.State == CallState.Connected) calls.Move(call, CallState.OnHold, raw.Span, EventReader.Instance);
        else if (call.HeldLegs.Count == 0 && call.State == CallState.OnHold) calls.Move(call, CallState.Connected, raw.Span, EventReader.Instance);
    }

    /// <summary>Puts a call on hold, or takes it off, as the server has it.</summary>
    public void Hold(OpenSipsCall call, bool both)
    {
        lock (calls.Sync)
        {
            call.HeldLegs.Clear();
            if (both) call.HeldLegs.UnionWith(["caller", "callee"]);
            if (both && call.State == CallState.Connected) calls.Move(call, CallState.OnHold);
            else if (!both && call.State == CallState.OnHold) calls.Move(call, CallState.Connected);
        }
    }

    private sealed class PendingDialog(string id, string sipCallId, DialogState first, ReadOnlyMemory<byte> raw)
    {
        public string Id { get; } = id;

        public string SipCallId { get; } = sipCallId;

        public DialogState First { get; } = first;

        public DialogState Last { get; set; }

        public ReadOnlyMemory<byte> Raw { get; } = raw;
    }

    /// <summary>Reads the params of an event.</summary>
    private sealed class EventReader : SipFieldReader
    {
        public static EventReader Instance { get; } = new();

        public override SipFieldCollection Read(ReadOnlySpan<byte> raw)
        {
            try
            {
                var reader = new Utf8JsonReader(raw);
                using JsonDocument document = JsonDocument.ParseValue(ref reader);
                return document.RootElement.TryGetProperty("params", out JsonElement parameters) ? MiJson.Fields(parameters) : SipFieldCollection.Empty;
            }
            catch (JsonException)
            {
                return SipFieldCollection.Empty;
            }
        }
    }
}
