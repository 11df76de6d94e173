namespace IfBus.Sip.Adapters;

/// <summary>What a SIP status that ended a call is as a cause of Q.850, for servers that tell the status alone.</summary>
internal static class SipStatusCauses
{
    /// <summary>The cause (RFC 3398, 8.2.6.1); for 487 the caller's own hang-up; Unknown for what has none.</summary>
    public static HangupCause Cause(int status) => status switch
    {
        400 or 481 or 500 or 503 => HangupCause.TemporaryFailure,
        401 or 402 or 403 or 407 or 603 => HangupCause.CallRejected,
        404 or 485 or 604 => HangupCause.UnallocatedNumber,
        405 => HangupCause.ServiceUnavailable,
        406 or 415 or 501 => HangupCause.ServiceNotImplemented,
        408 or 504 => HangupCause.RecoveryOnTimerExpire,
        410 => HangupCause.NumberChanged,
        413 or 414 or 416 or 420 or 421 or 423 or 505 or 513 => HangupCause.Interworking,
        480 => HangupCause.NoUserResponding,
        482 or 483 => HangupCause.ExchangeRoutingError,
        484 => HangupCause.InvalidNumberFormat,
        486 or 600 => HangupCause.UserBusy,
        487 => HangupCause.NormalClearing,
        488 or 606 => HangupCause.IncompatibleDestination,
        502 => HangupCause.NetworkOutOfOrder,
        _ => HangupCause.Unknown,
    };
}
