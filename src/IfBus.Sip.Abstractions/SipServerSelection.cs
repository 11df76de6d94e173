namespace IfBus.Sip;

/// <summary>How one of several servers is chosen for a call. Those that are not connected, or whose circuit is open, never are; those whose limits would make the call wait come after the others.</summary>
public enum SipServerSelection
{
    /// <summary>The first of them, as they are named.</summary>
    Failover,
    /// <summary>Each in its turn.</summary>
    RoundRobin,
    /// <summary>The one with the fewest live calls; if all have a MaxCalls, the one with the smallest part of it in use.</summary>
    LeastCalls,
    /// <summary>The one with the shortest average round trip of its last operations.</summary>
    LowestLatency,
}
