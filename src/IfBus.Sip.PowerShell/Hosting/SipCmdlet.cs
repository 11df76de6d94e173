using System.Collections.Concurrent;
using System.Management.Automation;
using System.Management.Automation.Host;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>
/// Base of all cmdlets. The engine lets only the pipeline's thread write, so work runs beside it and posts what is to
/// be written; the pipeline's thread pumps until the work is done. Ctrl+C, Select-Object -First and an error further
/// down the pipeline all end the work, and the user is told what goes on at the server.
/// </summary>
public abstract class SipCmdlet : PSCmdlet, IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(500);
    // Cmdlets of one pipeline have bars of their own.
    private const int FirstActivity = 20480;

    private readonly CancellationTokenSource _stop = new();
    private readonly BlockingCollection<Action> _outbox = [];
    private readonly HashSet<ServerStore.Connection> _heard = [];
    private CallStory? _story;
    private PSHost? _host;
    private bool _told;
    private bool _debugs;

    /// <summary>True if -Verbose or -Debug, or a preference, asks for more than the results.</summary>
    private protected bool IsChatty { get; private set; }

    /// <summary>Cancelled when the cmdlet is to end.</summary>
    private protected CancellationToken StopToken => _stop.Token;

    /// <summary>The connections of this runspace.</summary>
    private protected ServerStore Store { get; private set; } = null!;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        Store = ServerStore.Current;
        _host = Host;
        IsChatty = MyInvocation.BoundParameters.ContainsKey("Verbose") || MyInvocation.BoundParameters.ContainsKey("Debug")
            || GetVariableValue("VerbosePreference")?.ToString() is not ("SilentlyContinue" or null) || GetVariableValue("DebugPreference")?.ToString() is not ("SilentlyContinue" or null);
        _debugs = MyInvocation.BoundParameters.TryGetValue("Debug", out object? debug) && debug is SwitchParameter { IsPresent: true } && !MyInvocation.BoundParameters.ContainsKey("Verbose");
        if (Activity is { } activity) Progress = new WorkProgress(this, activity, FirstActivity + MyInvocation.PipelinePosition);
        ListenToLogs();
    }

    /// <inheritdoc/>
    protected sealed override void StopProcessing()
    {
        // On another thread than the pipeline's, and it must not wait: not for what hangs on the token either.
        _ = _stop.CancelAsync();
    }

    /// <summary>What goes on at the server although the cmdlet was stopped, without what was put out before; null if nothing does. On the pipeline's thread.</summary>
    private protected virtual string? StillRunning() => null;

    /// <summary>What the progress bar is called that work on many things has; null: it has none.</summary>
    private protected virtual string? Activity => null;

    /// <summary>How far the work is, for its progress bar; null: as many of as many.</summary>
    private protected virtual string? HowFar() => null;

    /// <summary>The progress bar, if there is an <see cref="Activity"/>.</summary>
    private protected WorkProgress? Progress { get; private set; }

    /// <summary>Lets the adapters tell their story if -Verbose or -Debug asks for it; connections that have come since, too.</summary>
    private protected void ListenToLogs()
    {
        if (!IsChatty) return;
        foreach (ServerStore.Connection connection in Store.All)
        {
            if (_heard.Add(connection)) connection.Log.Listen();
        }
    }

    /// <summary>If -Verbose asks for it, what becomes of calls of this connection is heard from now on, for <see cref="Follow"/>.</summary>
    private protected void ListenToCalls(ServerStore.Connection connection)
    {
        if (IsChatty) (_story ??= new CallStory()).Listen(connection);
    }

    /// <summary>If -Verbose asks for it, tells what becomes of a call. On the pipeline's thread.</summary>
    private protected void Follow(ServerStore.Connection connection, string callId)
    {
        if (!IsChatty) return;
        ListenToCalls(connection);
        _story!.Follow(this, connection.Adapter.FindCall(callId)?.CallId ?? callId);
    }

    /// <summary>Writes what is posted, for as long as there is more to wait for.</summary>
    private protected void PumpWhile(Func<bool> waiting)
    {
        bool finished = false;
        try
        {
            while (waiting()) PumpOnce();
            finished = true;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        finally
        {
            if (!finished) Tell();
        }
    }

    /// <summary>Writes what has been posted so far, and waits for nothing.</summary>
    private protected void PumpReady()
    {
        while (_outbox.TryTake(out Action? write)) Write(write);
        WriteLogs();
        Progress?.Show(HowFar);
    }

    /// <summary>When no more will come: writes what is posted until all is done, and takes the progress bar away.</summary>
    private protected void PumpRest(Func<bool> waiting)
    {
        if (Progress is not null) Progress.AllIn = true;
        PumpWhile(waiting);
        Progress?.Complete();
    }

    /// <summary>Runs work beside the pipeline and writes what it posts until it is done.</summary>
    private protected void PumpTask(Func<CancellationToken, Task> work)
    {
        ListenToLogs();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        Task task = Task.Run(() => work(ended.Token), CancellationToken.None);
        _ = task.ContinueWith(static (_, outbox) => ((BlockingCollection<Action>)outbox!).Add(Nothing), _outbox, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        bool finished = false;
        try
        {
            while (!task.IsCompleted || _outbox.Count > 0) PumpOnce();
            finished = true;
            if (task.Exception?.InnerException is { } fault && fault is not (SipException or OperationCanceledException))
                ThrowTerminatingError(Errors.Record(fault, null));
            task.GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        finally
        {
            ended.Cancel();
            // The work hears of it by its token; it is not waited for longer than a person would.
            try
            {
                task.Wait(TimeSpan.FromMilliseconds(500));
            }
            catch (AggregateException)
            {
                // Rethrown above where somebody is to know.
            }

            if (!finished) Tell();
        }

        WriteLogs();
    }

    /// <summary>Runs one piece of work and returns its result, writing the log meanwhile.</summary>
    private protected T Pump<T>(Func<CancellationToken, Task<T>> work)
    {
        T result = default!;
        PumpTask(async token => result = await work(token).ConfigureAwait(false));
        return result;
    }

    /// <summary>Has something written on the pipeline's thread. From any thread; after a stop it is dropped.</summary>
    private protected void Post(Action write)
    {
        if (!_stop.IsCancellationRequested) _outbox.Add(write);
    }

    /// <summary>
    /// Runs work for one of many things, beside the pipeline and beside the work for the others; begins at once, on this
    /// thread. What it gives is written when it is done, an array one by one, or its failure as that thing's error.
    /// </summary>
    /// <param name="open">What is under way; touched on the pipeline's thread only.</param>
    /// <param name="item">Stands there until the result is written.</param>
    /// <param name="target">What an error is about.</param>
    /// <param name="work">Gives what is to be written, or null.</param>
    private protected void Begin<T>(LinkedList<T> open, T item, object target, Func<Task<object?>> work)
    {
        if (Progress is not null) Progress.Begun++;
        _ = RunAsync(open, open.AddLast(item), target, work);
    }

    /// <summary>Writes what the work of <see cref="Begin"/> gives, as it comes, until nothing is open.</summary>
    private protected void Drain<T>(LinkedList<T> open) => PumpRest(() => open.Count > 0);

    /// <summary>What only some kinds of server can, and this cmdlet is about: if one of the connections can, it is meant without being named.</summary>
    private protected virtual SipCapabilities Needed => SipCapabilities.None;

    /// <summary>
    /// The connection to use. Ends the cmdlet if there is none to choose; null, with an error written, if one record of
    /// many names a connection that is not there: the next may name another.
    /// </summary>
    private protected ServerStore.Connection? Choose(string? server)
    {
        try
        {
            return server is null && Needed != SipCapabilities.None && Store.All.Where(c => Can(c, Needed)).ToArray() is [var only] ? only : Store.Choose(server);
        }
        catch (ServerChoiceException e)
        {
            if (server is not null && MyInvocation.ExpectingInput)
            {
                WriteError(Errors.Record(e, server));
                return null;
            }

            ThrowTerminatingError(Errors.Record(e, server));
            throw;
        }
    }

    /// <summary>The same for those who change the connection itself: one that another runspace has handed over is refused, with an error written, since it stays that one's.</summary>
    private protected ServerStore.Connection? ChooseOwn(string? server)
    {
        ServerStore.Connection? connection = Choose(server);
        if (connection is null || Store.All.Contains(connection)) return connection;
        WriteError(Errors.Record(
            new ServerChoiceException("SipServerBorrowed", $"The connection '{connection.Name}' belongs to another runspace, which has handed it over; here it can be used with -Server only. Nothing was changed.", "Do this in the runspace that connected, or Connect-SipServer here for a connection of its own."), connection.Name));
        return null;
    }

    /// <summary>Runs work whose failure ends the cmdlet.</summary>
    /// <param name="work">The work.</param>
    /// <param name="target">What an error is about.</param>
    /// <param name="silence">What to do if the server does not answer or goes away, where the error itself does not say.</param>
    private protected T PumpOrEnd<T>(Func<CancellationToken, Task<T>> work, object? target, string? silence = null)
    {
        try
        {
            return Pump(work);
        }
        catch (SipException e)
        {
            WriteLogs();
            ThrowTerminatingError(Errors.Record(e, target, e is SipTimeoutException or SipConnectionException { ErrorId: "SipConnectionLost" } ? silence : null));
            throw;
        }
    }

    /// <summary>Ends the cmdlet if its -Timeout is none that can be waited for.</summary>
    private protected void CheckTimeout(TimeSpan? timeout)
    {
        if (timeout is { } time && (time < TimeSpan.Zero || time > ISipAdapter.LongestWait))
            ThrowTerminatingError(Errors.Record(new SipArgumentException("Timeout", time.ToString(), $"0 seconds to {ISipAdapter.LongestWait.Days} days; left out: without end."), time));
    }

    /// <summary>The connections to use: the named ones, else the default or only one. A name that is not there is an error, or ends the cmdlet, as in <see cref="Choose"/>.</summary>
    private protected ServerStore.Connection[] ChooseEach(string?[]? servers) => [.. (servers ?? [null]).Select(Choose).OfType<ServerStore.Connection>()];

    /// <summary>The same for those who only look, which harms nothing: without a name all connections.</summary>
    private protected IReadOnlyList<ServerStore.Connection> ChooseEachOrAll(string?[]? servers) => servers is null && Store.All.Count > 0 ? Store.All : ChooseEach(servers);

    /// <summary>
    /// Of connections that nobody has named, those whose server can do it: a proxy or an account server beside a PBX is no
    /// error. All if none can, so that the reason is told; one that is not connected counts as one that can.
    /// </summary>
    private protected IReadOnlyList<ServerStore.Connection> ThoseThatCan(IReadOnlyList<ServerStore.Connection> connections, SipCapabilities needed)
    {
        if (connections.All(c => Can(c, needed)) || !connections.Any(c => Can(c, needed))) return connections;
        foreach (ServerStore.Connection connection in connections.Where(c => !Can(c, needed))) WriteVerbose($"{connection.Name} is left out: it cannot do this ({needed}).");
        return [.. connections.Where(c => Can(c, needed))];
    }

    /// <summary>A call that the connection knows, live or lately ended; if it does not, the server is asked.</summary>
    /// <exception cref="SipCallNotFoundException">The server does not have it either.</exception>
    private protected SipCall FindOrAsk(ServerStore.Connection connection, string callId)
    {
        if (connection.Adapter.FindCall(callId) is { } known) return known;
        // Perhaps others made it a moment ago.
        Pump(connection.Adapter.GetCallsAsync);
        return connection.Adapter.FindCall(callId) ?? throw new SipCallNotFoundException($"{connection.Name} has no call '{SipText.Printable(callId)}'.")
        {
            CallId = callId,
            Server = connection.Name,
            RecommendedAction = "Get-SipCallStatus without an id lists the live calls.",
        };
    }

    private static bool Can(ServerStore.Connection c, SipCapabilities needed) => c.Adapter.Capabilities == SipCapabilities.None || c.Adapter.Capabilities.HasFlag(needed);

    /// <summary>A call in one line, for messages.</summary>
    internal static string Describe(SipCall call) => $"{call.CallId} ({SipText.Printable($"{(call.From is null ? "" : call.From + " -> ")}{call.To}")})";

    /// <summary>What to say of calls that go on when a cmdlet is stopped; null if none do.</summary>
    private protected static string? GoOn(IEnumerable<(ServerStore.Connection Connection, string CallId)> calls)
    {
        var alive = calls.Select(c => (c.Connection, Call: c.Connection.Adapter.FindCall(c.CallId))).Where(c => c.Call is { IsEnded: false }).ToList();
        return alive.Count switch
        {
            0 => null,
            1 => $"Stopped. Call {Describe(alive[0].Call!)} on {alive[0].Connection.Name} is {alive[0].Call!.State} and goes on; Stop-SipCall {alive[0].Call!.CallId} ends it.",
            _ => $"Stopped. {alive.Count} calls on {string.Join(", ", alive.Select(a => a.Connection.Name).Distinct())} go on; Get-SipCallStatus lists them, Stop-SipCall ends them.",
        };
    }

    private async Task RunAsync<T>(LinkedList<T> open, LinkedListNode<T> node, object target, Func<Task<object?>> work)
    {
        object? result = null;
        Exception? failure = null;
        try
        {
            result = await work().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // everything that goes wrong with one of many is its error
        catch (Exception e)
#pragma warning restore CA1031
        {
            failure = e;
        }

        Post(() =>
        {
            open.Remove(node);
            if (Progress is not null) Progress.Done++;
            if (failure is not null) WriteError(Errors.Record(failure, target));
            else if (result is not null) WriteObject(result, enumerateCollection: result is Array);
        });
    }

    // Writes what comes next. Not longer than a tick: log messages and progress do not come by the outbox.
    private void PumpOnce()
    {
        if (_outbox.TryTake(out Action? write, Tick.Milliseconds, _stop.Token)) Write(write);
        WriteLogs();
        Progress?.Show(HowFar);
    }

    /// <summary>Tells what happens. With -Debug the engine would ask after each line of -Verbose whether to go on.</summary>
    internal new void WriteVerbose(string text)
    {
        if (_debugs) WriteDebug(text);
        else base.WriteVerbose(text);
    }

    /// <summary>Writes an error, in the words of this cmdlet.</summary>
    private protected new void WriteError(ErrorRecord record) => base.WriteError(Errors.For(record, MyInvocation.MyCommand));

    /// <summary>Ends the cmdlet by an error, in the words of this cmdlet.</summary>
    private protected new void ThrowTerminatingError(ErrorRecord record) => base.ThrowTerminatingError(Errors.For(record, MyInvocation.MyCommand));

    // What led to a result is told before the result.
    private void Write(Action write)
    {
        WriteLogs();
        write();
    }

    // Once. A cmdlet that was stopped may not write warnings any more; the host still listens.
    private void Tell()
    {
        if (_told || Store is null) return;
        _told = true;
        _ = _stop.CancelAsync();
        bool silent = MyInvocation.BoundParameters.TryGetValue("WarningAction", out object? action) && action is ActionPreference.SilentlyContinue or ActionPreference.Ignore;
        if (!silent && StillRunning() is { } message) _host?.UI?.WriteWarningLine(message);
    }

    private void WriteLogs()
    {
        _story?.WriteTo(this);
        foreach (ServerStore.Connection connection in Store.All) connection.Log.WriteTo(this, IsChatty);
    }

    private static void Nothing()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of what the cmdlet holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        // Reached also when the pipeline broke off while this cmdlet was not in the middle of something.
        Tell();
        _ = _stop.CancelAsync();
        _story?.Dispose();
        foreach (ServerStore.Connection connection in _heard) connection.Log.Leave();
        _heard.Clear();
    }
}
