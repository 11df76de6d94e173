using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Removes where phones can be reached.</summary>
[Cmdlet(VerbsCommon.Remove, "SipRegistration", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
public sealed class RemoveSipRegistration : ServerCmdlet
{
    /// <summary>Address of record.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string Aor { get; set; } = "";

    /// <summary>One of its contacts; all of them if left out.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    public string? Contact { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(Server) is not { } connection) return;
        string what = Contact is null ? "all contacts of " + SipText.Printable(Aor) : $"{SipText.Printable(Contact)} of {SipText.Printable(Aor)}";
        if (!ShouldProcess($"{what} on {connection.Name}", "Remove registration")) return;
        try
        {
            PumpTask(token => connection.Adapter.RemoveRegistrationAsync(Aor, Contact, token));
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, Aor));
        }
    }
}
