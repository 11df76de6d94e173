using System.Text.Json;
using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.OpenSips;

/// <content>Calls that the server makes for us, and ending calls.</content>
internal sealed partial class OpenSipsAdapter
{
    // The server sends no events of the calls that it joins itself: its list is asked, often while something is to happen.
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(150);

    protected override void CheckCall(OpenSipsSession session, SipCallRequest request)
    {
        bool oneLeg = CallRules.CheckParties(request);
        CallRules.RingTime(request.Timeout, Configuration);
        if (oneLeg && !session.CanCallOne) throw new SipNotSupportedException($"{Name} cannot make calls of one leg: it needs ua_session_client_start (b2b_entities) and the event E_UA_SESSION. Nothing was sent.", SipCapabilities.MakeCall);
        if (!oneLeg && !session.CanJoin) throw NotSupported(session, SipCapabilities.MakeCall);
        CheckAddress(session, request.To!, "To", request.Context);
        if (!oneLeg) CheckAddress(session, request.From!, "From", request.Context);
        _ = oneLeg ? OpenSipsCommands.CallOne(request, "", Host()) : OpenSipsCommands.Join(request, "", "", "");
    }

    protected override async Task<SipCall> MakeCallAsync(OpenSipsSession session, SipCallRequest request, CallSlot? slot, CancellationToken cancellationToken)
    {
        CheckCall(session, request);
        bool oneLeg = request.From is null;
        TimeSpan ring = CallRules.RingTime(request.Timeout, Configuration);
        string callId = Guid.NewGuid().ToString();
        string to = await AddressAsync(session, request.To!, "To", request.Context, cancellationToken).ConfigureAwait(false);
        string? from = oneLeg ? null : await AddressAsync(session, request.From!, "From", request.Context, cancellationToken).ConfigureAwait(false);
        RpcParameters parameters = oneLeg ? OpenSipsCommands.CallOne(request, to, Host()) : OpenSipsCommands.Join(request, callId, from!, to);
        var call = new OpenSipsCall(callId, ours: true, oneLeg ? OpenSipsKind.Session : OpenSipsKind.Scenario)
        {
            Slot = slot,
            From = request.From,
            To = request.To,
            CallerId = request.CallerId,
            Direction = CallDirection.Outbound,
            CreatedAt = Calls.Now,
            ToUri = to,
            RingTime = ring,
            AnswerBy = Time.GetTimestamp() + (long)(ring.TotalSeconds * Time.TimestampFrequency),
        };
        _mapper.Expect(call);
        try
        {
            JsonElement result = await session.Mi.DoAsync(oneLeg ? "ua_session_client_start" : "b2b_trigger_scenario", parameters, cancellationToken).ConfigureAwait(false);
            if (oneLeg) _mapper.Started(call, MiJson.Text(result) ?? throw new SipProtocolException($"{Name} made a call and gave no key for it."));
            call.Taken = true;
        }
        catch (SipRejectedException e)
        {
            _mapper.Forget(call);
            string hint = e.ServerText.Contains("Failed to initialize scenario", StringComparison.Ordinal) ? " (b2b_logic needs its parameter server_address)" : "";
            throw new SipRejectedException($"{Name} refused the call from {request.From ?? "-"} to {request.To}: {SipText.Printable(e.ServerText)}{hint}.", e.ServerText, e.ServerCode, "SipCallRejected") { CallId = callId, NothingDone = e.NothingDone };
        }
        catch (SipException e) when (LeavesOpen(e))
        {
            // It may ring: the list will tell.
            call.Taken = true;
            e.CallId = callId;
            throw;
        }
        catch (OperationCanceledException)
        {
            call.Taken = true;
            throw;
        }
        catch
        {
            _mapper.Forget(call);
            throw;
        }
        finally
        {
            session.Wake();
        }

        return Shown(call);
    }

    protected override async Task<SipCall> HangUpAsync(OpenSipsSession session, string callId, HangupCause cause, CancellationToken cancellationToken)
    {
        string reason = OpenSipsCommands.Reason(cause);
        OpenSipsCall call = FindLive<OpenSipsCall>(callId);
        CallWaiter waiter = Calls.Wait(call.CallId, [])!;
        try
        {
            await HangUpAsync(session, call, cause, reason, cancellationToken).ConfigureAwait(false);
            return await EndedAsync(call, waiter, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Calls.StopWaiting(call.CallId, waiter);
        }
    }

    private async Task HangUpAsync(OpenSipsSession session, OpenSipsCall call, HangupCause cause, string reason, CancellationToken cancellationToken)
    {
        HangupCause? before = call.HangupWanted;
        lock (Calls.Sync) call.HangupWanted = cause;
        try
        {
            switch (call.Kind)
            {
                case OpenSipsKind.Dialog:
                    Need(session, "dlg_end_dlg", SipCapabilities.HangUp);
                    await session.Mi.DoAsync("dlg_end_dlg", RpcParameters.Named(("dialog_id", call.DialogId!), ("extra_hdrs", reason)), cancellationToken).ConfigureAwait(false);
                    break;
                case OpenSipsKind.Scenario:
                    Need(session, "b2b_terminate_call", SipCapabilities.HangUp);
                    if (call.Key is null) await LookAtScenariosAsync(session, addOthers: false, cancellationToken).ConfigureAwait(false);
                    if (call.Key is { } key) await session.Mi.DoAsync("b2b_terminate_call", RpcParameters.Of(key), cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    Need(session, "ua_session_terminate", SipCapabilities.HangUp);
                    if (call.Key is not { } leg) throw new SipTimeoutException($"{Name} has not said yet how the call {call.CallId} is named.", Configuration.RequestTimeout);
                    await session.Mi.DoAsync("ua_session_terminate", RpcParameters.Of(leg), cancellationToken).ConfigureAwait(false);
                    // The server sends no event for its own hang-up.
                    _mapper.End(call, call.OwnCause ?? cause, call.OwnCause is null ? null : $"not answered within {call.RingTime.TotalSeconds:0.###} s; ended by us");
                    break;
            }

            lock (Calls.Sync)
            {
                if (call.State != CallState.Terminated) Calls.Move(call, CallState.HangingUp);
            }
        }
        catch (SipRejectedException e) when (e.ServerCode == 404)
        {
            // It ended by itself; its end is under way.
            lock (Calls.Sync) call.HangupWanted = before;
            await ReadCallsAsync(session, null, afterLoss: true, cancellationToken).ConfigureAwait(false);
        }
        catch (SipRejectedException e)
        {
            lock (Calls.Sync) call.HangupWanted = before;
            throw new SipRejectedException($"{Name} refused to hang up {call.CallId}: {SipText.Printable(e.ServerText)}.", e.ServerText, e.ServerCode, "SipHangUpRejected") { CallId = call.CallId };
        }
        finally
        {
            session.Wake();
        }
    }

    // A dialog of a call that is to end has appeared. On the reader, under the lock: only starts the work.
    private void HangUpLate(OpenSipsCall call) => Beside("hanging up", s => HangUpAsync(s, call, call.HangupWanted ?? HangupCause.NormalClearing, OpenSipsCommands.Reason(call.HangupWanted ?? HangupCause.NormalClearing), s.Ended));

    private string Table(string? asked) => CallRules.Context(asked ?? Configuration.Context ?? DefaultTable, Configuration);

    // What can be said of a party without asking the server.
    private void CheckAddress(OpenSipsSession session, string value, string parameter, string? table)
    {
        if (CallRules.IsUri(value))
        {
            if (!OpenSipsNumbers.IsUri(value)) throw new SipArgumentException(parameter, value, OpenSipsNumbers.UriRule + ".", "SipInvalidNumber");
            return;
        }

        if (!CallRules.IsNumber(value)) throw new SipArgumentException(parameter, value, CallRules.NumberRule + ", or " + OpenSipsNumbers.UriRule + ".", "SipInvalidNumber");
        if (Configuration.EndpointTemplate is not null) return;
        _ = Table(table);
        if (!session.Login.Commands.Contains("ul_show_contact")) throw new SipArgumentException(parameter, value, "this server has no registrations to find a number in (usrloc.so): give a SIP URI, or connect with -EndpointTemplate.", "SipInvalidNumber");
    }

    // The address of a party: as written, by the template, or where it is registered.
    private async Task<string> AddressAsync(OpenSipsSession session, string value, string parameter, string? table, CancellationToken cancellationToken)
    {
        CheckAddress(session, value, parameter, table);
        if (CallRules.IsUri(value)) return value;
        if (Configuration.EndpointTemplate is { } template) return OpenSipsNumbers.FromTemplate(template, value);
        table = Table(table);
        JsonElement found;
        try
        {
            found = await session.Mi.AskAsync("ul_show_contact", RpcParameters.Of(table, value), cancellationToken).ConfigureAwait(false);
        }
        catch (SipRejectedException e) when (e.ServerCode == 404)
        {
            throw new SipRejectedException($"{Name} has no registration of '{value}' in its table {table} ({e.ServerText}). No call was made.", e.ServerText, e.ServerCode, "SipNumberNotRegistered")
            {
                NothingDone = true,
                RecommendedAction = "Get-SipRegistration lists what is registered; a number elsewhere is called by its SIP URI or with -EndpointTemplate.",
            };
        }

        // A phone chose its contact: it is held to the same rules as a caller.
        IEnumerable<JsonElement> contacts = MiJson.Items(found, "Contacts");
        string? contact = contacts.OrderByDescending(c => double.TryParse(MiJson.Text(c, "Q"), System.Globalization.CultureInfo.InvariantCulture, out double q) ? q : 1).Select(c => MiJson.Text(c, "Contact")).FirstOrDefault(c => c is not null && OpenSipsNumbers.IsUri(c));
        return contact ?? throw new SipRejectedException($"{Name} has no contact of '{value}' that can be called. No call was made.", "no usable contact", errorId: "SipNumberNotRegistered") { NothingDone = true };
    }

    private string Host() => Configuration.Host!.Contains(':', StringComparison.Ordinal) ? $"[{Configuration.Host}]" : Configuration.Host;

    private void Need(OpenSipsSession session, string command, SipCapabilities capability)
    {
        if (!session.Login.Commands.Contains(command)) throw new SipNotSupportedException($"{Name} cannot do this to such a call: it has no command {command}. Nothing was sent.", capability);
    }

    // Looks at what has no events: soon while something is to happen, else now and then.
    private async Task WatchAsync(OpenSipsSession session)
    {
        try
        {
            while (!session.Ended.IsCancellationRequested)
            {
                List<OpenSipsCall> joined = _mapper.LiveOf(OpenSipsKind.Scenario);
                List<OpenSipsCall> waiting = [.. joined.Concat(_mapper.LiveOf(OpenSipsKind.Session)).Where(c => c.AnswerBy is not null)];
                bool moving = waiting.Count > 0 || joined.Exists(c => c.State is CallState.HangingUp or CallState.Transferring);
                bool polls = !session.HasCallEvents && session.Login.Commands.Contains("dlg_list");
                bool ending = polls && _mapper.LiveOf(OpenSipsKind.Dialog).Exists(c => c.State == CallState.HangingUp);
                await session.WaitAsync(moving || ending ? Soon : joined.Count > 0 || polls ? Configuration.PollInterval : null, Time).ConfigureAwait(false);
                try
                {
                    if (polls) await ReadCallsAsync(session, null, afterLoss: false, session.Ended).ConfigureAwait(false);
                    else if (joined.Count > 0 || _mapper.LiveOf(OpenSipsKind.Scenario).Count > 0) await LookAtScenariosAsync(session, addOthers: false, session.Ended).ConfigureAwait(false);
                    await GiveUpAsync(session, waiting).ConfigureAwait(false);
                }
                catch (SipException e)
                {
                    // The pulse finds out whether the server is gone.
                    _mapper.Failed(e, "looking at the calls");
                    await Task.Delay(Configuration.PollInterval, Time, session.Ended).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The session is over.
        }
    }

    // The ring time of a call is ours to keep: the server's own is one for all.
    private async Task GiveUpAsync(OpenSipsSession session, List<OpenSipsCall> waiting)
    {
        long now = Time.GetTimestamp();
        foreach (OpenSipsCall call in waiting)
        {
            if (call.AnswerBy is not { } limit || limit > now || call.Key is null || call.State is CallState.Terminated or CallState.HangingUp or CallState.Connected) continue;
            call.OwnCause = HangupCause.NoAnswer;
            call.AnswerBy = null;
            await HangUpAsync(session, call, HangupCause.NoAnswer, OpenSipsCommands.Reason(HangupCause.NoAnswer), session.Ended).ConfigureAwait(false);
        }
    }

    private async Task LookAtScenariosAsync(OpenSipsSession session, bool addOthers, CancellationToken cancellationToken, HangupCause? unseen = null)
    {
        // Those that were there before the list was made: one that is not in it is gone.
        List<OpenSipsCall> before = _mapper.LiveOf(OpenSipsKind.Scenario).FindAll(c => c.Taken || !c.IsOurs);
        List<ScenarioRow> rows = await session.Mi.ListAsync("b2b_list", ["Tuples"], ScenarioRow.Read, cancellationToken).ConfigureAwait(false);
        if (session.Login.Commands.Contains("b2be_list") && rows.Exists(r => r.State < ScenarioRow.Bridged && r.Parties.Any(p => !p.Confirmed)))
        {
            List<EntityRow> entities = await session.Mi.ListAsync("b2be_list", [], EntityRow.Read, cancellationToken).ConfigureAwait(false);
            HashSet<string> ringing = [.. entities.Where(e => e.State == EntityRow.Early).Select(e => e.SipCallId)];
            foreach (ScenarioParty party in rows.SelectMany(r => r.Parties)) party.Early = ringing.Contains(party.Key);
        }

        List<OpenSipsCall> all = _mapper.LiveOf(OpenSipsKind.Scenario);
        foreach (ScenarioRow row in rows)
        {
            OpenSipsCall? call = all.Find(c => c.CallId == row.Scenario) ?? all.Find(c => c.Key == row.Key);
            if (call is not null) _mapper.Look(call, row);
            else if (addOthers) _mapper.AddScenario(row);
        }

        foreach (OpenSipsCall call in before)
        {
            if (rows.Exists(r => r.Scenario == call.CallId || (r.Key == call.Key && !call.IsOurs))) continue;
            if (unseen is { } cause) _mapper.Gone(call, cause);
            else _mapper.Look(call, null);
        }
    }

    private async Task LookAtSessionsAsync(OpenSipsSession session, HangupCause? missing, CancellationToken cancellationToken)
    {
        List<OpenSipsCall> ours = _mapper.LiveOf(OpenSipsKind.Session).FindAll(c => c.Key is not null);
        if (ours.Count == 0) return;
        List<EntityRow> rows = await session.Mi.ListAsync("ua_session_list", [], EntityRow.Read, cancellationToken).ConfigureAwait(false);
        foreach (OpenSipsCall call in ours)
        {
            EntityRow? row = rows.Find(r => r.SipCallId == call.Key);
            if (row is null || row.State == EntityRow.Terminated) _mapper.Gone(call, missing);
        }
    }
}
