using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists live calls, and ended ones with -State Terminated, or shows calls by id, ended ones too.</summary>
[Cmdlet(VerbsCommon.Get, "SipCallStatus", DefaultParameterSetName = "List")]
[OutputType(typeof(SipCall))]
public sealed class GetSipCallStatus : ServersCmdlet
{
    // Servers asked, not yet answered. On the pipeline's thread.
    private readonly LinkedList<ServerStore.Connection> _open = new();

    /// <summary>Ids, or if:// addresses.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Id")]
    [CallId]
    [Alias("Id")]
    [ArgumentCompleter(typeof(CallIdCompleter))]
    public string[]? CallId { get; set; }

    // Texts of the pipeline are ids of calls.
    /// <summary>The connections, as objects that are piped in.</summary>
    [Parameter(ValueFromPipeline = true, ParameterSetName = "List")]
    [ServerName(FromPipeline = true, ObjectsOnly = true)]
    public string[]? InputObject { get; set; }

    /// <summary>Only calls in these states; Terminated are those of Get-SipCallHistory.</summary>
    [Parameter(ParameterSetName = "List")]
    public CallState[]? State { get; set; }

    /// <summary>Only calls from numbers like this.</summary>
    [Parameter(ParameterSetName = "List")]
    [SupportsWildcards]
    public string? From { get; set; }

    /// <summary>Only calls to numbers like this.</summary>
    [Parameter(ParameterSetName = "List")]
    [SupportsWildcards]
    public string? To { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (CallId is not null)
        {
            foreach (string id in CallId) Show(id);
            return;
        }

        // Of calls that have ended only the connection knows; the server need not be asked.
        bool ask = State is null || !State.All(s => s == CallState.Terminated);
        // Side by side: one that is slow or dead keeps only its own calls back.
        foreach (ServerStore.Connection connection in Meant(InputObject, ask ? SipCapabilities.ListCalls : SipCapabilities.None)) Begin(_open, connection, connection.Name, () => ListAsync(connection, ask));
        PumpReady();
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Drain(_open);

    private async Task<object?> ListAsync(ServerStore.Connection connection, bool ask)
    {
        IReadOnlyList<SipCall> live = ask ? await connection.Adapter.GetCallsAsync(StopToken).ConfigureAwait(false) : [];
        IReadOnlyList<SipCall> ended = State is not null && State.Contains(CallState.Terminated) ? connection.Adapter.EndedCalls : [];
        // One that ended in between is in both.
        return ended.Concat(live).DistinctBy(c => c.CallId)
            .Where(c => (State is null || State.Contains(c.State)) && Wanted.Matches(From, c.From) && Wanted.Matches(To, c.To)).ToArray();
    }

    private void Show(string id)
    {
        if (ChooseFor(id) is not { } connection) return;
        try
        {
            WriteObject(FindOrAsk(connection, id));
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, id));
        }
    }
}
