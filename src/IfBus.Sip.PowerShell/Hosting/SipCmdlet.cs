using System.Collections.Concurrent;
using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>
/// Base of all cmdlets. The engine lets only the pipeline's thread write, so work runs beside it and posts what is to
/// be written; the pipeline's thread pumps until the work is done. Ctrl+C, Select-Object -First and an error further
/// down the pipeline all end the work.
/// </summary>
public abstract class SipCmdlet : PSCmdlet, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly BlockingCollection<Action> _outbox = [];

    /// <summary>Cancelled when the cmdlet is to end.</summary>
    private protected CancellationToken StopToken => _stop.Token;

    /// <summary>The connections of this runspace.</summary>
    private protected ServerStore Store { get; private set; } = null!;

    /// <inheritdoc/>
    protected override void BeginProcessing() => Store = ServerStore.Current;

    /// <inheritdoc/>
    protected sealed override void StopProcessing()
    {
        // On another thread than the pipeline's, and it must not wait.
        _stop.Cancel();
        if (StillRunning() is { } message) Host?.UI?.WriteWarningLine(message);
    }

    /// <summary>What goes on at the server although the cmdlet was stopped; null if nothing does.</summary>
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
        try
        {
            while (waiting())
            {
                _outbox.Take(_stop.Token)();
                WriteLogs();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
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
        try
        {
            while (!task.IsCompleted || _outbox.Count > 0)
            {
                Action write = _outbox.Take(_stop.Token);
                write();
                WriteLogs();
            }

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

    /// <summary>The connection to use. Ends the cmdlet if there is none to choose.</summary>
    private protected ServerStore.Connection Choose(string? server)
    {
        try
        {
            return Store.Choose(server);
        }
        catch (ServerChoiceException e)
        {
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
        if (disposing) _stop.Cancel();
    }
}
