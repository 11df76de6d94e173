namespace IfBus.Sip.Adapters.Http;

/// <summary>
/// Finds out that a server is gone although no connection tells: asks it something cheap now and then, and at once when
/// another request has failed. The first beat that fails with a lost connection, a time-out or a refused login ends it.
/// </summary>
internal sealed class HttpPulse : IDisposable
{
    private readonly TaskCompletionSource<Exception> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _now = new(0, 1);

    private HttpPulse()
    {
    }

    /// <summary>Completes with the reason when the server is gone.</summary>
    public Task<Exception> Closed => _closed.Task;

    /// <summary>Starts beating.</summary>
    /// <param name="beat">The cheap request.</param>
    /// <param name="interval">Time from the end of one to the begin of the next.</param>
    /// <param name="time">The clock.</param>
    public static HttpPulse Start(Func<CancellationToken, Task> beat, TimeSpan interval, TimeProvider time) => Start(beat, () => interval, time);

    /// <summary>Starts beating, with an interval that is asked for anew each time.</summary>
    public static HttpPulse Start(Func<CancellationToken, Task> beat, Func<TimeSpan> interval, TimeProvider time)
    {
        var pulse = new HttpPulse();
        _ = Task.Run(() => pulse.RunAsync(beat, interval, time));
        return pulse;
    }

    /// <summary>Looks now: something went wrong.</summary>
    public void Look()
    {
        lock (_now)
        {
            if (_now.CurrentCount == 0 && !_stop.IsCancellationRequested) _now.Release();
        }
    }

    /// <summary>Ends it with a reason known otherwise.</summary>
    public void End(Exception reason)
    {
        _closed.TrySetResult(reason);
        _stop.Cancel();
    }

    public void Dispose() => End(new SipConnectionException("The connection was closed by us.", errorId: "SipDisconnected"));

    private async Task RunAsync(Func<CancellationToken, Task> beat, Func<TimeSpan> interval, TimeProvider time)
    {
        try
        {
            while (true)
            {
                await WaitAsync(interval(), time).ConfigureAwait(false);
                await beat(_stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Ended.
        }
#pragma warning disable CA1031 // whatever it is, it is why the server counts as gone
        catch (Exception e)
#pragma warning restore CA1031
        {
            _closed.TrySetResult(e);
        }
    }

    private async Task WaitAsync(TimeSpan interval, TimeProvider time)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Task looked = _now.WaitAsync(cut.Token);
        Task passed = Task.Delay(interval, time, cut.Token);
        await Task.WhenAny(looked, passed).ConfigureAwait(false);
        await cut.CancelAsync().ConfigureAwait(false);
        _stop.Token.ThrowIfCancellationRequested();
    }
}
