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
    private Subscription[] _subscriptions = [];
    private SipEventTypes _wanted;
    private Exception? _closed;

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

    private sealed class Subscription : ISipEventSubscription
    {
        private readonly EventHub _hub;
        private readonly Channel<SipEvent> _events;
        private long _lost;
        private bool _losing;

        public Subscription(EventHub hub, SipEventTypes types, int bufferSize)
        {
            _hub = hub;
            Types = types;
            _events = Channel.CreateBounded<SipEvent>(
                new BoundedChannelOptions(bufferSize) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true },
                _ => OnLost());
        }

        public SipEventTypes Types { get; }

        public void Offer(SipEvent item)
        {
            if ((Types & item.Type) != 0) _events.Writer.TryWrite(item);
        }

        public void Complete(Exception reason) => _events.Writer.TryComplete(reason);

        public async ValueTask<SipEvent> ReadAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                if (TryRead(out SipEvent? item)) return item!;
                try
                {
                    await _events.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    throw new SipConnectionException($"No more events from {_hub.ServerName}: {e.Message}", e, "SipDisconnected");
                }

                if (_events.Reader.Completion.IsCompletedSuccessfully)
                    throw new SipConnectionException($"No more events from {_hub.ServerName}.", errorId: "SipDisconnected");
            }
        }

        public bool TryRead(out SipEvent? item)
        {
            if (Volatile.Read(ref _lost) > 0)
            {
                long lost = Interlocked.Exchange(ref _lost, 0);
                Volatile.Write(ref _losing, false);
                item = _hub.Gap(lost);
                return true;
            }

            return _events.Reader.TryRead(out item);
        }

        public void Dispose()
        {
            _hub.Remove(this);
            _events.Writer.TryComplete();
        }

        private void OnLost()
        {
            Interlocked.Increment(ref _lost);
            SipMeter.EventsLost.Add(1, new KeyValuePair<string, object?>("server.type", _hub.Type.ToString()));
            if (Volatile.Read(ref _losing)) return;
            // One message an episode.
            Volatile.Write(ref _losing, true);
            Log.SubscriberTooSlow(_hub.Logger, _hub.ServerName);
        }
    }

    private string ServerName => server;

    private SipServerType Type => type;

    private ILogger Logger => log;

    private SipEvent Gap(long lost) => new(SipEventTypes.EventsLost, server, type, time.GetUtcNow().UtcDateTime, "EventsLost")
    {
        LostCount = lost,
        Message = $"{lost} events were dropped because they were not read in time; read the calls again.",
    };
}
