using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Adds where a phone can be reached, as if it had registered.</summary>
[Cmdlet(VerbsCommon.Add, "SipRegistration", SupportsShouldProcess = true)]
[OutputType(typeof(SipRegistration))]
public sealed class AddSipRegistration : ServerCmdlet
{
    /// <summary>Address of record.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    public string Aor { get; set; } = "";

    /// <summary>Contact URI.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    public string Contact { get; set; } = "";

    /// <summary>How long it stays, seconds or a TimeSpan; for good if left out.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? Expires { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(Server) is not { } connection) return;
        if (!ShouldProcess($"{SipText.Printable(Aor)} at {SipText.Printable(Contact)} on {connection.Name}", "Add registration")) return;
        try
        {
            WriteObject(Pump(token => connection.Adapter.AddRegistrationAsync(new SipRegistrationRequest { Aor = Aor, Contact = Contact, Expires = Expires }, token)));
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, Aor));
        }
    }
}
