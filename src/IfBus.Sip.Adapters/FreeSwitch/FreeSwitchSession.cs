using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>What a login learnt of its server.</summary>
/// <param name="Version">For instance FreeSWITCH 1.10.12.</param>
/// <param name="StartedAt">When the server started, UTC; null if it does not tell this login.</param>
/// <param name="CoreUuid">New at every start of the server; null if it was not told.</param>
/// <param name="Commands">The api commands that the server has and this login may use.</param>
/// <param name="Applications">The dialplan applications; null if this login may not list them.</param>
/// <param name="FileFormats">File extensions that the server can write; null if this login may not list them.</param>
/// <param name="Events">The events that it is sent.</param>
/// <param name="Channels">show channels as json; null if it may not be asked.</param>
/// <param name="RecordingFolder">Global variable recordings_dir.</param>
/// <param name="HoldMusic">True if global variable hold_music names something to play.</param>
internal sealed record FreeSwitchLoginResult(
    string Version,
    DateTime? StartedAt,
    string? CoreUuid,
    IReadOnlySet<string> Commands,
    IReadOnlySet<string>? Applications,
    IReadOnlyList<string>? FileFormats,
    IReadOnlySet<string> Events,
    string? Channels,
    string? RecordingFolder,
    bool HoldMusic);

/// <summary>
/// A logged-in session and what its login learnt. Calls that are asked for side by side go over a second connection:
/// the server serves each with one thread, which reads a command byte by byte, with a system call or two for each, and
/// waits until a job's own thread runs before it sends another event (read in mod_event_socket of 1.10.12).
/// </summary>
internal sealed class FreeSwitchSession : ISipSession
{
    // So many under way at once are a burst: for fewer a second connection is not worth its login.
    private const int Burst = 8;

    private readonly SecondConnection<EslSession> _second;
    private int _originating;

    /// <summary>Takes a session that is logged in.</summary>
    public FreeSwitchSession(EslSession esl, FreeSwitchLoginResult login, Func<Task<EslSession>> openSecond)
    {
        Esl = esl;
        Login = login;
        HasCallEvents = CallEvents.All(login.Events.Contains);
        Capabilities = Learn(login);
        _second = new SecondConnection<EslSession>(openSecond, static s => s.Closed, static s => s.ExitAsync(CancellationToken.None));
        _ = esl.Closed.ContinueWith(static (_, s) => _ = ((FreeSwitchSession)s!)._second.CloseAsync(), this, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>
    /// Without these the outcome of a call cannot be seen. Each costs the server about 5 % of the calls that it can make a
    /// second. CHANNEL_HANGUP and CHANNEL_DESTROY say nothing that CHANNEL_HANGUP_COMPLETE does not: a channel that was
    /// created always has that (no recording has one without, nor has the state machine of 1.10.12 a way past it).
    /// </summary>
    public static readonly string[] CallEvents =
    [
        "CHANNEL_CREATE", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA", "CHANNEL_ANSWER", "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_EXECUTE",
        "CHANNEL_HANGUP_COMPLETE", "BACKGROUND_JOB",
    ];

    /// <summary>The connection.</summary>
    public EslSession Esl { get; }

    /// <summary>What it learnt.</summary>
    public FreeSwitchLoginResult Login { get; }

    /// <summary>False if the login is not sent all events that calls are followed by.</summary>
    public bool HasCallEvents { get; }

    /// <inheritdoc/>
    public Task<Exception> Closed => Esl.Closed;

    /// <inheritdoc/>
    public string Version => Login.Version;

    /// <inheritdoc/>
    public DateTime? StartedAt => Login.StartedAt;

    /// <inheritdoc/>
    public SipCapabilities Capabilities { get; }

    /// <inheritdoc/>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        Task leaving = _second.CloseAsync();
        await Esl.ExitAsync(cancellationToken).ConfigureAwait(false);
        await leaving.ConfigureAwait(false);
    }

    /// <summary>Starts an originate as a job of the given id and returns what the server says of that; the job's result is an event, and may come before.</summary>
    /// <exception cref="SipTimeoutException">No reply in time. The call may be placed; it is not asked for again.</exception>
    /// <exception cref="SipConnectionException">The connection is gone. If the command had been sent, OutcomeUnknown is set.</exception>
    public async Task<EslReply> OriginateAsync(string command, string jobId, CancellationToken cancellationToken)
    {
        EslSession over = _second.TryGet(wanted: Interlocked.Increment(ref _originating) > Burst) ?? Esl;
        try
        {
            return await over.CommandAsync("originate", "bgapi " + command, cancellationToken, jobId).ConfigureAwait(false);
        }
        catch (SipConnectionException e) when (e.NothingDone && over != Esl)
        {
            // It died before it was used.
            return await Esl.CommandAsync("originate", "bgapi " + command, cancellationToken, jobId).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _originating);
        }
    }

    // Exactly what the server lets this login do, and what can be composed of it.
    private static SipCapabilities Learn(FreeSwitchLoginResult login)
    {
        bool events = CallEvents.All(login.Events.Contains);
        SipCapabilities all = 0;
        void Add(SipCapabilities capability, bool needed, params string[] commands) => all |= needed && commands.All(login.Commands.Contains) ? capability : 0;

        Add(SipCapabilities.RawCommand, login.Commands.Count > 0);
        Add(SipCapabilities.CallEvents | SipCapabilities.CallDetailRecords, events);
        Add(SipCapabilities.MakeCall | SipCapabilities.Failover, events, "originate");
        Add(SipCapabilities.HangUp, true, "uuid_kill");
        Add(SipCapabilities.ListCalls, true, "show");
        Add(SipCapabilities.BlindTransfer, events, "uuid_transfer", "uuid_kill");
        Add(SipCapabilities.AttendedTransfer, events, "uuid_transfer", "uuid_bridge", "uuid_setvar", "originate", "uuid_kill");
        Add(SipCapabilities.Hold, login.Events.Contains("CHANNEL_HOLD") && login.Events.Contains("CHANNEL_UNHOLD"), "uuid_hold");
        Add(SipCapabilities.Conference, events && login.Events.Contains("CUSTOM"), "uuid_transfer", "conference");
        Add(SipCapabilities.ConferenceList | SipCapabilities.ConferenceControl, true, "conference");
        Add(SipCapabilities.ConferenceRecording, login.RecordingFolder is not null, "conference");
        Add(SipCapabilities.Recording, login.Events.Contains("RECORD_START") && login.Events.Contains("RECORD_STOP") && login.RecordingFolder is not null, "uuid_record");
        Add(SipCapabilities.Dtmf, true, "uuid_send_dtmf");
        Add(SipCapabilities.Variables, true, "uuid_getvar", "uuid_setvar", "uuid_exists");
        Add(SipCapabilities.Answer, events, "uuid_answer");
        Add(SipCapabilities.Reject, true, "uuid_kill");
        Add(SipCapabilities.Registrations, true, "show");
        Add(SipCapabilities.Gateways, true, "sofia");
        Add(SipCapabilities.Statistics, true, "status");
        return all;
    }
}
