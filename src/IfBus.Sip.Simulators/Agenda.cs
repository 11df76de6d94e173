namespace IfBus.Sip.Simulators;

/// <summary>
/// What a simulated server does later, in the order in which it is due. Timers alone do not keep that order: on a
/// machine that is late several are due at once, and which of them gets its thread first is a matter of chance; a phone
/// would answer before it rings.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="sync">The server's one lock.</param>
/// <param name="run">Does one thing, under that lock.</param>
internal sealed class Agenda(TimeProvider time, object sync, Action<Action> run)
{
    private readonly PriorityQueue<Item, (long Due, long Number)> _items = new();
    private long _number;

    /// <summary>Something to be done so much later; disposing it calls it off.</summary>
    public IDisposable Add(TimeSpan after, Action action)
    {
        lock (sync)
        {
            (long Due, long Number) place = (time.GetTimestamp() + (long)(after.TotalSeconds * time.TimestampFrequency), ++_number);
            var item = new Item(action);
            _items.Enqueue(item, place);
            item.Timer = time.CreateTimer(_ => RunUntil(place), null, after, Timeout.InfiniteTimeSpan);
            return item;
        }
    }

    // What is due before is due too, whether its own timer has come or not.
    private void RunUntil((long Due, long Number) place)
    {
        lock (sync)
        {
            while (_items.TryPeek(out Item? item, out (long, long) next) && next.CompareTo(place) <= 0)
            {
                _items.Dequeue();
                Action? action = item.Action;
                item.Dispose();
                if (action is not null) run(action);
            }
        }
    }

    private sealed class Item(Action action) : IDisposable
    {
        /// <summary>Null once it is done or called off.</summary>
        public Action? Action { get; private set; } = action;

        public ITimer? Timer { get; set; }

        public void Dispose()
        {
            Action = null;
            Timer?.Dispose();
        }
    }
}
