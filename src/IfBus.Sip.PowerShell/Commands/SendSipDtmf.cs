using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Plays DTMF digits to a party of calls.</summary>
[Cmdlet(VerbsCommunications.Send, "SipDtmf", SupportsShouldProcess = true)]
public sealed class SendSipDtmf : EachCallCmdlet
{
    /// <summary>0 to 9, *, #, A to D; w waits half a second.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    public string Digits { get; set; } = "";

    /// <summary>Who hears them.</summary>
    [Parameter]
    [ValidateSet("From", "To")]
    public SipParty Party { get; set; } = SipParty.To;

    /// <summary>How long each sounds; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? Duration { get; set; }

    /// <summary>Silence between two; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? Gap { get; set; }

    private protected override string? Doing => "Play DTMF";

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string callId, CancellationToken token)
    {
        var request = new SipDtmfRequest { Digits = Digits, Party = Party };
        if (Duration is { } duration) request = request with { Duration = duration };
        if (Gap is { } gap) request = request with { Gap = gap };
        await adapter.SendDtmfAsync(callId, request, token).ConfigureAwait(false);
        return null;
    }
}
