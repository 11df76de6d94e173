using System.Globalization;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>Asterisk 16 and 22 over its Manager Interface.</summary>
internal sealed partial class AsteriskAdapter : SipAdapterBase<AsteriskSession>, IAsteriskLoginSink
{
    /// <summary>AMI port, and the one with TLS.</summary>
    public const int DefaultPort = 5038, DefaultTlsPort = 5039;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    private readonly DetailRecordStore<AsteriskCall> _records;
    private readonly AsteriskMapper _mapper;
    private readonly ITimer _timer;
    private AsteriskSession? _current;
    private AmiSession? _ami;
    private DateTime? _startedBefore;
    private bool _connectedBefore;
    private bool _sawShutdown;
    private int _gone;

    public AsteriskAdapter(SipServerConfiguration configuration, ILogger log, TimeProvider time)
        : base(configuration, SipServerType.Asterisk, configuration.Port!.Value, log, time)
    {
        _records = new DetailRecordStore<AsteriskCall>(configuration.HistorySize);
        _mapper = new AsteriskMapper(Name, Calls, Events, _records, time) { LateHangup = HangUpLate };
        _timer = time.CreateTimer(static s => ((AsteriskAdapter)s!).OnTick(), this, Tick, Tick);
    }

    /// <summary>The rules of this kind of server.</summary>
    public static void Check(SipServerConfiguration c, List<SipConfigurationProblem> problems)
    {
        if (string.IsNullOrEmpty(c.Credential?.UserName)) problems.Add(new SipConfigurationProblem("Credential", null, "a user of manager.conf and its secret are needed."));
        else if (c.Credential.UserName.Any(char.IsControl) || c.Credential.Password.Any(char.IsControl)) problems.Add(new SipConfigurationProblem("Credential", c.Credential.UserName, "user and secret must not hold control characters."));
        if (c.EndpointTemplate is { } template && AsteriskNumbers.TemplateProblem(template) is { } rule) problems.Add(new SipConfigurationProblem("EndpointTemplate", template, rule));
        CallRules.CheckContext(c.Context, problems);
    }

    /// <summary>Sets what was left out.</summary>
    public static void Complete(SipServerConfiguration c)
    {
        c.Port ??= c.UseTls ? DefaultTlsPort : DefaultPort;
        c.EndpointTemplate ??= AsteriskCommands.DefaultTemplate;
        c.Context ??= CallRules.DefaultContext;
    }

    protected override async Task<AsteriskSession> OpenAsync(CancellationToken cancellationToken)
    {
        var endpoint = new WireEndpoint(Configuration.Host!, Port, Configuration.UseTls, Configuration.SkipCertificateCheck) { Authority = Configuration.CertificateAuthority };
        if (!Configuration.UseTls && !WireEndpoint.IsLoopback(Configuration.Host!)) Log.ClearText(Logger, Name, Configuration.Host!);

        // Said by the last connection; it holds until a login has come through.
        _sawShutdown |= _mapper.BeginSession();
        _gone = 0;
        AmiSession ami = await AmiSession.OpenAsync(endpoint, Configuration, _mapper, Logger, Time, cancellationToken).ConfigureAwait(false);
        try
        {
            // Before the calls are brought up to date: one of them may have to be hung up.
            _ami = ami;
            AsteriskLoginResult login = await AsteriskLogin.RunAsync(ami, this, Configuration, Name, Logger, Time, cancellationToken).ConfigureAwait(false);
            var session = new AsteriskSession(ami, login, () => OpenSecondAsync(endpoint)) { HasDialplan = login.HasDialplan };
            if (!login.HasCallEvents) Log.NoCallEvents(Logger, Name);
            _current = session;
            if (!login.IsListed) CarryOn(login.StartedAt);
            else if (_connectedBefore) Log.Reconciled(Logger, Name, Calls.LiveCount, _gone);
            _connectedBefore = true;
            _startedBefore = login.StartedAt ?? _startedBefore;
            _sawShutdown = false;
            return session;
        }
        catch
        {
            await ami.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    void IAsteriskLoginSink.OnChannels(IReadOnlyList<AmiMessage> channels, DateTime? startedAt) => _gone = _mapper.Reconcile(channels, missing: CauseOfLoss(startedAt));

    void IAsteriskLoginSink.OnHold(IReadOnlySet<string> onHold) => _mapper.Hold(onHold);

    protected override void CheckCall(AsteriskSession session, SipCallRequest request) => AsteriskCommands.Originate(request, "", Configuration, out _);

    protected override async Task<SipCall> MakeCallAsync(AsteriskSession session, SipCallRequest request, CallSlot? slot, CancellationToken cancellationToken)
    {
        string callId = Guid.NewGuid().ToString();
        AmiAction action = AsteriskCommands.Originate(request, callId, Configuration, out bool hasDestination);
        var call = new AsteriskCall(callId, ours: true)
        {
            Slot = slot,
            From = request.From,
            To = request.To,
            CallerId = request.CallerId,
            Direction = CallDirection.Outbound,
            CreatedAt = Calls.Now,
            HasDestination = hasDestination,
        };
        _mapper.Expect(call, noDialplan: !hasDestination || !CallRules.IsNumber(request.To!));
        Task<AmiReply> answer;
        try
        {
            answer = session.Ami.RequestAsync(action, cancellationToken, taken: r => _mapper.Answered(call, r.IsSuccess ? null : r.Message));
        }
        catch
        {
            // Nothing of it was sent.
            _mapper.Forget(call);
            throw;
        }

        AmiReply reply;
        try
        {
            reply = await answer.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // It may ring. The call stays in the table: a late answer, events, or the server's list tell.
            _mapper.Doubt(call);
            if (e is SipException sip) sip.CallId = callId;
            throw;
        }

        if (!reply.IsSuccess) throw NotDone(Rejected(reply, "SipCallRejected", $"{Name} refused the call from {request.From ?? "-"} to {request.To}", callId));

        lock (Calls.Sync) return Calls.Snapshot(call);
    }

    protected override async Task<SipCall> HangUpAsync(AsteriskSession session, string callId, HangupCause cause, CancellationToken cancellationToken)
    {
        CallRules.CheckCause(cause);
        AsteriskCall call = FindLive<AsteriskCall>(callId);
        CallWaiter waiter = Calls.Wait(call.CallId, [])!;
        try
        {
            bool asked = await AskToHangUpAsync(session.Ami, call, cause, cancellationToken).ConfigureAwait(false);
            if (!asked && !waiter.Task.IsCompleted)
            {
                // Not there yet, or just gone: its Newchannel or Hangup is under way.
                lock (Calls.Sync)
                {
                    if (call.State != CallState.Terminated && !call.SeenOnServer) call.HangupWanted = cause;
                }
            }

            return await EndedAsync(call, waiter, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Calls.StopWaiting(call.CallId, waiter);
        }
    }

    protected override async Task<IReadOnlyList<SipCall>> GetCallsAsync(AsteriskSession session, CancellationToken cancellationToken)
    {
        AmiReply reply = await ListAsync(session, cancellationToken).ConfigureAwait(false);
        if (!reply.IsSuccess) throw Rejected(reply, "SipRejected", $"{Name} does not list its calls", null);
        return Calls.SnapshotLive();
    }

    // Reads the server's list, which counts at its place among the events.
    private Task<AmiReply> ListAsync(AsteriskSession session, CancellationToken cancellationToken) => session.Ami.RequestAsync(new AmiAction("CoreShowChannels"), cancellationToken, taken: r =>
    {
        if (r.IsSuccess) _mapper.Reconcile(r.Items, missing: null);
    });

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
        AmiAction action = AsteriskCommands.Raw(request);
        // What a reply holds may look like events (wire/asterisk, section 9), so it comes where none are taken. Ping holds
        // nothing, and is there to see whether this connection lives.
        AmiSession ami = action.Name.Equals("Ping", StringComparison.OrdinalIgnoreCase) ? session.Ami : await session.SecondAsync(cancellationToken).ConfigureAwait(false);
        AmiReply reply = await ami.RequestAsync(action, cancellationToken).ConfigureAwait(false);
        SipFieldCollection fields = reply.Response.ReadFields();
        return new SipCommandResult
        {
            Server = Name,
            Command = request.Name,
            Success = reply.IsSuccess,
            Message = fields["Message"]?.Trim(),
            Output = fields.GetAll("Output").ToArray(),
            Fields = fields,
            Items = reply.Items.Select(i => i.ReadFields()).ToArray(),
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
        // Of what is needed at once, only what lacks is of interest.
        SipCapabilities lacking = needed & ~session.Capabilities;
        IEnumerable<string> why = Enum.GetValues<SipCapabilities>().Where(c => c != SipCapabilities.None && lacking.HasFlag(c)).Select(c => WhyNot(session, c)).Distinct();
        return new SipNotSupportedException($"{Name} cannot do this ({lacking}): {string.Join("; ", why)}. Nothing was sent.", needed)
        {
            // What AMI has no action for, no class gives.
            RecommendedAction = lacking.HasFlag(SipCapabilities.Routing) ? "Write the route into extensions.conf; scripts can decide on a Yate only." : "Give the user the class in manager.conf, or connect as another user.",
        };
    }

    // The classes are those that Asterisk 16.28 and 22.10 name for the actions.
    private string WhyNot(AsteriskSession session, SipCapabilities lacking)
    {
        string user = $"the login '{Configuration.Credential!.UserName}'";
        bool events = session.HasCallEvents;
        switch (lacking)
        {
            case SipCapabilities.MakeCall when !events:
                return $"{user} receives no call events, so the outcome of a call could not be seen; in manager.conf its read= needs class call";
            case SipCapabilities.MakeCall:
                return $"{user} may not use Originate; in manager.conf its write= needs class originate";
            case SipCapabilities.Failover:
                return "Asterisk's Originate calls one endpoint; several need a dialplan extension that tries them";
            case SipCapabilities.Routing:
                return "Asterisk asks its dialplan where calls go (extensions.conf), not its managers";
            case SipCapabilities.HangUp:
                return $"{user} may not use Hangup; in manager.conf its write= needs class call or system";
            case SipCapabilities.ListCalls:
                return $"{user} may not use CoreShowChannels; in manager.conf its write= needs class reporting or system";
            case SipCapabilities.CallDetailRecords:
                return $"{user} receives no events; in manager.conf its read= needs classes call and cdr";
            case SipCapabilities.AttendedTransfer when session.TransferCode is null:
                return "the server has no feature code for attended transfers; features.conf, [featuremap], needs atxfer => a code";
            case SipCapabilities.BlindTransfer or SipCapabilities.AttendedTransfer or SipCapabilities.Dtmf or SipCapabilities.Variables or SipCapabilities.Reject:
                return $"{user} lacks an action for it; in manager.conf its write= needs class call, its read= class call";
            case SipCapabilities.Hold or SipCapabilities.Answer:
                return $"{user} lacks an action for it; {Needs(["call"])}{Extensions()}";
            case SipCapabilities.Conference:
                return $"{user} may not move calls into rooms; {Needs(["call", "reporting"])}{Extensions()}";
            case SipCapabilities.ConferenceList:
                return $"{user} may not use ConfbridgeListRooms and ConfbridgeList; in manager.conf its write= needs class reporting, and the server the module app_confbridge";
            case SipCapabilities.ConferenceControl:
                return $"{user} may not use ConfbridgeLock, ConfbridgeMute and ConfbridgeKick; in manager.conf its write= needs class call, and the server the module app_confbridge";
            case SipCapabilities.ConferenceRecording:
                return $"{user} may not record rooms; {Needs(["system"])}, and the server the module app_confbridge";
            case SipCapabilities.Recording:
                return $"{user} may not record; {Needs(["system"])}";
            case SipCapabilities.Registrations or SipCapabilities.Gateways:
                return $"{user} may not use the PJSIPShow actions; in manager.conf its write= needs class system, and the server chan_pjsip";
            case SipCapabilities.Queues:
                // Every login may ask.
                return "the server has no action QueueStatus: its module app_queue is not loaded";
            case SipCapabilities.Statistics:
                return $"{user} may not use CoreStatus and CoreSettings; in manager.conf its write= needs class reporting or system";
            default:
                return $"{user} lacks the right for it";
        }

        string Needs(string[] write) =>
            $"in manager.conf its write= needs {(write.Length == 1 ? "class" : "classes")} {string.Join(" and ", write)}{(events ? "" : ", its read= class call")}";

        string Extensions() => session.HasDialplan || session.Commands.Contains("DialplanExtensionAdd") ? "" : $", and either class system in write= or the context '{AsteriskDialplan.Context}' in the dialplan";
    }

    // Its own deadline: whoever waits for it waits for a command, not for a connection.
    private Task<AmiSession> OpenSecondAsync(WireEndpoint endpoint) => Deadline.RunAsync(
        token => AsteriskLogin.OpenSecondAsync(endpoint, Configuration, Name, Logger, Time, token),
        Configuration.ConnectTimeout, Time, () => $"A second connection to {Name}", CancellationToken.None);

    protected override void OnGoesOn(TrackedCall call) => _mapper.CatchUp((AsteriskCall)call, isNew: false);

    protected override void OnLeft() => _timer.Dispose();

    private static SipRejectedException Rejected(AmiReply reply, string errorId, string what, string? callId) =>
        new($"{what}: {SipText.Printable(reply.Message)}", reply.Message, errorId: errorId) { CallId = callId, IsPermission = reply.Message == "Permission denied" };

    /// <summary>Sends an action that the server must accept.</summary>
    private static async Task<AmiReply> AskAsync(AmiSession ami, AmiAction action, string errorId, string what, string? callId, CancellationToken cancellationToken)
    {
        AmiReply reply = await ami.RequestAsync(action, cancellationToken).ConfigureAwait(false);
        return reply.IsSuccess ? reply : throw Rejected(reply, errorId, what, callId);
    }

    // What became of the calls that the server no longer has.
    private HangupCause CauseOfLoss(DateTime? startedAt)
    {
        if (_sawShutdown) return HangupCause.ServerShutdown;
        return _startedBefore is { } before && startedAt is { } now && now > before ? HangupCause.ServerRestarted : HangupCause.EndedUnseen;
    }

    // The server does not list its calls: only if it was stopped it is known what became of them.
    private void CarryOn(DateTime? startedAt)
    {
        if (!_connectedBefore) return;
        HangupCause cause = CauseOfLoss(startedAt);
        int gone = cause == HangupCause.EndedUnseen ? 0 : _mapper.EndEarlier(cause), left = Calls.LiveCount;
        if (gone > 0) Log.Reconciled(Logger, Name, left, gone);
        else if (left > 0) Log.NotReconciled(Logger, Name, left);
    }

    // Asks for the end of every leg. False if the server had none of them.
    private async Task<bool> AskToHangUpAsync(AmiSession ami, AsteriskCall call, HangupCause cause, CancellationToken cancellationToken)
    {
        List<AsteriskLeg> legs;
        lock (Calls.Sync)
        {
            legs = AsteriskMapper.LegsToHangUp(call);
            if (legs.Count == 0) return false;
            Calls.Move(call, CallState.HangingUp);
        }

        bool any = false;
        await AskForEndAsync(call, async () =>
        {
            var replies = new List<Task<AmiReply>>(legs.Count);
            foreach (AsteriskLeg leg in legs) replies.Add(ami.RequestAsync(AsteriskCommands.Hangup(leg, cause), cancellationToken));
            foreach (AmiReply reply in await Task.WhenAll(replies).ConfigureAwait(false))
            {
                any |= reply.IsSuccess;
                // "No such channel": it went by itself, its Hangup is under way.
                if (!reply.IsSuccess && !reply.Message.Contains("No such channel", StringComparison.OrdinalIgnoreCase))
                    throw Rejected(reply, "SipHangUpRejected", $"{Name} refused to hang up {call.CallId}", call.CallId);
            }
        }).ConfigureAwait(false);
        if (any) _mapper.ExpectEnd(call);
        return any;
    }

    // The channel of a call that is to end has appeared. Called on the reader, under the lock: only starts the work.
    private void HangUpLate(AsteriskCall call, HangupCause cause)
    {
        if (_ami is not { } ami) return;
        _ = Task.Run(async () =>
        {
            try
            {
                await AskToHangUpAsync(ami, call, cause, CancellationToken.None).ConfigureAwait(false);
            }
            catch (SipException e)
            {
                Log.WorkFailed(Logger, e, Name, "hanging up");
            }
        });
    }
}
