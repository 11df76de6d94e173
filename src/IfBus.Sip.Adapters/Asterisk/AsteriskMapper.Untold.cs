using System.Text;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>
/// The part of the mapper for what is not told. A login without read class call, or with a filter in manager.conf, is told
/// nothing of calls. The server does not say so (it answers <c>Events: On</c>), but an Originate that it took is always told
/// of, by a Newchannel or an OriginateResponse. And a caller may give up before the server has said whether it takes a call.
/// </summary>
internal sealed partial class AsteriskMapper
{
    // The widest gap recorded between an Originate's reply and the first event is some milliseconds.
    private const long Patience = 2000;

    // Without a channel and without an event by then, there will be none.
    private const long Forever = 5000;

    // A session does one thing after the other: by then a call that it took is long in its list.
    private const long TimeInDoubt = 10_000;

    private int _session;
    private bool _lookWanted;

    /// <summary>An event of a channel has come on this connection.</summary>
    public bool IsTold { get; private set; }

    /// <summary>The server's list is all that tells of calls.</summary>
    public bool FollowsByAsking { get; private set; }

    /// <summary>Before a connection is made. True if the server said Shutdown on the last one.</summary>
    public bool BeginSession()
    {
        lock (calls.Sync)
        {
            bool sawShutdown = ShutdownSeen;
            (IsTold, FollowsByAsking, ShutdownSeen) = (false, false, false);
            _session++;
            return sawShutdown;
        }
    }

    /// <summary>Nobody knows whether the server took the Originate. If nothing is told of the call, it is looked for after a while.</summary>
    public void Doubt(AsteriskCall call)
    {
        lock (calls.Sync)
        {
            if (call.SeenOnServer || !calls.TryFindLive(call.CallId, out _)) return;
            call.DoubtedAt = Clock;
            call.LookAt = call.DoubtedAt + TimeInDoubt;
            _watched.Add(call);
        }
    }

    /// <summary>The server has taken the hang-up of a call. If the end is not told, its list tells: the event may have been kept out.</summary>
    public void ExpectEnd(AsteriskCall call)
    {
        lock (calls.Sync)
        {
            if (call.State != CallState.HangingUp) return;
            call.LookAt = Clock + TimeForHangup;
            _watched.Add(call);
        }
    }

    /// <summary>True, once, if a call is to be looked for in the server's list.</summary>
    public bool TakeLook()
    {
        lock (calls.Sync)
        {
            bool wanted = _lookWanted;
            _lookWanted = false;
            return wanted;
        }
    }

    /// <summary>The server has answered the Originate. On the reader.</summary>
    /// <param name="call">The call.</param>
    /// <param name="refusal">The server's words if it refused; null if it took it.</param>
    public void Answered(AsteriskCall call, string? refusal)
    {
        lock (calls.Sync)
        {
            // Its caller gets the refusal, unless it gave up: then others may wait for what becomes of the call.
            if (refusal is null) (call.DoubtedAt, call.LookAt) = (null, null);
            else if (call.DoubtedAt is null) Forget(call);
            else if (call.State != CallState.Terminated) EndUntold(call, HangupCause.Unknown, $"the server refused it: {SipText.Printable(refusal)}");
            Conditions.Check();
        }
    }

    /// <summary>Ends the calls from before this connection, of a server that was stopped since and may not be asked for its calls.</summary>
    /// <returns>How many.</returns>
    public int EndEarlier(HangupCause cause)
    {
        lock (calls.Sync)
        {
            AsteriskCall[] gone = [.. calls.Live.Cast<AsteriskCall>().Where(c => c.Session < _session)];
            foreach (AsteriskCall call in gone) EndUnseen(call, cause);
            Conditions.Check();
            return gone.Length;
        }
    }

    /// <summary>True if a call of ours should have been told of, and nothing was ever told.</summary>
    public bool HasUntold()
    {
        if (IsTold) return false;
        lock (calls.Sync)
        {
            long now = Clock;
            return calls.Live.Any(c => c is AsteriskCall { IsOurs: true } call && call.ExpectedAt <= now - Patience);
        }
    }

    /// <summary>Takes the server's list in the place of its events, unless these have come meanwhile.</summary>
    /// <param name="channels">CoreShowChannel items; null if the login may not list them.</param>
    public void Follow(IReadOnlyList<AmiMessage>? channels)
    {
        lock (calls.Sync)
        {
            if (IsTold)
            {
                FollowsByAsking = false;
                return;
            }

            FollowsByAsking = true;
            // Then nothing is known of calls, and nothing is said of them.
            if (channels is null) return;
            Reconcile(channels, missing: null);
            var listed = new HashSet<string>(channels.Select(c => Encoding.UTF8.GetString(c.Find("Linkedid"u8))));
            // The session is serial: the Originate was carried out before the list was made.
            long now = Clock;
            foreach (AsteriskCall call in calls.Live.OfType<AsteriskCall>().Where(c => c is { IsOurs: true, SeenOnServer: false } && c.ExpectedAt <= now - Forever && !listed.Contains(c.CallId)).ToArray())
            {
                EndUntold(call, HangupCause.EndedUnseen, "the server told nothing of it, and has no channel of it");
            }

            Conditions.Check();
        }
    }

    // A call of ours of which nothing was ever told.
    private void EndUntold(AsteriskCall call, HangupCause cause, string why)
    {
        call.Cause = cause;
        call.CauseText = why;
        _legs.Remove(call.Primary!.IdBytes);
        records.Remember(call.Primary.IdBytes, call);
        calls.Move(call, CallState.Terminated);
    }
}
