namespace IfBus.Sip.Adapters.Yate;

/// <summary>The engine's words for why a call ended (ysipchan.cpp, dict_errors; Yate 6.4.1) and ours.</summary>
internal static class YateCauses
{
    // Words that a SIP leg is told by, with the answer that its phone gets for each (in brackets).
    private static readonly (string Word, HangupCause Cause)[] Words =
    [
        ("busy", HangupCause.UserBusy), ("noanswer", HangupCause.NoAnswer), ("noroute", HangupCause.NoRouteToDestination),
        // The first is the one that we say: 403 (RFC 3398), where rejected would be 406.
        ("forbidden", HangupCause.CallRejected), ("rejected", HangupCause.CallRejected), ("offline", HangupCause.SubscriberAbsent), ("congestion", HangupCause.SwitchCongestion), ("failure", HangupCause.TemporaryFailure),
        ("timeout", HangupCause.RecoveryOnTimerExpire), ("incomplete", HangupCause.InvalidNumberFormat), ("unallocated", HangupCause.UnallocatedNumber), ("moved", HangupCause.NumberChanged),
        ("noconn", HangupCause.DestinationOutOfOrder), ("nomedia", HangupCause.BearerCapabilityNotAvailable), ("service-not-implemented", HangupCause.ServiceNotImplemented),
        ("service-unavailable", HangupCause.ServiceUnavailable), ("noresource", HangupCause.ResourceUnavailable), ("unacceptable", HangupCause.IncompatibleDestination),
        ("interworking", HangupCause.Interworking), ("invalid-message", HangupCause.InvalidMessage), ("protocol-error", HangupCause.ProtocolError), ("looping", HangupCause.ExchangeRoutingError),
        ("noauth", HangupCause.CallRejected), ("unimplemented", HangupCause.FacilityNotImplemented), ("postdialdelay", HangupCause.RecoveryOnTimerExpire), ("pickup", HangupCause.AnsweredElsewhere),
    ];

    private static readonly Dictionary<string, HangupCause> Causes = Words.ToDictionary(w => w.Word, w => w.Cause, StringComparer.Ordinal);
    private static readonly Dictionary<HangupCause, string> Names = MakeNames();

    /// <summary>The word to hang up with. NormalClearing has none: the engine then says BYE or CANCEL.</summary>
    /// <exception cref="SipArgumentException">The engine has no word for it.</exception>
    public static string Name(HangupCause cause) => cause == HangupCause.NormalClearing
        ? "normal-clearing"
        : Names.TryGetValue(cause, out string? name)
            ? name
            : throw new SipArgumentException("Cause", cause.ToString(), "a cause that Yate has a word for: NormalClearing, " + string.Join(", ", Names.Keys.Order()) + ".");

    /// <summary>Our cause for the engine's word; null if it is no word of the list, for instance a text of the far end.</summary>
    public static HangupCause? Of(string? word) => word is null ? null : word == "normal-clearing" ? HangupCause.NormalClearing : Causes.TryGetValue(word, out HangupCause cause) ? cause : null;

    private static Dictionary<HangupCause, string> MakeNames()
    {
        var names = new Dictionary<HangupCause, string>();
        foreach ((string word, HangupCause cause) in Words) names.TryAdd(cause, word);
        return names;
    }
}
