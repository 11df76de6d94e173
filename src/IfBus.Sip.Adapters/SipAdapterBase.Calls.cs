namespace IfBus.Sip.Adapters;

/// <content>What adapters ask of their calls, and say of them.</content>
internal abstract partial class SipAdapterBase<TSession>
{
    /// <summary>A live call by its id or address.</summary>
    /// <exception cref="SipCallNotFoundException">Never seen, or ended.</exception>
    protected TCall FindLive<TCall>(string callId)
        where TCall : TrackedCall
    {
        lock (Calls.Sync)
        {
            if (!Calls.TryFind(callId, out TrackedCall? found)) throw NoSuchCall(callId);
            if (found.State != CallState.Terminated) return (TCall)found;
            throw new SipCallNotFoundException($"Call {callId} on {Name} has ended already ({found.Cause}, {found.EndedAt:u}).", "SipCallEnded") { CallId = callId };
        }
    }

    /// <summary>A copy of a call as it stands.</summary>
    protected SipCall Shown(TrackedCall call)
    {
        lock (Calls.Sync) return Calls.Snapshot(call);
    }

    /// <summary>The error for a call that is not in a state for what was asked.</summary>
    protected SipCallStateException WrongState(TrackedCall call, string errorId, string what) => new($"Call {call.CallId} on {Name} {what}: it is {call.State}. Nothing was sent.", call.State, errorId)
    {
        Server = Name,
        CallId = call.CallId,
    };

    /// <summary>The error for a call that ended while something was done with it.</summary>
    protected SipCallNotFoundException Ended(TrackedCall call) => new($"Call {call.CallId} on {Name} ended meanwhile ({call.Cause}).", "SipCallEnded") { Server = Name, CallId = call.CallId };

    /// <summary>Waits until the server's events have shown it.</summary>
    protected async Task SeenAsync<TCall>(CallCondition<TCall> condition, Func<string> what, TCall call, CancellationToken cancellationToken)
        where TCall : TrackedCall
    {
        if (!await InTimeAsync(condition, Configuration.RequestTimeout, what, call, cancellationToken).ConfigureAwait(false)) throw Ended(call);
    }

    /// <summary>Waits until the server's events have shown it; false if the call has ended first.</summary>
    protected async Task<bool> InTimeAsync<TCall>(CallCondition<TCall> condition, TimeSpan limit, Func<string> what, TCall call, CancellationToken cancellationToken, string? action = null)
        where TCall : TrackedCall
    {
        try
        {
            return await condition.Task.WaitAsync(limit, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new SipTimeoutException($"{what()} within {limit.TotalSeconds:0.###} s.", limit, e) { CallId = call.CallId, RecommendedAction = action };
        }
    }

    /// <summary>Waits for what may or may not come: until it has, the time is over, or nobody waits any more. Never throws.</summary>
    protected async Task GiveTimeAsync(Task happening, TimeSpan limit, CancellationToken cancellationToken) =>
        await happening.WaitAsync(limit, Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>The call must be one that two talk in, and that no transfer goes on with.</summary>
    protected void CheckTransferable(TrackedCall call)
    {
        if (call.State == CallState.Transferring) throw WrongState(call, "SipCallTransferring", "is being transferred already");
        if (call.State is not (CallState.Connected or CallState.OnHold)) throw WrongState(call, "SipCallNotConnected", "is not connected");
    }

    /// <summary>Asks the server to end a call. If it refuses, or was not reached, the call goes on as if nobody had asked.</summary>
    protected async Task AskForEndAsync(TrackedCall call, Func<Task> ask)
    {
        try
        {
            await ask().ConfigureAwait(false);
        }
        catch (SipException e) when (!LeavesOpen(e))
        {
            lock (Calls.Sync)
            {
                call.HangupWanted = null;
                Calls.GoesOn(call);
                OnGoesOn(call);
            }

            throw;
        }
    }

    /// <summary>A call that was asked to end goes on: what was told of it meanwhile counts now. Under the lock.</summary>
    protected virtual void OnGoesOn(TrackedCall call)
    {
    }

    /// <summary>True if what was asked for may have been done all the same: it was sent, and its answer never came.</summary>
    protected static bool LeavesOpen(SipException e) => e is SipTimeoutException { OutcomeUnknown: true } or SipConnectionException { OutcomeUnknown: true };

    /// <summary>Waits until a call that was asked to end has ended.</summary>
    protected async Task<SipCall> EndedAsync(TrackedCall call, CallWaiter waiter, CancellationToken cancellationToken)
    {
        try
        {
            return await waiter.Task.WaitAsync(Configuration.RequestTimeout, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new SipTimeoutException($"{Name} took the hang-up of {call.CallId}, but the call has not ended within {Configuration.RequestTimeout.TotalSeconds:0.#} s.", Configuration.RequestTimeout, e)
            {
                CallId = call.CallId,
            };
        }
    }

    /// <summary>Waits until the destination of a transfer has answered.</summary>
    protected async Task<SipCall> TransferredAsync(TrackedCall call, CallWaiter waiter, string to, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            return await waiter.Task.WaitAsync(limit, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new SipTimeoutException($"{to} has not answered within {limit.TotalSeconds:0.###} s. The transfer goes on.", limit, e)
            {
                CallId = call.CallId,
                RecommendedAction = "Wait-SipCall waits on; Stop-SipCall ends the call.",
            };
        }
    }
}
