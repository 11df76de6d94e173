using System.Globalization;
using System.Text;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>The part of the mapper that decides when a call is over and why.</summary>
internal sealed partial class YateMapper
{
    // How long a call's record waits for the records of its last legs, which come within milliseconds of their end.
    private const long GraceForRecords = 1000;

    /// <summary>True while anything waits for <see cref="OnTick"/>.</summary>
    public bool HasWaiting
    {
        get
        {
            lock (calls.Sync) return _waiting.Count > 0;
        }
    }

    /// <summary>Ends what has waited long enough. Called now and then.</summary>
    public void OnTick()
    {
        lock (calls.Sync)
        {
            foreach (YateCall call in _waiting.ToArray())
            {
                if (call.FinishAt is { } at && at > Clock) continue;
                _waiting.Remove(call);
                if (call.FinishAt is null) continue;
                call.FinishAt = null;
                if (call.State == CallState.Terminated) KeepRecord(call, evenIfShort: true);
                else if (call.LiveLegs == 0) Finish(call, default);
            }

            Conditions.Check();
        }
    }

    /// <summary>A message's answer said that the call comes to nothing: its legs, if it has any, are to be hung up.</summary>
    public void Fail(YateCall call, HangupCause cause, string? text)
    {
        lock (calls.Sync)
        {
            if (call.State == CallState.Terminated) return;
            call.Failure ??= (cause, text);
            call.Placed = true;
            foreach (YateLeg leg in call.Legs)
            {
                // The silent leg of a call that was refused goes by itself.
                if (!leg.Ended && call.Sent) LateHangup?.Invoke(leg, HangupCause.NormalClearing);
            }

            if (!call.Sent) Finish(call, default);
            Conditions.Check();
        }
    }

    /// <summary>Brings the calls in line with the engine's own list.</summary>
    /// <param name="rows">Its channels.</param>
    /// <param name="runId">The engine's run.</param>
    /// <param name="missing">The cause of calls that cannot be there, since the engine was started anew; null otherwise.</param>
    /// <param name="afterLoss">True if messages were missed: then the list tells how legs stand, and what it lacks is gone.</param>
    /// <returns>How many calls ended.</returns>
    public int Reconcile(IReadOnlyList<YateChannel> rows, string? runId, HangupCause? missing, bool afterLoss)
    {
        int gone = 0;
        lock (calls.Sync)
        {
            if (missing is not null)
            {
                foreach (YateCall call in calls.Live.Cast<YateCall>().ToArray()) gone += EndUnseen(call, missing.Value);
            }

            _run = Encoding.UTF8.GetBytes(runId + " ");
            var listed = new HashSet<YateLeg>();
            foreach (YateChannel row in rows)
            {
                if (Find(row, afterLoss) is { } leg) listed.Add(leg);
            }

            foreach (YateChannel row in rows)
            {
                if (row.Peer is null || !_legs.TryGet(Encoding.UTF8.GetBytes(row.Id), out YateLeg? leg) || leg is not { Ended: false, Peer: null, Media: null }) continue;
                if (_legs.TryGet(Encoding.UTF8.GetBytes(row.Peer), out YateLeg? peer) && !peer.Ended) Join(leg, peer);
                else if (YateNumbers.IsMedia(row.Peer)) leg.Media = row.Peer;
                if (row.Status == "answered") CatchUp(leg.Call);
            }

            if (afterLoss && missing is null)
            {
                foreach (YateCall call in calls.Live.Cast<YateCall>().ToArray())
                {
                    foreach (YateLeg leg in call.Legs.FindAll(l => !l.Ended && !listed.Contains(l))) Gone(leg);
                    // One that was asked for and never answered may still come to be.
                    if (call.LiveLegs == 0 && (call.Placed || call.Legs.Count > 0)) gone += EndUnseen(call, HangupCause.EndedUnseen);
                }
            }

            ShutdownSeen = false;
            Conditions.Check();
        }

        return gone;
    }

    /// <summary>Answers of messages that went on are lost with their connection.</summary>
    public void AnswersLost()
    {
        lock (calls.Sync)
        {
            foreach (TrackedCall call in calls.Live) ((YateCall)call).Placed = true;
        }
    }

    /// <summary>The legs to hang up: one ends both, but a call that is being changed may have more. Under the lock.</summary>
    public static List<YateLeg> LegsToHangUp(YateCall call) => [.. call.Legs.Where(l => !l.Ended).OrderBy(l => l != call.Primary)];

    private YateLeg? OnHangup(in YateLine message)
    {
        if (!_legs.TryGet(message.Find("id"u8), out YateLeg? leg) || leg.Ended) return null;
        YateCall call = leg.Call;
        leg.Status = Word(message.Find("status"u8)) ?? leg.Status;
        leg.Reason = message.Text("reason"u8) ?? leg.Reason;
        leg.SipStatus = Failing(message.Number("cause_sip"u8)) ?? leg.SipStatus;
        leg.Q850 = Q850(message.Text("sip_reason"u8));
        // Who was still connected went by itself; the others were left.
        leg.HungUpByFarEnd = call.State != CallState.HangingUp && !leg.IsDumb && !message.Find("peerid"u8).IsEmpty && !call.Legs.Exists(l => l.HungUpByFarEnd);
        OnGone(leg);
        return leg;
    }

    private void OnGone(YateLeg leg)
    {
        YateCall call = leg.Call;
        YateLeg? peer = leg.Peer;
        Gone(leg);
        if (call.LiveLegs == 0)
        {
            // The answer to call.execute says why, where the end of a leg does not; it may come after it.
            if (call.Placed) Finish(call, default);
            return;
        }

        if (call is { State: CallState.Transferring, Transfer: { } transfer }) OnTransferLeg(call, transfer, leg);
        else if (call.Held && peer is null) EndWaiting(call);
        ShowHold(call, default);
        ChoosePrimary(call);
    }

    // Who is left on our music has nobody to come back to, and nothing at the engine would end it.
    private void EndWaiting(YateCall call)
    {
        call.Held = false;
        foreach (YateLeg leg in LegsToHangUp(call)) LateHangup?.Invoke(leg, HangupCause.NormalClearing);
    }

    private void Gone(YateLeg leg)
    {
        if (leg.Ended) return;
        leg.Ended = true;
        leg.Holds = false;
        leg.Media = leg.Room = null;
        Part(leg);
        leg.Call.LiveLegs--;
        _legs.Remove(leg.IdBytes);
        records.Remember(Key(leg.IdBytes), leg.Call);
    }

    private void FinishLater(YateCall call, long delay)
    {
        call.FinishAt = Clock + delay;
        _waiting.Add(call);
    }

    private void Finish(YateCall call, ReadOnlySpan<byte> line)
    {
        if (call.State == CallState.Terminated) return;
        (call.Cause, call.CauseCode, call.SipStatus, call.CauseText) = Verdict(call);
        Leave(call);
        calls.Move(call, CallState.Terminated, line, YateFieldReader.Instance);
        KeepRecord(call, evenIfShort: false);
        if (!call.Recorded && records.Keeps) FinishLater(call, GraceForRecords);
    }

    private int EndUnseen(YateCall call, HangupCause cause)
    {
        call.NoteUnseenEnd(cause);
        Leave(call);
        calls.Move(call, CallState.Terminated);
        return 1;
    }

    private void Leave(YateCall call)
    {
        call.FinishAt = null;
        call.Transfer?.Guard?.Release();
        foreach (YateLeg leg in call.Legs)
        {
            if (!leg.Ended) Gone(leg);
        }

        if (call.BillId is { } bill && _bills.TryGet(Encoding.UTF8.GetBytes(bill), out YateCall? there) && there == call) _bills.Remove(Encoding.UTF8.GetBytes(bill));
        call.EndRecordings(calls.Now);
    }

    /// <summary>Why the call ended, by what the engine said of its legs and in its answers.</summary>
    private (HangupCause Cause, int? Code, int? SipStatus, string? Text) Verdict(YateCall call)
    {
        if (call.Failure is { } failure) return (failure.Cause, null, null, failure.Text);
        // A leg that was dropped has our word as its last state.
        if (call.HangupWanted is { } wanted && call.Legs.Exists(l => l.Status == YateCauses.Name(wanted))) return (wanted, null, null, YateCauses.Name(wanted));
        if (ShutdownSeen) return (HangupCause.ServerShutdown, null, null, "the server shut down or restarted");

        YateLeg? refused = call.AnsweredAt is null ? call.Legs.FindLast(l => l.SipStatus is not null) : null;
        if (refused?.SipStatus is { } status)
        {
            return refused.Q850 is { } told && Enum.IsDefined((HangupCause)told)
                ? ((HangupCause)told, told, status, refused.Reason)
                : (SipStatusCauses.Cause(status), null, status, refused.Reason);
        }

        YateLeg? first = call.Legs.Find(l => l.HungUpByFarEnd);
        if (first?.Q850 is { } q850 && Enum.IsDefined((HangupCause)q850)) return ((HangupCause)q850, q850, null, first.Reason);
        foreach (YateLeg leg in call.Legs)
        {
            if ((YateCauses.Of(leg.Status) ?? YateCauses.Of(leg.Reason)) is { } cause) return (cause, null, null, YateCauses.Of(leg.Status) is null ? leg.Reason : leg.Status);
        }

        string? text = first?.Reason ?? call.Legs.FindLast(l => l.Reason is not null)?.Reason ?? call.Legs.Find(l => l.Status is not (null or "answered" or "ringing" or "progressing" or "outgoing" or "incoming" or "accepted" or "routed"))?.Status;
        // An answered call that ends without a word of failure ends as calls do.
        return (call.AnsweredAt is not null || first is not null ? HangupCause.NormalClearing : HangupCause.Unknown, null, null, text);
    }

    // "Q.850;cause=16;text="Normal call clearing"" (RFC 3326).
    private static int? Q850(string? reason)
    {
        if (reason is null || !reason.StartsWith("Q.850", StringComparison.OrdinalIgnoreCase)) return null;
        int at = reason.IndexOf("cause=", StringComparison.OrdinalIgnoreCase);
        if (at < 0) return null;
        string digits = new([.. reason[(at + "cause=".Length)..].TakeWhile(char.IsAsciiDigit)]);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int cause) && cause is > 0 and <= 127 ? cause : null;
    }

    private void OnRecord(in YateLine message, ReadOnlySpan<byte> line)
    {
        if (!records.Keeps || !message.Find("operation"u8).SequenceEqual("finalize"u8)) return;
        ReadOnlySpan<byte> channel = message.Find("chan"u8);
        YateCall? call = _legs.TryGet(channel, out YateLeg? leg) ? leg.Call : Recent(channel);
        if (call is null && !_bills.TryGet(message.Find("billid"u8), out call)) return;
        if (call.Recorded) return;
        call.Records.Add(new YateLegRecord(message, line));
        KeepRecord(call, evenIfShort: false);
    }

    // One record a call, when the last of its legs has its own.
    private void KeepRecord(YateCall call, bool evenIfShort)
    {
        if (!records.Keeps || call.Recorded || call.State != CallState.Terminated || call.Records.Count == 0 || (call.Records.Count < call.Legs.Count && !evenIfShort)) return;
        call.Recorded = true;
        call.FinishAt = null;
        records.Add(YateDetailRecord.Fold(call, server));
    }

    // A row of the engine's list as a leg of a call. Under the lock.
    private YateLeg? Find(YateChannel row, bool afterLoss)
    {
        byte[] id = Encoding.UTF8.GetBytes(row.Id);
        bool isNew = false;
        if (!_legs.TryGet(id, out YateLeg? leg))
        {
            if (row.BillId is null || YateNumbers.IsMedia(row.Id) || Recent(id) is not null) return null;
            byte[] bill = Encoding.UTF8.GetBytes(row.BillId);
            if (!_bills.TryGet(bill, out YateCall? call))
            {
                call = new YateCall(row.BillId, ours: false) { BillId = row.BillId, Placed = true, From = row.Caller, To = row.Called, CreatedAt = row.Seconds is { } age ? calls.Now - TimeSpan.FromSeconds(age) : calls.Now };
                _bills.Set(bill, call);
                calls.Add(call);
            }

            leg = AddLeg(call, row.Id);
            // The list does not say who called; the first leg of a call did.
            leg.IsInbound = leg == call.Legs[0];
            isNew = true;
            if (leg.IsInbound)
            {
                bool comesIn = !leg.IsDumb;
                call.Direction = comesIn ? CallDirection.Inbound : CallDirection.Outbound;
                call.State = comesIn ? CallState.Incoming : CallState.Created;
            }

            leg.Number = leg.IsInbound ? row.Caller : row.Called;
        }

        leg.Address ??= row.Address;
        if (!isNew && !afterLoss) return leg;
        leg.Status = row.Status ?? leg.Status;
        if (row.Status == "answered") leg.Up = true;
        YateCall of = leg.Call;
        if (of.State == CallState.Created) calls.Move(of, CallState.Dialing);
        if (row.Status is "ringing" or "progressing" && !leg.IsInbound && of.State == CallState.Dialing) calls.Move(of, CallState.Ringing);
        return leg;
    }

    private void CatchUp(YateCall call)
    {
        bool before = call.State is CallState.Connected or CallState.OnHold;
        Consider(call, default);
        // When it was answered was not seen.
        if (!before && call is { State: CallState.Connected, IsOurs: false }) call.AnsweredAt = null;
    }
}
