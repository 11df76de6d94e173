using System.Management.Automation;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Lists call forwarding rules of accounts.</summary>
[Cmdlet(VerbsCommon.Get, "SipCallForwarding")]
[OutputType(typeof(SipCallForwarding))]
public sealed class GetSipCallForwarding : EachAccountCmdlet
{
    private protected override string? Doing => null;

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token) =>
        await adapter.GetCallForwardingsAsync(account, token).ConfigureAwait(false);
}

/// <summary>Makes or changes a call forwarding rule.</summary>
[Cmdlet(VerbsCommon.Set, "SipCallForwarding", SupportsShouldProcess = true)]
[OutputType(typeof(SipCallForwarding))]
public sealed class SetSipCallForwarding : EachAccountCmdlet
{
    /// <summary>Which calls.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    public SipForwardingType Type { get; set; }

    /// <summary>Where to: a SIP address, or a user name of the same domain.</summary>
    [Parameter(Position = 2, ValueFromPipelineByPropertyName = true)]
    public string? To { get; set; }

    /// <summary>To the voicemail.</summary>
    [Parameter]
    public SwitchParameter ToVoicemail { get; set; }

    /// <summary>$false: kept, but not in force.</summary>
    [Parameter]
    public bool Enabled { get; set; } = true;

    private protected override string? Doing => $"Forward calls ({Type}) to {(ToVoicemail ? "the voicemail" : SipText.Printable(To))}{(Enabled ? "" : ", switched off,")} for";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token) =>
        await adapter.SetCallForwardingAsync(account, new SipCallForwardingRequest { Type = Type, To = string.IsNullOrEmpty(To) ? null : To, ToVoicemail = ToVoicemail, Enabled = Enabled }, token).ConfigureAwait(false);
}

/// <summary>Removes a call forwarding rule.</summary>
[Cmdlet(VerbsCommon.Remove, "SipCallForwarding", SupportsShouldProcess = true)]
public sealed class RemoveSipCallForwarding : EachAccountCmdlet
{
    /// <summary>Which calls.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    public SipForwardingType Type { get; set; }

    private protected override string? Doing => $"Remove the call forwarding ({Type}) of";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token)
    {
        SipForwardingType type = Type;
        if (await adapter.RemoveCallForwardingAsync(account, type, token).ConfigureAwait(false)) return null;
        throw new SipRejectedException($"{SipText.Printable(account)} has no call forwarding {type} on {adapter.Server.Name}.", "", null, "SipCallForwardingNotFound") { RecommendedAction = "Get-SipCallForwarding lists the rules." };
    }
}
