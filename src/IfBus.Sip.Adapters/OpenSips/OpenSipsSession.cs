using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>What a connect learnt of its server.</summary>
/// <param name="Version">For instance OpenSIPS 3.6.8.</param>
/// <param name="StartedAt">When it started, UTC.</param>
/// <param name="Commands">The MI commands of the modules that are loaded.</param>
/// <param name="Events">The events that it is subscribed to; none without a listener.</param>
internal sealed record OpenSipsLogin(string Version, DateTime? StartedAt, IReadOnlySet<string> Commands, IReadOnlySet<string> Events)
{
    /// <summary>Name and number in what the server says of its version: "OpenSIPS (3.6.8 (x86_64/linux))".</summary>
    public static string ReadVersion(string said) => said.Replace("(", "", StringComparison.Ordinal).Split(' ') is [var name, var number, ..] ? $"{name} {number}" : said;
}

/// <summary>A connected server.</summary>
internal sealed class OpenSipsSession : ISipSession, IDisposable
{
    /// <summary>Events that are subscribed where the server has them. E_UL_ and the like are only handed on.</summary>
    public static readonly string[] WantedEvents =
    [
        "E_DLG_STATE_CHANGED", "E_ACC_CDR", "E_ACC_MISSED_EVENT", "E_ACC_EVENT", "E_CALL_TRANSFER", "E_CALL_HOLD", "E_UA_SESSION",
        "E_UL_CONTACT_INSERT", "E_UL_CONTACT_DELETE", "E_DISPATCHER_STATUS", "E_LOAD_BALANCER_STATUS",
    ];

    private readonly HttpServerClient _http;
    private readonly SemaphoreSlim _signal = new(0, 1);
    private readonly CancellationTokenSource _end = new();

    public OpenSipsSession(HttpServerClient http, MiClient mi, OpenSipsLogin login)
    {
        _http = http;
        Mi = mi;
        Login = login;
        Capabilities = Learn(login);
    }

    public MiClient Mi { get; }

    public OpenSipsLogin Login { get; }

    /// <summary>Beats; set once the calls have been read.</summary>
    public HttpPulse? Pulse { get; set; }

    /// <summary>Takes back what the server was asked to send.</summary>
    public Func<CancellationToken, Task>? Leave { get; init; }

    /// <summary>Ends with the session.</summary>
    public CancellationToken Ended => _end.Token;

    /// <inheritdoc/>
    public Task<Exception> Closed => Pulse!.Closed;

    /// <inheritdoc/>
    public string Version => Login.Version;

    /// <inheritdoc/>
    public DateTime? StartedAt => Login.StartedAt;

    /// <inheritdoc/>
    public SipCapabilities Capabilities { get; }

    /// <summary>True if the server tells of its dialogs by itself.</summary>
    public bool HasCallEvents => Login.Events.Contains("E_DLG_STATE_CHANGED");

    /// <summary>Calls between two numbers can be made.</summary>
    public bool CanJoin => Login.Commands.Contains("b2b_trigger_scenario") && Login.Commands.Contains("b2b_list");

    /// <summary>Calls of one leg can be made, and are told of.</summary>
    public bool CanCallOne => Login.Commands.Contains("ua_session_client_start") && Login.Events.Contains("E_UA_SESSION");

    /// <summary>The list of dialogs, with what is held where the server tells it.</summary>
    public string DialogList => Login.Commands.Contains("dlg_list_ctx") ? "dlg_list_ctx" : "dlg_list";

    /// <inheritdoc/>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Not for long: what is not taken back runs out by itself.
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(2));
            if (Leave is not null && Pulse?.Closed.IsCompleted == false) await Leave(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SipException or OperationCanceledException)
        {
            // It is gone, or slow.
        }
        finally
        {
            Dispose();
        }
    }

    /// <summary>Lets go of everything.</summary>
    public void Dispose()
    {
        // Not disposed of: its loops may still look at the token.
        _end.Cancel();
        Pulse?.Dispose();
        _http.Dispose();
    }

    /// <summary>Something is to be looked at soon.</summary>
    public void Wake()
    {
        lock (_signal)
        {
            if (_signal.CurrentCount == 0) _signal.Release();
        }
    }

    /// <summary>Waits for <see cref="Wake"/>, or the time if there is one.</summary>
    public async Task WaitAsync(TimeSpan? limit, TimeProvider time)
    {
        if (limit is not { } interval)
        {
            await _signal.WaitAsync(_end.Token).ConfigureAwait(false);
            return;
        }

        using var cut = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        await Task.WhenAny(_signal.WaitAsync(cut.Token), Task.Delay(interval, time, cut.Token)).ConfigureAwait(false);
        await cut.CancelAsync().ConfigureAwait(false);
        _end.Token.ThrowIfCancellationRequested();
    }

    // Exactly what the server's modules let one do, and what can be seen of the result.
    private static SipCapabilities Learn(OpenSipsLogin login)
    {
        SipCapabilities all = SipCapabilities.RawCommand;
        bool Has(params string[] commands) => commands.All(login.Commands.Contains);
        bool Tells(params string[] events) => events.All(login.Events.Contains);
        void Add(SipCapabilities capability, bool can) => all |= can ? capability : 0;

        Add(SipCapabilities.ListCalls, Has("dlg_list") || Has("b2b_list"));
        Add(SipCapabilities.CallEvents, Tells("E_DLG_STATE_CHANGED"));
        Add(SipCapabilities.CallDetailRecords, Tells("E_ACC_CDR") || Tells("E_ACC_MISSED_EVENT"));
        Add(SipCapabilities.MakeCall, Has("b2b_trigger_scenario", "b2b_list") || (Has("ua_session_client_start") && Tells("E_UA_SESSION")));
        Add(SipCapabilities.HangUp, Has("dlg_end_dlg") || Has("b2b_terminate_call") || Has("ua_session_terminate"));
        Add(SipCapabilities.BlindTransfer, (Has("call_transfer") && Tells("E_CALL_TRANSFER", "E_DLG_STATE_CHANGED")) || Has("b2b_bridge", "b2b_list"));
        Add(SipCapabilities.AttendedTransfer, Has("call_transfer", "dlg_end_dlg") && Tells("E_CALL_TRANSFER", "E_DLG_STATE_CHANGED"));
        Add(SipCapabilities.Hold, Has("call_hold", "call_unhold") && Tells("E_CALL_HOLD"));
        Add(SipCapabilities.Registrations, Has("ul_dump"));
        Add(SipCapabilities.RegistrationControl, Has("ul_add", "ul_rm", "ul_rm_contact", "ul_show_contact"));
        Add(SipCapabilities.Gateways, Has("ds_list") || Has("lb_list") || Has("reg_list"));
        Add(SipCapabilities.GatewayControl, Has("ds_set_state") || Has("lb_status") || Has("reg_enable"));
        Add(SipCapabilities.Statistics, Has("get_statistics"));
        return all;
    }
}
