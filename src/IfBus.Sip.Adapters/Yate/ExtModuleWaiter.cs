using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>A message or a local command of ours that waits for its answer.</summary>
/// <param name="what">The message's name, or the command.</param>
/// <param name="peer">The engine, for errors.</param>
/// <param name="limit">How long.</param>
/// <param name="deadline">The same on the session's clock.</param>
internal sealed class ExtModuleWaiter(string what, string peer, TimeSpan limit, long deadline)
    : TaskCompletionSource<ExtModuleAnswer>(TaskCreationOptions.RunContinuationsAsynchronously), IReplyWaiter
{
    // Only unregistered, never disposed: that would wait for a callback that waits for the table's lock.
    private CancellationTokenRegistration _cancellation;

    /// <summary>The message's name, or the command.</summary>
    public string What => what;

    /// <summary>The message's id; 0 for a local command.</summary>
    public long Id { get; init; }

    /// <inheritdoc/>
    public long Deadline => deadline;

    /// <summary>Gives the waiting up when the token says so.</summary>
    /// <param name="forget">Takes it out of its table.</param>
    /// <param name="token">The caller's.</param>
    public void CancelWith(Action<ExtModuleWaiter> forget, CancellationToken token)
    {
        _cancellation = token.UnsafeRegister(
            static (state, token) =>
            {
                (ExtModuleWaiter waiter, Action<ExtModuleWaiter> forget) = ((ExtModuleWaiter, Action<ExtModuleWaiter>))state!;
                forget(waiter);
                waiter.TrySetCanceled(token);
            },
            (this, forget));
        if (Task.IsCompleted) _cancellation.Unregister();
    }

    /// <summary>The answer is there.</summary>
    public void Complete(ExtModuleAnswer answer)
    {
        _cancellation.Unregister();
        TrySetResult(answer);
    }

    /// <summary>The engine could not read the line.</summary>
    public void Refuse(string line)
    {
        _cancellation.Unregister();
        TrySetException(new SipRejectedException($"{peer} did not take {what}: it could not read the line.", "Error in: " + line));
    }

    /// <inheritdoc/>
    public void FailLate()
    {
        _cancellation.Unregister();
        TrySetException(new SipTimeoutException($"{peer} did not answer {what} within {limit.TotalSeconds:0.###} s. It may have been carried out; it is not sent again.", limit)
        {
            OutcomeUnknown = true,
        });
    }

    /// <inheritdoc/>
    public void Fail(Exception reason)
    {
        _cancellation.Unregister();
        TrySetException(new SipConnectionException($"The connection to {peer} was lost before {what} was answered; whether it was carried out is unknown, it is not sent again. {reason.Message}", reason, "SipConnectionLost")
        {
            OutcomeUnknown = true,
        });
    }
}
