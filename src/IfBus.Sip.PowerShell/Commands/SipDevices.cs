using System.Management.Automation;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists the devices that are registered under accounts.</summary>
[Cmdlet(VerbsCommon.Get, "SipDevice")]
[OutputType(typeof(SipDevice))]
public sealed class GetSipDevice : EachAccountCmdlet
{
    private protected override string? Doing => null;

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token)
    {
        IReadOnlyList<SipDevice> devices = await adapter.GetDevicesAsync(account, token).ConfigureAwait(false);
        if (devices.Count == 0) Post(() => WriteVerbose($"{SipText.Printable(account)}: no device, or the server cannot read its registrar; it answers the same for both."));
        return devices;
    }
}

/// <summary>Removes registrations of devices.</summary>
[Cmdlet(VerbsCommon.Remove, "SipDevice", SupportsShouldProcess = true)]
public sealed class RemoveSipDevice : EachAccountCmdlet
{
    /// <summary>The device's instance id; devices can be piped in.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    public string Uuid { get; set; } = "";

    private protected override string? Doing => $"Remove the device {SipText.Printable(Uuid)} of";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token)
    {
        string uuid = Uuid;
        if (await adapter.RemoveDeviceAsync(account, uuid, token).ConfigureAwait(false)) return null;
        throw new SipRejectedException($"{SipText.Printable(account)} has no device {SipText.Printable(uuid)} on {adapter.Server.Name}, or the server cannot reach its registrar; it answers the same for both.", "", null, "SipDeviceNotFound") { RecommendedAction = "Get-SipDevice lists the devices." };
    }
}
