using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>
/// A logged-in session and what its login learnt. A session of the server does one thing after the other, so what takes
/// its time there goes over a second connection, made when it is first needed: nothing slow ever delays events.
/// </summary>
internal sealed class AsteriskSession : ISipSession
{
    private readonly AmiSession _ami;
    private readonly AsteriskLoginResult _login;
    private readonly SecondConnection<AmiSession> _second;

    public AsteriskSession(AmiSession ami, AsteriskLoginResult login, Func<Task<AmiSession>> openSecond)
    {
        _ami = ami;
        _login = login;
        _second = new SecondConnection<AmiSession>(openSecond, static s => s.Closed, static s => s.LogoffAsync(CancellationToken.None));
        _ = ami.Closed.ContinueWith(static (_, s) => ((AsteriskSession)s!).Abandon(), this, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        Capabilities = Learn(login);
        MutesById = login.Version.Split(' ', '.') is ["Asterisk", { } major, ..] && int.TryParse(major, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int number) && number >= 22;
    }

    /// <summary>The connection.</summary>
    public AmiSession Ami => _ami;

    /// <summary>The actions that this login may use.</summary>
    public IReadOnlySet<string> Commands => _login.Commands;

    /// <summary>False if the login lacks read class call.</summary>
    public bool HasCallEvents => _login.HasCallEvents;

    /// <summary>The extensions of ours are in the server's dialplan.</summary>
    public bool HasDialplan { get; set; }

    /// <summary>
    /// Asterisk mutes a recording by its id: 22.10 does, 16.28 does not and mutes the first of the leg. Versions between
    /// them of which it is not known count as those that do not.
    /// </summary>
    public bool MutesById { get; }

    /// <summary>What is typed on a channel for an attended transfer; null if the server has no code for it.</summary>
    public string? TransferCode => _login.TransferCode;

    /// <inheritdoc/>
    public Task<Exception> Closed => _ami.Closed;

    /// <inheritdoc/>
    public string Version => _login.Version;

    /// <inheritdoc/>
    public DateTime? StartedAt => _login.StartedAt;

    /// <inheritdoc/>
    public SipCapabilities Capabilities { get; }

    /// <summary>The connection for what is slow. Without events; made anew if it was lost.</summary>
    public Task<AmiSession> SecondAsync(CancellationToken cancellationToken) => _second.GetAsync(cancellationToken);

    /// <inheritdoc/>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        Task leaving = _second.CloseAsync();
        await _ami.LogoffAsync(cancellationToken).ConfigureAwait(false);
        await leaving.ConfigureAwait(false);
    }

    /// <summary>The first connection is gone: the second goes too.</summary>
    public void Abandon() => _ = _second.CloseAsync();

    // Exactly what the server lets this login do (its own ListCommands), and what can be composed of it.
    private static SipCapabilities Learn(AsteriskLoginResult login)
    {
        bool May(params string[] actions) => actions.All(login.Commands.Contains);
        SipCapabilities all = SipCapabilities.RawCommand;
        void Add(SipCapabilities capability, bool has) => all |= has ? capability : 0;

        bool events = login.HasCallEvents;
        bool dialplan = May("Redirect", "Getvar") && (login.HasDialplan || May("DialplanExtensionAdd"));
        Add(SipCapabilities.CallEvents | SipCapabilities.CallDetailRecords, events);
        Add(SipCapabilities.MakeCall, events && May("Originate"));
        Add(SipCapabilities.HangUp, May("Hangup"));
        Add(SipCapabilities.ListCalls, May("CoreShowChannels"));
        Add(SipCapabilities.BlindTransfer, events && May("BlindTransfer", "Redirect", "Getvar", "Hangup"));
        Add(SipCapabilities.AttendedTransfer, events && login.TransferCode is not null && May("Atxfer", "CancelAtxfer", "Getvar", "Hangup"));
        Add(SipCapabilities.Hold, events && dialplan && May("Bridge"));
        // A room is looked at before anybody is moved into it.
        Add(SipCapabilities.Conference, events && dialplan && May("ConfbridgeListRooms"));
        Add(SipCapabilities.ConferenceList, May("ConfbridgeListRooms", "ConfbridgeList"));
        Add(SipCapabilities.ConferenceControl, May("ConfbridgeKick", "ConfbridgeMute", "ConfbridgeUnmute", "ConfbridgeLock", "ConfbridgeUnlock"));
        Add(SipCapabilities.ConferenceRecording, events && May("ConfbridgeStartRecord", "ConfbridgeStopRecord"));
        Add(SipCapabilities.Recording, events && May("MixMonitor", "StopMixMonitor", "MixMonitorMute"));
        Add(SipCapabilities.Dtmf, May("PlayDTMF"));
        Add(SipCapabilities.Variables, May("Getvar", "Setvar"));
        Add(SipCapabilities.Answer, events && dialplan);
        Add(SipCapabilities.Reject, May("Hangup"));
        Add(SipCapabilities.Registrations, May("PJSIPShowContacts", "PJSIPShowAors"));
        Add(SipCapabilities.Gateways, May("PJSIPShowEndpoints"));
        Add(SipCapabilities.Queues, May("QueueStatus"));
        Add(SipCapabilities.Statistics, May("CoreStatus", "CoreSettings"));
        return all;
    }
}
