using System.Management.Automation;
using System.Management.Automation.Runspaces;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Benchmarks;

/// <summary>A runspace with the staged module, for what is measured through the cmdlets.</summary>
internal sealed class BenchModule : IDisposable
{
    private readonly Runspace _runspace;

    public BenchModule()
    {
        _runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        _runspace.Open();
        Run<object>("param($m) Import-Module $m", Repository.StagedModule);
    }

    /// <summary>Runs a script; an error ends the measurement.</summary>
    public T[] Run<T>(string script, params object[] arguments)
    {
        using var shell = PowerShell.Create(_runspace);
        shell.AddScript(script);
        foreach (object argument in arguments) shell.AddArgument(argument);
        T[] output = [.. shell.Invoke().Select(o => (T)o.BaseObject)];
        return shell.HadErrors ? throw new InvalidOperationException(shell.Streams.Error[0].ToString()) : output;
    }

    public void Dispose() => _runspace.Dispose();
}
