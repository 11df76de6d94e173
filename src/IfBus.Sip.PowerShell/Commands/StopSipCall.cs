using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Ends calls. Each is over, by the server's word, when the cmdlet is done with it.</summary>
[Cmdlet(VerbsLifecycle.Stop, "SipCall", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, DefaultParameterSetName = "Id")]
[OutputType(typeof(SipCall))]
public sealed class StopSipCall : ServerCmdlet
{
    // Told to end. On the pipeline's thread.
    private readonly LinkedList<(ServerStore.Connection Connection, string CallId)> _open = new();

    /// <summary>Ids, or if:// addresses.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Id")]
    [CallId]
    [Alias("Id")]
    [ArgumentCompleter(typeof(CallIdCompleter))]
    public string[] CallId { get; set; } = [];

    /// <summary>All live calls of the server, those of others too.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "All")]
    public SwitchParameter All { get; set; }

    /// <summary>The cause that the far ends are told; one of Q.850.</summary>
    [Parameter]
    public HangupCause Cause { get; set; } = HangupCause.NormalClearing;

    /// <summary>Asks nothing.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Gives the ended calls out.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (All)
        {
            StopAll();
        }
        else
        {
            foreach (string id in CallId)
            {
                if (ChooseFor(id) is { } connection) Stop(connection, id);
            }
        }

        PumpReady();
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Drain(_open);

    private protected override string? Activity => "Ending calls";

    private protected override string? StillRunning() =>
        _open.Count == 0 ? null : $"Stopped. {_open.Count} {(_open.Count == 1 ? "call was" : "calls were")} told to end and {(_open.Count == 1 ? "has" : "have")} not confirmed it; Get-SipCallStatus lists the live calls.";

    private void StopAll()
    {
        if (Choose(Server) is not { } connection) return;
        IReadOnlyList<SipCall> calls = PumpOrEnd(connection.Adapter.GetCallsAsync, connection.Name);
        if (calls.Count == 0) return;
        if (!ShouldProcess($"all {calls.Count} calls on {connection.Name}", "End")) return;
        // -Confirm was asked above; -Confirm:$false says not to ask.
        bool asked = MyInvocation.BoundParameters.ContainsKey("Confirm");
        if (!Force && !asked && !ShouldContinue($"End all {calls.Count} calls on {connection.Name}, those of others too?", "Stop-SipCall -All")) return;
        foreach (SipCall call in calls) Begin(connection, call.CallId);
    }

    private void Stop(ServerStore.Connection connection, string id)
    {
        if (ShouldProcess("call " + Describe(connection, id), "End")) Begin(connection, id);
    }

    private void Begin(ServerStore.Connection connection, string id)
    {
        Follow(connection, id);
        Begin(_open, (connection, id), id, () => StopAsync(connection, id));
    }

    private async Task<object?> StopAsync(ServerStore.Connection connection, string id)
    {
        SipCall? call;
        try
        {
            call = await connection.Adapter.HangUpAsync(id, Cause, StopToken).ConfigureAwait(false);
        }
        catch (SipCallNotFoundException e) when (All && e.ErrorId == "SipCallEnded")
        {
            // It ended by itself meanwhile, which is what was wanted.
            call = connection.Adapter.FindCall(id);
        }

        return PassThru ? call : null;
    }
}
