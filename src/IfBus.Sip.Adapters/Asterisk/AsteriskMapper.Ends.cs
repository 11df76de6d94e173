using System.Globalization;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>The part of the mapper that decides when a call is over and why, and what needs to be asked.</summary>
internal sealed partial class AsteriskMapper
{
    /// <summary>Ends what has waited long enough, and returns the calls whose first leg's application is to be asked. Called now and then.</summary>
    public List<AsteriskCall>? OnTick()
    {
        List<AsteriskCall>? ask = null;
        List<AsteriskCall>? over = null;
        lock (calls.Sync)
        {
            long now = Clock;
            foreach (AsteriskCall call in _watched)
            {
                if (call.State != CallState.Terminated && call.LookAt <= now)
                {
                    _lookWanted = true;
                    call.LookAt = call.DoubtedAt is null && call.State != CallState.HangingUp ? null : now + TimeInDoubt;
                }

                if (call.State == CallState.Terminated || call.FinishAt <= now || call is { FinishAt: null, AskDestinationAt: null, LookAt: null }) (over ??= []).Add(call);
                else if (call.AskDestinationAt <= now) (ask ??= []).Add(call);
            }

            foreach (AsteriskCall call in over ?? [])
            {
                _watched.Remove(call);
                if (call.State != CallState.Terminated && call.FinishAt is not null) End(call, default);
            }

            Conditions.Check();
        }

        return ask;
    }

    /// <summary>True while anything waits for <see cref="OnTick"/>.</summary>
    public bool HasWatched
    {
        get
        {
            lock (calls.Sync) return _watched.Count > 0;
        }
    }

    /// <summary>The server said what the first leg does. Decides whether the destination is reached.</summary>
    /// <param name="call">The call.</param>
    /// <param name="application">Application of its first leg; empty if the dialplan has not begun.</param>
    /// <param name="data">Arguments of it.</param>
    /// <param name="exten">The extension that it is in; null if it was not told.</param>
    /// <param name="dialsLater">The extension goes on to dial somebody.</param>
    public void OnDestination(AsteriskCall call, string application, string? data, string? exten, bool dialsLater = false)
    {
        lock (calls.Sync)
        {
            if (call.State == CallState.Terminated || call.ActiveDials > 0 || call.AskDestinationAt is null) return;
            DestinationProgress progress = DestinationRules.Judge(application, data);
            if (dialsLater && progress == DestinationProgress.Reached) progress = DestinationProgress.Preparing;
            // Right after it was moved a channel may still be seen where it was. A dialplan may also have gone on to another extension.
            if (call.Transfer is { Done: false } transfer && exten is not null && exten != transfer.To && call.Asked < 5) progress = DestinationProgress.Preparing;
            if (progress == DestinationProgress.Dialling && call is { Asked: >= 5, Transfer: { Attended: false, Done: false, Kept.BridgeId: not null } })
            {
                // Nothing was moved: the command was lost with its connection.
                AbandonTransfer(call, null);
                return;
            }

            switch (progress)
            {
                case DestinationProgress.Reached:
                    // The dialplan took over when the first leg answered; asking came later.
                    if (call.State is CallState.Created or CallState.Dialing or CallState.Ringing or CallState.Incoming) call.AnsweredAt ??= call.PrimaryAnsweredAt;
                    Connect(call, default);
                    Conditions.Check();
                    break;
                case DestinationProgress.Dialling:
                    // Its DialEnd will tell; asked again in case an event was lost.
                    call.AskDestinationAt = Clock + 2000;
                    break;
                default:
                    call.Asked++;
                    call.AskDestinationAt = Clock + Math.Min(100 * call.Asked, 1000);
                    break;
            }
        }
    }

    /// <summary>What the first leg does cannot be asked: only events tell, see <see cref="OnBridgeEnter"/> and <see cref="OnDialEnd"/>.</summary>
    public void StopAsking(AsteriskCall call)
    {
        lock (calls.Sync) call.AskDestinationAt = null;
    }

    /// <summary>The legs to hang up, the first leg first. Under the lock. None if the server has told of no channel yet.</summary>
    public static List<AsteriskLeg> LegsToHangUp(AsteriskCall call)
    {
        var legs = new List<AsteriskLeg>(2);
        if (call.Primary is { Seen: true, Ended: false } primary) legs.Add(primary);
        legs.AddRange(call.Legs.Where(l => l.Seen && !l.Ended && l != call.Primary));
        return legs;
    }

    private void AskDestination(AsteriskCall call)
    {
        if (call.State is not (CallState.Created or CallState.Dialing or CallState.Ringing or CallState.Incoming or CallState.Transferring)) return;
        call.AskDestinationAt = Clock + 100;
        call.Asked = 0;
        _watched.Add(call);
    }

    private void FinishLater(AsteriskCall call, long delay)
    {
        call.FinishAt = Clock + delay;
        _watched.Add(call);
    }

    // The last leg is gone, or none ever came.
    private void Finish(AsteriskCall call, ReadOnlySpan<byte> raw)
    {
        if (call.State == CallState.Terminated) return;
        if (call.IsOurs && call.OriginateSucceeded is null && call.PrimaryAnsweredAt is null && Verdict(call).Code is null or 0)
        {
            FinishLater(call, GraceForReason);
            return;
        }

        End(call, raw);
    }

    private void End(AsteriskCall call, ReadOnlySpan<byte> raw)
    {
        (HangupCause cause, int? code, int? sipStatus, string? text) = Verdict(call);
        call.Cause = cause;
        call.CauseCode = code;
        call.SipStatus = sipStatus;
        call.CauseText = text;
        call.FinishAt = null;
        call.AskDestinationAt = null;
        _watched.Remove(call);
        if (call.Primary is not null) _legs.Remove(call.Primary.IdBytes);
        foreach (AsteriskLeg leg in call.Legs) records.Remember(leg.IdBytes, call);
        call.EndRecordings(calls.Now);
        calls.Move(call, CallState.Terminated, raw, AmiFieldReader.Instance);
    }

    /// <summary>Why the call ended, by what the server said of its legs.</summary>
    private static (HangupCause Cause, int? Code, int? SipStatus, string? Text) Verdict(AsteriskCall call)
    {
        AsteriskLeg? leg = call.AnsweredAt is null ? FailedLeg(call) : null;
        leg ??= call.Primary is { Ended: true, Cause: not 0 } ? call.Primary : null;
        leg ??= call.Legs.Find(l => l.Ended && l.Cause != 0);
        leg ??= call.Legs.Find(l => l.Ended);

        HangupCause cause = leg is null ? HangupCause.Unknown : CauseOf(leg.Cause);
        int? code = leg?.Cause;
        string? text = leg?.CauseText;
        if (call.ServerShutdown) return (HangupCause.ServerShutdown, code, leg?.TechCause, "the server shut down or restarted");
        if (cause != HangupCause.Unknown || call.AnsweredAt is not null) return (cause, code, leg?.TechCause, text);

        // Channels say 0 where the dialling knew more: Asterisk 16 after a time-out, Local halves.
        (HangupCause known, string? said) = (call.DialStatus, call.OriginateReason) switch
        {
            ("BUSY", _) => (HangupCause.UserBusy, "DialStatus BUSY"),
            ("CONGESTION", _) => (HangupCause.NoCircuitAvailable, "DialStatus CONGESTION"),
            (_, 3) => (HangupCause.NoAnswer, "no answer before the ring time-out"),
            (_, 5) => (HangupCause.UserBusy, "OriginateResponse reason 5 (busy)"),
            (_, 8) => (HangupCause.NoCircuitAvailable, "OriginateResponse reason 8 (congestion)"),
            ("NOANSWER", _) => (HangupCause.NoAnswer, "DialStatus NOANSWER"),
            ("CHANUNAVAIL", _) => (HangupCause.Unknown, "DialStatus CHANUNAVAIL"),
            (_, { } reason) when leg is null => (HangupCause.Unknown, $"OriginateResponse reason {reason.ToString(CultureInfo.InvariantCulture)}, and no channel was made: unknown or unreachable endpoint"),
            _ => (HangupCause.Unknown, text),
        };
        return (known, code, leg?.TechCause, said);
    }

    // For a call that was not answered: the leg of the destination that failed, else the leg that we called.
    private static AsteriskLeg? FailedLeg(AsteriskCall call) =>
        call.Legs.FindLast(l => l.Ended && !l.Up && l.Cause != 0 && l.DialledBy is not null && l.DialledBy == call.Primary)
        ?? call.Legs.FindLast(l => l.Ended && !l.Up && l.Cause != 0 && l.TechCause is not null);

    private static HangupCause CauseOf(int code) => Enum.IsDefined((HangupCause)code) && code is > 0 and <= 127 ? (HangupCause)code : HangupCause.Unknown;
}
