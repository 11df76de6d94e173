using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Has a server ask a script where its calls go.</summary>
[Cmdlet(VerbsLifecycle.Register, "SipRoute", SupportsShouldProcess = true)]
[OutputType(typeof(SipRoute))]
public sealed class RegisterSipRoute : SipCmdlet
{
    /// <summary>Name of the route.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    public string Name { get; set; } = "";

    /// <summary>Decides: is given the question ($args[0] or the first of its param()), and gives a target as text, a hashtable with Target or Refuse, or nothing.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNull]
    public ScriptBlock ScriptBlock { get; set; } = null!;

    /// <summary>The called numbers that it is for; * and ? are wildcards. All if left out.</summary>
    [Parameter]
    public string? Number { get; set; }

    /// <summary>Lower numbers are asked first, 1 to 1000. Yate's own regexroute has 100.</summary>
    [Parameter]
    public int Priority { get; set; } = 50;

    /// <summary>How long a question may take before the server's own routing decides; seconds or a TimeSpan, 50 ms to 8 s.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>More arguments for the script, after the question.</summary>
    [Parameter]
    public object?[] ArgumentList { get; set; } = [];

    /// <summary>How many questions the script decides at a time.</summary>
    [Parameter]
    [ValidateRange(1, 8)]
    public int ThrottleLimit { get; set; } = 4;

    /// <summary>The connection to use; the default or the only one if left out.</summary>
    [Parameter(ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ServerName(FromPipeline = true)]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string? Server { get; set; }

    private protected override SipCapabilities Needed => SipCapabilities.Routing;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(Server) is not { } connection || !ShouldProcess(connection.Name, $"Register route {SipText.Printable(Name)}")) return;
        RouteScript? script = null;
        try
        {
            script = RouteScript.Prepare(ScriptBlock, SessionState, ArgumentList, ThrottleLimit);
            var request = new SipRouteRequest { Name = Name, Number = Number, Priority = Priority, Timeout = Timeout };
            SipRoute route = Pump(token => connection.Adapter.RegisterRouteAsync(request, script.DecideAsync, script.Dispose, token));
            script = null;
            SeenNames.Add(route);
            WriteObject(route);
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, Name));
        }
        finally
        {
            script?.Dispose();
        }
    }
}
