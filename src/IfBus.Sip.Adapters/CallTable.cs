using System.Diagnostics.CodeAnalysis;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters;

/// <summary>
/// The calls of one server: the live ones and the last ended. The one place where a call changes state: checks the step,
/// stamps the time, tells subscribers and waiters, and counts. All changes under <see cref="Sync"/>.
/// </summary>
internal sealed class CallTable(string server, SipServerType type, EventHub events, int historySize, TimeProvider time, ILogger log)
{
    private readonly Dictionary<string, TrackedCall> _live = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TrackedCall> _ended = new(StringComparer.Ordinal);
    private readonly Queue<TrackedCall> _endedOrder = new();
    private readonly KeyValuePair<string, object?> _tag = new("server.type", type.ToString());

    /// <summary>The adapter's one lock: calls, legs and what belongs to them.</summary>
    public object Sync { get; } = new();

    /// <summary>Counts our calls for the limits.</summary>
    public CallGate? Gate { get; init; }

    /// <summary>How many calls live.</summary>
    public int LiveCount
    {
        get
        {
            lock (Sync) return _live.Count;
        }
    }

    /// <summary>The live calls, in no order. Under the lock.</summary>
    public IEnumerable<TrackedCall> Live => _live.Values;

    /// <summary>Now, UTC.</summary>
    public DateTime Now => time.GetUtcNow().UtcDateTime;

    /// <summary>Adds a call.</summary>
    public void Add(TrackedCall call)
    {
        lock (Sync) _live.Add(call.CallId, call);
        SipMeter.CallsActive.Add(1, _tag);
        if (!call.IsOurs) return;
        Gate?.Came(call);
        SipMeter.CallAttempts.Add(1, _tag);
    }

    /// <summary>Takes out a call that the server never had.</summary>
    public void Remove(TrackedCall call)
    {
        lock (Sync)
        {
            if (!_live.Remove(call.CallId)) return;
        }

        if (call.IsOurs) Gate?.Left(call);

        SipMeter.CallsActive.Add(-1, _tag);
        SipMeter.CallFailures.Add(1, _tag);
    }

    /// <summary>A live or lately ended call by its id or its if:// address. Under the lock.</summary>
    public bool TryFind(string idOrUri, [MaybeNullWhen(false)] out TrackedCall call)
    {
        const string Prefix = "if://call/";
        if (_live.TryGetValue(idOrUri, out call) || _ended.TryGetValue(idOrUri, out call)) return true;
        if (!idOrUri.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        string uuid = idOrUri[Prefix.Length..];
        if ((_live.TryGetValue(uuid, out call) || _ended.TryGetValue(uuid, out call)) && call.IsOurs) return true;
        call = _live.Values.Concat(_ended.Values).FirstOrDefault(c => c.Uri(server) == idOrUri);
        return call is not null;
    }

    /// <summary>A live call by its id. Under the lock.</summary>
    public bool TryFindLive(string callId, [MaybeNullWhen(false)] out TrackedCall call) => _live.TryGetValue(callId, out call);

    /// <summary>A copy for a user. Under the lock.</summary>
    public SipCall Snapshot(TrackedCall call) => call.Snapshot(server, type, Now);

    /// <summary>Copies of all live calls.</summary>
    public List<SipCall> SnapshotLive()
    {
        lock (Sync)
        {
            DateTime now = Now;
            var calls = new List<SipCall>(_live.Count);
            foreach (TrackedCall call in _live.Values) calls.Add(call.Snapshot(server, type, now));
            return calls;
        }
    }

    /// <summary>Copies of the calls that ended, oldest first.</summary>
    public List<SipCall> SnapshotEnded()
    {
        lock (Sync)
        {
            DateTime now = Now;
            var calls = new List<SipCall>(_endedOrder.Count);
            foreach (TrackedCall call in _endedOrder) calls.Add(call.Snapshot(server, type, now));
            return calls;
        }
    }

    /// <summary>
    /// Moves a call to another state. A step that does not exist is not applied and is logged; to the state it has is
    /// nothing. The cause of a call that ends is set before. Under the lock.
    /// </summary>
    public bool Move(TrackedCall call, CallState to, ReadOnlySpan<byte> raw = default, SipFieldReader? reader = null)
    {
        CallState from = call.State;
        if (from == to) return false;
        if (!CallStates.CanMove(from, to))
        {
            Log.TransitionRefused(log, call.CallId, server, from, to);
            return false;
        }

        if (to == CallState.HangingUp) call.StateBeforeHangup = from;
        Enter(call, from, to, raw, reader);
        return true;
    }

    /// <summary>Its hang-up was not carried out, or nobody knows: it is what it was before. Under the lock.</summary>
    public void GoesOn(TrackedCall call)
    {
        if (call.State == CallState.HangingUp) Enter(call, CallState.HangingUp, call.StateBeforeHangup, default, null);
    }

    private void Enter(TrackedCall call, CallState from, CallState to, ReadOnlySpan<byte> raw, SipFieldReader? reader)
    {
        DateTime now = Now;
        call.State = to;
        if (to == CallState.Connected && call.AnsweredAt is null) call.AnsweredAt = now;
        if (to == CallState.Terminated) End(call, now);
        Log.CallState(log, call.CallId, server, from, to);
        Announce(call, SipEventTypes.CallStateChanged, from, raw, reader, now);
    }

    /// <summary>Tells subscribers and waiters how a call stands. Under the lock.</summary>
    public void Announce(TrackedCall call, SipEventTypes what, CallState? previous, ReadOnlySpan<byte> raw, SipFieldReader? reader, DateTime now)
    {
        bool wanted = events.Wants(what);
        if (!wanted && call.Waiters is null) return;

        SipCall snapshot = call.Snapshot(server, type, now);
        if (wanted)
        {
            string name = what == SipEventTypes.IncomingCall ? "IncomingCall" : snapshot.State.ToString();
            events.Publish(new SipEvent(what, server, type, now, name, raw.IsEmpty ? null : raw.ToArray(), raw.IsEmpty ? null : reader)
            {
                Call = snapshot,
                PreviousState = previous,
            });
        }

        if (call.Waiters is { } waiters)
        {
            waiters.RemoveAll(w => w.IsOver(snapshot.State) && w.TrySetResult(snapshot) | true);
            if (waiters.Count == 0) call.Waiters = null;
        }
    }

    /// <summary>Waits for a call to reach a state; at once if it has. Under the lock; null if there is no such call.</summary>
    public CallWaiter? Wait(string idOrUri, IReadOnlyCollection<CallState> states)
    {
        lock (Sync)
        {
            if (!TryFind(idOrUri, out TrackedCall? call)) return null;
            var waiter = new CallWaiter(states);
            if (waiter.IsOver(call.State)) waiter.SetResult(Snapshot(call));
            else (call.Waiters ??= []).Add(waiter);
            return waiter;
        }
    }

    /// <summary>Nobody waits any more.</summary>
    public void StopWaiting(string idOrUri, CallWaiter waiter)
    {
        lock (Sync)
        {
            if (TryFind(idOrUri, out TrackedCall? call)) call.Waiters?.Remove(waiter);
        }
    }

    /// <summary>Fails everybody who waits, for an adapter that will never connect again.</summary>
    public void FailWaiters(Exception reason)
    {
        lock (Sync)
        {
            foreach (TrackedCall call in _live.Values)
            {
                call.Waiters?.ForEach(w => w.TrySetException(reason));
                call.Waiters = null;
            }
        }
    }

    private void End(TrackedCall call, DateTime now)
    {
        // A server that tells its own time of the end is believed.
        call.EndedAt ??= now;
        if (_live.Remove(call.CallId) && call.IsOurs) Gate?.Left(call);
        if (historySize > 0)
        {
            if (_ended.Count >= historySize) _ended.Remove(_endedOrder.Dequeue().CallId);
            // After a restart a server may use an id again: the newer call is the one to find.
            if (_ended.TryAdd(call.CallId, call)) _endedOrder.Enqueue(call);
            else _ended[call.CallId] = call;
        }

        Log.CallEnded(log, call.CallId, server, call.Cause, call.CauseText);
        SipMeter.CallsActive.Add(-1, _tag);
        if (call.CreatedAt is { } created)
        {
            SipMeter.CallDuration.Record(Math.Max(0, (call.EndedAt.Value - created).TotalSeconds), _tag);
            if (call.AnsweredAt is { } answered) SipMeter.CallSetup.Record(Math.Max(0, (answered - created).TotalSeconds), _tag);
        }

        if (call.IsOurs && call.AnsweredAt is null) SipMeter.CallFailures.Add(1, _tag);
    }

}
