using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Puts trunks in and out of use, or has the server read its list of them again.</summary>
[Cmdlet(VerbsCommon.Set, "SipGateway", SupportsShouldProcess = true, DefaultParameterSetName = "State")]
[OutputType(typeof(SipGateway))]
public sealed class SetSipGateway : ServerCmdlet
{
    /// <summary>Name as Get-SipGateway shows it.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = "State")]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string Name { get; set; } = "";

    /// <summary>How it is to be used.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = "State")]
    public SipGatewayState State { get; set; }

    /// <summary>Have the server test its health.</summary>
    [Parameter(ParameterSetName = "State")]
    public SwitchParameter Probing { get; set; }

    /// <summary>Put the trunk out as it is then.</summary>
    [Parameter(ParameterSetName = "State")]
    public SwitchParameter PassThru { get; set; }

    /// <summary>Have the server read its list again.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Reload")]
    public SwitchParameter Reload { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(Server) is not { } connection) return;
        string what = Reload ? $"all gateways of {connection.Name}" : $"{SipText.Printable(Name)} on {connection.Name}";
        if (!ShouldProcess(what, Reload ? "Reload" : $"Set to {State}")) return;
        try
        {
            if (Reload)
            {
                PumpTask(connection.Adapter.ReloadGatewaysAsync);
                return;
            }

            var change = new SipGatewayChange { State = State, Probing = MyInvocation.BoundParameters.ContainsKey(nameof(Probing)) ? Probing : null };
            SipGateway gateway = Pump(token => connection.Adapter.SetGatewayAsync(Name, change, token));
            if (PassThru) WriteObject(gateway);
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, Reload ? connection.Name : Name));
        }
    }
}
