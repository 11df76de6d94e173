using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Tests.Support;

/// <summary>A runspace with the staged module, as a user's script has it. One a test: connections belong to their runspace.</summary>
internal sealed class ModuleRunspace : IDisposable
{
    private readonly Runspace _runspace;

    public ModuleRunspace(System.Management.Automation.Host.PSHost? host = null)
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        _runspace = host is null ? RunspaceFactory.CreateRunspace(state) : RunspaceFactory.CreateRunspace(host, state);
        _runspace.Open();
        Run("param($path) Import-Module $path", Repository.StagedModule);
    }

    public Runspace Runspace => _runspace;

    /// <summary>Runs a script; its errors are the test's.</summary>
    public Collection<PSObject> Run(string script, params object?[] arguments)
    {
        (Collection<PSObject> output, IReadOnlyList<ErrorRecord> errors) = Try(script, arguments);
        Assert.True(errors.Count == 0, $"{script}: {string.Join(" | ", errors)}");
        return output;
    }

    /// <summary>Runs a script and returns its one object.</summary>
    public T Run<T>(string script, params object?[] arguments) => Assert.IsType<T>(Assert.Single(Run(script, arguments)).BaseObject, exactMatch: false);

    /// <summary>Runs a script; returns output and errors, the terminating one too.</summary>
    public (Collection<PSObject> Output, IReadOnlyList<ErrorRecord> Errors) Try(string script, params object?[] arguments)
    {
        using var shell = System.Management.Automation.PowerShell.Create(_runspace);
        shell.AddScript(script);
        foreach (object? argument in arguments) shell.AddArgument(argument);
        var output = new Collection<PSObject>();
        try
        {
            output = shell.Invoke();
            return (output, [.. shell.Streams.Error]);
        }
        catch (RuntimeException e)
        {
            return (output, [.. shell.Streams.Error, e.ErrorRecord]);
        }
    }

    /// <summary>Runs a script that must fail with one error of this id, and returns it.</summary>
    public ErrorRecord Fails(string errorId, string script, params object?[] arguments)
    {
        (_, IReadOnlyList<ErrorRecord> errors) = Try(script, arguments);
        ErrorRecord error = Assert.Single(errors);
        Assert.StartsWith(errorId + ",", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        // A parameter that an error names is one of the cmdlet that was used.
        if (Regex.Match(error.ToString(), @"^-(\w+) '") is { Success: true } named && error.InvocationInfo?.MyCommand is CmdletInfo cmdlet) Assert.Contains(named.Groups[1].Value, cmdlet.Parameters.Keys);
        return error;
    }

    public void Dispose()
    {
        using (var shell = System.Management.Automation.PowerShell.Create(_runspace))
        {
            shell.AddScript("Remove-Module IfBus.Sip").Invoke();
        }

        _runspace.Dispose();
    }
}
