namespace IfBus.Sip.Adapters.Connection;

/// <summary>Waits between attempts to reconnect: full jitter, random(0, min(cap, base × factor^n)).</summary>
internal static class Backoff
{
    /// <summary>The upper bound of the wait before attempt <paramref name="attempt"/>, counted from 0.</summary>
    public static TimeSpan Bound(SipReconnectPolicy policy, int attempt)
    {
        double milliseconds = policy.BaseDelay.TotalMilliseconds * Math.Pow(policy.Factor, Math.Min(attempt, 1000));
        // Infinity and NaN end at the cap too.
        return milliseconds < policy.MaxDelay.TotalMilliseconds ? TimeSpan.FromMilliseconds(milliseconds) : policy.MaxDelay;
    }

    /// <summary>The wait itself; <paramref name="sample"/> is from 0 to 1.</summary>
    public static TimeSpan Next(SipReconnectPolicy policy, int attempt, double sample) => Bound(policy, attempt) * sample;
}
