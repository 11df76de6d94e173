using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Streams a server's events to the pipeline, until Ctrl+C, a number of them, a time, or the end of the call that they are about.</summary>
[Cmdlet(VerbsCommon.Watch, "SipEvent")]
[OutputType(typeof(SipEvent))]
public sealed class WatchSipEvent : ServersCmdlet
{
    // Watched side by side. On the pipeline's thread.
    private readonly List<Heard> _several = [];
    // What is being watched alone: one connection, or one call of it. On the pipeline's thread.
    private (ServerStore.Connection Connection, string? CallId)? _alone;

    /// <summary>What kinds of event; all but the server's raw ones if left out.</summary>
    [Parameter(Position = 0)]
    public SipEventTypes Type { get; set; } = SipEventTypes.Known;

    /// <summary>Only events of this call, until it has ended: its id, or if:// address.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [CallId]
    [Alias("Id")]
    [ArgumentCompleter(typeof(CallIdCompleter))]
    public string? CallId { get; set; }

    /// <summary>The connections, as objects that are piped in; all of them are watched at the same time.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ServerName(FromPipeline = true, ObjectsOnly = true)]
    public string[]? InputObject { get; set; }

    /// <summary>Ends after so many events.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Count { get; set; }

    /// <summary>Ends after so long; seconds or a TimeSpan, at most 49 days.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? Timeout { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        CheckTimeout(Timeout);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        IReadOnlyList<ServerStore.Connection> meant = CallId is null ? Meant(InputObject, SipCapabilities.None) : ChooseFor(CallId) is { } one ? [one] : [];
        if (CallId is null && (InputObject is not null || meant.Count > 1))
        {
            // Heard from now on; which others come is known at the end.
            foreach (ServerStore.Connection chosen in meant)
            {
                if (_several.TrueForAll(p => p.Connection != chosen)) _several.Add(new Heard(chosen, chosen.Adapter.Subscribe(Type | SipEventTypes.EventsLost)));
            }

            return;
        }

        if (meant.Count == 0) return;
        ServerStore.Connection connection = meant[0];
        using var end = CancellationTokenSource.CreateLinkedTokenSource(StopToken);
        if (Timeout is { } time) end.CancelAfter(time);
        // A gap is told even to those who did not ask for it, and who watches a call needs to see its end.
        using ISipEventSubscription events = connection.Adapter.Subscribe(Type | SipEventTypes.EventsLost | (CallId is null ? 0 : SipEventTypes.CallStateChanged));
        try
        {
            // Looked at after subscribing, so that its end is seen either way.
            SipCall? call = CallId is null ? null : FindOrAsk(connection, CallId);
            if (call is { IsEnded: true })
            {
                WriteWarning($"Call {Describe(call)} on {connection.Name} has ended already ({call.Cause}); no event of it will come.");
                return;
            }

            _alone = (connection, call?.CallId);
            Watch(connection, events, call?.CallId, end);
        }
        catch (SipException e)
        {
            _alone = null;
            WriteError(Errors.Record(e, CallId ?? connection.Name));
        }

        // Whoever stops the pipeline later has not stopped this.
        if (!StopToken.IsCancellationRequested) _alone = null;
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_several.Count == 0) return;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(StopToken);
        if (Timeout is { } time) end.CancelAfter(time);
        int left = Count ?? int.MaxValue;
        while (left > 0 && _several.Count > 0 && !end.IsCancellationRequested)
        {
            Pump(async _ => await Task.WhenAny(_several.Select(p => p.Next ??= p.Events.ReadAsync(end.Token).AsTask())).ConfigureAwait(false));
            foreach (Heard heard in _several.Where(p => p.Next!.IsCompleted).ToArray())
            {
                if (left > 0 && Take(heard)) left--;
            }
        }

        if (!StopToken.IsCancellationRequested) LeaveAll();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // What still stands in the list is told first.
        base.Dispose(disposing);
        if (disposing) LeaveAll();
    }

    private protected override string? StillRunning()
    {
        if (_alone is { CallId: { } id } one) return GoOn([(one.Connection, id)]);
        IEnumerable<ServerStore.Connection> watched = _alone is { } alone ? [alone.Connection] : _several.Select(h => h.Connection);
        return GoOn(watched.SelectMany(c => c.Adapter.KnownCalls, (c, call) => (c, call.CallId)));
    }

    private void LeaveAll()
    {
        foreach (Heard heard in _several) heard.Events.Dispose();
        _several.Clear();
    }

    // True if it was one of the events that were asked for.
    private bool Take(Heard heard)
    {
        Task<SipEvent> read = heard.Next!;
        heard.Next = null;
        if (read.IsCanceled) return false;
        if (read.Exception is { } fault)
        {
            // This one sends no more; the others do.
            _several.Remove(heard);
            heard.Events.Dispose();
            WriteError(Errors.Record(fault.InnerException!, heard.Connection.Name));
            return false;
        }

        SipEvent item = read.Result;
        if (item.Type == SipEventTypes.EventsLost) WriteWarning($"{heard.Connection.Name}: {item.Message}");
        if ((Type & item.Type) == 0) return false;
        WriteObject(item);
        return true;
    }

    private void Watch(ServerStore.Connection connection, ISipEventSubscription events, string? callId, CancellationTokenSource end)
    {
        int left = Count ?? int.MaxValue;
        while (left > 0 && Next(events, end) is { } item)
        {
            bool over = false;
            if (item.Type == SipEventTypes.EventsLost)
            {
                WriteWarning($"{connection.Name}: {item.Message}");
                // What was lost may be the end.
                over = callId is not null && connection.Adapter.FindCall(callId) is null or { IsEnded: true };
            }
            else if (callId is not null)
            {
                if (item.CallId != callId) continue;
                over = item is { Type: SipEventTypes.CallStateChanged, Call.IsEnded: true };
            }

            if ((Type & item.Type) != 0)
            {
                left--;
                WriteObject(item);
            }

            if (over) return;
        }
    }

    // Read by the pipeline's own thread: a slow pipeline must fill the subscription's bounded buffer, not a queue without end.
    private SipEvent? Next(ISipEventSubscription events, CancellationTokenSource end)
    {
        if (end.IsCancellationRequested) return null;
        if (events.TryRead(out SipEvent? ready)) return ready;
        return Pump<SipEvent?>(async _ =>
        {
            try
            {
                return await events.ReadAsync(end.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!StopToken.IsCancellationRequested)
            {
                return null; // the time is over: that is how it was asked for
            }
        });
    }

    private sealed class Heard(ServerStore.Connection connection, ISipEventSubscription events)
    {
        public ServerStore.Connection Connection { get; } = connection;

        public ISipEventSubscription Events { get; } = events;

        // Being waited for.
        public Task<SipEvent>? Next { get; set; }
    }
}
