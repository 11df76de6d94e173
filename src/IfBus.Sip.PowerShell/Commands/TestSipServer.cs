using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Measures how a server does.</summary>
[Cmdlet(VerbsDiagnostic.Test, "SipServer")]
[OutputType(typeof(SipServerHealth))]
public sealed class TestSipServer : SipCmdlet
{
    // Being measured. On the pipeline's thread.
    private readonly LinkedList<ServerStore.Connection> _open = new();

    /// <summary>The connections to test; all if left out.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [Alias("Name")]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Server { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        // Side by side: one that does not answer keeps only its own result back.
        foreach (ServerStore.Connection connection in ChooseEachOrAll(Server)) Begin(_open, connection, connection.Name, async () => await connection.Adapter.CheckHealthAsync(StopToken).ConfigureAwait(false));
        PumpReady();
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Drain(_open);
}

/// <summary>What Test-SipServerConfiguration found.</summary>
/// <param name="Host">The server it describes.</param>
/// <param name="IsValid">True if a connection can be tried with it.</param>
/// <param name="Problems">Everything that is wrong.</param>
public sealed record SipConfigurationCheck(string? Host, bool IsValid, IReadOnlyList<SipConfigurationProblem> Problems)
{
    /// <inheritdoc/>
    public override string ToString() => IsValid ? $"{Host}: can be used" : $"{Host}: {Problems}";
}

/// <summary>Checks the description of a server without sending anything.</summary>
[Cmdlet(VerbsDiagnostic.Test, "SipServerConfiguration", DefaultParameterSetName = "Host")]
[OutputType(typeof(SipConfigurationCheck))]
public sealed class TestSipServerConfiguration : ConfigurationCmdlet
{
    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        SipServerConfiguration configuration = Read(null, out List<SipConfigurationProblem> problems);
        problems = Check(configuration, problems);
        WriteObject(new SipConfigurationCheck(configuration.Host, problems.Count == 0, SipList.Of(problems)));
    }
}
