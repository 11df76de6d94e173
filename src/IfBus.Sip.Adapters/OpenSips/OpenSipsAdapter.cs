using System.Globalization;
using System.Net;
using System.Text.Json;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using IfBus.Sip.Adapters.Http;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>OpenSIPS 3.6 over its management interface (mi_http) and event stream (event_stream).</summary>
internal sealed partial class OpenSipsAdapter : SipAdapterBase<OpenSipsSession>
{
    /// <summary>httpd's usual port.</summary>
    public const int DefaultPort = 8888;

    /// <summary>mi_http's usual root.</summary>
    public const string DefaultPath = "/mi";

    /// <summary>The usrloc table where numbers are looked up unless connection or call say otherwise.</summary>
    public const string DefaultTable = "location";

    /// <summary>Larger requests hang whatever receive_buf_size is (30 kB did with 65536, 3.6.8).</summary>
    private const int LargestRequest = 15_000;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    private readonly DetailRecordStore<OpenSipsCall> _records;
    private readonly OpenSipsMapper _mapper;
    private readonly ITimer _timer;
    private EventListener? _listener;
    private OpenSipsSession? _current;
    private DateTime? _startedBefore;
    private bool _connectedBefore;

    public OpenSipsAdapter(SipServerConfiguration configuration, ILogger log, TimeProvider time)
        : base(configuration, SipServerType.OpenSips, configuration.Port ?? DefaultPort, log, time)
    {
        _records = new DetailRecordStore<OpenSipsCall>(configuration.HistorySize);
        _mapper = new OpenSipsMapper(Name, Calls, Events, _records, time, log) { LookUp = LookUpLater, LateHangup = HangUpLate };
        _timer = time.CreateTimer(static s => ((OpenSipsAdapter)s!).OnTick(), this, Tick, Tick);
    }

    /// <summary>For tests: what the server connects to.</summary>
    internal EventListener? Listener => _listener;

    /// <summary>The rules of this kind of server.</summary>
    public static void Check(SipServerConfiguration c, List<SipConfigurationProblem> problems)
    {
        if (c.EndpointTemplate is { } template && OpenSipsNumbers.TemplateProblem(template) is { } rule) problems.Add(new SipConfigurationProblem("EndpointTemplate", template, rule));
        if (c is { Credential: not null, ApiKey: not null }) problems.Add(new SipConfigurationProblem("ApiKey", null, "goes instead of Credential, not with it."));
        if (c.Credential is { } login && (login.UserName.Contains(':', StringComparison.Ordinal) || login.UserName.Any(char.IsControl) || login.Password.Any(char.IsControl)))
            problems.Add(new SipConfigurationProblem("Credential", login.UserName, "the login of a reverse proxy (Basic): no : in the user, no control characters."));
        if (c.EventAddress is { } address && !ConfigurationValidator.TryAddress(address, "127.0.0.1", out string host, out _)) return;
        if (c.EventAddress is { } events)
        {
            ConfigurationValidator.TryAddress(events, "", out host, out _);
            bool local = c.Host is { } server && WireEndpoint.IsLoopback(server);
            if (host.Length == 0 && !local) problems.Add(new SipConfigurationProblem("EventAddress", events, "host:port, the address of this machine at which that server reaches it."));
            else if (host.Length > 0 && !WireEndpoint.IsLoopback(host) && !IPAddress.TryParse(host, out _)) problems.Add(new SipConfigurationProblem("EventAddress", events, "address:port with an IP address of this machine."));
        }

        CallRules.CheckContext(c.Context, problems);
    }

    /// <summary>Fills in what is not given.</summary>
    public static void Complete(SipServerConfiguration c)
    {
        c.Port ??= DefaultPort;
        c.Path ??= DefaultPath;
        c.Context ??= DefaultTable;
    }

    protected override async Task<OpenSipsSession> OpenAsync(CancellationToken cancellationToken)
    {
        var endpoint = new WireEndpoint(Configuration.Host!, Port, Configuration.UseTls, Configuration.SkipCertificateCheck) { Authority = Configuration.CertificateAuthority };
        bool secret = Configuration.Credential is not null || Configuration.ApiKey is not null;
        if (secret && !Configuration.UseTls && !WireEndpoint.IsLoopback(Configuration.Host!)) Log.ClearText(Logger, Name, Configuration.Host!);
        _current?.Dispose();
        OpenSipsSession? session = null;
        var http = new HttpServerClient(
            new HttpSettings
            {
                Name = Name,
                Endpoint = endpoint,
                ConnectTimeout = Configuration.ConnectTimeout,
                RequestTimeout = Configuration.RequestTimeout,
                Authorization = Configuration.ApiKey is { } key ? HttpSettings.Bearer(key) : Configuration.Credential is { } login ? HttpSettings.Basic(login.UserName, login.Password) : null,
                // httpd closes idle connections after 30 s.
                IdleTimeout = TimeSpan.FromSeconds(25),
                MaxRequestBytes = LargestRequest,
                MaxRequestRule = "receive_buf_size of its module httpd",
                // Its errors have a head and a body that never comes.
                ErrorBodyTime = TimeSpan.FromMilliseconds(200),
            },
            Time);
        try
        {
            http.Failed = _ => session?.Pulse?.Look();
            var mi = new MiClient(new JsonRpcClient(http, Name, Configuration.Path ?? DefaultPath, Logger), Name);
            OpenSipsLogin learnt = await LogInAsync(mi, cancellationToken).ConfigureAwait(false);
            session = new OpenSipsSession(http, mi, learnt) { Leave = token => learnt.Events.Count > 0 ? SubscribeAsync(mi, learnt.Events, token, 0) : Task.CompletedTask };
            _mapper.HasReasons = learnt.Events.Contains("E_ACC_MISSED_EVENT") || learnt.Events.Contains("E_ACC_EVENT");
            bool restarted = _startedBefore is { } before && learnt.StartedAt is { } now && now - before > TimeSpan.FromSeconds(3);
            _current = session;
            int changed = await ReadCallsAsync(session, restarted ? HangupCause.ServerRestarted : null, _connectedBefore, cancellationToken, reconnected: _connectedBefore).ConfigureAwait(false);
            if (_connectedBefore)
            {
                Log.Reconciled(Logger, Name, Calls.LiveCount, changed);
                TellLost(changed, "while the server could not be reached");
            }

            _connectedBefore = true;
            _startedBefore = learnt.StartedAt ?? _startedBefore;
            OpenSipsSession opened = session;
            opened.Pulse = HttpPulse.Start(token => BeatAsync(opened, token), Configuration.KeepAlive, Time);
            _ = Task.Run(() => WatchAsync(opened), CancellationToken.None);
            return opened;
        }
        catch
        {
            if (session is not null) session.Dispose();
            else http.Dispose();
            throw;
        }
    }

    protected override async Task<IReadOnlyList<SipCall>> GetCallsAsync(OpenSipsSession session, CancellationToken cancellationToken)
    {
        await ReadCallsAsync(session, null, afterLoss: false, cancellationToken).ConfigureAwait(false);
        return Calls.SnapshotLive();
    }

    protected override Task<IReadOnlyList<SipCallDetailRecord>> GetCallDetailRecordsAsync(OpenSipsSession session, SipDetailRecordFilter filter, CancellationToken cancellationToken)
    {
        if (filter.CallId is { } wanted) filter = filter with { CallId = (FindCall(wanted) ?? throw NoSuchCall(wanted)).CallId };
        return Task.FromResult<IReadOnlyList<SipCallDetailRecord>>(_records.Find(filter));
    }

    protected override async Task<SipCommandResult> InvokeCommandAsync(OpenSipsSession session, SipCommandRequest request, CancellationToken cancellationToken)
    {
        RpcParameters parameters = OpenSipsCommands.Raw(request);
        JsonElement result;
        try
        {
            result = await session.Mi.DoAsync(request.Name, parameters, cancellationToken).ConfigureAwait(false);
        }
        catch (SipRejectedException e)
        {
            return new SipCommandResult { Server = Name, Command = request.Name, Success = false, Message = e.ServerCode is { } code ? string.Create(CultureInfo.InvariantCulture, $"{code} {e.ServerText}") : e.ServerText };
        }

        bool isText = result.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array);
        return new SipCommandResult
        {
            Server = Name,
            Command = request.Name,
            Success = true,
            Message = isText ? MiJson.Shown(result) : null,
            Output = [isText ? MiJson.Shown(result) : result.GetRawText()],
            Fields = MiJson.Fields(result),
            Items = result.ValueKind == JsonValueKind.Array ? [.. result.EnumerateArray().Where(i => i.ValueKind == JsonValueKind.Object).Select(MiJson.Fields)] : [],
        };
    }

    protected override async Task<SipServerHealth> MeasureAsync(OpenSipsSession session, SipServerHealth health, CancellationToken cancellationToken)
    {
        long begin = Time.GetTimestamp();
        JsonElement uptime = await session.Mi.AskAsync("uptime", RpcParameters.None, cancellationToken).ConfigureAwait(false);
        TimeSpan latency = Time.GetElapsedTime(begin);
        int? active = null;
        if (session.Login.Commands.Contains("get_statistics"))
        {
            JsonElement counters = await session.Mi.AskAsync("get_statistics", RpcParameters.Of(RpcValue.List("active_dialogs", "early_dialogs")), cancellationToken).ConfigureAwait(false);
            active = Sum(MiJson.Number(counters, "dialog:active_dialogs"), MiJson.Number(counters, "dialog:early_dialogs"));
        }

        return health with { Latency = latency, ActiveCalls = active, Uptime = Uptime(uptime) };
    }

    protected override SipNotSupportedException NotSupported(OpenSipsSession session, SipCapabilities needed)
    {
        string Commands(string module, params string[] names) => names.FirstOrDefault(n => !session.Login.Commands.Contains(n)) is { } missing ? $"the server has no command {missing}: its script must load {module}" : $"{module} is not all there";
        string Told(string what, string module) => _listener is null ? "events are needed, and no -EventAddress was given at which the server reaches this machine" : $"the server has no event {what}: its script must load {module}, and event_stream for the way";
        string why = needed switch
        {
            _ when (needed & SipCapabilities.Failover) != 0 => "it calls each party at one address",
            SipCapabilities.MakeCall => Commands("b2b_logic.so and b2b_entities.so", "b2b_trigger_scenario", "b2b_list"),
            SipCapabilities.HangUp => Commands("dialog.so", "dlg_end_dlg"),
            SipCapabilities.ListCalls => Commands("dialog.so", "dlg_list"),
            SipCapabilities.CallEvents => Told("E_DLG_STATE_CHANGED", "dialog.so"),
            SipCapabilities.CallDetailRecords => Told("E_ACC_CDR", "acc.so and do_accounting(\"evi\", \"cdr|missed|failed\")"),
            SipCapabilities.BlindTransfer or SipCapabilities.AttendedTransfer => session.Login.Commands.Contains("call_transfer") ? Told("E_CALL_TRANSFER", "callops.so") : Commands("callops.so", "call_transfer"),
            SipCapabilities.Hold => session.Login.Commands.Contains("call_hold") ? Told("E_CALL_HOLD", "callops.so") : Commands("callops.so", "call_hold", "call_unhold"),
            SipCapabilities.Registrations or SipCapabilities.RegistrationControl => Commands("usrloc.so", "ul_dump", "ul_add", "ul_rm"),
            SipCapabilities.Gateways or SipCapabilities.GatewayControl => Commands("dispatcher.so, load_balancer.so or uac_registrant.so", "ds_list", "lb_list", "reg_list"),
            SipCapabilities.Statistics => Commands("statistics.so", "get_statistics"),
            SipCapabilities.Variables => "dialog values can be written (dlg_push_var with Invoke-SipCommand) and are not read back by name",
            SipCapabilities.Answer or SipCapabilities.Reject => "a proxy does not answer calls; a ringing one can be ended (Stop-SipCall)",
            SipCapabilities.Queues => "it has no queues that this module reads",
            _ => "a SIP proxy has no media: conferences, recordings and tones need a media server",
        };
        return new SipNotSupportedException($"{Name} cannot do this ({needed}): {why}. Nothing was sent.", needed);
    }

    protected override void OnLeft()
    {
        _timer.Dispose();
        _listener?.Dispose();
    }

    private static int? Sum(long? one, long? other) => one is null && other is null ? null : (int)Math.Clamp((one ?? 0) + (other ?? 0), 0, int.MaxValue);

    // "75 [sec]"
    private static TimeSpan? Uptime(JsonElement reply) =>
        MiJson.Text(reply, "Up time") is { } text && long.TryParse(text.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out long seconds) && seconds < 10_000_000_000 ? TimeSpan.FromSeconds(seconds) : null;

    private void OnTick()
    {
        if (_mapper.HasWaiting) _mapper.OnTick();
    }
}
