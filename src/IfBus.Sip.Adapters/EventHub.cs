using System.Collections.Concurrent;
using System.Threading.Channels;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters;

/// <summary>
/// Hands events to subscribers. Publishing never waits: each subscriber has a bounded buffer of its own, the oldest
/// events of a slow one are dropped and counted, and it is told of the gap before its next event.
/// </summary>
internal sealed class EventHub(string server, SipServerType type, int bufferSize, TimeProvider time, ILogger log)
{
    private readonly object _gate = new();
    private readonly KeyValuePair<string, object?> _tag = new("server.type", type.ToString());
    private Subscription[] _subscriptions = [];
    private SipEventTypes _wanted;
    private Exception? _closed;
    private int _held;

    /// <summary>True if anybody wants such events: the making of an event nobody wants is spared.</summary>
    public bool Wants(SipEventTypes what) => (_wanted & what) != 0;

    /// <summary>Adds a subscriber.</summary>
    public ISipEventSubscription Subscribe(SipEventTypes types)
    {
        var subscription = new Subscription(this, types, bufferSize);
        lock (_gate)
        {
            if (_closed is not null) subscription.Complete(_closed);
            Volatile.Write(ref _subscriptions, [.. _subscriptions, subscription]);
            _wanted |= types;
        }

        return subscription;
    }

    /// <summary>Hands an event to everybody who wants it.</summary>
    public void Publish(SipEvent item)
    {
        foreach (Subscription subscription in Volatile.Read(ref _subscriptions)) subscription.Offer(item);
    }

    /// <summary>
    /// Until <see cref="Release"/> events are queued but nobody is woken: what came in one read is handed over at once,
    /// and waking a reader costs as much as many events.
    /// </summary>
    public void Hold() => Volatile.Write(ref _held, 1);

    /// <summary>Wakes whoever waits for what was queued.</summary>
    public void Release()
    {
        // A full fence: another thread's event was queued before we look, or its thread sees that nothing is held.
        Interlocked.Exchange(ref _held, 0);
        foreach (Subscription subscription in Volatile.Read(ref _subscriptions)) subscription.Ring();
    }

    /// <summary>No more events will come: readers get the reason once they have read what is left.</summary>
    public void Close(Exception reason)
    {
        lock (_gate)
        {
            _closed ??= reason;
            foreach (Subscription subscription in _subscriptions) subscription.Complete(reason);
        }
    }

    private void Remove(Subscription subscription)
    {
        lock (_gate)
        {
            Volatile.Write(ref _subscriptions, [.. _subscriptions.Where(s => s != subscription)]);
            _wanted = _subscriptions.Aggregate(SipEventTypes.None, (all, s) => all | s.Types);
        }
    }

    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit, Size = 192)]
    private struct Padded
    {
        [System.Runtime.InteropServices.FieldOffset(64)]
        public long Value;
    }

    // A queue without a lock, and a bell that is rung only for a reader that waits: a channel with a bound takes a lock
    // for every event on both sides, which was half of the cost of an event.
    private sealed class Subscription(EventHub hub, SipEventTypes types, int bufferSize) : ISipEventSubscription
    {
        private readonly ConcurrentQueue<SipEvent> _events = new();
        private readonly Channel<bool> _bell = Channel.CreateBounded<bool>(1);
        // Counted apart by those who write and those who take, so that neither waits for the other's cache line.
        private long _written;
        private long _takenSeen;
        private int _waiting;
        private long _lost;
        private int _losing;
        private Padded _taken;

        public SipEventTypes Types { get; } = types;

        public void Offer(SipEvent item)
        {
            if ((Types & item.Type) == 0) return;
            _events.Enqueue(item);
            long written = Interlocked.Increment(ref _written);
            if (written - Volatile.Read(ref _takenSeen) > bufferSize) Trim(written);
            // The enqueuing is a full fence: either the reader sees the event, or we see that it waits.
            if (Volatile.Read(ref hub._held) == 0) Ring();
        }

        public void Ring()
        {
            if (Volatile.Read(ref _waiting) == 1 && !_events.IsEmpty && Interlocked.Exchange(ref _waiting, 0) == 1) _bell.Writer.TryWrite(true);
        }

        public void Complete(Exception? reason) => _bell.Writer.TryComplete(reason);

        public async ValueTask<SipEvent> ReadAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                if (TryRead(out SipEvent? item)) return item!;
                Interlocked.Exchange(ref _waiting, 1);
                if (!_events.IsEmpty) continue;
                try
                {
                    if (await _bell.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
                    {
                        _bell.Reader.TryRead(out _);
                        continue;
                    }
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    throw new SipConnectionException($"No more events from {hub.ServerName}: {SipText.Reason(e)}.", e, "SipDisconnected");
                }

                throw new SipConnectionException($"No more events from {hub.ServerName}.", errorId: "SipDisconnected");
            }
        }

        public bool TryRead(out SipEvent? item)
        {
            if (Volatile.Read(ref _lost) > 0)
            {
                long lost = Interlocked.Exchange(ref _lost, 0);
                Volatile.Write(ref _losing, 0);
                item = hub.Gap(lost);
                return true;
            }

            if (!_events.TryDequeue(out item)) return false;
            Interlocked.Increment(ref _taken.Value);
            return true;
        }

        public void Dispose()
        {
            hub.Remove(this);
            Complete(null);
        }

        // The buffer seems full: looks again at what was taken, and drops the oldest if it is.
        private void Trim(long written)
        {
            long taken = Volatile.Read(ref _taken.Value);
            Volatile.Write(ref _takenSeen, taken);
            if (written - taken <= bufferSize || !_events.TryDequeue(out _)) return;
            Interlocked.Increment(ref _taken.Value);
            OnLost();
        }

        private void OnLost()
        {
            Interlocked.Increment(ref _lost);
            SipMeter.EventsLost.Add(1, hub._tag);
            // One message an episode.
            if (Interlocked.Exchange(ref _losing, 1) == 0) Log.SubscriberTooSlow(hub.Logger, hub.ServerName);
        }
    }

    private string ServerName => server;

    private ILogger Logger => log;

    private SipEvent Gap(long lost) => new(SipEventTypes.EventsLost, server, type, time.GetUtcNow().UtcDateTime, "EventsLost")
    {
        LostCount = lost,
        Message = $"{lost} events were dropped because they were not read in time; read the calls again.",
    };
}
