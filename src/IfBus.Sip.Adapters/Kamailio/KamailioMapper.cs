using System.Text.Json;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Kamailio;

/// <summary>
/// Follows calls by the server's list of dialogs and, where its script sends them, by events. Either alone is enough to
/// see a call begin, be answered and end; only events tell who ended it and with what status.
/// </summary>
internal sealed partial class KamailioMapper(string server, CallTable calls, EventHub events, DetailRecordStore<KamailioCall> records, TimeProvider time, ILogger log)
{
    /// <summary>How long the server may take to show what a dlg.bridge_dlg has begun, and a first party to call the second once it has answered.</summary>
    public static readonly TimeSpan OriginatePatience = TimeSpan.FromSeconds(10);

    // The list and the events come by two connections: so long an end that the list shows waits for the event that explains it.
    private static readonly TimeSpan EventPatience = TimeSpan.FromSeconds(1);

    private readonly Dictionary<DialogKey, KamailioCall> _live = [];
    private readonly Dictionary<DialogKey, KamailioCall> _firsts = [];
    private readonly Dictionary<DialogKey, long> _over = [];
    private readonly Dictionary<string, KamailioCall> _byCallId = new(StringComparer.Ordinal);
    private readonly List<KamailioCall> _pending = [];
    private readonly List<KamailioCall> _ending = [];
    private long _poll;

    /// <summary>True while the event socket is connected.</summary>
    public bool HasEvents { get; set; }

    /// <summary>True while something is expected that a quick look at the list would show.</summary>
    public bool IsImpatient
    {
        get
        {
            lock (calls.Sync) return _pending.Count + _ending.Count > 0;
        }
    }

    private long Clock => (long)time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>A list is going to be asked for: what is added from now on may be missing in it.</summary>
    public long BeginPoll()
    {
        lock (calls.Sync) return ++_poll;
    }

    /// <summary>A call of ours, before its command is sent.</summary>
    public void Expect(KamailioCall call)
    {
        lock (calls.Sync)
        {
            call.Originate!.Deadline = Clock + (long)OriginatePatience.TotalMilliseconds;
            calls.Add(call);
            calls.Move(call, CallState.Dialing);
            _pending.Add(call);
        }
    }

    /// <summary>The server refused the command: there never was a call.</summary>
    public void Forget(KamailioCall call)
    {
        lock (calls.Sync)
        {
            _pending.Remove(call);
            calls.Remove(call);
        }
    }

    /// <summary>The whole list of dialogs.</summary>
    /// <param name="list">What the server said.</param>
    /// <param name="poll">What <see cref="BeginPoll"/> gave before it was asked for.</param>
    /// <param name="missing">Why calls are gone that it does not have; null for a look in between.</param>
    /// <returns>How many calls were gone.</returns>
    public int OnList(IReadOnlyList<KamailioDialog> list, long poll, HangupCause? missing)
    {
        lock (calls.Sync)
        {
            bool fresh = missing is not null;
            // A new start has new keys: what one of the old looks like is another dialog.
            if (missing == HangupCause.ServerRestarted) ForgetDialogs(missing.Value);
            var present = new HashSet<DialogKey>(list.Count);
            foreach (KamailioDialog dialog in list) present.Add(dialog.Key);
            // The server's own first: then the dialog that follows from one finds its call.
            foreach (KamailioDialog dialog in list)
            {
                if (dialog.IsServersOwn) OnDialog(dialog, fresh);
            }

            foreach (KamailioDialog dialog in list)
            {
                if (!dialog.IsServersOwn) OnDialog(dialog, fresh);
            }

            int gone = 0;
            foreach (KamailioCall call in _live.Values.Where(c => c.SeenIn < poll && !present.Contains(c.Key!.Value)).ToList())
            {
                gone++;
                Finish(call, null, missing);
            }

            foreach (DialogKey key in _over.Where(o => o.Value < poll && !present.Contains(o.Key)).Select(o => o.Key).ToList()) _over.Remove(key);
            foreach ((DialogKey key, KamailioCall call) in _firsts.Where(f => !present.Contains(f.Key) && f.Value.SeenIn < poll).ToList()) OnFirstGone(key, call);
            OnTick();
            return gone;
        }
    }

    /// <summary>One dialog that was asked for by itself; null if the server does not have it.</summary>
    public void OnOne(KamailioCall call, KamailioDialog? dialog)
    {
        lock (calls.Sync)
        {
            if (dialog is not null) OnDialog(dialog, fresh: false);
            else if (call.State != CallState.Terminated && call.Key is not null) Finish(call, null, null);
            OnTick();
        }
    }

    /// <summary>Decides what waits for something that did not come in time.</summary>
    public void OnTick()
    {
        lock (calls.Sync)
        {
            long now = Clock;
            foreach (KamailioCall call in _ending.Where(c => now - c.EndSeenAt >= EventPatience.TotalMilliseconds).ToList())
            {
                if (call.Originate is { } failed) EndOriginate(call, failed);
                else End(call, default);
            }

            foreach (KamailioCall call in _pending.Where(c => now >= c.Originate!.Deadline && c.EndSeenAt is null).ToList())
            {
                KamailioOriginate originate = call.Originate!;
                if (originate.First is not null && !originate.FirstAnswered) continue;
                call.CauseText = originate.First is null
                    ? $"The server took the command and shows no call to {originate.FromUri}."
                    : $"{originate.FromUri} answered and did not call {originate.ToUri}: its phone may not take REFER, or the server's script does not track its call.";
                End(call, default);
            }
        }
    }

    private void OnDialog(KamailioDialog dialog, bool fresh)
    {
        if (_over.ContainsKey(dialog.Key)) return;
        if (_firsts.TryGetValue(dialog.Key, out KamailioCall? ours))
        {
            OnFirst(ours, dialog);
            return;
        }

        if (!_live.TryGetValue(dialog.Key, out KamailioCall? call))
        {
            if (Assign(dialog)) return;
            if (fresh && dialog.State >= KamailioDialog.Deleted)
            {
                // It ended before we were there.
                _over[dialog.Key] = _poll;
                return;
            }

            call = Add(dialog);
        }

        call.SeenIn = _poll;
        Follow(call, dialog);
        Step(call, dialog.State, KamailioDialog.Time(dialog.StartedAt), default);
        if (dialog.State >= KamailioDialog.Deleted) Finish(call, dialog, null);
    }

    // One of ours that waits for it: the server's dialog with the first party, or the first party's with the second.
    private bool Assign(KamailioDialog dialog)
    {
        foreach (KamailioCall call in _pending)
        {
            KamailioOriginate originate = call.Originate!;
            if (originate.Before.Contains(dialog.Key)) continue;
            if (dialog.IsServersOwn && originate.First is null && dialog.ToUri == originate.FromUri)
            {
                originate.First = dialog.Key;
                _firsts[dialog.Key] = call;
                OnFirst(call, dialog);
                return true;
            }

            if (dialog.IsServersOwn || !KamailioNumbers.SameUser(dialog.FromUri, originate.FromUri) || !KamailioNumbers.SameUser(dialog.ToUri, originate.ToUri)) continue;
            _pending.Remove(call);
            _ending.Remove(call);
            call.EndSeenAt = null;
            call.Originate = null;
            call.Key = dialog.Key;
            call.SipCallId = dialog.CallId;
            _live[dialog.Key] = call;
            _byCallId[dialog.CallId] = call;
            OnDialog(dialog, fresh: false);
            return true;
        }

        return false;
    }

    private KamailioCall Add(KamailioDialog dialog)
    {
        // A request that passes the proxy twice has two dialogs with one Call-ID.
        string id = calls.TryFindLive(dialog.CallId, out _) ? FormattableString.Invariant($"{dialog.CallId};dialog={dialog.Key.Entry}:{dialog.Key.Id}") : dialog.CallId;
        var call = new KamailioCall(id, ours: false)
        {
            Direction = dialog.IsServersOwn ? CallDirection.Outbound : CallDirection.Inbound,
            Key = dialog.Key,
            SipCallId = dialog.CallId,
            CreatedAt = KamailioDialog.Time(dialog.CreatedAt) ?? calls.Now,
        };
        Follow(call, dialog);
        _live[dialog.Key] = call;
        _byCallId[dialog.CallId] = call;
        calls.Add(call);
        return call;
    }

    private static void Follow(KamailioCall call, KamailioDialog dialog)
    {
        call.DialogState = dialog.State;
        call.CSeq = dialog.CSeq ?? call.CSeq;
        call.FromUri = dialog.FromUri ?? call.FromUri;
        call.ToUri = dialog.ToUri ?? call.ToUri;
        call.From ??= KamailioNumbers.Number(dialog.FromUri);
        call.To ??= KamailioNumbers.Number(dialog.ToUri);
        if (dialog.Caller.Tag is not null) call.Caller = dialog.Caller with { Contact = dialog.Caller.Contact ?? call.Caller.Contact };
        if (dialog.Callee.Tag is not null) call.Callee = dialog.Callee with { Contact = dialog.Callee.Contact ?? call.Callee.Contact };
    }

    // Server's times for calls of others; for ours our own clock throughout.
    private void Step(KamailioCall call, int state, DateTime? answeredAt, ReadOnlySpan<byte> raw)
    {
        if (state >= KamailioDialog.Unconfirmed && call.State == CallState.Created) calls.Move(call, CallState.Dialing, raw, KamailioFieldReader.Instance);
        if (state == KamailioDialog.Early && call.State == CallState.Dialing) calls.Move(call, CallState.Ringing, raw, KamailioFieldReader.Instance);
        bool answered = state is KamailioDialog.ConfirmedNoAck or KamailioDialog.Confirmed || (state >= KamailioDialog.Deleted && answeredAt is not null);
        if (!answered || call.State is not (CallState.Dialing or CallState.Ringing)) return;
        if (!call.IsOurs) call.AnsweredAt = answeredAt;
        calls.Move(call, CallState.Connected, raw, KamailioFieldReader.Instance);
    }

    // The list shows that it ended, or no longer has it.
    private void Finish(KamailioCall call, KamailioDialog? dialog, HangupCause? missing)
    {
        if (call.State == CallState.Terminated) return;
        if (!call.IsOurs) call.EndedAt ??= KamailioDialog.Time(dialog?.EndedAt);
        if (missing is not null) call.Cause = missing;
        if (HasEvents && missing is null && call is { EndedBy: null, HangupWanted: null })
        {
            if (call.EndSeenAt is not null) return;
            call.EndSeenAt = Clock;
            _ending.Add(call);
            return;
        }

        End(call, default);
    }

    private void End(KamailioCall call, ReadOnlySpan<byte> raw)
    {
        if (call.Key is { } key)
        {
            _live.Remove(key);
            _over[key] = _poll;
        }

        if (call.SipCallId is { } sip && _byCallId.TryGetValue(sip, out KamailioCall? known) && known == call) _byCallId.Remove(sip);
        _pending.Remove(call);
        _ending.Remove(call);
        if (call.HangupWanted is not null) call.EndedBy ??= "us";
        bool byPhone = call.EndedBy is "caller" or "callee";
        call.Cause ??= call.HangupWanted ?? (call.SipStatus is { } status ? SipStatusCauses.Cause(status) : byPhone && call.AnsweredAt is not null ? HangupCause.NormalClearing : HangupCause.Unknown);
        calls.Move(call, CallState.Terminated, raw, KamailioFieldReader.Instance);
        if (records.Keeps) records.Add(Record(call));
    }

    // What was seen of it: the server keeps no detail records that could be asked for.
    private SipCallDetailRecord Record(KamailioCall call)
    {
        SipCall shown = calls.Snapshot(call);
        var fields = shown.Details.Select(d => new SipField(d.Key, d.Value)).ToList();
        if (call.SipStatus is { } status) fields.Add(new SipField("SipStatus", status.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        return new SipCallDetailRecord
        {
            CallId = call.CallId,
            Server = server,
            ServerType = SipServerType.Kamailio,
            LegId = call.SipCallId,
            From = call.From,
            To = call.To,
            Channel = call.Caller.Contact ?? call.FromUri,
            DestinationChannel = call.Callee.Contact,
            StartedAt = call.CreatedAt,
            AnsweredAt = call.AnsweredAt,
            EndedAt = call.EndedAt,
            Duration = shown.Duration,
            BillableDuration = shown.BillableDuration,
            Disposition = call.AnsweredAt is not null ? "ANSWERED" : call.SipStatus is 486 or 600 ? "BUSY" : call.SipStatus is not null ? "FAILED" : null,
            Fields = new SipFieldCollection(fields),
        };
    }

    private void ForgetDialogs(HangupCause cause)
    {
        foreach (KamailioCall call in _live.Values.Concat(_pending).ToList())
        {
            call.Cause = cause;
            End(call, default);
        }

        _firsts.Clear();
        _over.Clear();
    }

    private void PublishOther(string name, ReadOnlySpan<byte> raw, SipCall? call)
    {
        if (!events.Wants(SipEventTypes.Other)) return;
        events.Publish(new SipEvent(SipEventTypes.Other, server, SipServerType.Kamailio, calls.Now, name, raw.ToArray(), KamailioFieldReader.Instance) { Call = call });
    }
}
