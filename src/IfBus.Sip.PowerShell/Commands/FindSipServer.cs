using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Finds out which servers hosts have.</summary>
[Cmdlet(VerbsCommon.Find, "SipServer")]
[OutputType(typeof(SipServerFinding))]
public sealed class FindSipServer : SipCmdlet
{
    /// <summary>Host names or addresses.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Host", "HostName")]
    [ValidateNotNullOrEmpty]
    public string[] ComputerName { get; set; } = ["localhost"];

    /// <summary>The ports to look at; the usual ones of all kinds if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateRange(1, 65535)]
    [ValidateCount(1, 100)]
    public int[]? Port { get; set; }

    /// <summary>A path that servers over HTTP are asked at besides their usual one.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Path { get; set; }

    /// <summary>After this time what has not answered counts as silent; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan Timeout { get; set; } = ServerSearch.UsualTime;

    /// <summary>Gives out every port, also those where nothing of ours was found.</summary>
    [Parameter]
    public SwitchParameter All { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (Timeout < TimeSpan.FromMilliseconds(100) || Timeout > TimeSpan.FromMinutes(1))
            ThrowTerminatingError(Errors.Record(new SipArgumentException("Timeout", Timeout.ToString(), "0.1 to 60 seconds."), Timeout));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        string? path = string.IsNullOrEmpty(Path) ? null : Path;
        List<(string Host, Task<IReadOnlyList<SipServerFinding>> Looking)> hosts =
            [.. ComputerName.Select(h => (h, Task.Run(() => AdapterLoader.Factory.DetectAsync(h, Port, path, Timeout, StopToken), StopToken)))];
        foreach ((string host, Task<IReadOnlyList<SipServerFinding>> looking) in hosts)
        {
            try
            {
                IReadOnlyList<SipServerFinding> found = Pump(_ => looking);
                if (All) WriteObject(found, enumerateCollection: true);
                else if (found.Any(f => f.Type is not null)) WriteObject(found.Where(f => f.Type is not null), enumerateCollection: true);
                else WriteError(Errors.Record(ServerSearch.NotFound(host, found, tlsOnly: false), host));
            }
            catch (SipException e)
            {
                WriteError(Errors.Record(e, host));
            }
        }
    }
}
