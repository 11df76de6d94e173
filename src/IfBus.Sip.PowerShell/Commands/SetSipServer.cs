using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Says which connection is used when -Server is left out, and changes the limits of connections.</summary>
[Cmdlet(VerbsCommon.Set, "SipServer", SupportsShouldProcess = true, DefaultParameterSetName = "Default")]
[OutputType(typeof(SipServer))]
public sealed class SetSipServer : SipCmdlet
{
    /// <summary>The connection to make the default.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = "Default")]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string Default { get; set; } = "";

    /// <summary>The connections whose limits are changed.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = "Limits")]
    [Alias("Name")]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Server { get; set; } = [];

    /// <summary>Calls of ours that may be placed or live at once; 0 or $null: no limit.</summary>
    [Parameter(ParameterSetName = "Limits")]
    [AllowNull]
    public int? MaxCalls { get; set; }

    /// <summary>Calls that may be placed in a second; 0 or $null: no limit.</summary>
    [Parameter(ParameterSetName = "Limits")]
    [AllowNull]
    public double? MaxCallsPerSecond { get; set; }

    /// <summary>Gives the connections out.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == "Limits")
        {
            foreach (string name in Server) Limit(name);
            return;
        }

        if (ChooseOwn(Default) is not { } connection) return;
        if (!ShouldProcess(connection.Name, "Make the default server")) return;
        Store.SetDefault(connection.Name);
        if (PassThru) WriteObject(Store.Describe(connection));
    }

    private void Limit(string name)
    {
        if (ChooseOwn(name) is not { } connection) return;
        SipServerConfiguration settings = connection.Configuration;
        // What is not named stays as it is.
        int? calls = MyInvocation.BoundParameters.ContainsKey(nameof(MaxCalls)) ? MaxCalls is 0 ? null : MaxCalls : settings.MaxCalls;
        double? rate = MyInvocation.BoundParameters.ContainsKey(nameof(MaxCallsPerSecond)) ? MaxCallsPerSecond is 0 ? null : MaxCallsPerSecond : settings.MaxCallsPerSecond;
        if (!ShouldProcess(connection.Name, $"Limit to {(calls is null ? "any number of" : calls)} calls at once and {(rate is null ? "any number of" : rate)} calls a second")) return;
        try
        {
            connection.Adapter.SetLimits(calls, rate);
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, connection.Name));
            return;
        }

        // By these a later Connect-SipServer sees whether the same is asked for.
        (settings.MaxCalls, settings.MaxCallsPerSecond) = (calls, rate);
        if (PassThru) WriteObject(Store.Describe(connection));
    }
}
