using System.Management.Automation;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Has a push notification sent to a device.</summary>
[Cmdlet(VerbsCommunications.Send, "SipPushNotification", SupportsShouldProcess = true)]
public sealed class SendSipPushNotification : ServerCmdlet
{
    /// <summary>Push service.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [ValidateSet("apns", "apns.dev", "fcm")]
    public string Provider { get; set; } = "";

    /// <summary>The pn-param of the device's contact.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    public string Param { get; set; } = "";

    /// <summary>The pn-prid of the device's contact: its token at the push service.</summary>
    [Parameter(Mandatory = true, Position = 2, ValueFromPipelineByPropertyName = true)]
    public string Prid { get; set; } = "";

    /// <summary>What kind of notification.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateSet("background", "message", "call")]
    public string Type { get; set; } = "background";

    /// <summary>Call-ID that it is about.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? CallId { get; set; }

    private protected override SipCapabilities Needed => SipCapabilities.OwnAccount;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(Server) is not { } connection) return;
        // The token is a secret of the device.
        if (!ShouldProcess($"{Provider} {SipText.Printable(Param)} by {connection.Name}", "Send a push notification")) return;
        try
        {
            var request = new SipPushRequest { Provider = Provider, Param = Param, Prid = Prid, Type = Type, CallId = string.IsNullOrEmpty(CallId) ? null : CallId };
            PumpTask(token => connection.Adapter.SendPushAsync(request, token));
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, connection.Name));
        }
    }
}

/// <summary>What Send-SipMessage gives.</summary>
/// <param name="Server">Name of the server's connection.</param>
/// <param name="To">Whom it was sent to.</param>
/// <param name="MessageId">The server's id of it.</param>
public sealed record SipSentMessage(string Server, string To, string? MessageId);

/// <summary>Has a text message sent by the server's own SIP user.</summary>
[Cmdlet(VerbsCommunications.Send, "SipMessage", SupportsShouldProcess = true)]
[OutputType(typeof(SipSentMessage))]
public sealed class SendSipMessage : ServerCmdlet
{
    /// <summary>SIP addresses.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("SipUri")]
    public string[] To { get; set; } = [];

    /// <summary>The text, one line.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    public string Body { get; set; } = "";

    private protected override SipCapabilities Needed => SipCapabilities.OwnAccount;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string to in To)
        {
            if (Choose(Server) is not { } connection) continue;
            if (!ShouldProcess($"{SipText.Printable(to)} by {connection.Name}", "Send a message")) continue;
            try
            {
                string? id = Pump(token => connection.Adapter.SendMessageAsync(to, Body, token));
                WriteObject(new SipSentMessage(connection.Name, to, id));
            }
            catch (SipException e)
            {
                WriteError(Errors.Record(e, to));
            }
        }
    }
}
