using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Shows the server's detail records of calls that have ended since the connection was made.</summary>
[Cmdlet(VerbsCommon.Get, "SipCallDetailRecord")]
[OutputType(typeof(SipCallDetailRecord))]
public sealed class GetSipCallDetailRecord : ServerCmdlet
{
    /// <summary>Only records of these calls.</summary>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [CallId]
    [Alias("Id")]
    [ArgumentCompleter(typeof(CallIdCompleter))]
    public string[]? CallId { get; set; }

    /// <summary>Begun at this time or later; local time unless it says UTC.</summary>
    [Parameter]
    public DateTime? After { get; set; }

    /// <summary>Begun before this time; local time unless it says UTC.</summary>
    [Parameter]
    public DateTime? Before { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string? id in CallId ?? [null!])
        {
            if ((id is null ? Choose(Server) : ChooseFor(id)) is not { } connection) continue;
            var filter = new SipDetailRecordFilter { CallId = id, After = After?.ToUniversalTime(), Before = Before?.ToUniversalTime() };
            try
            {
                WriteObject(Pump(token => connection.Adapter.GetCallDetailRecordsAsync(filter, token)), enumerateCollection: true);
            }
            catch (SipException e)
            {
                WriteError(Errors.Record(e, id ?? connection.Name));
            }
        }
    }
}
