using System.Text;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>The server's names of causes (switch_types.h, switch_call_cause_t, FreeSWITCH 1.10.12) and ours.</summary>
internal static class FreeSwitchCauses
{
    // Q.850 causes, which the server calls by these names.
    private static readonly (string Name, HangupCause Cause)[] Q850 =
    [
        ("UNALLOCATED_NUMBER", HangupCause.UnallocatedNumber), ("NO_ROUTE_TRANSIT_NET", HangupCause.NoRouteToTransitNetwork),
        ("NO_ROUTE_DESTINATION", HangupCause.NoRouteToDestination), ("CHANNEL_UNACCEPTABLE", HangupCause.ChannelUnacceptable),
        ("CALL_AWARDED_DELIVERED", HangupCause.CallAwarded), ("NORMAL_CLEARING", HangupCause.NormalClearing),
        ("USER_BUSY", HangupCause.UserBusy), ("NO_USER_RESPONSE", HangupCause.NoUserResponding), ("NO_ANSWER", HangupCause.NoAnswer),
        ("SUBSCRIBER_ABSENT", HangupCause.SubscriberAbsent), ("CALL_REJECTED", HangupCause.CallRejected), ("NUMBER_CHANGED", HangupCause.NumberChanged),
        ("REDIRECTION_TO_NEW_DESTINATION", HangupCause.RedirectedToNewDestination), ("EXCHANGE_ROUTING_ERROR", HangupCause.ExchangeRoutingError),
        ("DESTINATION_OUT_OF_ORDER", HangupCause.DestinationOutOfOrder), ("INVALID_NUMBER_FORMAT", HangupCause.InvalidNumberFormat),
        ("FACILITY_REJECTED", HangupCause.FacilityRejected), ("RESPONSE_TO_STATUS_ENQUIRY", HangupCause.ResponseToStatusEnquiry),
        ("NORMAL_UNSPECIFIED", HangupCause.NormalUnspecified), ("NORMAL_CIRCUIT_CONGESTION", HangupCause.NoCircuitAvailable),
        ("NETWORK_OUT_OF_ORDER", HangupCause.NetworkOutOfOrder), ("NORMAL_TEMPORARY_FAILURE", HangupCause.TemporaryFailure),
        ("SWITCH_CONGESTION", HangupCause.SwitchCongestion), ("ACCESS_INFO_DISCARDED", HangupCause.AccessInformationDiscarded),
        ("REQUESTED_CHAN_UNAVAIL", HangupCause.RequestedChannelUnavailable), ("PRE_EMPTED", HangupCause.PreEmpted),
        ("FACILITY_NOT_SUBSCRIBED", HangupCause.FacilityNotSubscribed), ("OUTGOING_CALL_BARRED", HangupCause.OutgoingCallBarred),
        ("INCOMING_CALL_BARRED", HangupCause.IncomingCallBarred), ("BEARERCAPABILITY_NOTAUTH", HangupCause.BearerCapabilityNotAuthorized),
        ("BEARERCAPABILITY_NOTAVAIL", HangupCause.BearerCapabilityNotAvailable), ("SERVICE_UNAVAILABLE", HangupCause.ServiceUnavailable),
        ("BEARERCAPABILITY_NOTIMPL", HangupCause.BearerCapabilityNotImplemented), ("CHAN_NOT_IMPLEMENTED", HangupCause.ChannelTypeNotImplemented),
        ("FACILITY_NOT_IMPLEMENTED", HangupCause.FacilityNotImplemented), ("SERVICE_NOT_IMPLEMENTED", HangupCause.ServiceNotImplemented),
        ("INVALID_CALL_REFERENCE", HangupCause.InvalidCallReference), ("INCOMPATIBLE_DESTINATION", HangupCause.IncompatibleDestination),
        ("INVALID_MSG_UNSPECIFIED", HangupCause.InvalidMessage), ("MANDATORY_IE_MISSING", HangupCause.MandatoryElementMissing),
        ("MESSAGE_TYPE_NONEXIST", HangupCause.MessageTypeNotImplemented), ("WRONG_MESSAGE", HangupCause.WrongMessage),
        ("IE_NONEXIST", HangupCause.ElementNotImplemented), ("INVALID_IE_CONTENTS", HangupCause.InvalidElementContents),
        ("WRONG_CALL_STATE", HangupCause.WrongCallState), ("RECOVERY_ON_TIMER_EXPIRE", HangupCause.RecoveryOnTimerExpire),
        ("MANDATORY_IE_LENGTH_ERROR", HangupCause.MandatoryElementLength), ("PROTOCOL_ERROR", HangupCause.ProtocolError), ("INTERWORKING", HangupCause.Interworking),
    ];

    // Causes of the server's own that say the same as one of ours; the rest stay Unknown, with the name as text.
    private static readonly (string Name, HangupCause Cause)[] Own =
    [
        ("SYSTEM_SHUTDOWN", HangupCause.ServerShutdown), ("ORIGINATOR_CANCEL", HangupCause.NormalClearing), ("LOSE_RACE", HangupCause.AnsweredElsewhere),
        ("PICKED_OFF", HangupCause.AnsweredElsewhere), ("BLIND_TRANSFER", HangupCause.NormalClearing), ("ATTENDED_TRANSFER", HangupCause.NormalClearing),
        ("MANAGER_REQUEST", HangupCause.NormalClearing), ("USER_NOT_REGISTERED", HangupCause.SubscriberAbsent), ("PROGRESS_TIMEOUT", HangupCause.NoAnswer),
        ("BUSY_EVERYWHERE", HangupCause.UserBusy), ("DECLINE", HangupCause.CallRejected), ("DOES_NOT_EXIST_ANYWHERE", HangupCause.UnallocatedNumber),
    ];

    private static readonly Dictionary<HangupCause, string> Names = Q850.ToDictionary(c => c.Cause, c => c.Name);
    private static readonly Dictionary<string, HangupCause> Causes = Q850.Concat(Own).ToDictionary(c => c.Name, c => c.Cause, StringComparer.Ordinal);
    private static readonly Utf8Table<string> Known = Intern();

    /// <summary>The server's name of a cause.</summary>
    /// <exception cref="SipArgumentException">The server has no such cause; it would take NORMAL_CLEARING for it without a word.</exception>
    public static string Name(HangupCause cause) => Names.TryGetValue(cause, out string? name)
        ? name
        : throw new SipArgumentException("Cause", cause.ToString(), "a Q.850 cause that FreeSWITCH knows: " + string.Join(", ", Names.Keys.Order()) + ".");

    /// <summary>Our cause for the server's name; Unknown if there is none that says the same.</summary>
    public static HangupCause Of(string? name) => name is not null && Causes.TryGetValue(name, out HangupCause cause) ? cause : HangupCause.Unknown;

    /// <summary>The Q.850 number of the server's name, where the name is one of Q.850.</summary>
    public static int? Q850Of(string? name) => Of(name) is var cause && (int)cause is > 0 and <= 127 && Names.TryGetValue(cause, out string? known) && known == name ? (int)cause : null;

    /// <summary>The name as it stands on the wire, without a string of its own each time; null if there is none.</summary>
    public static string? Read(ReadOnlySpan<byte> name) => Known.TryGet(name, out string? known) ? known : EslJson.Text(name);

    private static Utf8Table<string> Intern()
    {
        var table = new Utf8Table<string>();
        foreach (string name in Causes.Keys) table.Set(Encoding.ASCII.GetBytes(name), name);
        return table;
    }
}
