using System.Diagnostics.CodeAnalysis;

namespace IfBus.Sip.Adapters.Connection;

/// <summary>
/// Requests that wait for their replies, by an id of ours. The waiter is there before the bytes leave; a reply to an id
/// that nobody waits for (timed out, cancelled, somebody else's) is dropped by the caller of <see cref="TryTake"/>.
/// Works for ids on the wire as well as for protocols that reply by order: there the id is the place in the order.
/// </summary>
/// <typeparam name="TWaiter">What is kept for a request.</typeparam>
internal sealed class ReplyTable<TWaiter> : IReplyTable
    where TWaiter : class, IReplyWaiter
{
    private readonly object _gate = new();
    private readonly Dictionary<long, TWaiter> _waiting = [];
    private readonly List<(long Id, TWaiter Waiter)> _late = [];
    private Exception? _closed;

    /// <summary>How many requests wait.</summary>
    public int Count
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    /// <summary>Adds a waiter, and returns how many wait now. Fails with the reason if the connection is gone.</summary>
    public int Add(long id, TWaiter waiter)
    {
        lock (_gate)
        {
            if (_closed is not null) throw ConnectionEnd.TooLate(_closed);
            _waiting.Add(id, waiter);
            return _waiting.Count;
        }
    }

    /// <summary>Finds a waiter and leaves it: for replies of several messages.</summary>
    public bool TryPeek(long id, [MaybeNullWhen(false)] out TWaiter waiter)
    {
        lock (_gate) return _waiting.TryGetValue(id, out waiter);
    }

    /// <summary>Takes a waiter out.</summary>
    public bool TryTake(long id, [MaybeNullWhen(false)] out TWaiter waiter)
    {
        lock (_gate) return _waiting.Remove(id, out waiter);
    }

    /// <inheritdoc/>
    public bool Forget(long id) => TryTake(id, out _);

    /// <summary>Fails all requests whose deadline has passed. Called from one timer a connection: no timer a request.</summary>
    public void FailLate(long nowMilliseconds)
    {
        lock (_gate)
        {
            _late.Clear();
            foreach ((long id, TWaiter waiter) in _waiting)
            {
                if (waiter.Deadline <= nowMilliseconds) _late.Add((id, waiter));
            }

            foreach ((long id, _) in _late) _waiting.Remove(id);
            foreach ((_, TWaiter waiter) in _late) waiter.FailLate();
        }
    }

    /// <summary>Fails all requests and all that come later.</summary>
    public void Close(Exception reason)
    {
        List<TWaiter> waiters;
        lock (_gate)
        {
            _closed ??= reason;
            waiters = [.. _waiting.Values];
            _waiting.Clear();
        }

        foreach (TWaiter waiter in waiters) waiter.Fail(reason);
    }
}

/// <summary>What is said when a connection has ended.</summary>
internal static class ConnectionEnd
{
    /// <summary>The error for a request that came after the end: nothing of it was sent.</summary>
    /// <param name="reason">Why it has ended.</param>
    public static SipConnectionException TooLate(Exception reason) => new($"{SipText.Reason(reason)}.", reason, (reason as SipException)?.ErrorId ?? "SipConnectionLost") { NothingDone = true };
}

/// <summary>Where a request waits.</summary>
internal interface IReplyTable
{
    /// <summary>Takes a request out that is given up. False if its outcome is decided already.</summary>
    bool Forget(long id);
}

/// <summary>A request that waits. Completing it must never run the caller's continuation in place.</summary>
internal interface IReplyWaiter
{
    /// <summary>On the clock of the session that calls <see cref="ReplyTable{TWaiter}.FailLate"/>, in milliseconds.</summary>
    long Deadline { get; }

    /// <summary>The deadline has passed.</summary>
    void FailLate();

    /// <summary>The connection is gone.</summary>
    void Fail(Exception reason);
}
