using System.Text;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>
/// The part of the mapper for a login that the server tells nothing of calls: one without read class call, or with a
/// filter in manager.conf. The server does not say so (it answers <c>Events: On</c>), but an Originate that it took is
/// always told of, by a Newchannel or an OriginateResponse.
/// </summary>
internal sealed partial class AsteriskMapper
{
    // The widest gap recorded between an Originate's reply and the first event is some milliseconds.
    private const long Patience = 2000;

    // Without a channel and without an event by then, there will be none.
    private const long Forever = 5000;

    /// <summary>An event of a channel has come on this connection.</summary>
    public bool IsTold { get; private set; }

    /// <summary>The server's list is all that tells of calls.</summary>
    public bool FollowsByAsking { get; private set; }

    /// <summary>Before a connection is made.</summary>
    public void BeginSession()
    {
        lock (calls.Sync) (IsTold, FollowsByAsking) = (false, false);
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
                call.Cause = HangupCause.EndedUnseen;
                call.CauseText = "the server told nothing of it, and has no channel of it";
                _legs.Remove(call.Primary!.IdBytes);
                calls.Move(call, CallState.Terminated);
            }

            Conditions.Check();
        }
    }
}
