namespace IfBus.Sip.Adapters.Connection;

/// <summary>Puts a limit on a piece of work: our own <see cref="SipTimeoutException"/> when it passes, the caller's cancellation as it is.</summary>
internal static class Deadline
{
    /// <summary>Runs the work with a token that is cancelled at the limit or by the caller.</summary>
    public static async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> work, TimeSpan limit, TimeProvider time, Func<string> what, CancellationToken cancellationToken)
    {
        using var limited = new CancellationTokenSource(limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limited.Token, cancellationToken);
        try
        {
            return await work(both.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (limited.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // An inner layer that knows what it was waiting for has said so.
            string why = e is TaskCanceledException || e.InnerException is null ? "" : " " + e.Message;
            throw new SipTimeoutException($"{what()} took longer than {limit.TotalSeconds:0.###} s.{why}", limit, e);
        }
    }
}
