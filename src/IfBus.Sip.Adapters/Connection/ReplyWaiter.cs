namespace IfBus.Sip.Adapters.Connection;

/// <summary>
/// A request that waits for its reply. Whoever takes it out of its <see cref="ReplyTable{TWaiter}"/> decides its outcome,
/// once; who awaits it goes on on the pool, never on the reader and never under the table's lock.
/// </summary>
/// <typeparam name="TReply">What comes back.</typeparam>
/// <param name="what">The request's name, for errors.</param>
/// <param name="peer">The server, for errors.</param>
/// <param name="limit">How long it may take.</param>
/// <param name="deadline">The same on the session's clock.</param>
internal class ReplyWaiter<TReply>(string what, string peer, TimeSpan limit, long deadline) : TaskCompletionSource<TReply>, IReplyWaiter, IThreadPoolWorkItem
{
    private CancellationTokenRegistration _cancellation;
    private IReplyTable? _table;
    private long _id;
    private TReply? _reply;
    private Exception? _failure;
    private volatile bool _decided;

    /// <summary>The request's name.</summary>
    public string What => what;

    /// <summary>True once its outcome is decided, also if who awaits it does not know yet.</summary>
    protected bool IsDecided => _decided;

    /// <inheritdoc/>
    public long Deadline => deadline;

    /// <summary>Gives the waiting up when the token says so; a reply that has come is not given up.</summary>
    /// <param name="table">Where it waits.</param>
    /// <param name="id">Its id there.</param>
    /// <param name="token">The caller's.</param>
    public void CancelWith(IReplyTable table, long id, CancellationToken token)
    {
        if (!token.CanBeCanceled) return;
        _table = table;
        _id = id;
        _cancellation = token.UnsafeRegister(
            static (state, token) =>
            {
                var waiter = (ReplyWaiter<TReply>)state!;
                if (waiter._table!.Forget(waiter._id)) waiter.Decide(new OperationCanceledException(token));
            },
            this);
        if (_decided) _cancellation.Unregister();
    }

    /// <summary>The reply is there: goes on with the others of this read.</summary>
    public void Complete(TReply reply, ReplyBatch batch)
    {
        _reply = reply;
        Over();
        batch.Add(this);
    }

    /// <summary>The server could not take the request: goes on with the others of this read.</summary>
    public void Complete(Exception failure, ReplyBatch batch)
    {
        _failure = failure;
        Over();
        batch.Add(this);
    }

    /// <inheritdoc/>
    public void FailLate() => Decide(new SipTimeoutException($"{peer} did not answer {what} within {limit.TotalSeconds:0.###} s. It may have been carried out; it is not sent again.", limit)
    {
        OutcomeUnknown = true,
    });

    /// <inheritdoc/>
    public void Fail(Exception reason) => Decide(new SipConnectionException($"The connection to {peer} was lost before {what} was answered; whether it was carried out is unknown, it is not sent again. {reason.Message}", reason, "SipConnectionLost")
    {
        OutcomeUnknown = true,
    });

    /// <summary>Tells who awaits it. On the pool, once its outcome is set.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        if (_failure is null) TrySetResult(_reply!);
        else if (_failure is OperationCanceledException cancelled) TrySetCanceled(cancelled.CancellationToken);
        else TrySetException(_failure);
    }

    /// <summary>Nobody waits any more.</summary>
    protected virtual void OnOver()
    {
    }

    private void Decide(Exception failure)
    {
        _failure = failure;
        Over();
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private void Over()
    {
        _decided = true;
        // Whoever changes what OnOver looks at sees that it is decided, or OnOver sees the change.
        Interlocked.MemoryBarrier();
        OnOver();
        // Not disposed: that would wait for a callback that waits for the table's lock.
        _cancellation.Unregister();
    }
}
