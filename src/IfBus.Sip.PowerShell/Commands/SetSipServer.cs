using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Says which connection is used when -Server is left out.</summary>
[Cmdlet(VerbsCommon.Set, "SipServer", SupportsShouldProcess = true)]
[OutputType(typeof(SipServer))]
public sealed class SetSipServer : Hosting.SipCmdlet
{
    /// <summary>The connection to make the default.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true)]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string Default { get; set; } = "";

    /// <summary>Gives the connection out.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ChooseOwn(Default) is not { } connection) return;
        if (!ShouldProcess(connection.Name, "Make the default server")) return;
        Store.SetDefault(connection.Name);
        if (PassThru) WriteObject(Store.Describe(connection));
    }
}
