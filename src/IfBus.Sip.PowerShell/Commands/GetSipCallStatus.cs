using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists live calls, or shows calls by id, ended ones too.</summary>
[Cmdlet(VerbsCommon.Get, "SipCallStatus", DefaultParameterSetName = "List")]
[OutputType(typeof(SipCall))]
public sealed class GetSipCallStatus : ServerCmdlet
{
    /// <summary>Ids, or if:// addresses.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Id")]
    [CallId]
    [Alias("Id")]
    [ArgumentCompleter(typeof(CallIdCompleter))]
    public string[]? CallId { get; set; }

    /// <summary>Only calls in these states.</summary>
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

        foreach (ServerStore.Connection connection in ChooseEachOrAll(Server is null ? null : [Server]))
        {
            try
            {
                foreach (SipCall call in Pump(connection.Adapter.GetCallsAsync))
                {
                    if ((State is null || State.Contains(call.State)) && Like(From, call.From) && Like(To, call.To)) WriteObject(call);
                }
            }
            catch (SipException e)
            {
                WriteError(Errors.Record(e, connection.Name));
            }
        }
    }

    private void Show(string id)
    {
        if (ChooseFor(id) is not { } connection) return;
        if (connection.Adapter.FindCall(id) is { } call)
        {
            WriteObject(call);
            return;
        }

        try
        {
            // Perhaps others made it a moment ago.
            Pump(connection.Adapter.GetCallsAsync);
            WriteObject(connection.Adapter.FindCall(id) ?? throw new SipCallNotFoundException($"{connection.Name} has no call '{SipText.Printable(id)}'.")
            {
                CallId = id,
                Server = connection.Name,
                RecommendedAction = "Get-SipCallStatus without an id lists the live calls.",
            });
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, id));
        }
    }

    private static bool Like(string? pattern, string? value) => pattern is null || (value is not null && new WildcardPattern(pattern, WildcardOptions.IgnoreCase).IsMatch(value));
}
