namespace IfBus.Sip.Simulators.Yate;

/// <summary>
/// Does one thing after the other, on a thread of the pool and only while there is something to do. All that the
/// engine knows is touched here alone; what waits for a client's answer goes on here too.
/// </summary>
internal sealed class YateLoop : SynchronizationContext
{
    private readonly Queue<(SendOrPostCallback Callback, object? State)> _work = new();
    private bool _running;

    /// <summary>What went wrong inside, first; there is nothing that should.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Queues an action.</summary>
    public void Post(Action action) => Post(static a => ((Action)a!)(), action);

    /// <inheritdoc/>
    public override void Post(SendOrPostCallback d, object? state)
    {
        lock (_work)
        {
            _work.Enqueue((d, state));
            if (_running) return;
            _running = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static loop => loop.Run(), this, preferLocal: false);
    }

    /// <inheritdoc/>
    public override void Send(SendOrPostCallback d, object? state) => Do<object?>(() =>
    {
        d(state);
        return null;
    });

    /// <summary>Has something done and waits for it, from any thread.</summary>
    public T Do<T>(Func<T> function) => Current == this ? function() : DoAsync(function).GetAwaiter().GetResult();

    /// <summary>Has something done; the task ends when it is.</summary>
    public Task<T> DoAsync<T>(Func<T> function)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(() =>
        {
            try
            {
                done.SetResult(function());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <summary>Lets something go on by itself.</summary>
    public async void Go(Task task)
    {
        try
        {
            await task.ConfigureAwait(true);
        }
        catch (Exception e)
        {
            Failure ??= e;
        }
    }

    private void Run()
    {
        SynchronizationContext? before = Current;
        SetSynchronizationContext(this);
        try
        {
            while (true)
            {
                (SendOrPostCallback callback, object? state) work;
                lock (_work)
                {
                    if (_work.Count == 0)
                    {
                        _running = false;
                        return;
                    }

                    work = _work.Dequeue();
                }

                try
                {
                    work.callback(work.state);
                }
                catch (Exception e)
                {
                    Failure ??= e;
                }
            }
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }
}
