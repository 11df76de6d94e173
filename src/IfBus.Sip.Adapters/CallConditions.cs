namespace IfBus.Sip.Adapters;

/// <summary>What callers of an adapter wait for in its calls. Looked at after every event, and now and then.</summary>
/// <typeparam name="TCall">The adapter's call.</typeparam>
internal sealed class CallConditions<TCall>(CallTable calls)
    where TCall : TrackedCall
{
    private readonly List<CallCondition<TCall>> _open = [];

    /// <summary>True while somebody waits. Under the lock.</summary>
    public bool Any => _open.Count > 0;

    /// <summary>
    /// Waits for a call to be as wanted. To be asked for before the command that brings it about is sent, and disposed of
    /// when nobody waits any more: every event is held against it.
    /// </summary>
    public CallCondition<TCall> When(TCall call, Func<TCall, bool> met)
    {
        var condition = new CallCondition<TCall>(this, call, met);
        lock (calls.Sync)
        {
            if (!condition.IsDecided()) _open.Add(condition);
        }

        return condition;
    }

    /// <summary>Looks at all of them. Under the lock.</summary>
    public void Check()
    {
        for (int i = _open.Count - 1; i >= 0; i--)
        {
            if (_open[i].IsDecided()) _open.RemoveAt(i);
        }
    }

    /// <summary>Nobody waits for it any more.</summary>
    public void Forget(CallCondition<TCall> condition)
    {
        lock (calls.Sync) _open.Remove(condition);
    }
}

/// <summary>What somebody waits for: true when the call is as wanted, false when it has ended first.</summary>
internal sealed class CallCondition<TCall>(CallConditions<TCall> owner, TCall call, Func<TCall, bool> met)
    : TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously), IDisposable
    where TCall : TrackedCall
{
    public void Dispose() => owner.Forget(this);

    /// <summary>True if nobody need look any more. Under the lock.</summary>
    internal bool IsDecided()
    {
        if (Task.IsCompleted) return true;
        if (met(call)) TrySetResult(true);
        else if (call.State == CallState.Terminated) TrySetResult(false);
        return Task.IsCompleted;
    }
}
