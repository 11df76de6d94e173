namespace IfBus.Sip.Adapters.Kamailio;

/// <content>The first half of our own calls: the server's dialog with the first party.</content>
internal sealed partial class KamailioMapper
{
    private void OnFirst(KamailioCall call, KamailioDialog dialog)
    {
        call.SeenIn = _poll;
        // Once the second half is there, or nothing is waited for any more, the first half is of no interest.
        if (call.Originate is not { } originate || call.State == CallState.Terminated)
        {
            if (dialog.State < KamailioDialog.Deleted) return;
            _firsts.Remove(dialog.Key);
            _over[dialog.Key] = _poll;
            return;
        }

        originate.FirstCallId = dialog.CallId;
        originate.FirstCSeq = dialog.CSeq ?? originate.FirstCSeq;
        originate.FirstState = Math.Max(originate.FirstState, dialog.State);
        if (dialog.State is KamailioDialog.ConfirmedNoAck or KamailioDialog.Confirmed || dialog.StartedAt > 0) OnFirstAnswered(originate);
        if (dialog.State == KamailioDialog.Early && call.State == CallState.Dialing) calls.Move(call, CallState.Ringing);
        if (dialog.State >= KamailioDialog.Deleted && !originate.FirstAnswered) OnFirstFailed(call, originate);
    }

    private void OnFirstAnswered(KamailioOriginate originate)
    {
        if (originate.FirstAnswered) return;
        originate.FirstAnswered = true;
        originate.Deadline = Clock + (long)OriginatePatience.TotalMilliseconds;
    }

    private void OnFirstGone(DialogKey key, KamailioCall call)
    {
        _firsts.Remove(key);
        if (call.Originate is { FirstAnswered: false } originate && call.State != CallState.Terminated) OnFirstFailed(call, originate);
    }

    // The status comes by another connection, if at all.
    private void OnFirstFailed(KamailioCall call, KamailioOriginate originate)
    {
        if (HasEvents && originate.FirstStatus is null)
        {
            if (call.EndSeenAt is not null) return;
            call.EndSeenAt = Clock;
            _ending.Add(call);
            return;
        }

        EndOriginate(call, originate);
    }

    private void EndOriginate(KamailioCall call, KamailioOriginate originate)
    {
        if (originate.First is { } first)
        {
            _firsts.Remove(first);
            _over[first] = _poll;
        }

        call.SipStatus = originate.FirstStatus;
        call.CauseText = $"{originate.FromUri} did not answer; {originate.ToUri} was not called.";
        End(call, default);
    }
}
