using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Shows the server's detail records of calls that have ended since the connection was made.</summary>
[Cmdlet(VerbsCommon.Get, "SipCallDetailRecord")]
[OutputType(typeof(SipCallDetailRecord))]
public sealed class GetSipCallDetailRecord : ServersCmdlet
{
    // Servers asked, not yet answered. On the pipeline's thread.
    private readonly LinkedList<ServerStore.Connection> _open = new();
    private bool _byId;

    /// <summary>Only records of these calls.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [CallId]
    [Alias("Id")]
    [ArgumentCompleter(typeof(CallIdCompleter))]
    public string[]? CallId { get; set; }

    // Texts of the pipeline are ids of calls.
    /// <summary>The connections, as objects that are piped in.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ServerName(FromPipeline = true, ObjectsOnly = true)]
    public string[]? InputObject { get; set; }

    /// <summary>Flexisip: the account whose records are wanted; accounts can be piped in.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Account]
    [Alias("SipUri")]
    [ArgumentCompleter(typeof(AccountCompleter))]
    public string[]? Account { get; set; }

    /// <summary>Begun at this time or later; local time unless it says UTC.</summary>
    [Parameter]
    public DateTime? After { get; set; }

    /// <summary>Begun before this time; local time unless it says UTC.</summary>
    [Parameter]
    public DateTime? Before { get; set; }

    /// <summary>Only records from numbers like this.</summary>
    [Parameter]
    [SupportsWildcards]
    public string? From { get; set; }

    /// <summary>Only records to numbers like this.</summary>
    [Parameter]
    [SupportsWildcards]
    public string? To { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        // Before anything of the pipeline is bound.
        _byId = MyInvocation.BoundParameters.ContainsKey(nameof(CallId));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Account is not null)
        {
            // An account is of one server: without a name it is the default one's.
            foreach (ServerStore.Connection connection in InputObject is null && Server is null ? ChooseEach(null) : Meant(InputObject, SipCapabilities.None))
                foreach (string account in Account) WriteOf(connection, account);
        }
        else if (CallId is null)
        {
            // Side by side: one that is slow or dead keeps only its own records back.
            foreach (ServerStore.Connection connection in Meant(InputObject, SipCapabilities.CallDetailRecords)) Begin(_open, connection, connection.Name, async () => await RecordsAsync(connection, null).ConfigureAwait(false));
            PumpReady();
        }
        else
        {
            foreach (string id in CallId)
            {
                if (InputObject is not null) foreach (ServerStore.Connection connection in ChooseEach(InputObject)) WriteFrom(connection, id);
                else if (ChooseFor(id) is { } connection) WriteFrom(connection, id);
            }
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Drain(_open);

    private void WriteFrom(ServerStore.Connection connection, string id)
    {
        try
        {
            WriteObject(Pump(_ => RecordsAsync(connection, id)), enumerateCollection: true);
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, id));
        }
    }

    private async Task<SipCallDetailRecord[]> RecordsAsync(ServerStore.Connection connection, string? id)
    {
        var filter = new SipDetailRecordFilter { CallId = id, After = After?.ToUniversalTime(), Before = Before?.ToUniversalTime() };
        IReadOnlyList<SipCallDetailRecord> records = await connection.Adapter.GetCallDetailRecordsAsync(filter, StopToken).ConfigureAwait(false);
        return [.. records.Where(Fits)];
    }

    private bool Fits(SipCallDetailRecord record) => Wanted.Matches(From, record.From) && Wanted.Matches(To, record.To);

    private void WriteOf(ServerStore.Connection connection, string account)
    {
        DateTime? after = After?.ToUniversalTime(), before = Before?.ToUniversalTime();
        try
        {
            List<SipCallDetailRecord> records = Pump(async token =>
            {
                var found = new List<SipCallDetailRecord>();
                await foreach (SipCallDetailRecord record in connection.Adapter.GetAccountRecordsAsync(account, token).ConfigureAwait(false))
                {
                    if ((after is null || record.StartedAt >= after) && (before is null || record.StartedAt < before) && (!_byId || CallId!.Contains(record.CallId))) found.Add(record);
                    // Newest first: what comes now is older still.
                    else if (after is not null && record.StartedAt < after) break;
                }

                return found;
            });
            WriteObject(records.Where(Fits), enumerateCollection: true);
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, account));
        }
    }
}
