using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Locks, mutes, records or empties a conference room.</summary>
[Cmdlet(VerbsCommon.Set, "SipConference", SupportsShouldProcess = true)]
[OutputType(typeof(SipConference))]
public sealed class SetSipConference : ServerCmdlet
{
    private bool _named;

    // Takes servers only. A server has a name too, which the binder takes for the room's: that is left out of account.
    /// <summary>The connection, as an object that is piped in.</summary>
    [Parameter(ValueFromPipeline = true)]
    [ServerName(FromPipeline = true)]
    public string? InputObject { get; set; }

    /// <summary>The room.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("Conference", "Room")]
    [ArgumentCompleter(typeof(SeenNameCompleter))]
    public string Name { get; set; } = "";

    /// <summary>$true: nobody gets in any more.</summary>
    [Parameter]
    public bool? Locked { get; set; }

    /// <summary>$true: record the room; $false: end the recording.</summary>
    [Parameter]
    public bool? Recording { get; set; }

    /// <summary>File of the recording, relative to the server's recording folder.</summary>
    [Parameter]
    public string? Path { get; set; }

    /// <summary>$true: -Member, or everybody, is not heard.</summary>
    [Parameter]
    public bool? Muted { get; set; }

    /// <summary>Put -Member, or everybody, out of the room.</summary>
    [Parameter]
    public SwitchParameter Kick { get; set; }

    /// <summary>Channel or leg id of one member.</summary>
    [Parameter]
    public string? Member { get; set; }

    /// <summary>Put the room out as it is then.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        // Before anything of the pipeline is bound.
        _named = MyInvocation.BoundParameters.ContainsKey(nameof(Name));
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(InputObject ?? Server) is not { } connection) return;
        if (InputObject is not null && !_named)
        {
            WriteError(Errors.Record(new SipArgumentException("Name", null, "the name of a room; the server that is piped in does not tell which is meant."), InputObject));
            return;
        }

        if (Locked is null && Recording is null && Muted is null && !Kick)
        {
            WriteError(Errors.Record(new SipArgumentException("Name", Name, "say what is to change: -Locked, -Recording, -Muted or -Kick."), Name));
            return;
        }

        // A variable that is empty by mistake must not mean everybody.
        if (MyInvocation.BoundParameters.ContainsKey(nameof(Member)) && string.IsNullOrWhiteSpace(Member))
        {
            WriteError(Errors.Record(new SipArgumentException("Member", Member, "the channel or the leg id of one member; for everybody it is left out."), Name));
            return;
        }

        if (!ShouldProcess($"{SipText.Printable(Name)} on {connection.Name}", "Change the conference")) return;
        try
        {
            // Where the room cannot be shown after, that is told before anything is changed.
            if (PassThru && !connection.Adapter.Capabilities.HasFlag(SipCapabilities.ConferenceList)) Pump(token => connection.Adapter.GetConferencesAsync(Name, token));
            var change = new SipConferenceChange { Locked = Locked, Recording = Recording, Path = Path, Muted = Muted, Member = Member, Kick = Kick };
            SipConference? room = Pump(token => connection.Adapter.SetConferenceAsync(Name, change, token));
            if (PassThru && room is not null) WriteObject(room);
        }
        catch (SipException e)
        {
            WriteError(Errors.Record(e, Name));
        }
    }
}
