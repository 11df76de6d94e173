using System.Collections.Concurrent;
using System.Diagnostics;
using System.Management.Automation;
using System.Management.Automation.Host;
using IfBus.Sip.Binding;

namespace IfBus.Sip.Hosting;

/// <summary>
/// Base of all cmdlets. Only the pipeline's thread may write, so work runs elsewhere and posts what is to be written;
/// the pipeline's thread pumps. Ends by Ctrl+C, by a downstream cmdlet that has enough, or by an error downstream: in
/// each case the work is cancelled, joined for a moment, and <see cref="DescribeLeftovers"/> is told to the user.
/// </summary>
public abstract class SipCmdlet : PSCmdlet, IDisposable, ILogViewer
{
    // Ctrl+C must end a cmdlet within a second; what is not done by then is left to itself.
    private static readonly TimeSpan JoinLimit = TimeSpan.FromMilliseconds(600);

    private static readonly Action Nothing = static () => { };

    private readonly CancellationTokenSource _stop = new();
    private readonly BlockingCollection<Action> _outbox = [];
    private PSHost? _host;
    private int _running;
    private bool _aborted;
    private bool _attached;
    private bool _disposed;
    private bool _showsWarnings = true;
    private SipLogLevel _lowestLevel = SipLogLevel.Warning;

    /// <inheritdoc/>
    SipLogLevel ILogViewer.LowestLevel => _lowestLevel;

    /// <summary>The connections of this runspace.</summary>
    internal ServerStore Store { get; private set; } = null!;

    /// <summary>Cancelled when the cmdlet is stopped, by whichever door.</summary>
    protected CancellationToken Stopping => _stop.Token;

    /// <summary>Work that has been begun and is not done.</summary>
    protected int Running => Volatile.Read(ref _running);

    /// <inheritdoc/>
    void ILogViewer.Wake() => _outbox.Add(Nothing);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>The adapter library.</summary>
    internal ISipAdapterFactory GetFactory() => AdapterLoader.GetFactory(MyInvocation.MyCommand?.Module?.ModuleBase);

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        Store = ServerStore.Current;
        _host = Host;
        _showsWarnings = Preference("WarningAction", "WarningPreference") is not (ActionPreference.SilentlyContinue or ActionPreference.Ignore);
        if (Wants("Debug", "DebugPreference")) _lowestLevel = SipLogLevel.Debug;
        else if (Wants("Verbose", "VerbosePreference")) _lowestLevel = SipLogLevel.Information;
        Store.Log.Attach(this);
        _attached = true;
        ShowLog();
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        PumpUntilIdle();
        ShowLog();
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => CancelWork();

    /// <summary>What still goes on at the server when the cmdlet is stopped, one sentence each. Called once, on the pipeline's thread.</summary>
    protected virtual IEnumerable<string> DescribeLeftovers() => [];

    /// <summary>Hands something to the pipeline's thread. From any thread.</summary>
    protected void Post(Action write) => _outbox.Add(write);

    /// <summary>Begins work that goes on while the pipeline brings more records. What it throws becomes an error of the cmdlet.</summary>
    /// <param name="target">What an error is about.</param>
    /// <param name="work">The work; it posts what it finds.</param>
    protected void Begin(object? target, Func<Task> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        Interlocked.Increment(ref _running);
        _ = ObserveAsync(target, work);
    }

    /// <summary>Writes what has been posted; waits while as many pieces of work as allowed are under way.</summary>
    protected void PumpWhileFull(int limit) => PumpUntil(() => Running < limit);

    /// <summary>Writes what is posted until all work is done.</summary>
    protected void PumpUntilIdle() => PumpUntil(() => Running == 0);

    /// <summary>Runs one piece of work and waits for it, pumping. Throws what it throws.</summary>
    protected T Run<T>(Func<CancellationToken, Task<T>> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        Task<T>? task = null;
        Begin(null, async () =>
        {
            // On another thread even before its first await, so that nothing in it can hold up Ctrl+C.
            task = Task.Run(() => work(Stopping), Stopping);
            await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        PumpUntil(() => task!.IsCompleted);
        return task!.GetAwaiter().GetResult();
    }

    /// <summary>Runs one piece of work like <see cref="Run"/>; a failure is written as an error that does not end the cmdlet.</summary>
    protected bool TryRun<T>(object? target, Func<CancellationToken, Task<T>> work, out T result)
    {
        try
        {
            result = Run(work);
            return true;
        }
        catch (Exception e) when (e is SipException or InvalidOperationException and not InvalidPowerShellStateException and not PipelineStoppedException)
        {
            WriteError(ErrorMapper.ToRecord(e, target));
            result = default!;
            return false;
        }
    }

    /// <summary>Ends the cmdlet with an error.</summary>
    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    protected void Fail(Exception exception, object? target = null)
    {
        ThrowTerminatingError(ErrorMapper.ToRecord(exception, target));
        throw exception;
    }

    /// <summary>The connection meant by -Server, or by its absence. Null if a record names one that is not there: its error is written.</summary>
    internal ISipAdapter? Resolve(SipServerReference? server)
    {
        try
        {
            if (server is null) return Store.Implicit();
            if (server.Adapter is { } adapter && ServerStore.IsLive(adapter)) return adapter;
            if (Store.TryFind(server.Name, out ISipAdapter? named)) return named;
            return server.Adapter ?? throw ServerErrors.Unknown(server.Name, [.. Store.Servers.Select(s => s.Name)]);
        }
        catch (SipException e)
        {
            // Without any server no record can work; with a wrong one, the next record may name another.
            if (server is null || !MyInvocation.ExpectingInput) Fail(e, server?.Name);
            WriteError(ErrorMapper.ToRecord(e, server.Name));
            return null;
        }
    }

    /// <summary>Writes a call and remembers it for completion.</summary>
    internal void WriteCall(SipCall call)
    {
        Store.Remember(call);
        WriteObject(call);
    }

    /// <summary>Writes what is posted until a condition holds. On the pipeline's thread.</summary>
    /// <param name="done">True when nothing more will be posted.</param>
    /// <param name="tick">How often to call <paramref name="onTick"/>.</param>
    /// <param name="onTick">Something to show meanwhile.</param>
    protected void PumpUntil(Func<bool> done, TimeSpan? tick = null, Action? onTick = null)
    {
        ArgumentNullException.ThrowIfNull(done);
        int wait = tick is { } t ? (int)t.TotalMilliseconds : Timeout.Infinite;
        ILogViewer? outer = Store.Log.SetPumping(this);
        bool finished = false;
        try
        {
            while (true)
            {
                _stop.Token.ThrowIfCancellationRequested();
                // Asked before the outbox is emptied: what was posted before the end is then surely written.
                bool last = done();
                while (_outbox.TryTake(out Action? write)) write();
                ShowLog();
                if (last) break;
                if (_outbox.TryTake(out Action? next, wait, _stop.Token)) next();
                else onTick?.Invoke();
            }

            finished = true;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        finally
        {
            Store.Log.SetPumping(outer);
            if (!finished) Abort();
        }
    }

    /// <summary>Releases what the cmdlet holds. Reached at every end, unlike EndProcessing.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing || _disposed) return;
        _disposed = true;
        if (Running > 0) Abort();
        if (_attached) Store.Log.Detach(this);
        CancelWork();
    }

    private async Task ObserveAsync(object? target, Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The cmdlet is stopped and says itself what is left.
        }
#pragma warning disable CA1031 // whatever it is, the user must see it
        catch (Exception e)
#pragma warning restore CA1031
        {
            Post(() => WriteError(ErrorMapper.ToRecord(e, target)));
        }
        finally
        {
            Interlocked.Decrement(ref _running);
            Post(Nothing);
        }
    }

    // Runs callbacks on other threads: the caller is the engine's stopping thread and must not be held up.
    private void CancelWork() => _ = _stop.CancelAsync();

    private void Abort()
    {
        if (_aborted) return;
        _aborted = true;
        CancelWork();
        var waited = Stopwatch.StartNew();
        while (Running > 0 && waited.Elapsed < JoinLimit)
        {
            // Nothing may be written any more; a post says that some work has ended.
            _outbox.TryTake(out _, JoinLimit - waited.Elapsed is { Ticks: > 0 } rest ? rest : TimeSpan.Zero);
        }

        if (!_showsWarnings) return;
        // WriteWarning is closed to a cmdlet that was stopped; the host still listens.
        foreach (string line in DescribeLeftovers()) _host?.UI?.WriteWarningLine(line);
    }

    private void ShowLog()
    {
        while (Store.Log.TryTake(out LogEntry entry))
        {
            if (entry.Level >= SipLogLevel.Warning) WriteWarning(entry.Message);
            else if (entry.Level == SipLogLevel.Information) WriteVerbose(entry.Message);
            else WriteDebug(entry.Message);
        }
    }

    private bool Wants(string parameter, string variable)
    {
        if (MyInvocation.BoundParameters.TryGetValue(parameter, out object? given)) return given is SwitchParameter { IsPresent: true };
        return Preference(null, variable) is not (null or ActionPreference.SilentlyContinue or ActionPreference.Ignore);
    }

    private ActionPreference? Preference(string? parameter, string variable)
    {
        if (parameter is not null && MyInvocation.BoundParameters.TryGetValue(parameter, out object? given) && given is ActionPreference action) return action;
        return LanguagePrimitives.TryConvertTo(GetVariableValue(variable), out ActionPreference value) ? value : null;
    }
}
