using System.Globalization;
using System.Security.Cryptography;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>FreeSWITCH 1.10 over its Event Socket, inbound mode.</summary>
internal sealed partial class FreeSwitchAdapter : SipAdapterBase<FreeSwitchSession>
{
    /// <summary>The Event Socket's usual port.</summary>
    public const int DefaultPort = 8021;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    // A leg is told of as soon as it is made; before that a gateway's name may have to be looked up.
    private static readonly TimeSpan TimeInDoubt = TimeSpan.FromSeconds(10);

    private readonly DetailRecordStore<FreeSwitchCall> _records;
    private readonly FreeSwitchMapper _mapper;
    private readonly ITimer _timer;
    private FreeSwitchSession? _current;
    private Task<string?>? _explaining;
    private string? _coreBefore;
    private DateTime? _startsBefore;
    private bool _connectedBefore;

    public FreeSwitchAdapter(SipServerConfiguration configuration, ILogger log, TimeProvider time)
        : base(configuration, SipServerType.FreeSwitch, configuration.Port ?? DefaultPort, log, time)
    {
        _records = new DetailRecordStore<FreeSwitchCall>(configuration.HistorySize);
        _mapper = new FreeSwitchMapper(Name, Calls, Events, _records, time) { LateHangup = HangUpLate, Explain = ExplainLater, BringTogether = BringTogetherLate, CompleteLate = CompleteLate, EndTogether = EndTogether };
        _timer = time.CreateTimer(static s => ((FreeSwitchAdapter)s!).OnTick(), this, Tick, Tick);
    }

    /// <summary>The rules of this kind of server.</summary>
    public static void Check(SipServerConfiguration c, List<SipConfigurationProblem> problems)
    {
        string? user = c.Credential?.UserName;
        if (string.IsNullOrEmpty(c.Credential?.Password)) problems.Add(new SipConfigurationProblem("Credential", user, "a password is needed: the one of event_socket.conf under any name, or a directory user's under name@domain."));
        else if (c.Credential.Password.Any(char.IsControl) || user!.Any(char.IsControl)) problems.Add(new SipConfigurationProblem("Credential", user, "user and password must not hold control characters."));
        else if (!CallRules.IsText(c.Credential.Password) || !CallRules.IsText(user!)) problems.Add(new SipConfigurationProblem("Credential", user, FreeSwitchCommands.TextRule));
        else if (FreeSwitchLogin.IsDirectoryUser(user!) && user!.Any(ch => ch is ':' or ' ')) problems.Add(new SipConfigurationProblem("Credential", user, "a directory user is name@domain, without blanks and colons."));
        if (c.UseTls) problems.Add(new SipConfigurationProblem("UseTls", "True", "the Event Socket of FreeSWITCH has no TLS; use a tunnel to a far machine."));
        if (c.EndpointTemplate is { } template && FreeSwitchNumbers.TemplateProblem(template) is { } rule) problems.Add(new SipConfigurationProblem("EndpointTemplate", template, rule));
        CallRules.CheckContext(c.Context, problems);
        if (FreeSwitchNumbers.ContextProblem(c.Context) is { } undefined) problems.Add(new SipConfigurationProblem("Context", c.Context, undefined));
    }

    /// <summary>Fills in what is not given.</summary>
    public static void Complete(SipServerConfiguration c)
    {
        c.Port ??= DefaultPort;
        c.EndpointTemplate ??= FreeSwitchNumbers.DefaultTemplate;
        c.Context ??= CallRules.DefaultContext;
    }

    protected override async Task<FreeSwitchSession> OpenAsync(CancellationToken cancellationToken)
    {
        var endpoint = new WireEndpoint(Configuration.Host!, Port, false, false);
        if (!WireEndpoint.IsLoopback(Configuration.Host!)) Log.ClearText(Logger, Name, Configuration.Host!);

        bool sawShutdown = _mapper.ShutdownSeen;
        _mapper.ConnectionLost();
        EslSession esl = await EslSession.OpenAsync(endpoint, Configuration, _mapper, Logger, Time, cancellationToken).ConfigureAwait(false);
        try
        {
            FreeSwitchLoginResult login = await FreeSwitchLogin.RunAsync(esl, Configuration, Name, Logger, Time, cancellationToken).ConfigureAwait(false);
            var session = new FreeSwitchSession(esl, login, () => OpenSecondAsync(endpoint));
            // What the list brings to light may have to be mended.
            _current = session;
            HangupCause? missing = null;
            if (_connectedBefore && IsAnotherStart(login)) missing = sawShutdown ? HangupCause.ServerShutdown : HangupCause.ServerRestarted;
            // A login that may not list says nothing of what is gone.
            int gone = 0;
            if (login.Channels is not null || missing is not null) (gone, _) = _mapper.Reconcile(login.Channels is null ? [] : FreeSwitchList.Rows(login.Channels), missing, afterLoss: true);
            if (_connectedBefore) Log.Reconciled(Logger, Name, Calls.LiveCount, gone);
            if (_connectedBefore && Calls.LiveCount > 0) await RepairAsync(session, cancellationToken).ConfigureAwait(false);
            bool repairs = _connectedBefore;
            if (login.Channels is not null && Calls.LiveCount > 0) Beside(LookingAgain, now => LookAgainAsync(now, repairs));
            _connectedBefore = true;
            _coreBefore = login.CoreUuid ?? _coreBefore;
            // A start after this is another one; it is told in whole seconds.
            _startsBefore = Time.GetUtcNow().UtcDateTime + TimeSpan.FromSeconds(1);
            if (login.StartedAt + TimeSpan.FromSeconds(1) > _startsBefore) _startsBefore = login.StartedAt + TimeSpan.FromSeconds(1);
            return session;
        }
        catch
        {
            await esl.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    protected override void CheckCall(FreeSwitchSession session, SipCallRequest request) => FreeSwitchCommands.Originate(request, "", Configuration, session.Login.Applications, out _, out _);

    protected override async Task<SipCall> MakeCallAsync(FreeSwitchSession session, SipCallRequest request, CallSlot? slot, CancellationToken cancellationToken)
    {
        string callId = Guid.NewGuid().ToString();
        string command = FreeSwitchCommands.Originate(request, callId, Configuration, session.Login.Applications, out bool hasDestination, out IReadOnlyList<string> legs);
        var call = new FreeSwitchCall(callId, ours: true)
        {
            JobId = NewJobId(),
            Slot = slot,
            From = request.From,
            To = request.To,
            CallerId = request.CallerId,
            Direction = CallDirection.Outbound,
            CreatedAt = Calls.Now,
            HasDestination = hasDestination,
        };
        _mapper.Expect(call, legs);
        if (legs.Count > 1) NameCandidates(call, request);
        EslReply reply;
        try
        {
            // The job's result is an event like those of the legs, and comes among them.
            reply = await session.OriginateAsync(command, call.JobId, cancellationToken).ConfigureAwait(false);
        }
        catch (SipException e) when (LeavesOpen(e))
        {
            // It may ring. The call stays in the table: events or, after a reconnect, the server's list tell.
            e.CallId = callId;
            LookForLater(session, call);
            throw;
        }
        catch (OperationCanceledException)
        {
            // The same: given up by the caller, but the server may be calling already.
            LookForLater(session, call);
            throw;
        }
        catch
        {
            _mapper.Forget(call);
            throw;
        }

        if (reply.IsError)
        {
            _mapper.Forget(call);
            throw NotDone(Rejected(reply, "SipCallRejected", $"{Name} refused the call from {request.From ?? "-"} to {request.To}", callId));
        }

        return Shown(call);
    }

    protected override async Task<SipCall> HangUpAsync(FreeSwitchSession session, string callId, HangupCause cause, CancellationToken cancellationToken)
    {
        string name = FreeSwitchCauses.Name(cause);
        FreeSwitchCall call = FindLive<FreeSwitchCall>(callId);
        CallWaiter waiter = Calls.Wait(call.CallId, [])!;
        try
        {
            List<FreeSwitchLeg> legs;
            lock (Calls.Sync)
            {
                legs = FreeSwitchMapper.LegsToHangUp(call);
                // All of them or none.
                legs.ForEach(l => Word(l));
                // Legs that appear later, of a dial string's next attempt for instance, are ended as they come.
                call.HangupWanted = cause;
                if (legs.Count > 0) Calls.Move(call, CallState.HangingUp);
            }

            await AskForEndAsync(call, () => Task.WhenAll(legs.Select(l => KillAsync(session, l, name, cancellationToken)))).ConfigureAwait(false);
            return await EndedAsync(call, waiter, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Calls.StopWaiting(call.CallId, waiter);
        }
    }

    protected override async Task<IReadOnlyList<SipCall>> GetCallsAsync(FreeSwitchSession session, CancellationToken cancellationToken)
    {
        EslReply reply = await AskAsync(session, "show channels as json", "SipRejected", $"{Name} does not list its calls", null, cancellationToken).ConfigureAwait(false);
        await ReconcileAsync(session, FreeSwitchList.Rows(reply.Text), afterLoss: false, cancellationToken).ConfigureAwait(false);
        return Calls.SnapshotLive();
    }

    protected override Task<IReadOnlyList<SipCallDetailRecord>> GetCallDetailRecordsAsync(FreeSwitchSession session, SipDetailRecordFilter filter, CancellationToken cancellationToken)
    {
        // A leg's record is in the event that ends it, so what has ended has its records.
        if (filter.CallId is { } wanted) filter = filter with { CallId = (FindCall(wanted) ?? throw NoSuchCall(wanted)).CallId };
        return Task.FromResult<IReadOnlyList<SipCallDetailRecord>>(_records.Find(filter));
    }

    protected override async Task<SipCommandResult> InvokeCommandAsync(FreeSwitchSession session, SipCommandRequest request, CancellationToken cancellationToken)
    {
        EslReply reply = await session.Esl.RunAsync(FreeSwitchCommands.Raw(request), cancellationToken).ConfigureAwait(false);
        string[] lines = reply.Text.TrimEnd('\n').Split('\n');
        return new SipCommandResult
        {
            Server = Name,
            Command = request.Name,
            Success = !reply.IsError,
            Message = lines[0].StartsWith("+OK", StringComparison.Ordinal) || reply.IsError ? lines[0] : null,
            Output = lines,
        };
    }

    protected override async Task<SipServerHealth> MeasureAsync(FreeSwitchSession session, SipServerHealth health, CancellationToken cancellationToken)
    {
        long begin = Time.GetTimestamp();
        // A refusal is an answer too.
        await session.Esl.CommandAsync("uptime", "api uptime", cancellationToken).ConfigureAwait(false);
        TimeSpan latency = Time.GetElapsedTime(begin);
        return health with
        {
            Latency = latency,
            ActiveCalls = session.Login.Commands.Contains("show") ? Total((await session.Esl.RunAsync("show calls count", cancellationToken).ConfigureAwait(false)).Text) : null,
            Uptime = session.StartedAt is { } started ? Time.GetUtcNow().UtcDateTime - started : null,
        };
    }

    protected override SipNotSupportedException NotSupported(FreeSwitchSession session, SipCapabilities needed)
    {
        string user = Configuration.Credential!.UserName;
        string Commands(params string[] names) => $"the login '{user}' may not use {string.Join(", ", names.Where(n => !session.Login.Commands.Contains(n)).DefaultIfEmpty(names[0]))}, or the server lacks it; a directory user needs it in esl-allowed-api";
        string why = needed switch
        {
            _ when !session.HasCallEvents && (needed & (SipCapabilities.MakeCall | SipCapabilities.CallDetailRecords | SipCapabilities.BlindTransfer | SipCapabilities.AttendedTransfer | SipCapabilities.Conference | SipCapabilities.Answer)) != 0 =>
                $"the login '{user}' is not sent {string.Join(", ", FreeSwitchSession.CallEvents.Where(e => !session.Login.Events.Contains(e)))}, so the outcome could not be seen; a directory user needs them in esl-allowed-events",
            SipCapabilities.MakeCall or SipCapabilities.MakeCall | SipCapabilities.Failover => Commands("originate"),
            SipCapabilities.HangUp or SipCapabilities.Reject => Commands("uuid_kill"),
            SipCapabilities.ListCalls or SipCapabilities.Registrations => Commands("show"),
            SipCapabilities.BlindTransfer or SipCapabilities.AttendedTransfer => Commands("uuid_transfer", "uuid_bridge", "uuid_setvar", "originate", "uuid_kill"),
            SipCapabilities.Hold => Commands("uuid_hold") + ", and CHANNEL_HOLD and CHANNEL_UNHOLD in esl-allowed-events",
            _ when (needed & (SipCapabilities.Conference | SipCapabilities.ConferenceList | SipCapabilities.ConferenceControl | SipCapabilities.ConferenceRecording)) != 0 => Commands("conference", "uuid_transfer", "global_getvar") + "; mod_conference must be loaded",
            SipCapabilities.Recording => Commands("uuid_record", "global_getvar") + ", and RECORD_START and RECORD_STOP in esl-allowed-events",
            SipCapabilities.Dtmf => Commands("uuid_send_dtmf"),
            SipCapabilities.Variables => Commands("uuid_getvar", "uuid_setvar", "uuid_exists"),
            SipCapabilities.Answer => Commands("uuid_answer"),
            SipCapabilities.Gateways => Commands("sofia"),
            SipCapabilities.Statistics => Commands("status"),
            SipCapabilities.Routing => "FreeSWITCH asks its dialplan where calls go, not its Event Socket",
            SipCapabilities.Queues => "its queues (mod_callcenter, mod_fifo) are not read by this module",
            _ => $"the login '{user}' lacks the right for it",
        };
        return new SipNotSupportedException($"{Name} cannot do this ({needed}): {why}. Nothing was sent.", needed)
        {
            RecommendedAction = needed == SipCapabilities.Queues ? "Invoke-SipCommand callcenter_config asks mod_callcenter itself." : "Connect with the password of event_socket.conf, or as a user who may do it.",
        };
    }

    protected override void OnLeft() => _timer.Dispose();

    // Which of the caller's endpoints each leg is for: a number by the template may be several.
    private void NameCandidates(FreeSwitchCall call, SipCallRequest request)
    {
        string template = Configuration.EndpointTemplate!;
        int each = template.Count(c => c is '|' or ',') + 1;
        IEnumerable<string> endpoints = request.From is null ? request.ToAlternatives.Prepend(request.To!) : request.FromAlternatives.Prepend(request.From);
        string[] names = [.. endpoints.SelectMany(e => Enumerable.Repeat(e, e.Contains('/', StringComparison.Ordinal) ? 1 : each))];
        lock (Calls.Sync)
        {
            for (int i = 0; i < names.Length && i < call.Legs.Count; i++) call.Legs[i].Candidate = names[i];
        }
    }

    // 96 random bits, base64url: the server reads commands byte by byte, so it is no longer than it need be.
    private static string NewJobId()
    {
        Span<byte> random = stackalloc byte[12];
        RandomNumberGenerator.Fill(random);
        return Convert.ToBase64String(random).Replace('+', '-').Replace('/', '_');
    }

    private static SipRejectedException Rejected(EslReply reply, string errorId, string what, string? callId) =>
        new($"{what}: {SipText.Printable(reply.Message)}", reply.Message, errorId: errorId) { CallId = callId, IsPermission = reply.IsPermissionDenied };

    /// <summary>Runs an api command that the server must accept.</summary>
    private static async Task<EslReply> AskAsync(FreeSwitchSession session, string command, string errorId, string what, string? callId, CancellationToken cancellationToken)
    {
        EslReply reply = await session.Esl.RunAsync(command, cancellationToken).ConfigureAwait(false);
        return reply.IsError ? throw Rejected(reply, errorId, what, callId) : reply;
    }

    // "12 total."
    private static int? Total(string text) => int.TryParse(text.Trim().Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out int total) ? total : null;

    // The leg's id as one word of a command: what else may be in it would be read as more of the command.
    private string Word(FreeSwitchLeg leg) => leg.IsAddressable
        ? leg.Id
        : throw WrongState(leg.Call, "SipLegNotAddressable", $"has a leg whose id '{SipText.Printable(leg.Id)}' is no word of a command");

    // True if the server had the leg.
    private async Task<bool> KillAsync(FreeSwitchSession session, FreeSwitchLeg leg, string cause, CancellationToken cancellationToken)
    {
        for (int attempt = 0; ; attempt++)
        {
            EslReply reply = await session.Esl.RunAsync($"uuid_kill {Word(leg)} {cause}", cancellationToken).ConfigureAwait(false);
            if (!reply.IsError) return true;
            if (!reply.Text.Contains("No such channel", StringComparison.OrdinalIgnoreCase)) throw Rejected(reply, "SipHangUpRejected", $"{Name} refused to hang up {leg.Call.CallId}", leg.Call.CallId);
            // It went by itself, and its end is under way; or it is so new that the server does not find it yet.
            if (leg.Ended || attempt == 5) return false;
            await Task.Delay(TimeSpan.FromMilliseconds(20 << attempt), Time, cancellationToken).ConfigureAwait(false);
            if (leg.Ended) return false;
        }
    }

    // A leg of a call that is to end has appeared. Called on the reader, under the lock: only starts the work.
    private void HangUpLate(FreeSwitchLeg leg, HangupCause cause)
    {
        if (leg.Call.HangupWanted is not null && leg.Call.State is not (CallState.HangingUp or CallState.Terminated)) Calls.Move(leg.Call, CallState.HangingUp);
        Beside("hanging up", session => AskForEndAsync(leg.Call, () => KillAsync(session, leg, FreeSwitchCauses.Name(cause), CancellationToken.None)));
    }

    protected override void OnGoesOn(TrackedCall call) => _mapper.Consider((FreeSwitchCall)call, default);

    // The server says DESTINATION_OUT_OF_ORDER when it has reached a limit, is paused, or cannot read the dial string.
    private void ExplainLater(FreeSwitchCall call) => Beside("asking why a call was refused", async session =>
    {
        string? found = null;
        try
        {
            Task<string?> asking;
            // Calls that are refused together are refused for one reason: it is asked for once.
            lock (Calls.Sync) asking = _explaining is { IsCompleted: false } running ? running : _explaining = ExplainAsync(session);
            found = await asking.ConfigureAwait(false);
        }
        finally
        {
            _mapper.Explained(call, found);
        }
    });

    private async Task<string?> ExplainAsync(FreeSwitchSession session)
    {
        await Task.Yield();
        if (!session.Login.Commands.Contains("fsctl")) return null;
        if ((await session.Esl.RunAsync("fsctl pause_check outbound", CancellationToken.None).ConfigureAwait(false)).Text.Trim() == "true") return "the server is paused for outbound calls (fsctl resume outbound)";
        if (!session.Login.Commands.Contains("status")) return null;
        for (int i = 0; ; i++)
        {
            FreeSwitchStatus status = FreeSwitchStatus.Parse((await session.Esl.RunAsync("status", CancellationToken.None).ConfigureAwait(false)).Text);
            if (status.Sessions >= status.MaxSessions) return $"the server has reached its limit of {status.MaxSessions} sessions (fsctl max_sessions)";
            if (status.SessionsPerSecond >= status.MaxPerSecond) return $"the server has reached its limit of {status.MaxPerSecond} sessions per second (fsctl sps)";
            if (i == 4) return "the server has reached a limit of its own, or cannot read the dial string";
            // That counter is of the last whole second (seen with FreeSWITCH 1.10.12): the refusal shows when its own is over.
            await Task.Delay(TimeSpan.FromMilliseconds(300), Time, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private void Beside(string what, Func<FreeSwitchSession, Task> work)
    {
        if (_current is not { } session) return;
        _ = Task.Run(async () =>
        {
            try
            {
                await work(session).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // nobody awaits it: an error of our own must be told, not lost
            catch (Exception e)
#pragma warning restore CA1031
            {
                Log.WorkFailed(Logger, e, Name, what);
            }
        });
    }

    // Events tell of the call if the server took it. If none has come by then, and the server lists none, it did not.
    private void LookForLater(FreeSwitchSession session, FreeSwitchCall call) => Beside(LookingAgain, async _ =>
    {
        await Task.Delay(TimeInDoubt, Time, CancellationToken.None).ConfigureAwait(false);
        // After a loss of the first connection its successor brings the table in line.
        if (session == _current && !session.Closed.IsCompleted && _mapper.Doubt(call)) await LookAgainAsync(session, repairs: false).ConfigureAwait(false);
    });

    // Within a deadline of its own; calls that are waiting go over the first connection meanwhile, and for good if there is no second.
    private async Task<EslSession> OpenSecondAsync(WireEndpoint endpoint)
    {
        try
        {
            return await Deadline.RunAsync(
                token => FreeSwitchLogin.OpenSecondAsync(endpoint, Configuration, Name, Logger, Time, token),
                Configuration.ConnectTimeout, Time, () => $"A second connection to {Name}", CancellationToken.None).ConfigureAwait(false);
        }
        catch (SipException e)
        {
            Log.NoSecondConnection(Logger, Name, e.Message);
            throw;
        }
    }

    private void OnTick()
    {
        try
        {
            if (_mapper.HasWatched) _mapper.OnTick();
        }
#pragma warning disable CA1031 // a timer's callback: an error of our own would end the process of whoever uses this
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.WorkFailed(Logger, e, Name, "ending calls that waited long enough");
        }
    }
}
