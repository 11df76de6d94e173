using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Flexisip;

/// <summary>
/// Keeps within the server's limit of requests (2.0: 600 a minute, told by X-RateLimit-Limit): so many in any window of
/// that length, with a reserve for others of the same login. What is refused nevertheless (429, with Retry-After) was
/// not carried out, and all requests wait until that time is over.
/// </summary>
internal sealed class FlexisipPace(string name, TimeProvider time, ILogger log)
{
    /// <summary>The window of FlexiAPI's limit.</summary>
    internal static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);

    private readonly object _gate = new();
    private readonly Queue<long> _sent = new();
    private int? _limit;
    private long _closedUntil;
    private bool _told;

    /// <summary>Length of the window; another in tests.</summary>
    internal TimeSpan Window { get; init; } = Minute;

    /// <summary>Waits until a request may go, and counts it.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TimeSpan wait;
            lock (_gate)
            {
                long now = time.GetTimestamp();
                while (_sent.TryPeek(out long first) && time.GetElapsedTime(first, now) >= Window) _sent.Dequeue();
                wait = _closedUntil > now ? time.GetElapsedTime(now, _closedUntil) : TimeSpan.Zero;
                if (wait == TimeSpan.Zero && _limit is { } limit && _sent.Count >= Allowed(limit)) wait = Window - time.GetElapsedTime(_sent.Peek(), now);
                if (wait <= TimeSpan.Zero)
                {
                    _sent.Enqueue(now);
                    _told = false;
                    return;
                }

                if (!_told) Log.RateLimited(log, name, wait);
                _told = true;
            }

            await Task.Delay(wait + TimeSpan.FromMilliseconds(1), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Learns the limit.</summary>
    public void Learn(int limit)
    {
        if (limit is < 1 or > 1_000_000) return;
        lock (_gate) _limit = limit;
    }

    /// <summary>The server refused one for being too many.</summary>
    public void Refused(TimeSpan? retryAfter)
    {
        TimeSpan pause = retryAfter is { } told && told >= TimeSpan.Zero && told <= LongestPause ? told : Window;
        lock (_gate) _closedUntil = Math.Max(_closedUntil, time.GetTimestamp() + (long)(pause.TotalSeconds * time.TimestampFrequency));
    }

    // Two of a hundred are left to health checks and to others that use the login.
    private static int Allowed(int limit) => Math.Max(1, limit - (limit / 50));
}
