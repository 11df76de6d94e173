using System.Globalization;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>Yate 6 over its external module protocol, role global.</summary>
internal sealed partial class YateAdapter : SipAdapterBase<YateSession>
{
    /// <summary>There is no default port; this is the one of the documentation's example.</summary>
    public const int DefaultPort = 5039;

    private const string NoLogin = "Yate's external module has no login: whoever reaches its port controls the engine. Leave it out.";

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    private readonly DetailRecordStore<YateCall> _records;
    private readonly YateMapper _mapper;
    private readonly ITimer _timer;
    private YateSession? _current;
    private string? _runBefore;

    public YateAdapter(SipServerConfiguration configuration, ILogger log, TimeProvider time)
        : base(configuration, SipServerType.Yate, configuration.Port ?? DefaultPort, log, time)
    {
        _records = new DetailRecordStore<YateCall>(configuration.HistorySize);
        _mapper = new YateMapper(Name, Calls, Events, _records, time) { LateHangup = HangUpLate, SendOn = SendOnLate, ConsultationEnded = ConsultationEndedLate };
        _timer = time.CreateTimer(static s => ((YateAdapter)s!).OnTick(), this, Tick, Tick);
    }

    private WireEndpoint Endpoint => new(Configuration.Host!, Port, false, false);

    /// <summary>The rules of this kind of server.</summary>
    public static void Check(SipServerConfiguration c, List<SipConfigurationProblem> problems)
    {
        if (c.Credential is not null) problems.Add(new SipConfigurationProblem("Credential", c.Credential.UserName, NoLogin));
        if (c.UseTls) problems.Add(new SipConfigurationProblem("UseTls", "True", "Yate's external module has no TLS; use a tunnel to a far machine."));
        if (c.EndpointTemplate is { } template && YateNumbers.TemplateProblem(template) is { } rule) problems.Add(new SipConfigurationProblem("EndpointTemplate", template, rule));
        CallRules.CheckContext(c.Context, problems);
    }

    /// <summary>Fills in what is not given: numbers are left to the engine's own routing.</summary>
    public static void Complete(SipServerConfiguration c) => c.Port ??= DefaultPort;

    protected override async Task<YateSession> OpenAsync(CancellationToken cancellationToken)
    {
        if (!WireEndpoint.IsLoopback(Configuration.Host!)) Log.NoProtection(Logger, Name, Configuration.Host!, Port);
        bool sawShutdown = _mapper.ShutdownSeen;
        _mapper.AnswersLost();
        ExtModuleSession engine = await ExtModuleSession.OpenAsync(Endpoint, Configuration, _mapper, Logger, Time, cancellationToken).ConfigureAwait(false);
        try
        {
            YateLoginResult login = await YateLogin.RunAsync(engine, Name, Logger, cancellationToken).ConfigureAwait(false);
            HangupCause? missing = null;
            if (_runBefore is not null && login.RunId != _runBefore) missing = sawShutdown ? HangupCause.ServerShutdown : HangupCause.ServerRestarted;
            int gone = _mapper.Reconcile(await YateLogin.ListAsync(engine, login, cancellationToken).ConfigureAwait(false), login.RunId, missing, afterLoss: true);
            if (_runBefore is not null) Log.Reconciled(Logger, Name, Calls.LiveCount, gone);
            _runBefore = login.RunId;
            return _current = new YateSession(engine, login);
        }
        catch
        {
            await engine.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    protected override void CheckCall(YateSession session, SipCallRequest request) => YatePlan.For(request, "", Configuration);

    protected override async Task<SipCall> MakeCallAsync(YateSession session, SipCallRequest request, CallSlot? slot, CancellationToken cancellationToken)
    {
        string callId = Guid.NewGuid().ToString();
        YatePlan plan = YatePlan.For(request, callId, Configuration);
        var call = new YateCall(callId, ours: true)
        {
            Slot = slot,
            From = request.From,
            To = request.To,
            CallerId = request.CallerId,
            Direction = CallDirection.Outbound,
            CreatedAt = Calls.Now,
            Next = plan.Next,
        };
        if (plan.NextNumber is { } number)
        {
            // Whether the destination exists is asked before anybody is rung.
            YateRoute route;
            try
            {
                route = await RouteAsync(session, number, plan.NextCaller, plan.Context, cancellationToken).ConfigureAwait(false);
            }
            catch (SipException e)
            {
                // That question calls nobody, whatever became of it.
                throw NotDone(e);
            }

            _mapper.Expect(call);
            if (route.Target is null)
            {
                _mapper.Fail(call, route.Cause, route.Text);
                return Shown(call);
            }

            (call.Next, call.NextParameters) = (route.Target, route.Parameters);
        }
        else
        {
            _mapper.Expect(call);
        }

        lock (Calls.Sync) call.NextParameters = [.. call.NextParameters, .. plan.NextParameters];
        ExtModuleAnswer answer;
        try
        {
            answer = await session.Engine.SendAsync(plan.Message, cancellationToken).ConfigureAwait(false);
        }
        catch (SipException e) when (LeavesOpen(e))
        {
            // It may ring. The call stays in the table: messages or, after a reconnect, the engine's list tell.
            e.CallId = callId;
            _mapper.Placed(call, null);
            throw;
        }
        catch (OperationCanceledException)
        {
            // The same: given up by the caller, but the engine may be calling already.
            _mapper.Placed(call, null);
            throw;
        }
        catch
        {
            _mapper.Forget(call);
            throw;
        }

        if (answer.Processed)
        {
            _mapper.Placed(call, answer["id"], answer["peerid"]);
        }
        else
        {
            (HangupCause cause, string? text) = WhyRefused(answer, plan);
            _mapper.Fail(call, cause, text);
        }

        return Shown(call);
    }

    protected override async Task<SipCall> HangUpAsync(YateSession session, string callId, HangupCause cause, CancellationToken cancellationToken)
    {
        string reason = YateCauses.Name(cause);
        YateCall call = FindLive<YateCall>(callId);
        CallWaiter waiter = Calls.Wait(call.CallId, [])!;
        try
        {
            List<YateLeg> legs;
            lock (Calls.Sync)
            {
                // Legs that appear later are ended as they come.
                call.HangupWanted = cause;
                call.Held = false;
                call.Transfer?.Guard?.Release();
                legs = YateMapper.LegsToHangUp(call);
                if (legs.Count > 0) Calls.Move(call, CallState.HangingUp);
            }

            await AskForEndAsync(call, () => Task.WhenAll(legs.Select(l => DropAsync(session, l, reason, cancellationToken)))).ConfigureAwait(false);
            await InsistAsync(session, legs, reason, waiter.Task, cancellationToken).ConfigureAwait(false);
            return await EndedAsync(call, waiter, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Calls.StopWaiting(call.CallId, waiter);
        }
    }

    protected override async Task<IReadOnlyList<SipCall>> GetCallsAsync(YateSession session, CancellationToken cancellationToken)
    {
        _mapper.Reconcile(await YateLogin.ListAsync(session.Engine, session.Login, cancellationToken).ConfigureAwait(false), session.Login.RunId, missing: null, afterLoss: false);
        return Calls.SnapshotLive();
    }

    protected override async Task<IReadOnlyList<SipCallDetailRecord>> GetCallDetailRecordsAsync(YateSession session, SipDetailRecordFilter filter, CancellationToken cancellationToken)
    {
        if (filter.CallId is not { } wanted) return _records.Find(filter);
        SipCall call = FindCall(wanted) ?? throw NoSuchCall(wanted);
        filter = filter with { CallId = call.CallId };
        List<SipCallDetailRecord> found = _records.Find(filter);
        // The records of its legs come a moment after their ends.
        for (int i = 0; i < 15 && found.Count == 0 && call.IsEnded && call.EndedAt > Calls.Now - TimeSpan.FromSeconds(5); i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), Time, cancellationToken).ConfigureAwait(false);
            found = _records.Find(filter);
        }

        return found;
    }

    protected override async Task<SipCommandResult> InvokeCommandAsync(YateSession session, SipCommandRequest request, CancellationToken cancellationToken)
    {
        ExtModuleAnswer answer = await session.Engine.SendAsync(YateCommands.Raw(request), cancellationToken).ConfigureAwait(false);
        return new SipCommandResult
        {
            Server = Name,
            Command = request.Name,
            // For a status it says nothing: an answer is one all the same.
            Success = answer.Processed || answer.Value.Length > 0,
            Message = answer.Processed ? "processed" : answer["error"] ?? answer["reason"] ?? (answer.Value.Length > 0 ? "answered" : "not processed: no handler took it"),
            Output = answer.Value.Length == 0 ? [] : answer.Value.TrimEnd('\r', '\n').Split("\r\n"),
            Fields = answer.Fields,
        };
    }

    protected override async Task<SipServerHealth> MeasureAsync(YateSession session, SipServerHealth health, CancellationToken cancellationToken)
    {
        long begin = Time.GetTimestamp();
        await session.Engine.LocalAsync("setlocal", "runid:", cancellationToken).ConfigureAwait(false);
        TimeSpan latency = Time.GetElapsedTime(begin);
        ExtModuleAnswer records = await session.Engine.SendAsync(new ExtModuleMessage("engine.status") { { "module", "cdrbuild" } }, cancellationToken).ConfigureAwait(false);
        return health with
        {
            Latency = latency,
            ActiveCalls = session.Login.Modules.Contains("cdrbuild") ? YateStatus.Parse(records.Value).SelectMany(m => m.Rows).Select(r => r["BillId"]).Distinct().Count() : null,
            Uptime = session.StartedAt is { } started ? Time.GetUtcNow().UtcDateTime - started : null,
        };
    }

    protected override SipNotSupportedException NotSupported(YateSession session, SipCapabilities needed)
    {
        string Modules(params string[] names) => $"the server has not loaded {string.Join(", ", names.Where(n => !session.Login.Modules.Contains(n)).DefaultIfEmpty("a module that tells of calls"))} (yate.conf, [modules])";
        (string why, string? action) = needed switch
        {
            SipCapabilities.MakeCall => (Modules("dumb"), null),
            _ when (needed & SipCapabilities.Failover) != 0 => ("Yate tries one endpoint for a call", "Let the server's own routing do it: a number whose route is fork sip/... | sip/... (module callfork)."),
            SipCapabilities.ListCalls or SipCapabilities.CallDetailRecords => (Modules("cdrbuild"), null),
            SipCapabilities.BlindTransfer or SipCapabilities.AttendedTransfer or SipCapabilities.Hold => (Modules("pbx"), null),
            _ when (needed & (SipCapabilities.Conference | SipCapabilities.ConferenceList | SipCapabilities.ConferenceControl | SipCapabilities.ConferenceRecording)) != 0 => (Modules("conf", "wave"), null),
            SipCapabilities.Recording => (Modules("wave", "pbx"), null),
            SipCapabilities.Variables => ("Yate keeps no variables for a leg", "New-SipCall -Variable gives the server's routing parameters; Invoke-SipCommand engine.status module=<leg> shows what a leg has."),
            SipCapabilities.Registrations => ("Yate's registrations are kept by whichever module or script takes user.register, and none of them lists them", "Invoke-SipCommand engine.status module=regfile asks one that may."),
            SipCapabilities.Gateways => ("Yate's gateways (accfile.conf) are not told by its messages", "Invoke-SipCommand user.account operation=status account=<name>."),
            SipCapabilities.Queues => ("its queues are not read by this module", "Invoke-SipCommand engine.status module=queues."),
            _ => ("this server lacks it", null),
        };
        return new SipNotSupportedException($"{Name} cannot do this ({needed}): {why}. Nothing was sent.", needed) { RecommendedAction = action };
    }

    protected override void OnLeft()
    {
        _timer.Dispose();
        EndRoutes();
    }

    /// <summary>Acts on a leg: the engine renames the message and hands it to the leg (chan.masquerade).</summary>
    private static ExtModuleMessage On(YateLeg leg, string message) => new("chan.masquerade") { { "id", leg.Id }, { "message", message } };

    // True if the engine had the leg. The id is always there: without one, every call of the engine would be dropped.
    private static async Task<bool> DropAsync(YateSession session, YateLeg leg, string reason, CancellationToken cancellationToken)
    {
        if (leg.Ended) return false;
        if (!leg.Id.Contains('/', StringComparison.Ordinal)) throw new SipProtocolException($"'{SipText.Printable(leg.Id)}' is no channel of Yate.");
        return (await session.Engine.SendAsync(new ExtModuleMessage("call.drop") { { "id", leg.Id }, { "reason", reason } }, cancellationToken).ConfigureAwait(false)).Processed;
    }

    // A leg between two partners, of which the engine is asking a handler just then, is not dropped, and the answer is true all
    // the same (CallEndpoint::disconnect, Yate 6.4.1). Who is still there a moment later is dropped once more.
    private async Task InsistAsync(YateSession session, IReadOnlyList<YateLeg> legs, string reason, Task gone, CancellationToken cancellationToken)
    {
        for (int i = 0; i < 3 && !gone.IsCompleted; i++)
        {
            await GiveTimeAsync(gone, BridgeTime, cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            if (!gone.IsCompleted) await Task.WhenAll(legs.Select(l => DropAsync(session, l, reason, cancellationToken))).ConfigureAwait(false);
        }
    }

    /// <summary>Asks the engine's routing for a number.</summary>
    private static async Task<YateRoute> RouteAsync(YateSession session, string number, string? caller, string? context, CancellationToken cancellationToken)
    {
        ExtModuleAnswer answer = await session.Engine.SendAsync(new ExtModuleMessage("call.route") { { "caller", caller }, { "called", number }, { "context", context } }, cancellationToken).ConfigureAwait(false);
        if (!answer.Processed || answer.Value is "" or "-" or "error")
        {
            return answer["error"] is { } error
                ? new YateRoute(null, [], YateCauses.Of(error) ?? HangupCause.Unknown, answer["reason"] ?? error)
                : new YateRoute(null, [], HangupCause.NoRouteToDestination, $"the server has no route for {number}");
        }

        // What the routing says of the way belongs to it; the rest was asked.
        return new YateRoute(answer.Value, [.. answer.Fields.Where(f => f.Name is not ("caller" or "called" or "context" or "id" or "driver")).Select(f => new KeyValuePair<string, string>(f.Name, f.Value))], HangupCause.Unknown, null);
    }

    // call.execute was answered false: it says why only sometimes. Its routing is not asked again: a script there would
    // count the call twice.
    private static (HangupCause Cause, string? Text) WhyRefused(ExtModuleAnswer answer, YatePlan plan)
    {
        if (answer["error"] is { } error) return (YateCauses.Of(error) ?? HangupCause.Unknown, answer["reason"] ?? error);
        return plan.FirstNumber is { } number
            ? (HangupCause.NoRouteToDestination, $"the server has no route for {number}, or none that it can call")
            : (HangupCause.DestinationOutOfOrder, "the server has no such driver, or it cannot call there");
    }

    // The first party has answered. Called on the reader, under the lock: only starts the work.
    private void SendOnLate(YateCall call, YateLeg party) => Beside("connecting the destination", async session =>
    {
        ExtModuleMessage message = On(party, "call.execute");
        message.Add("callto", call.Next);
        foreach ((string key, string value) in call.NextParameters) message.Add(key, value);
        ExtModuleAnswer answer = await session.Engine.SendAsync(message, CancellationToken.None).ConfigureAwait(false);
        if (answer.Processed || party.Ended) return;
        string? error = answer["error"];
        _mapper.Fail(call, YateCauses.Of(error) ?? HangupCause.DestinationOutOfOrder, answer["reason"] ?? error ?? $"the server cannot call {call.Next}");
    });

    // A leg of a call that is to end. Called under the lock: only starts the work.
    private void HangUpLate(YateLeg leg, HangupCause cause)
    {
        if (leg.Call.HangupWanted is not null && leg.Call.State is not (CallState.HangingUp or CallState.Terminated)) Calls.Move(leg.Call, CallState.HangingUp);
        Beside("hanging up", session => AskForEndAsync(leg.Call, () => DropAsync(session, leg, YateCauses.Name(cause), CancellationToken.None)));
    }

    protected override void OnGoesOn(TrackedCall call) => _mapper.Consider((YateCall)call, default);

    private void Beside(string what, Func<YateSession, Task> work)
    {
        if (_current is not { } session) return;
        _ = Task.Run(async () =>
        {
            try
            {
                await work(session).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SipException or OperationCanceledException)
            {
                Log.WorkFailed(Logger, e, Name, what);
            }
        });
    }

    private void OnTick()
    {
        if (_mapper.HasWaiting) _mapper.OnTick();
    }

    private static SipRejectedException Rejected(ExtModuleAnswer answer, string errorId, string what, string? callId)
    {
        string? said = answer["reason"] ?? answer["error"];
        return new SipRejectedException($"{what}: {(said is null ? "the server did not take it, and does not say why" : SipText.Printable(said))}.", said ?? "false", errorId: errorId) { CallId = callId };
    }

    private static int? Whole(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
