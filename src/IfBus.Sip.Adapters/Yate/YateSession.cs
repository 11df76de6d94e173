namespace IfBus.Sip.Adapters.Yate;

/// <summary>What a connection learnt of its engine.</summary>
/// <param name="Version">For instance Yate 6.4.1.</param>
/// <param name="RunId">New at every start of the engine: the second of its start, by its clock.</param>
/// <param name="Watching">The messages that are told.</param>
/// <param name="Modules">The names of loaded modules that have a status.</param>
/// <param name="Drivers">Of these the ones with channels.</param>
internal sealed record YateLoginResult(string Version, string RunId, IReadOnlySet<string> Watching, IReadOnlySet<string> Modules, IReadOnlyList<string> Drivers)
{
    /// <summary>True if the engine tells what becomes of calls.</summary>
    public bool HasCallEvents { get; } = YateMapper.Watched.Take(8).All(Watching.Contains);

    /// <summary>Where a leg goes that waits: music if there is some.</summary>
    public string Music => Modules.Contains("moh") ? "moh/default" : "tone/silence";
}

/// <summary>A session that may be used, and what its login learnt.</summary>
internal sealed class YateSession(ExtModuleSession engine, YateLoginResult login) : ISipSession
{
    /// <summary>The connection.</summary>
    public ExtModuleSession Engine => engine;

    /// <summary>What it learnt.</summary>
    public YateLoginResult Login => login;

    /// <inheritdoc/>
    public Task<Exception> Closed => engine.Closed;

    /// <inheritdoc/>
    public string Version => login.Version;

    /// <inheritdoc/>
    public DateTime? StartedAt { get; } = long.TryParse(login.RunId, System.Globalization.CultureInfo.InvariantCulture, out long seconds) && seconds is > 946_684_800 and < 100_000_000_000 ? DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime : null;

    /// <inheritdoc/>
    public SipCapabilities Capabilities { get; } = Learn(login);

    /// <inheritdoc/>
    public Task CloseAsync(CancellationToken cancellationToken) => engine.QuitAsync();

    // Exactly what the loaded modules allow, and what can be composed of it.
    private static SipCapabilities Learn(YateLoginResult login)
    {
        SipCapabilities all = SipCapabilities.RawCommand | SipCapabilities.HangUp | SipCapabilities.Statistics | SipCapabilities.Reject | SipCapabilities.Routing;
        void Add(SipCapabilities capability, bool needed, params string[] modules) => all |= needed && modules.All(login.Modules.Contains) ? capability : 0;

        Add(SipCapabilities.CallEvents, login.HasCallEvents);
        Add(SipCapabilities.MakeCall, login.HasCallEvents, "dumb");
        Add(SipCapabilities.ListCalls, true, "cdrbuild");
        Add(SipCapabilities.CallDetailRecords, login.HasCallEvents, "cdrbuild");
        Add(SipCapabilities.BlindTransfer | SipCapabilities.AttendedTransfer | SipCapabilities.Hold, login.HasCallEvents, "pbx");
        Add(SipCapabilities.Conference | SipCapabilities.ConferenceList | SipCapabilities.ConferenceControl, login.HasCallEvents, "conf");
        Add(SipCapabilities.ConferenceRecording, login.HasCallEvents, "conf", "wave");
        Add(SipCapabilities.Recording, true, "wave", "pbx");
        Add(SipCapabilities.Dtmf | SipCapabilities.Answer, login.HasCallEvents);
        return all;
    }
}
