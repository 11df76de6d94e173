using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Ends a route: the server does not ask its script any more.</summary>
[Cmdlet(VerbsLifecycle.Unregister, "SipRoute", SupportsShouldProcess = true)]
[OutputType(typeof(SipRoute))]
public sealed class UnregisterSipRoute : SipCmdlet
{
    /// <summary>Name of the route.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string Name { get; set; } = "";

    /// <summary>The connection that it is of; the default or the only one if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string? Server { get; set; }

    /// <summary>Give out the route as it stood.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override SipCapabilities Needed => SipCapabilities.Routing;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(Server) is not { } connection || !ShouldProcess(connection.Name, $"Unregister route {SipText.Printable(Name)}")) return;
        try
        {
            SipRoute route = Pump(token => connection.Adapter.UnregisterRouteAsync(Name, token));
            if (PassThru) WriteObject(route);
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, Name));
        }
    }
}
