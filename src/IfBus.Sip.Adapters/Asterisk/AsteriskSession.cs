namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>A logged-in session and what its login learnt.</summary>
internal sealed class AsteriskSession(AmiSession ami, AsteriskLoginResult login) : ISipSession
{
    /// <summary>The connection.</summary>
    public AmiSession Ami => ami;

    /// <summary>The actions that this login may use.</summary>
    public IReadOnlySet<string> Commands => login.Commands;

    /// <summary>False if the login lacks read class call.</summary>
    public bool HasCallEvents => login.HasCallEvents;

    /// <inheritdoc/>
    public Task<Exception> Closed => ami.Closed;

    /// <inheritdoc/>
    public string Version => login.Version;

    /// <inheritdoc/>
    public DateTime? StartedAt => login.StartedAt;

    /// <inheritdoc/>
    public SipCapabilities Capabilities { get; } =
        (login.HasCallEvents ? SipCapabilities.CallEvents | SipCapabilities.CallDetailRecords : 0)
        | (login.HasCallEvents && login.Commands.Contains("Originate") ? SipCapabilities.MakeCall : 0)
        | (login.Commands.Contains("Hangup") ? SipCapabilities.HangUp : 0)
        | (login.Commands.Contains("CoreShowChannels") ? SipCapabilities.ListCalls : 0)
        | SipCapabilities.RawCommand;

    /// <inheritdoc/>
    public Task CloseAsync(CancellationToken cancellationToken) => ami.LogoffAsync(cancellationToken);
}
