namespace IfBus.Sip.Simulators.Yate;

/// <summary>
/// Does one thing after the other, on a thread of the pool and only while there is something to do. All that the
/// engine knows is touched here alone; what waits for a client's answer goes on here too.
/// </summary>
internal sealed class YateLoop : SynchronizationContext
{
    // What goes on in any case is not put off for longer than for so many things.
    private const int LongestWait = 1000;

    private readonly Queue<(SendOrPostCallback Callback, object? State)> _work = new();
    private readonly Queue<Action> _due = new();
    private int _waited;
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

        Start();
    }

    /// <summary>
    /// Queues what is due by the clock. All that came of earlier things is done before: on a machine that is late, two
    /// things that are a second apart are due at once, and must be told as if they were not.
    /// </summary>
    public void PostDue(Action action)
    {
        lock (_work)
        {
            _due.Enqueue(action);
            if (_running) return;
            _running = true;
        }

        Start();
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

    private void Start() => ThreadPool.UnsafeQueueUserWorkItem(static loop => loop.Run(), this, preferLocal: false);

    private bool TryTake(out (SendOrPostCallback Callback, object? State) work)
    {
        lock (_work)
        {
            if (_due.Count > 0 && (_work.Count == 0 || ++_waited > LongestWait))
            {
                _waited = 0;
                work = (static a => ((Action)a!)(), _due.Dequeue());
                return true;
            }

            if (_work.TryDequeue(out work)) return true;
            _running = false;
            return false;
        }
    }

    private void Run()
    {
        SynchronizationContext? before = Current;
        SetSynchronizationContext(this);
        try
        {
            while (TryTake(out (SendOrPostCallback Callback, object? State) work))
            {
                try
                {
                    work.Callback(work.State);
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
