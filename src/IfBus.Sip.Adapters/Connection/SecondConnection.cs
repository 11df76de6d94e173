namespace IfBus.Sip.Adapters.Connection;

/// <summary>
/// A second connection of the same login: made when it is first needed, anew if it was lost, and gone with the first one.
/// </summary>
/// <typeparam name="T">The protocol's session.</typeparam>
/// <param name="open">Opens it, within a deadline of its own: others may wait for it than who asked first.</param>
/// <param name="closed">Completes when it is gone.</param>
/// <param name="leave">Ends it with the protocol's good-bye.</param>
internal sealed class SecondConnection<T>(Func<Task<T>> open, Func<T, Task> closed, Func<T, Task> leave)
    where T : class
{
    private readonly object _gate = new();
    private Task<T>? _second;
    private bool _over;

    /// <summary>The connection; opened if it is not there. Every failure to open it is tried again by the next who asks.</summary>
    /// <exception cref="SipConnectionException">The first connection is gone.</exception>
    public Task<T> GetAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_over) throw new SipConnectionException("The connection was closed by us.", errorId: "SipDisconnected") { NothingDone = true };
            if (_second is not { IsCompleted: false } && Open is null) _second = open();
            return _second!.WaitAsync(cancellationToken);
        }
    }

    /// <summary>The connection if it is open, else null.</summary>
    /// <param name="wanted">True: it is to be opened if it is not there, unless that has failed before. Nobody waits for it.</param>
    public T? TryGet(bool wanted)
    {
        lock (_gate)
        {
            if (_over || _second is { IsCompleted: false } or { IsFaulted: true } or { IsCanceled: true }) return null;
            if (Open is { } there) return there;
            if (!wanted) return null;
            _second = open();
            // A failure is logged by who opens.
            _ = _second.ContinueWith(static t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return null;
        }
    }

    /// <summary>Ends it for good; a connection that is being opened ends when it is open.</summary>
    public async Task CloseAsync()
    {
        Task<T>? second;
        lock (_gate)
        {
            _over = true;
            second = _second;
        }

        if (second is null) return;
        try
        {
            await leave(await second.ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SipException or OperationCanceledException)
        {
            // It never was there.
        }
    }

    // Under the lock.
    private T? Open => _second is { IsCompletedSuccessfully: true } made && !closed(made.Result).IsCompleted ? made.Result : null;
}
