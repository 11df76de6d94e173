using System.Text.Json;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using IfBus.Sip.Adapters.Http;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Kamailio;

/// <summary>Kamailio 5.6 and later, a proxy, over JSON-RPC on HTTP, with its script's events over evapi where it has them.</summary>
internal sealed partial class KamailioAdapter : SipAdapterBase<KamailioSession>
{
    /// <summary>Any listener of the server speaks HTTP, also that for SIP.</summary>
    public const int DefaultPort = 5060;

    /// <summary>The path that the documentation's scripts test.</summary>
    public const string DefaultPath = "/RPC";

    // tcp_rd_buf_size is 16384 where it is not set; requests of 15 kB passed, 17 kB did not (wire notes).
    private const int MaxRequest = 15_000;
    private const int ManyCalls = 100;

    // The server tells its age in whole seconds.
    private static readonly TimeSpan RestartMargin = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Impatience = TimeSpan.FromMilliseconds(250);

    // Of many calls that are made at once each asks for a look; one list shows them all.
    private static readonly TimeSpan Gap = TimeSpan.FromMilliseconds(50);

    private readonly DetailRecordStore<KamailioCall> _records;
    private readonly KamailioMapper _mapper;
    private KamailioSession? _current;
    private DateTime? _startedBefore;
    private bool _connectedBefore;
    private string? _lastCounters;
    private int _skipped;
    private long? _polledAt;

    public KamailioAdapter(SipServerConfiguration configuration, ILogger log, TimeProvider time)
        : base(configuration, SipServerType.Kamailio, configuration.Port ?? DefaultPort, log, time)
    {
        _records = new DetailRecordStore<KamailioCall>(configuration.HistorySize);
        _mapper = new KamailioMapper(Name, Calls, Events, _records, time, log);
    }

    /// <summary>The rules of this kind of server.</summary>
    public static void Check(SipServerConfiguration c, List<SipConfigurationProblem> problems)
    {
        if (c.Credential is { } login)
        {
            if (c.ApiKey is not null) problems.Add(new SipConfigurationProblem("ApiKey", null, "goes instead of Credential: a request has one Authorization header."));
            if (string.IsNullOrEmpty(login.Password) || login.UserName.Contains(':', StringComparison.Ordinal) || (login.UserName + login.Password).Any(char.IsControl))
                problems.Add(new SipConfigurationProblem("Credential", login.UserName, "user and password for HTTP Basic: a password, no colon in the name, no control characters; left out if the server's script asks for none."));
        }

        if (c.EndpointTemplate is { } template && KamailioNumbers.TemplateProblem(template) is { } rule) problems.Add(new SipConfigurationProblem("EndpointTemplate", template, rule));
        if (c.Context is { } proxy && !KamailioNumbers.IsAddress(proxy, needsUser: false)) problems.Add(new SipConfigurationProblem("Context", proxy, "the SIP address that new calls are sent through, for instance sip:127.0.0.1:5060; left out: where the called address says."));
    }

    /// <summary>Fills in what is not given.</summary>
    public static void Complete(SipServerConfiguration c)
    {
        c.Port ??= DefaultPort;
        c.Path ??= DefaultPath;
        string host = c.Host!.Contains(':', StringComparison.Ordinal) && !c.Host.StartsWith('[') ? $"[{c.Host}]" : c.Host;
        c.EndpointTemplate ??= $"sip:{{0}}@{host}";
    }

    protected override async Task<KamailioSession> OpenAsync(CancellationToken cancellationToken)
    {
        bool secret = Configuration.ApiKey is not null || Configuration.Credential is not null;
        if (secret && !Configuration.UseTls && !WireEndpoint.IsLoopback(Configuration.Host!)) Log.ClearText(Logger, Name, Configuration.Host!);
        _current?.Release();
        _current = null;
        _mapper.HasEvents = false;
        var http = new HttpServerClient(Settings(), Time);
        WireConnection? events = null;
        try
        {
            var rpc = new JsonRpcClient(http, Name, Configuration.Path ?? DefaultPath, Logger);
            KamailioLogin login = await KamailioLogin.RunAsync(rpc, Time, cancellationToken).ConfigureAwait(false);
            // Before the list: what happens after it is told.
            events = await OpenEventsAsync(cancellationToken).ConfigureAwait(false);
            _mapper.HasEvents = events is not null;
            if (login.Methods.Contains("dlg.list"))
            {
                bool restarted = _connectedBefore && login.StartedAt is { } now && _startedBefore is { } before && (now - before).Duration() > RestartMargin;
                int gone = await ListAsync(rpc, restarted ? HangupCause.ServerRestarted : HangupCause.EndedUnseen, cancellationToken).ConfigureAwait(false);
                if (_connectedBefore) Log.Reconciled(Logger, Name, Calls.LiveCount, gone);
            }

            _connectedBefore = true;
            _startedBefore = login.StartedAt;
            _lastCounters = null;
            return _current = new KamailioSession(http, rpc, events, login, PollAsync, Interval, Time);
        }
        catch
        {
            if (events is not null) await events.DisposeAsync().ConfigureAwait(false);
            http.Dispose();
            throw;
        }
    }

    protected override void CheckCall(KamailioSession session, SipCallRequest request) => Parties(request);

    protected override async Task<SipCall> MakeCallAsync(KamailioSession session, SipCallRequest request, CallSlot? slot, CancellationToken cancellationToken)
    {
        (string from, string to, string? proxy) = Parties(request);
        HashSet<DialogKey> before = await DialogsOfAsync(session, from, cancellationToken).ConfigureAwait(false);
        var call = new KamailioCall(Guid.NewGuid().ToString(), ours: true)
        {
            Slot = slot,
            From = request.From,
            To = request.To,
            Direction = CallDirection.Outbound,
            CreatedAt = Calls.Now,
            Originate = new KamailioOriginate(from, to, before),
        };
        _mapper.Expect(call);
        try
        {
            RpcParameters parameters = proxy is null ? RpcParameters.Of(from, to) : RpcParameters.Of(from, to, proxy);
            // It answers {} before anything is dialled; what becomes of it only the list of dialogs shows.
            await session.Rpc.CallAsync("dlg.bridge_dlg", parameters, RpcOptions.Change, cancellationToken).ConfigureAwait(false);
        }
        catch (SipException e) when (LeavesOpen(e))
        {
            // It may ring. The call stays in the table: the list tells.
            e.CallId = call.CallId;
            throw;
        }
        catch (OperationCanceledException)
        {
            // The same: given up by the caller, but the server may be calling already.
            throw;
        }
        catch
        {
            _mapper.Forget(call);
            throw;
        }

        session.Look();
        return Shown(call);
    }

    protected override async Task<SipCall> HangUpAsync(KamailioSession session, string callId, HangupCause cause, CancellationToken cancellationToken)
    {
        CallRules.CheckCause(cause);
        KamailioCall call = FindLive<KamailioCall>(callId);
        // Its state as it is now: the command would say success for a call that rings, and do nothing.
        await LookAtAsync(session, call, cancellationToken).ConfigureAwait(false);
        CallWaiter waiter = Calls.Wait(call.CallId, [])!;
        try
        {
            lock (Calls.Sync)
            {
                if (call.State == CallState.Terminated) throw Ended(call);
                if (!IsAnswered(call) && !(session.CanCancel && call.Invitation is not null)) throw CannotEndRinging(session, call);
                call.HangupWanted = cause;
                Calls.Move(call, CallState.HangingUp);
            }

            await AskForEndAsync(call, async () =>
            {
                // It may be answered while it is given up.
                for (bool again = false; !await TryEndAsync(session, call, cause, cancellationToken).ConfigureAwait(false) && !again; again = true) await LookAtAsync(session, call, cancellationToken).ConfigureAwait(false);
            }).ConfigureAwait(false);
            for (int wait = 5; !waiter.Task.IsCompleted && wait < 2000; wait *= 2)
            {
                await LookAtAsync(session, call, cancellationToken).ConfigureAwait(false);
                if (!waiter.Task.IsCompleted) await Task.Delay(TimeSpan.FromMilliseconds(wait), Time, cancellationToken).ConfigureAwait(false);
            }

            session.Look();
            return await EndedAsync(call, waiter, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Calls.StopWaiting(call.CallId, waiter);
        }
    }

    // False if the server knows no such INVITE any more.
    private async Task<bool> TryEndAsync(KamailioSession session, KamailioCall call, HangupCause cause, CancellationToken cancellationToken)
    {
        DialogKey? key;
        (string CallId, string CSeq)? invitation;
        lock (Calls.Sync) (key, invitation) = (IsAnswered(call) ? call.Key : null, call.Invitation);
        try
        {
            if (key is { } dialog) await session.Rpc.CallAsync("dlg.end_dlg", RpcParameters.Of(dialog.Entry, dialog.Id, FormattableString.Invariant($"Reason: Q.850;cause={(int)cause}\r\n")), RpcOptions.Change, cancellationToken).ConfigureAwait(false);
            else if (invitation is { } rings) await session.Rpc.CallAsync("tm.cancel", RpcParameters.Of(rings.CallId, rings.CSeq), RpcOptions.Change, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (SipRejectedException e) when (key is null ? e.ServerCode == 400 : e.ServerCode == 404)
        {
            // It ended by itself, which the list shows, or was answered.
            return key is not null;
        }
    }

    private static bool IsAnswered(KamailioCall call) => call.Key is not null && call.DialogState is KamailioDialog.ConfirmedNoAck or KamailioDialog.Confirmed;

    protected override async Task<IReadOnlyList<SipCall>> GetCallsAsync(KamailioSession session, CancellationToken cancellationToken)
    {
        await ListAsync(session.Rpc, null, cancellationToken).ConfigureAwait(false);
        return Calls.SnapshotLive();
    }

    protected override Task<IReadOnlyList<SipCallDetailRecord>> GetCallDetailRecordsAsync(KamailioSession session, SipDetailRecordFilter filter, CancellationToken cancellationToken)
    {
        if (filter.CallId is { } wanted) filter = filter with { CallId = (FindCall(wanted) ?? throw NoSuchCall(wanted)).CallId };
        return Task.FromResult<IReadOnlyList<SipCallDetailRecord>>(_records.Find(filter));
    }

    protected override async Task<SipServerHealth> MeasureAsync(KamailioSession session, SipServerHealth health, CancellationToken cancellationToken)
    {
        long begin = Time.GetTimestamp();
        JsonElement uptime = await session.Rpc.CallAsync("core.uptime", RpcParameters.None, RpcOptions.Read, cancellationToken).ConfigureAwait(false);
        TimeSpan latency = Time.GetElapsedTime(begin);
        return health with
        {
            Latency = latency,
            Uptime = uptime.ValueKind == JsonValueKind.Object && KamailioDialog.Number(uptime, "uptime") is >= 0 and < int.MaxValue and { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            ActiveCalls = await CountAsync(session, cancellationToken).ConfigureAwait(false),
        };
    }

    private HttpSettings Settings() => new()
    {
        Name = Name,
        Endpoint = Endpoint(Configuration.Host!, Port),
        ConnectTimeout = Configuration.ConnectTimeout,
        RequestTimeout = Configuration.RequestTimeout,
        Authorization = Configuration.ApiKey is { } token ? HttpSettings.Bearer(token) : Configuration.Credential is { } login ? HttpSettings.Basic(login.UserName, login.Password) : null,
        MaxRequestBytes = MaxRequest,
        MaxRequestRule = "tcp_rd_buf_size, 16384 where the server's configuration does not say otherwise",
    };

    private WireEndpoint Endpoint(string host, int port) => new(host, port, Configuration.UseTls, Configuration.SkipCertificateCheck) { Authority = Configuration.CertificateAuthority };

    private async Task<WireConnection?> OpenEventsAsync(CancellationToken cancellationToken)
    {
        if (Configuration.EventAddress is not { } address) return null;
        ConfigurationValidator.TryAddress(address, Configuration.Host!, out string host, out int port);
        try
        {
            // evapi has no TLS and no login.
            Stream stream = await new WireEndpoint(host, port, false, false).OpenAsync(cancellationToken).ConfigureAwait(false);
            var connection = new WireConnection(stream, new KamailioEvents(_mapper));
            connection.Begin();
            return connection;
        }
        catch (SipConnectionException e)
        {
            throw new SipConnectionException($"{Name} answers, but not its event socket: {SipText.Reason(e)}.", e, "SipEventSocketFailed")
            {
                RecommendedAction = "Check -EventAddress against bind_addr of the evapi module, or leave it out: then the calls are polled. about_IfBus.Sip_Kamailio has the script for it.",
            };
        }
    }

    private TimeSpan Interval()
    {
        TimeSpan usual = _mapper.HasEvents ? Configuration.PollInterval * 5 : Configuration.PollInterval;
        return _mapper.IsImpatient && usual > Impatience ? Impatience : usual;
    }

    // Finds out what happens where nothing is told, and that the server is there.
    private async Task PollAsync(KamailioSession session, CancellationToken cancellationToken)
    {
        try
        {
            if (!session.Login.Methods.Contains("dlg.list"))
            {
                await session.Rpc.CallAsync("core.uptime", RpcParameters.None, RpcOptions.Read, cancellationToken).ConfigureAwait(false);
                return;
            }

            if (Calls.LiveCount > ManyCalls && !_mapper.IsImpatient && session.Login.Methods.Contains("dlg.stats_active") && session.Login.Methods.Contains("stats.fetchn"))
            {
                // The list of thousands is long; no call can begin, move on or end without a change of these.
                string counters = await CountersAsync(session, cancellationToken).ConfigureAwait(false);
                bool same = counters == _lastCounters;
                _lastCounters = counters;
                if (same && ++_skipped < 10) return;
            }

            _skipped = 0;
            if (_polledAt is { } before && Gap - Time.GetElapsedTime(before) is { Ticks: > 0 } rest) await Task.Delay(rest, Time, cancellationToken).ConfigureAwait(false);
            await ListAsync(session.Rpc, null, cancellationToken).ConfigureAwait(false);
            _polledAt = Time.GetTimestamp();
        }
        catch (SipRejectedException e)
        {
            Log.WorkFailed(Logger, e, Name, "reading the list of calls");
        }
    }

    private static async Task<string> CountersAsync(KamailioSession session, CancellationToken cancellationToken)
    {
        JsonElement active = await session.Rpc.CallAsync("dlg.stats_active", RpcParameters.None, RpcOptions.Read, cancellationToken).ConfigureAwait(false);
        JsonElement dialogs = await session.Rpc.CallAsync("stats.fetchn", RpcParameters.Of("dialog:"), RpcOptions.Read, cancellationToken).ConfigureAwait(false);
        return active.GetRawText() + dialogs.GetRawText();
    }

    private async Task<int> ListAsync(JsonRpcClient rpc, HangupCause? missing, CancellationToken cancellationToken)
    {
        long poll = _mapper.BeginPoll();
        List<KamailioDialog>? dialogs = await rpc.ListAsync("dlg.list", RpcParameters.None, RpcOptions.Read, KamailioDialog.Read, cancellationToken).ConfigureAwait(false);
        // An empty object is what the server answers to a request that it could not read.
        return _mapper.OnList(dialogs ?? throw new SipProtocolException($"{Name} answers dlg.list with something else than a list."), poll, missing);
    }

    // One call as the server has it now.
    private async Task LookAtAsync(KamailioSession session, KamailioCall call, CancellationToken cancellationToken)
    {
        string? sipCallId, tag;
        lock (Calls.Sync) (sipCallId, tag) = (call.SipCallId, call.Caller.Tag);
        if (sipCallId is null || tag is null)
        {
            await ListAsync(session.Rpc, null, cancellationToken).ConfigureAwait(false);
            return;
        }

        JsonElement found = await session.Rpc.CallAsync("dlg.dlg_list", RpcParameters.Of(sipCallId, tag), RpcOptions.Read, cancellationToken).ConfigureAwait(false);
        KamailioDialog? dialog = KamailioDialog.Read(found);
        // Two dialogs may have the same Call-ID and tag; then it is looked for in the list.
        if (dialog is not null && dialog.Key != call.Key) await ListAsync(session.Rpc, null, cancellationToken).ConfigureAwait(false);
        else _mapper.OnOne(call, dialog);
    }

    private static async Task<int?> CountAsync(KamailioSession session, CancellationToken cancellationToken)
    {
        if (!session.Login.Methods.Contains("dlg.stats_active")) return null;
        JsonElement active = await session.Rpc.CallAsync("dlg.stats_active", RpcParameters.None, RpcOptions.Read, cancellationToken).ConfigureAwait(false);
        return active.ValueKind == JsonValueKind.Object && KamailioDialog.Number(active, "all") is >= 0 and <= int.MaxValue and { } all ? (int)all : null;
    }
}
