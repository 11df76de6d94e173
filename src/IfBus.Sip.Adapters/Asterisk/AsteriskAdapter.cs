using System.Globalization;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>Asterisk 16 to 22 over its Manager Interface.</summary>
internal sealed partial class AsteriskAdapter : SipAdapterBase<AsteriskSession>
{
    /// <summary>AMI port, and the one with TLS.</summary>
    public const int DefaultPort = 5038, DefaultTlsPort = 5039;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    private readonly DetailRecords _records;
    private readonly AsteriskMapper _mapper;
    private readonly ITimer _timer;
    private AsteriskSession? _current;
    private DateTime? _startedBefore;
    private bool _connectedBefore;
    private int _asking;
    private long _askAgainAt;

    public AsteriskAdapter(SipServerConfiguration configuration, ILogger log, TimeProvider time)
        : base(configuration, SipServerType.Asterisk, configuration.Port!.Value, log, time)
    {
        _records = new DetailRecords(Name, configuration.HistorySize, time);
        _mapper = new AsteriskMapper(Name, Calls, Events, _records, time) { LateHangup = HangUpLate };
        _timer = time.CreateTimer(static s => ((AsteriskAdapter)s!).OnTick(), this, Tick, Tick);
    }

    /// <summary>The rules of this kind of server.</summary>
    public static void Check(SipServerConfiguration c, List<SipConfigurationProblem> problems)
    {
        if (string.IsNullOrEmpty(c.Credential?.UserName)) problems.Add(new SipConfigurationProblem("Credential", null, "a user of manager.conf and its secret are needed."));
        else if (c.Credential.UserName.Any(char.IsControl) || c.Credential.Password.Any(char.IsControl)) problems.Add(new SipConfigurationProblem("Credential", c.Credential.UserName, "user and secret must not hold control characters."));
        if (c.EndpointTemplate is { } template && AsteriskNumbers.TemplateProblem(template) is { } rule) problems.Add(new SipConfigurationProblem("EndpointTemplate", template, rule));
        if (c.Context is { } context && !AsteriskNumbers.IsWord(context)) problems.Add(new SipConfigurationProblem("Context", context, "a dialplan context has 1 to 79 letters, digits and . _ -"));
    }

    /// <summary>Sets what was left out.</summary>
    public static void Complete(SipServerConfiguration c)
    {
        c.Port ??= c.UseTls ? DefaultTlsPort : DefaultPort;
        c.EndpointTemplate ??= AsteriskCommands.DefaultTemplate;
        c.Context ??= AsteriskCommands.DefaultContext;
    }

    protected override async Task<AsteriskSession> OpenAsync(CancellationToken cancellationToken)
    {
        var endpoint = new WireEndpoint(Configuration.Host!, Port, Configuration.UseTls, Configuration.SkipCertificateCheck);
        if (!Configuration.UseTls && !IsLoopback(Configuration.Host!)) Log.ClearText(Logger, Name, Configuration.Host!);

        bool sawShutdown = _mapper.ShutdownSeen;
        AmiSession ami = await AmiSession.OpenAsync(endpoint, Configuration, _mapper, Logger, Time, cancellationToken).ConfigureAwait(false);
        try
        {
            AsteriskLoginResult login = await AsteriskLogin.RunAsync(ami, Configuration, Name, Logger, Time, cancellationToken).ConfigureAwait(false);
            var session = new AsteriskSession(ami, login, token => OpenSecondAsync(endpoint, token)) { HasDialplan = login.HasDialplan };
            if (!login.HasCallEvents) Log.NoCallEvents(Logger, Name);
            // Before the calls are brought up to date: one of them may have to be hung up.
            _current = session;
            int gone = _mapper.Reconcile(login.Channels, missing: CauseOfLoss(sawShutdown, login.StartedAt), login.OnHold);
            if (_connectedBefore) Log.Reconciled(Logger, Name, Calls.LiveCount, gone);
            _connectedBefore = true;
            _startedBefore = login.StartedAt;
            return session;
        }
        catch
        {
            await ami.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    protected override async Task<SipCall> MakeCallAsync(AsteriskSession session, SipCallRequest request, CancellationToken cancellationToken)
    {
        string callId = Guid.NewGuid().ToString();
        AmiAction action = AsteriskCommands.Originate(request, callId, Configuration, out bool hasDestination);
        var call = new AsteriskCall(callId, ours: true)
        {
            From = request.From,
            To = request.To,
            CallerId = request.CallerId,
            Direction = CallDirection.Outbound,
            CreatedAt = Calls.Now,
            HasDestination = hasDestination,
        };
        _mapper.Expect(call, noDialplan: !hasDestination || !AsteriskNumbers.IsNumber(request.To!));
        AmiReply reply;
        try
        {
            reply = await session.Ami.RequestAsync(action, cancellationToken).ConfigureAwait(false);
        }
        catch (SipException e) when (e is SipTimeoutException { OutcomeUnknown: true } or SipConnectionException { OutcomeUnknown: true })
        {
            // It may ring. The call stays in the table: events or, after a reconnect, the server's list tell.
            e.CallId = callId;
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

        if (!reply.IsSuccess)
        {
            _mapper.Forget(call);
            throw Rejected(reply, "SipCallRejected", $"{Name} refused the call from {request.From ?? "-"} to {request.To}", callId);
        }

        lock (Calls.Sync) return Calls.Snapshot(call);
    }

    protected override async Task<SipCall> HangUpAsync(AsteriskSession session, string callId, HangupCause cause, CancellationToken cancellationToken)
    {
        AsteriskCommands.CheckCause(cause);
        AsteriskCall call = FindLive(callId);
        CallWaiter waiter = Calls.Wait(call.CallId, [])!;
        try
        {
            bool asked = await AskToHangUpAsync(session, call, cause, cancellationToken).ConfigureAwait(false);
            if (!asked && !waiter.Task.IsCompleted)
            {
                // Not there yet, or just gone: its Newchannel or Hangup is under way.
                lock (Calls.Sync)
                {
                    if (call.State != CallState.Terminated && !call.SeenOnServer) call.HangupWanted = cause;
                }
            }

            return await waiter.Task.WaitAsync(Configuration.RequestTimeout, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new SipTimeoutException($"{Name} took the hang-up of {call.CallId}, but the call has not ended within {Configuration.RequestTimeout.TotalSeconds:0.#} s.", Configuration.RequestTimeout, e)
            {
                CallId = call.CallId,
            };
        }
        finally
        {
            Calls.StopWaiting(call.CallId, waiter);
        }
    }

    protected override async Task<IReadOnlyList<SipCall>> GetCallsAsync(AsteriskSession session, CancellationToken cancellationToken)
    {
        AmiReply reply = await session.Ami.RequestAsync(new AmiAction("CoreShowChannels"), cancellationToken).ConfigureAwait(false);
        if (!reply.IsSuccess) throw Rejected(reply, "SipRejected", $"{Name} does not list its calls", null);
        _mapper.Reconcile(reply.Items, missing: null);
        return Calls.SnapshotLive();
    }

    protected override async Task<IReadOnlyList<SipCallDetailRecord>> GetCallDetailRecordsAsync(AsteriskSession session, SipDetailRecordFilter filter, CancellationToken cancellationToken)
    {
        if (filter.CallId is not { } wanted) return _records.Find(filter);

        SipCall call = FindCall(wanted) ?? throw NoSuchCall(wanted);
        filter = filter with { CallId = call.CallId };
        List<SipCallDetailRecord> found = _records.Find(filter);
        if (found.Count > 0 || !call.IsEnded || call.EndedAt < Calls.Now - TimeSpan.FromSeconds(5)) return found;

        // A record may come after its channel's Hangup. A reply is never overtaken by what was said before the question.
        for (int i = 0; i < 10 && found.Count == 0; i++)
        {
            await session.Ami.RequestAsync(new AmiAction("Ping"), cancellationToken).ConfigureAwait(false);
            await Task.Delay(TimeSpan.FromMilliseconds(20 * (i + 1)), Time, cancellationToken).ConfigureAwait(false);
            found = _records.Find(filter);
        }

        return found;
    }

    protected override async Task<SipCommandResult> InvokeCommandAsync(AsteriskSession session, SipCommandRequest request, CancellationToken cancellationToken)
    {
        AmiReply reply = await session.Ami.RequestAsync(AsteriskCommands.Raw(request), cancellationToken).ConfigureAwait(false);
        SipFieldCollection fields = reply.Response.ReadFields();
        return new SipCommandResult
        {
            Server = Name,
            Command = request.Name,
            Success = reply.IsSuccess,
            Message = fields["Message"]?.Trim(),
            Output = [.. fields.GetAll("Output")],
            Fields = fields,
            Items = [.. reply.Items.Select(i => i.ReadFields())],
        };
    }

    protected override async Task<SipServerHealth> MeasureAsync(AsteriskSession session, SipServerHealth health, CancellationToken cancellationToken)
    {
        long begin = Time.GetTimestamp();
        AmiReply ping = await session.Ami.RequestAsync(new AmiAction("Ping"), cancellationToken).ConfigureAwait(false);
        TimeSpan latency = Time.GetElapsedTime(begin);
        if (!ping.IsSuccess) throw Rejected(ping, "SipRejected", $"{Name} does not answer Ping", null);

        int? active = null;
        if (session.Commands.Contains("CoreStatus"))
        {
            AmiReply status = await session.Ami.RequestAsync(new AmiAction("CoreStatus"), cancellationToken).ConfigureAwait(false);
            if (int.TryParse(status.Response.Get("CoreCurrentCalls"u8), NumberStyles.None, CultureInfo.InvariantCulture, out int calls)) active = calls;
        }

        return health with
        {
            Latency = latency,
            ActiveCalls = active,
            Uptime = session.StartedAt is { } started ? Time.GetUtcNow().UtcDateTime - started : null,
        };
    }

    protected override SipNotSupportedException NotSupported(AsteriskSession session, SipCapabilities needed)
    {
        string user = Configuration.Credential!.UserName;
        string why = needed switch
        {
            SipCapabilities.MakeCall when !session.HasCallEvents => $"the login '{user}' receives no call events, so the outcome of a call could not be seen; in manager.conf its read= needs class call",
            SipCapabilities.MakeCall => $"the login '{user}' may not use Originate; in manager.conf its write= needs class originate",
            SipCapabilities.HangUp => $"the login '{user}' may not use Hangup; in manager.conf its write= needs class call or system",
            SipCapabilities.ListCalls => $"the login '{user}' may not use CoreShowChannels; in manager.conf its write= needs class reporting or system",
            SipCapabilities.CallDetailRecords => $"the login '{user}' receives no events; in manager.conf its read= needs classes call and cdr",
            SipCapabilities.AttendedTransfer when session.TransferCode is null => "the server has no feature code for attended transfers; features.conf, [featuremap], needs atxfer => a code",
            SipCapabilities.BlindTransfer or SipCapabilities.AttendedTransfer or SipCapabilities.Dtmf or SipCapabilities.Variables or SipCapabilities.Reject =>
                $"the login '{user}' lacks an action for it; in manager.conf its write= needs class call, its read= class call",
            SipCapabilities.Hold or SipCapabilities.Conference or SipCapabilities.Answer =>
                $"the login '{user}' needs class call in write= and read= of manager.conf, and class system, or the context '{AsteriskDialplan.Context}' in the dialplan",
            SipCapabilities.Recording or SipCapabilities.ConferenceRecording or SipCapabilities.Conference | SipCapabilities.ConferenceRecording =>
                $"the login '{user}' may not record; in manager.conf its write= needs class system",
            SipCapabilities.Registrations or SipCapabilities.Gateways => $"the login '{user}' may not use the PJSIPShow actions; in manager.conf its write= needs class system, and the server chan_pjsip",
            SipCapabilities.Queues or SipCapabilities.Statistics => $"the login '{user}' may not use QueueStatus, CoreStatus and CoreSettings; in manager.conf its write= needs class reporting or system",
            _ => $"the login '{user}' lacks the right for it",
        };
        return new SipNotSupportedException($"{Name} cannot do this ({needed}): {why}. Nothing was sent.", needed)
        {
            RecommendedAction = "Give the user the class in manager.conf, or connect as another user.",
        };
    }

    // Its own deadline: whoever waits for it waits for a command, not for a connection.
    private Task<AmiSession> OpenSecondAsync(WireEndpoint endpoint, CancellationToken cancellationToken) => Deadline.RunAsync(
        token => AsteriskLogin.OpenSecondAsync(endpoint, Configuration, Name, Logger, Time, token),
        Configuration.ConnectTimeout, Time, () => $"A second connection to {Name}", cancellationToken);

    protected override void OnLeft() => _timer.Dispose();

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (System.Net.IPAddress.TryParse(host, out System.Net.IPAddress? address) && System.Net.IPAddress.IsLoopback(address));

    private static SipRejectedException Rejected(AmiReply reply, string errorId, string what, string? callId) =>
        new($"{what}: {SipText.Printable(reply.Message)}", reply.Message, errorId: errorId) { CallId = callId, IsPermission = reply.Message == "Permission denied" };

    /// <summary>Sends an action that the server must accept.</summary>
    private static async Task<AmiReply> AskAsync(AmiSession ami, AmiAction action, string errorId, string what, string? callId, CancellationToken cancellationToken)
    {
        AmiReply reply = await ami.RequestAsync(action, cancellationToken).ConfigureAwait(false);
        return reply.IsSuccess ? reply : throw Rejected(reply, errorId, what, callId);
    }

    /// <summary>Waits until the server's events have shown it.</summary>
    private async Task SeenAsync(AsteriskMapper.CallCondition condition, Func<string> what, AsteriskCall call, CancellationToken cancellationToken)
    {
        if (!await InTimeAsync(condition, Configuration.RequestTimeout, what, call, cancellationToken).ConfigureAwait(false)) throw Ended(call);
    }

    private async Task<bool> InTimeAsync(AsteriskMapper.CallCondition condition, TimeSpan limit, Func<string> what, AsteriskCall call, CancellationToken cancellationToken)
    {
        try
        {
            return await condition.Task.WaitAsync(limit, Time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new SipTimeoutException($"{what()} within {limit.TotalSeconds:0.###} s.", limit, e) { CallId = call.CallId };
        }
    }

    private AsteriskCall FindLive(string callId)
    {
        lock (Calls.Sync)
        {
            if (!Calls.TryFind(callId, out TrackedCall? found)) throw NoSuchCall(callId);
            if (found.State != CallState.Terminated) return (AsteriskCall)found;
            throw new SipCallNotFoundException($"Call {callId} on {Name} has ended already ({found.Cause}, {found.EndedAt:u}).", "SipCallEnded") { CallId = callId };
        }
    }

    // What became of the calls that the server no longer has.
    private HangupCause CauseOfLoss(bool sawShutdown, DateTime? startedAt)
    {
        if (sawShutdown) return HangupCause.ServerShutdown;
        return _startedBefore is { } before && startedAt is { } now && now > before ? HangupCause.ServerRestarted : HangupCause.EndedUnseen;
    }

    // Asks for the end of every leg. False if the server had none of them.
    private async Task<bool> AskToHangUpAsync(AsteriskSession session, AsteriskCall call, HangupCause cause, CancellationToken cancellationToken)
    {
        List<AsteriskLeg> legs;
        lock (Calls.Sync)
        {
            legs = AsteriskMapper.LegsToHangUp(call);
            if (legs.Count == 0) return false;
            Calls.Move(call, CallState.HangingUp);
        }

        var replies = new List<Task<AmiReply>>(legs.Count);
        foreach (AsteriskLeg leg in legs) replies.Add(session.Ami.RequestAsync(AsteriskCommands.Hangup(leg, cause), cancellationToken));
        bool any = false;
        foreach (AmiReply reply in await Task.WhenAll(replies).ConfigureAwait(false))
        {
            any |= reply.IsSuccess;
            // "No such channel": it went by itself, its Hangup is under way.
            if (!reply.IsSuccess && !reply.Message.Contains("No such channel", StringComparison.OrdinalIgnoreCase))
                throw Rejected(reply, "SipHangUpRejected", $"{Name} refused to hang up {call.CallId}", call.CallId);
        }

        return any;
    }

    // The channel of a call that is to end has appeared. Called on the reader, under the lock: only starts the work.
    private void HangUpLate(AsteriskCall call, HangupCause cause)
    {
        if (_current is not { } session) return;
        _ = Task.Run(async () =>
        {
            try
            {
                await AskToHangUpAsync(session, call, cause, CancellationToken.None).ConfigureAwait(false);
            }
            catch (SipException e)
            {
                Log.WorkFailed(Logger, e, Name, "hanging up");
            }
        });
    }

    private void OnTick()
    {
        if (!_mapper.HasWatched) return;
        List<AsteriskCall>? ask = _mapper.OnTick();
        if (ask is null || _current is not { } session || Environment.TickCount64 < _askAgainAt) return;
        if (Interlocked.Exchange(ref _asking, 1) == 1) return;
        _ = AskDestinationsAsync(session, ask);
    }

    // Asks what the first legs do. For many calls one list is cheaper than a question each; it is asked for at most a
    // tenth of the time, since the session does nothing else meanwhile.
    private async Task AskDestinationsAsync(AsteriskSession session, List<AsteriskCall> ask)
    {
        long begin = Environment.TickCount64;
        try
        {
            if (ask.Count > 20 && session.Commands.Contains("CoreShowChannels")) await AskAllAsync(session, ask).ConfigureAwait(false);
            else foreach (AsteriskCall call in ask) await AskOneAsync(session, call).ConfigureAwait(false);
        }
        catch (SipException e)
        {
            Log.DestinationNotAsked(Logger, ask[0].CallId, Name, e.Message);
        }
        finally
        {
            _askAgainAt = Environment.TickCount64 + Math.Min(10 * (Environment.TickCount64 - begin), 2000);
            Volatile.Write(ref _asking, 0);
        }
    }

    private async Task AskOneAsync(AsteriskSession session, AsteriskCall call)
    {
        if (!session.Commands.Contains("Status"))
        {
            Log.DestinationNotAsked(Logger, call.CallId, Name, "no right to use Status");
            _mapper.OnDestination(call, null, null, null);
            return;
        }

        AmiReply reply = await session.Ami.RequestAsync(new AmiAction("Status").Add("Channel", call.Primary!.Id), CancellationToken.None).ConfigureAwait(false);
        // No such channel: its Hangup is under way.
        if (reply.IsSuccess && reply.Items.Count > 0) _mapper.OnDestination(call, reply.Items[0].Get("Application"u8) ?? "", reply.Items[0].Get("Data"u8), reply.Items[0].Get("Exten"u8));
    }

    private async Task AskAllAsync(AsteriskSession session, List<AsteriskCall> ask)
    {
        AmiReply reply = await session.Ami.RequestAsync(new AmiAction("CoreShowChannels"), CancellationToken.None).ConfigureAwait(false);
        var doing = new Dictionary<string, AmiMessage>(reply.Items.Count);
        foreach (AmiMessage item in reply.Items) doing[item.Get("Uniqueid"u8) ?? ""] = item;
        foreach (AsteriskCall call in ask)
        {
            if (doing.TryGetValue(call.Primary!.Id, out AmiMessage? item)) _mapper.OnDestination(call, item.Get("Application"u8) ?? "", item.Get("ApplicationData"u8), item.Get("Exten"u8));
        }
    }
}
