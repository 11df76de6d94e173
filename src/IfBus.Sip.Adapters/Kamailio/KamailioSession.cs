using System.Text.Json;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.Kamailio;

/// <summary>
/// A Kamailio that answers, and what was learnt of it. There is no connection to lose: the server counts as gone when it
/// no longer answers the questions that are asked of it all the time, or when its event socket closes.
/// </summary>
internal sealed class KamailioSession : ISipSession
{
    private readonly HttpServerClient _http;
    private readonly WireConnection? _events;
    private readonly HttpPulse _pulse;

    public KamailioSession(HttpServerClient http, JsonRpcClient rpc, WireConnection? events, KamailioLogin login, Func<KamailioSession, CancellationToken, Task> poll, Func<TimeSpan> interval, TimeProvider time)
    {
        _http = http;
        _events = events;
        Rpc = rpc;
        Login = login;
        Capabilities = Learn(login, events is not null);
        _pulse = HttpPulse.Start(token => poll(this, token), interval, time);
        http.Failed = _ => _pulse.Look();
        if (events is not null) _ = events.Closed.ContinueWith(t => _pulse.End(EventsGone(t.Result)), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Runs procedures.</summary>
    public JsonRpcClient Rpc { get; }

    /// <summary>What was learnt.</summary>
    public KamailioLogin Login { get; }

    /// <summary>True if the script's events come.</summary>
    public bool HasEvents => _events is not null;

    /// <inheritdoc/>
    public Task<Exception> Closed => _pulse.Closed;

    /// <inheritdoc/>
    public string Version => Login.Version;

    /// <inheritdoc/>
    public DateTime? StartedAt => Login.StartedAt;

    /// <inheritdoc/>
    public SipCapabilities Capabilities { get; }

    /// <summary>
    /// Calls that ring can be given up. Before 6.1 tm.cancel drops its transaction while the server's tables still have
    /// it ("removed cell is still linked in hash table", seen on 5.6.3).
    /// </summary>
    public bool CanCancel => Login.Methods.Contains("tm.cancel") && System.Version.TryParse(Login.Version.Split(' ')[^1].Split('-')[0], out Version? number) && number >= new Version(6, 1);

    /// <summary>Looks at the list of calls now.</summary>
    public void Look() => _pulse.Look();

    /// <inheritdoc/>
    public async Task CloseAsync(CancellationToken cancellationToken)
    {
        _pulse.Dispose();
        if (_events is not null) await _events.DisposeAsync().ConfigureAwait(false);
        _http.Dispose();
    }

    /// <summary>Lets go of what a session that was lost still holds.</summary>
    public void Release() => _ = CloseAsync(CancellationToken.None);

    private static SipConnectionException EventsGone(Exception reason) => new($"The event socket was lost: {SipText.Reason(reason)}.", reason, "SipConnectionLost");

    private static SipCapabilities Learn(KamailioLogin login, bool events)
    {
        SipCapabilities all = SipCapabilities.RawCommand;
        void Add(SipCapabilities capability, params string[] methods) => all |= methods.All(login.Methods.Contains) ? capability : 0;

        Add(SipCapabilities.ListCalls | SipCapabilities.CallDetailRecords, "dlg.list");
        Add(SipCapabilities.MakeCall, "dlg.list", "dlg.bridge_dlg");
        Add(SipCapabilities.HangUp, "dlg.list", "dlg.dlg_list", "dlg.end_dlg");
        Add(SipCapabilities.Registrations, "ul.dump");
        Add(SipCapabilities.RegistrationControl, "ul.dump", "ul.add", "ul.rm", "ul.rm_contact", "ul.lookup");
        if (login.Methods.Contains("dispatcher.list") || login.Methods.Contains("uac.reg_dump")) all |= SipCapabilities.Gateways;
        Add(SipCapabilities.GatewayControl, "dispatcher.list", "dispatcher.set_state", "dispatcher.reload");
        Add(SipCapabilities.Statistics, "stats.fetchn");
        if (events) all |= SipCapabilities.CallEvents;
        return all;
    }
}

/// <summary>What is learnt of a server when it is connected.</summary>
/// <param name="Version">For instance Kamailio 5.6.3.</param>
/// <param name="StartedAt">When it started, UTC.</param>
/// <param name="Methods">The procedures that it has.</param>
internal sealed record KamailioLogin(string Version, DateTime? StartedAt, IReadOnlySet<string> Methods)
{
    /// <summary>Name and number in what the server says of its version, "kamailio 5.6.3 (x86_64/linux) "; null if it is none.</summary>
    public static string? ReadVersion(string said) =>
        said.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var name, var number, ..] && name.Equals("kamailio", StringComparison.OrdinalIgnoreCase) ? "Kamailio " + SipText.Printable(number) : null;

    /// <summary>Asks for it.</summary>
    /// <exception cref="SipAuthenticationException">The script wants a login.</exception>
    public static async Task<KamailioLogin> RunAsync(JsonRpcClient rpc, TimeProvider time, CancellationToken cancellationToken)
    {
        JsonElement version = await rpc.CallAsync("core.version", RpcParameters.None, RpcOptions.Read, cancellationToken).ConfigureAwait(false);
        if (version.ValueKind != JsonValueKind.String || ReadVersion(version.GetString()!) is not { } name)
            throw new SipProtocolException($"What answers is no Kamailio: core.version says '{SipText.Printable(KamailioFieldReader.Text(version))}'.");
        JsonElement uptime = await rpc.CallAsync("core.uptime", RpcParameters.None, RpcOptions.Read, cancellationToken).ConfigureAwait(false);
        long? seconds = uptime.ValueKind == JsonValueKind.Object ? KamailioDialog.Number(uptime, "uptime") : null;
        List<string>? names = await rpc.ListAsync("system.listMethods", RpcParameters.None, RpcOptions.Read, static e => e.ValueKind == JsonValueKind.String ? e.GetString() : null, cancellationToken).ConfigureAwait(false);
        return new KamailioLogin(
            name,
            seconds is >= 0 and < int.MaxValue ? time.GetUtcNow().UtcDateTime - TimeSpan.FromSeconds(seconds.Value) : null,
            (names ?? []).ToHashSet(StringComparer.Ordinal));
    }
}
