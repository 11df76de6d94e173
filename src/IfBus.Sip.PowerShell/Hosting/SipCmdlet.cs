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

    private readonly CancellationTokenSource _stop = new();
    private readonly BlockingCollection<Action> _outbox = [];
    private PSHost? _host;
    private bool _told;

    /// <summary>Cancelled when the cmdlet is to end.</summary>
    private protected CancellationToken StopToken => _stop.Token;

    /// <summary>The connections of this runspace.</summary>
    private protected ServerStore Store { get; private set; } = null!;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        Store = ServerStore.Current;
        _host = Host;
    }

    /// <inheritdoc/>
    protected sealed override void StopProcessing()
    {
        // On another thread than the pipeline's, and it must not wait: not for what hangs on the token either.
        _ = _stop.CancelAsync();
    }

    /// <summary>What goes on at the server although the cmdlet was stopped, without what was put out before; null if nothing does. On the pipeline's thread.</summary>
    private protected virtual string? StillRunning() => null;

    /// <summary>Lets the adapters tell their story if -Verbose or -Debug asks for it.</summary>
    private protected void ListenToLogs()
    {
        bool chatty = MyInvocation.BoundParameters.ContainsKey("Verbose") || MyInvocation.BoundParameters.ContainsKey("Debug")
            || GetVariableValue("VerbosePreference")?.ToString() is not ("SilentlyContinue" or null) || GetVariableValue("DebugPreference")?.ToString() is not ("SilentlyContinue" or null);
        foreach (ServerStore.Connection connection in Store.All) connection.Log.Chatty = chatty;
    }

    /// <summary>Writes what is posted, for as long as there is more to wait for.</summary>
    private protected void PumpWhile(Func<bool> waiting)
    {
        bool finished = false;
        try
        {
            while (waiting())
            {
                // Not longer than a tick: log messages and progress do not come by the outbox.
                if (_outbox.TryTake(out Action? write, Tick.Milliseconds, _stop.Token)) write();
                WriteLogs();
            }

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
        while (_outbox.TryTake(out Action? write)) write();
        WriteLogs();
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
            while (!task.IsCompleted || _outbox.Count > 0)
            {
                if (_outbox.TryTake(out Action? write, Tick.Milliseconds, _stop.Token)) write();
                WriteLogs();
            }

            finished = true;
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

    /// <summary>Posts a result.</summary>
    private protected void PostObject(object value) => Post(() => WriteObject(value));

    /// <summary>Posts an error that does not end the cmdlet.</summary>
    private protected void PostError(Exception exception, object? target) => Post(() => WriteError(Errors.Record(exception, target)));

    /// <summary>
    /// The connection to use. Ends the cmdlet if there is none to choose; null, with an error written, if one record of
    /// many names a connection that is not there: the next may name another.
    /// </summary>
    private protected ServerStore.Connection? Choose(string? server)
    {
        try
        {
            return Store.Choose(server);
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

    /// <summary>Runs work whose failure ends the cmdlet.</summary>
    private protected T PumpOrEnd<T>(Func<CancellationToken, Task<T>> work, object? target)
    {
        try
        {
            return Pump(work);
        }
        catch (SipException e)
        {
            WriteLogs();
            ThrowTerminatingError(Errors.Record(e, target));
            throw;
        }
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
        foreach (ServerStore.Connection connection in Store.All) connection.Log.WriteTo(this);
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
    }
}
