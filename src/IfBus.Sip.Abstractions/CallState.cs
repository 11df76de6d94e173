namespace IfBus.Sip;

/// <summary>Where a call stands. <see cref="Terminated"/> is final.</summary>
public enum CallState
{
    /// <summary>Known to us; the server has not begun to dial.</summary>
    Created,

    /// <summary>The server is reaching the first leg, or the destination after the first leg answered.</summary>
    Dialing,

    /// <summary>The destination rings (SIP 180), or the leg that is being called does.</summary>
    Ringing,

    /// <summary>A call from outside that waits for somebody to answer it.</summary>
    Incoming,

    /// <summary>Both parties can talk: for a call between two numbers, the destination answered.</summary>
    Connected,

    /// <summary>Connected, and a party was put on hold.</summary>
    OnHold,

    /// <summary>A transfer is under way.</summary>
    Transferring,

    /// <summary>A hang-up was asked for; the server has not confirmed the end.</summary>
    HangingUp,

    /// <summary>The last leg is gone. Final.</summary>
    Terminated,
}

/// <summary>Who began a call, seen from the server.</summary>
public enum CallDirection
{
    /// <summary>The server dialled the first leg (an originate).</summary>
    Outbound,

    /// <summary>A phone or trunk called the server.</summary>
    Inbound,
}
