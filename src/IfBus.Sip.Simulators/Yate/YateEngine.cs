namespace IfBus.Sip.Simulators.Yate;

/// <summary>
/// The engine: messages, who handles and who watches them, the queue and the workers that take from it. A worker whose
/// message waits for a client's answer is not there for others meanwhile; that is how one client that does not answer
/// stops the server.
/// </summary>
internal sealed partial class YateEngine
{
    private readonly Dictionary<string, List<YateHandler>> _handlers = [];
    private readonly List<ExtModConnection> _clients = [];
    private readonly Queue<YateMessage> _queue = new();
    private readonly Agenda _agenda;
    private long _order;
    private int _busy;
    private bool _pumping;
    private bool _pumpPosted;
    private long _bill;
    private int _channels;
    private ITimer? _timer;

    public YateEngine(YateSimulatorOptions options)
    {
        Options = options;
        _agenda = new Agenda(options.TimeProvider, new object(), Loop.PostDue);
        Cdrs = new CdrBuilder(this);
        BuildModules();
        Boot();
    }

    public YateSimulatorOptions Options { get; }

    public YateLoop Loop { get; } = new();

    /// <summary>When it was started; seconds since 1970. New at every start.</summary>
    public long RunId { get; private set; }

    /// <summary>It is stopping: nothing new, and nobody is asked where a leg without a peer should go.</summary>
    public bool Exiting { get; private set; }

    /// <summary>Microseconds since 1970.</summary>
    public long Now => (Options.TimeProvider.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Channels that exist.</summary>
    public int ChannelCount => Volatile.Read(ref _channels);

    /// <summary>Calls that exist: all legs with one billing id.</summary>
    public int CallCount => Loop.Do(() => Drivers.SelectMany(d => d.Channels).Where(c => c.Driver == Dumb || c.Driver == Sip).Select(c => c.BillId.Length > 0 ? c.BillId : c.Id).Distinct().Count());

    /// <summary>Messages that clients have sent.</summary>
    public long MessagesReceived { get; set; }

    public IReadOnlyList<ExtModConnection> Clients => _clients;

    public string NewBillId() => $"{RunId}-{++_bill}";

    public YateMessage NewMessage(string name) => new(name, Now);

    public void Count(int by) => Volatile.Write(ref _channels, _channels + by);

    /// <summary>Has something done later.</summary>
    public IDisposable After(TimeSpan time, Action action) => _agenda.Add(time, action);

    /// <summary>Installs a handler of a module.</summary>
    public void Install(string name, int priority, string module, Func<YateMessage, ValueTask<bool>> received) =>
        Install(new YateHandler(name, priority, ++_order, $"{module}:{YateText.Word(priority)}", received));

    /// <summary>Installs a handler of a client.</summary>
    public YateHandler Install(string name, int priority, string? trace, (string Name, string Value)? filter, Func<YateMessage, ValueTask<bool>> received)
    {
        var handler = new YateHandler(name, priority, ++_order, trace is null ? null : $"{trace}:{YateText.Word(priority)}", received) { Filter = filter };
        Install(handler);
        return handler;
    }

    public void Uninstall(YateHandler handler)
    {
        handler.Removed = true;
        if (_handlers.TryGetValue(handler.Name, out List<YateHandler>? list)) list.Remove(handler);
    }

    public void Join(ExtModConnection client) => _clients.Add(client);

    public void Leave(ExtModConnection client) => _clients.Remove(client);

    /// <summary>Puts a message in the queue.</summary>
    public void Enqueue(YateMessage message)
    {
        _queue.Enqueue(message);
        if (_pumping || _pumpPosted) return;
        _pumpPosted = true;
        Loop.Post(Pump);
    }

    /// <summary>Takes messages from the queue as long as there is a worker for them.</summary>
    public void Pump()
    {
        _pumpPosted = false;
        if (_pumping) return;
        _pumping = true;
        try
        {
            while (_busy < Options.MaxWorkers && _queue.TryDequeue(out YateMessage? message))
            {
                ValueTask<bool> done = DispatchAsync(message);
                if (done.IsCompletedSuccessfully)
                {
                    message.About = null;
                    continue;
                }

                _busy++;
                Loop.Go(FinishAsync(message, done));
            }
        }
        finally
        {
            _pumping = false;
        }
    }

    /// <summary>Shows a message to its handlers in turn until one takes it, then to who watches.</summary>
    public ValueTask<bool> DispatchAsync(YateMessage message)
    {
        ValueTask<bool> handling = HandleAsync(message, null, false);
        if (!handling.IsCompletedSuccessfully) return WatchLaterAsync(message, handling);
#pragma warning disable CA1849 // It is completed.
        bool handled = handling.Result;
#pragma warning restore CA1849
        Tell(message, handled);
        return new(handled);
    }

    // Plain as long as no handler has to be waited for, which is nearly always.
    private ValueTask<bool> HandleAsync(YateMessage message, YateHandler? last, bool handled)
    {
        while (Next(message, last) is { } handler)
        {
            last = handler;
            if (!handler.Matches(message)) continue;
            if (handler.Trace is { } trace) message.Trace(trace);
            ValueTask<bool> receiving = handler.Received(message);
            if (!receiving.IsCompletedSuccessfully) return HandleLaterAsync(message, handler, handled, receiving);
#pragma warning disable CA1849
            handled |= receiving.Result;
#pragma warning restore CA1849
            if (handled && !message.Broadcast) break;
        }

        return new(handled);
    }

    private async ValueTask<bool> HandleLaterAsync(YateMessage message, YateHandler handler, bool handled, ValueTask<bool> receiving)
    {
        handled |= await receiving.ConfigureAwait(true);
        return handled && !message.Broadcast ? true : await HandleAsync(message, handler, handled).ConfigureAwait(true);
    }

    private async ValueTask<bool> WatchLaterAsync(YateMessage message, ValueTask<bool> handling)
    {
        bool handled = await handling.ConfigureAwait(true);
        Tell(message, handled);
        return handled;
    }

    // Handlers come and go, and a message may change its name, while one is waited for: the place is found again each time.
    private YateHandler? Next(YateMessage message, YateHandler? last)
    {
        if (!_handlers.TryGetValue(message.Name, out List<YateHandler>? list)) return null;
        if (last is null) return list.Count > 0 ? list[0] : null;
        foreach (YateHandler handler in list)
        {
            if (handler.CompareTo(last) > 0) return handler;
        }

        return null;
    }

    private void Tell(YateMessage message, bool handled)
    {
        // Watchers are let go before the last message; only its handlers get it (engine-halt).
        if (message.Name == "engine.halt") return;
        // With several workers, what a call began is told now and then before the call itself is.
        if (Options.Faults.Reorder && message.Name == "call.execute" && _pumping)
        {
            _pumping = false;
            Pump();
            _pumping = true;
        }

        byte[]? line = null;
        for (int i = 0; i < _clients.Count; i++) _clients[i].Watch(message, handled, ref line);
        if (message.Sender is { } sender && message.Id.Length > 0) sender.Answer(message, handled);
    }

    private async Task FinishAsync(YateMessage message, ValueTask<bool> done)
    {
        try
        {
            await done.ConfigureAwait(true);
        }
        finally
        {
            message.About = null;
            _busy--;
            if (!_pumpPosted && _queue.Count > 0)
            {
                _pumpPosted = true;
                Loop.Post(Pump);
            }
        }
    }

    private void Install(YateHandler handler)
    {
        if (!_handlers.TryGetValue(handler.Name, out List<YateHandler>? list)) _handlers[handler.Name] = list = [];
        int at = list.BinarySearch(handler);
        list.Insert(~at, handler);
    }
}
