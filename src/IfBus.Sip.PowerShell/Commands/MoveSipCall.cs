using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Transfers calls.</summary>
[Cmdlet(VerbsCommon.Move, "SipCall", SupportsShouldProcess = true, DefaultParameterSetName = "To")]
[OutputType(typeof(SipCall))]
public sealed class MoveSipCall : ChangeCallCmdlet
{
    /// <summary>Number or extension to go to.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = "To")]
    public string To { get; set; } = "";

    /// <summary>The party to be released talks with the destination first; -Complete or -Cancel ends that.</summary>
    [Parameter(ParameterSetName = "To")]
    public SwitchParameter Attended { get; set; }

    /// <summary>Which party stays.</summary>
    [Parameter(ParameterSetName = "To")]
    [ValidateSet("From", "To")]
    public SipParty Keep { get; set; } = SipParty.From;

    /// <summary>Where the destination is looked up; the connection's if left out.</summary>
    [Parameter(ParameterSetName = "To")]
    public string? Context { get; set; }

    /// <summary>How long the destination may take to answer; seconds or a TimeSpan.</summary>
    [Parameter(ParameterSetName = "To")]
    [Seconds]
    public TimeSpan? Timeout { get; set; }

    /// <summary>Complete an attended transfer.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Complete")]
    public SwitchParameter Complete { get; set; }

    /// <summary>Give an attended transfer up.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "Cancel")]
    public SwitchParameter Cancel { get; set; }

    private protected override string? Doing => ParameterSetName switch
    {
        "Complete" => "Complete the transfer",
        "Cancel" => "Give the transfer up",
        _ => $"Transfer to {SipText.Printable(To)}",
    };

    private protected override Task<SipCall> ChangeAsync(ISipAdapter adapter, string callId, CancellationToken token) => ParameterSetName switch
    {
        "Complete" => adapter.CompleteTransferAsync(callId, token),
        "Cancel" => adapter.CancelTransferAsync(callId, token),
        _ => adapter.TransferAsync(callId, new SipTransferRequest { To = To, Attended = Attended, Keep = Keep, Context = string.IsNullOrEmpty(Context) ? null : Context, Timeout = Timeout }, token),
    };
}
