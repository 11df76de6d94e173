using System.Text.Json;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>The part of the mapper that decides when a call is over and why.</summary>
internal sealed partial class FreeSwitchMapper
{
    // How long a failed originate waits for the end of a leg that it made; the widest gap recorded is some milliseconds.
    private const long GraceForLeg = 2000;

    // How long a refused call waits for the server to say why; it takes it a second or two.
    private const long GraceForExplanation = 10_000;

    /// <summary>True while anything waits for <see cref="OnTick"/>.</summary>
    public bool HasWatched
    {
        get
        {
            lock (calls.Sync) return _watched.Count > 0;
        }
    }

    /// <summary>Ends what has waited long enough. Called now and then.</summary>
    public void OnTick()
    {
        lock (calls.Sync)
        {
            long now = Clock;
            foreach (FreeSwitchCall call in _watched.ToArray())
            {
                if (call.State != CallState.Terminated && call.FinishAt > now) continue;
                _watched.Remove(call);
                if (call.State != CallState.Terminated && call.FinishAt is not null) End(call, default);
            }

            Conditions.Check();
        }
    }

    /// <summary>Nothing has come of an originate whose reply was not seen: from now on the server's list decides whether there is such a call.</summary>
    /// <returns>False if something has come.</returns>
    public bool Doubt(FreeSwitchCall call)
    {
        lock (calls.Sync) return call.InDoubt = !call.OriginateDone && !call.SeenOnServer && call.State != CallState.Terminated;
    }

    /// <summary>Why the server refused is known, as far as it can be.</summary>
    public void Explained(FreeSwitchCall call, string? explanation)
    {
        lock (calls.Sync)
        {
            call.Explanation = explanation;
            if (call.State != CallState.Terminated && call.LiveLegs == 0) End(call, default);
            Conditions.Check();
        }
    }

    /// <summary>
    /// Brings the calls in line with the server's own list (show channels as json), which is read from a database that is
    /// a moment behind. Legs that it lacks for two seconds have ended; at once if their server is not there any more.
    /// </summary>
    /// <param name="rows">The rows of the list.</param>
    /// <param name="missing">The cause of calls that cannot be there, since their server was started anew; null otherwise.</param>
    /// <returns>How many calls ended, and whether there is anything that a later list may say otherwise.</returns>
    /// <param name="afterLoss">True if events were missed: then the list tells how legs stand. Otherwise events know better, and sooner.</param>
    /// <param name="doubtful">Takes the legs that it lacks for two seconds, which are then not ended before <see cref="FreeSwitchLeg.KnownGone"/> is set: a busy server's list lags. Null: they have ended.</param>
    public (int Gone, bool Missed) Reconcile(IReadOnlyList<JsonElement> rows, HangupCause? missing, bool afterLoss, List<FreeSwitchLeg>? doubtful = null)
    {
        int gone = 0;
        bool missed = false;
        lock (calls.Sync)
        {
            var listed = new HashSet<FreeSwitchLeg>();
            foreach (JsonElement row in rows)
            {
                if (Find(row, afterLoss) is not { } leg) continue;
                listed.Add(leg);
                missed |= leg.HoldInDoubt;
            }

            long now = Clock;
            foreach (FreeSwitchCall call in calls.Live.Cast<FreeSwitchCall>().ToArray())
            {
                FreeSwitchLeg? ended = null;
                bool doubts = false;
                foreach (FreeSwitchLeg leg in call.Legs)
                {
                    if (leg.Ended || listed.Contains(leg)) continue;
                    if (missing is null && ((!leg.Seen && call.IsOpen) || (leg.MissingSince ??= now) > now - GraceForLeg))
                    {
                        missed |= leg.MissingSince is not null;
                        continue;
                    }

                    if (!leg.Seen) continue;
                    if (missing is null && !leg.KnownGone && doubtful is not null)
                    {
                        doubtful.Add(leg);
                        doubts = true;
                        continue;
                    }

                    Gone(leg);
                    ended = leg;
                }

                if (ended is not null && call.LiveLegs > 0) OnLegMissing(call, ended);
                if (doubts || call.LiveLegs > 0 || (missing is null && (call.IsOpen || call.Legs.Exists(l => l is { Ended: false, MissingSince: { } since } && since > now - GraceForLeg)))) continue;
                call.NoteUnseenEnd(missing ?? HangupCause.EndedUnseen, neverTaken: call.InDoubt && !call.SeenOnServer);
                Leave(call);
                calls.Move(call, CallState.Terminated);
                gone++;
            }

            ShutdownSeen = false;
            Conditions.Check();
        }

        return (gone, missed);
    }

    /// <summary>The legs to hang up, the first leg first. Under the lock. None if the server has told of no channel yet.</summary>
    public static List<FreeSwitchLeg> LegsToHangUp(FreeSwitchCall call)
    {
        var legs = new List<FreeSwitchLeg>(2);
        if (call.Primary is { Seen: true, Ended: false } primary) legs.Add(primary);
        legs.AddRange(call.Legs.Where(l => l.Seen && !l.Ended && l != call.Primary));
        return legs;
    }

    private void OnHangupComplete(ReadOnlySpan<byte> json)
    {
        // A leg of which only the end was seen has no call to show.
        if (!_legs.TryGet(EslJson.Find(json, "Unique-ID"u8), out FreeSwitchLeg? leg) || leg.Ended) return;
        if (!leg.Seen) Describe(leg, json);
        See(leg);
        leg.Name ??= EslJson.Text(json, "Channel-Name"u8);
        leg.Cause = FreeSwitchCauses.Read(EslJson.Find(json, "Hangup-Cause"u8)) ?? leg.Cause;
        leg.Q850 = (int?)EslJson.Number(json, "variable_hangup_cause_q850"u8);
        // Of an answered leg it is the 200.
        leg.SipStatus = EslJson.Number(json, "variable_sip_term_status"u8) is >= 300 and <= 699 and { } status ? (int)status : null;
        leg.SipCallId ??= EslJson.Text(json, "variable_sip_call_id"u8);
        FreeSwitchCall call = leg.Call;
        if (call.AnswerUnseen && leg == call.Primary) CorrectAnswer(call, json);
        leg.HungUpByFarEnd = call.State != CallState.HangingUp && EslJson.Find(json, "variable_sip_hangup_disposition"u8).SequenceEqual("recv_bye"u8) && !call.Legs.Exists(l => l.HungUpByFarEnd);
        if (records.Keeps) records.Add(FreeSwitchDetailRecord.Read(json, server, call.CallId));
        OnGone(leg, json);
    }

    private void OnGone(FreeSwitchLeg leg, ReadOnlySpan<byte> json)
    {
        Gone(leg);
        FreeSwitchCall call = leg.Call;
        if (call.LiveLegs == 0)
        {
            // After an answer no other attempt follows, whether the originate's result came or not.
            if (call.OriginateDone || leg.Up) Finish(call, json);
            else if (call.ResultMayBeLost) FinishLater(call, GraceForLeg);
            return;
        }

        OnLegMissing(call, leg);
        ShowHold(call, json);
    }

    private void Gone(FreeSwitchLeg leg)
    {
        if (leg.Ended) return;
        leg.Ended = true;
        leg.Holds = false;
        leg.Room = null;
        Part(leg);
        leg.Call.LiveLegs--;
        // The uuid of a first leg that failed comes again with the next attempt.
        if (leg.Call.OriginateDone || leg.Id != leg.Call.CallId)
        {
            _legs.Remove(leg.IdBytes);
            records.Remember(leg.IdBytes, leg.Call);
        }
    }

    // The result of an originate of ours, by the id of its job.
    private void OnOriginateDone(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> id = EslJson.Find(json, "Job-UUID"u8);
        if (!_jobs.TryGet(id, out FreeSwitchCall? call) || !EslJson.Find(json, "Job-Command"u8).SequenceEqual("originate"u8)) return;
        _jobs.Remove(id);
        if (call.OriginateDone || call.State == CallState.Terminated) return;
        call.ResultMayBeLost = false;
        string result = (EslJson.Text(json, "_body"u8) ?? "").Trim();
        call.OriginateDone = true;
        if (!result.StartsWith("+OK", StringComparison.Ordinal)) call.OriginateError = result.StartsWith("-ERR ", StringComparison.Ordinal) ? result[5..] : result;
        if (call.LiveLegs > 0)
        {
            // The end of its leg is under way.
            if (call.OriginateError is not null) FinishLater(call, GraceForLeg);
            return;
        }

        if (call.OriginateError is null && !call.SeenOnServer)
        {
            // It says that there is a leg: its events come.
            FinishLater(call, GraceForLeg);
            return;
        }

        if (call.OriginateError == "DESTINATION_OUT_OF_ORDER" && !call.SeenOnServer && Explain is { } explain)
        {
            FinishLater(call, GraceForExplanation);
            explain(call);
            return;
        }

        Finish(call, json);
    }

    private void FinishLater(FreeSwitchCall call, long delay)
    {
        call.FinishAt = Clock + delay;
        _watched.Add(call);
    }

    private void Finish(FreeSwitchCall call, ReadOnlySpan<byte> json)
    {
        if (call.State != CallState.Terminated) End(call, json);
    }

    private void End(FreeSwitchCall call, ReadOnlySpan<byte> json)
    {
        (call.Cause, call.CauseCode, call.SipStatus, call.CauseText) = Verdict(call);
        call.EndedAt = TimeOf(call, json);
        Leave(call);
        calls.Move(call, CallState.Terminated, json, EslFieldReader.Instance);
    }

    private void Leave(FreeSwitchCall call)
    {
        call.FinishAt = null;
        if (call.IsOurs) _jobs.Remove(call.JobIdBytes);
        foreach (FreeSwitchLeg leg in call.Legs)
        {
            if (_legs.TryGet(leg.IdBytes, out FreeSwitchLeg? there) && there == leg) _legs.Remove(leg.IdBytes);
            records.Remember(leg.IdBytes, call);
        }

        call.EndRecordings(call.EndedAt ?? calls.Now);
    }

    /// <summary>Why the call ended, by what the server said of its legs and of its originate.</summary>
    private static (HangupCause Cause, int? Code, int? SipStatus, string? Text) Verdict(FreeSwitchCall call)
    {
        FreeSwitchLeg? leg = null;
        if (call.AnsweredAt is null)
        {
            // The destination that failed, else the leg that we called; losers of a race failed because somebody answered.
            leg = call.Legs.FindLast(l => l is { Ended: true, Up: false, Cause: not (null or "LOSE_RACE") } && (l != call.Primary || l.IsCandidate) && (call.OriginateError is null || l.Cause == call.OriginateError))
                ?? call.Legs.FindLast(l => l is { Ended: true, Cause: not null } && l == call.Primary);
            if (call.OriginateError is { } error && leg?.Cause != error) return (FreeSwitchCauses.Of(error), FreeSwitchCauses.Q850Of(error), null, call.Explanation is null ? error : $"{error}: {call.Explanation}");
        }

        leg ??= call.Primary is { Ended: true, Cause: not null } primary ? primary : call.Legs.FindLast(l => l is { Ended: true, Cause: not null });
        if (leg is null) return (HangupCause.Unknown, null, null, call.OriginateError);
        return (FreeSwitchCauses.Of(leg.Cause), leg.Q850 ?? FreeSwitchCauses.Q850Of(leg.Cause), leg.SipStatus, leg.Cause);
    }

    // A row of the server's list as a leg of a call. Under the lock.
    private FreeSwitchLeg? Find(JsonElement row, bool afterLoss)
    {
        string? Text(string name) => FreeSwitchList.Text(row, name);

        if (Text("uuid") is not { } uuid) return null;
        byte[] id = EslJson.Key(uuid);
        bool isNew = false;
        if (!_legs.TryGet(id, out FreeSwitchLeg? leg))
        {
            if (records.RecentCall(id) is not null) return null;
            FreeSwitchLeg? other = Text("call_uuid") is { } callUuid && callUuid != uuid && _legs.TryGet(EslJson.Key(callUuid), out FreeSwitchLeg? first) ? first : null;
            bool inbound = Text("direction") == "inbound";
            leg = Add(id, other?.Call, inbound, default);
            isNew = true;
            leg.Name = Text("name");
            leg.Number = inbound ? Text("cid_num") : Text("dest");
            if (other is null)
            {
                FreeSwitchCall made = leg.Call;
                // Once it is answered, cid_num of a leg that was called is its own number (wire/freeswitch, api-status-version-global).
                made.From = Text("initial_cid_num") ?? Text("cid_num");
                made.To = Text("initial_dest") ?? Text("dest");
                made.Direction = inbound ? CallDirection.Inbound : CallDirection.Outbound;
                made.State = inbound ? CallState.Incoming : CallState.Created;
                made.CreatedAt = long.TryParse(Text("created_epoch"), System.Globalization.CultureInfo.InvariantCulture, out long seconds) && seconds is > 0 and < 100_000_000_000 ? DateTimeOffset.FromUnixTimeSeconds(seconds).UtcDateTime + (_clock.Ahead ?? TimeSpan.Zero) : null;
            }
        }
        else if (leg.Ended)
        {
            return null;
        }

        See(leg);
        if (isNew || afterLoss) CatchUp(leg, Text("callstate"), Text("application"), Text("application_data"));
        return leg;
    }

    // A leg in the server's list may be further than our events said.
    private void CatchUp(FreeSwitchLeg leg, string? state, string? application, string? data)
    {
        FreeSwitchCall call = leg.Call;
        if (leg.Up && state is not ("ACTIVE" or "HELD" or "UNHELD")) return;
        if (call.State == CallState.Created) calls.Move(call, CallState.Dialing);
        if (state is "RINGING" or "EARLY" && call.State == CallState.Dialing && !leg.IsInbound) calls.Move(call, CallState.Ringing);
        bool wasUp = leg.Up;
        leg.State = state ?? leg.State;
        leg.Application ??= application;
        leg.ApplicationData ??= data;
        if (state is not ("ACTIVE" or "HELD" or "UNHELD")) return;
        leg.Up = true;
        CatchUpHold(leg, state == "HELD", wasUp);
        if (wasUp) return;
        TakeCandidate(call, leg);
        // Its answer is the originate's result.
        if (leg == call.Primary && call.ResultMayBeLost) call.OriginateDone = true;
        // Who talks with whom is not in this list; two legs of one call that are both up do.
        if (leg != call.Primary && call.Primary is { Up: true, Ended: false, Peer: null } first && leg.Peer is null) (leg.Peer, first.Peer) = (first, leg);
        bool known = call.AnsweredAt is not null;
        Consider(call, default);
        NoteAnswer(call, known);
        ShowHold(call, default);
    }

    // The list is a moment behind: a hold that it does not know, or still knows, is believed when it says so again a second later.
    private void CatchUpHold(FreeSwitchLeg leg, bool holds, bool known)
    {
        bool differs = known && leg.Holds != holds;
        bool believed = !differs || leg.HoldInDoubt;
        leg.HoldInDoubt = !believed;
        if (!believed) return;
        leg.Holds = holds;
        if (!differs) return;
        if (!holds) leg.HeldByUs = false;
        ShowHold(leg.Call, default);
    }
}
