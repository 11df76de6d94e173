namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The server's hang-up causes, their numbers, and what a SIP status becomes (sip-status-cause-map).</summary>
internal static class Causes
{
    public const int None = 0;
    public const int NoRouteDestination = 3;
    public const int NormalClearing = 16;
    public const int NoAnswer = 19;
    public const int SubscriberAbsent = 20;
    public const int DestinationOutOfOrder = 27;
    public const int NetworkOutOfOrder = 38;
    public const int ChanNotImplemented = 66;
    public const int IncompatibleDestination = 88;
    public const int Success = 142;
    public const int OriginatorCancel = 487;
    public const int SystemShutdown = 701;
    public const int LoseRace = 702;
    public const int AllottedTimeout = 802;
    public const int UserNotRegistered = 806;
    public const int InvalidGateway = 808;
    public const int InvalidProfile = 811;

    private static readonly (string Name, int Number)[] Table =
    [
        ("NONE", 0), ("UNALLOCATED_NUMBER", 1), ("NO_ROUTE_TRANSIT_NET", 2), ("NO_ROUTE_DESTINATION", 3), ("CHANNEL_UNACCEPTABLE", 6), ("CALL_AWARDED_DELIVERED", 7),
        ("NORMAL_CLEARING", 16), ("USER_BUSY", 17), ("NO_USER_RESPONSE", 18), ("NO_ANSWER", 19), ("SUBSCRIBER_ABSENT", 20), ("CALL_REJECTED", 21), ("NUMBER_CHANGED", 22),
        ("REDIRECTION_TO_NEW_DESTINATION", 23), ("EXCHANGE_ROUTING_ERROR", 25), ("DESTINATION_OUT_OF_ORDER", 27), ("INVALID_NUMBER_FORMAT", 28), ("FACILITY_REJECTED", 29),
        ("RESPONSE_TO_STATUS_ENQUIRY", 30), ("NORMAL_UNSPECIFIED", 31), ("NORMAL_CIRCUIT_CONGESTION", 34), ("NETWORK_OUT_OF_ORDER", 38), ("NORMAL_TEMPORARY_FAILURE", 41),
        ("SWITCH_CONGESTION", 42), ("ACCESS_INFO_DISCARDED", 43), ("REQUESTED_CHAN_UNAVAIL", 44), ("PRE_EMPTED", 45), ("FACILITY_NOT_SUBSCRIBED", 50), ("OUTGOING_CALL_BARRED", 52),
        ("INCOMING_CALL_BARRED", 54), ("BEARERCAPABILITY_NOTAUTH", 57), ("BEARERCAPABILITY_NOTAVAIL", 58), ("SERVICE_UNAVAILABLE", 63), ("BEARERCAPABILITY_NOTIMPL", 65),
        ("CHAN_NOT_IMPLEMENTED", 66), ("FACILITY_NOT_IMPLEMENTED", 69), ("SERVICE_NOT_IMPLEMENTED", 79), ("INVALID_CALL_REFERENCE", 81), ("INCOMPATIBLE_DESTINATION", 88),
        ("INVALID_MSG_UNSPECIFIED", 95), ("MANDATORY_IE_MISSING", 96), ("MESSAGE_TYPE_NONEXIST", 97), ("WRONG_MESSAGE", 98), ("IE_NONEXIST", 99), ("INVALID_IE_CONTENTS", 100),
        ("WRONG_CALL_STATE", 101), ("RECOVERY_ON_TIMER_EXPIRE", 102), ("MANDATORY_IE_LENGTH_ERROR", 103), ("PROTOCOL_ERROR", 111), ("INTERWORKING", 127), ("SUCCESS", 142),
        ("ORIGINATOR_CANCEL", 487), ("CRASH", 700), ("SYSTEM_SHUTDOWN", 701), ("LOSE_RACE", 702), ("MANAGER_REQUEST", 703), ("BLIND_TRANSFER", 800), ("ATTENDED_TRANSFER", 801),
        ("ALLOTTED_TIMEOUT", 802), ("USER_CHALLENGE", 803), ("MEDIA_TIMEOUT", 804), ("PICKED_OFF", 805), ("USER_NOT_REGISTERED", 806), ("PROGRESS_TIMEOUT", 807), ("INVALID_GATEWAY", 808),
        ("GATEWAY_DOWN", 809), ("INVALID_URL", 810), ("INVALID_PROFILE", 811), ("NO_PICKUP", 812), ("SRTP_READ_ERROR", 813), ("BOWOUT", 814), ("BUSY_EVERYWHERE", 815), ("DECLINE", 816),
        ("DOES_NOT_EXIST_ANYWHERE", 817), ("NOT_ACCEPTABLE", 818), ("UNWANTED", 819),
    ];

    private static readonly Dictionary<string, int> Numbers = Table.ToDictionary(c => c.Name, c => c.Number, StringComparer.OrdinalIgnoreCase);
    private static readonly Dictionary<int, string> Names = Table.ToDictionary(c => c.Number, c => c.Name);

    /// <summary>The name; what has none is UNKNOWN.</summary>
    public static string Name(int cause) => Names.GetValueOrDefault(cause, "UNKNOWN");

    /// <summary>Reads a name in any case or a number; what is neither becomes NORMAL_CLEARING, as the server does (uuid-kill-cause).</summary>
    public static int Parse(string? text) => string.IsNullOrEmpty(text) ? NormalClearing : char.IsAsciiDigit(text[0]) ? ByteText.Number(text) : Numbers.GetValueOrDefault(text, NormalClearing);

    /// <summary>The Q.850 number of a cause; the server's own ones are 16.</summary>
    public static int Q850(int cause) => cause <= 127 ? cause : NormalClearing;

    /// <summary>What a final answer to an INVITE becomes.</summary>
    public static int OfSipStatus(int status) => status switch
    {
        200 => NormalClearing,
        401 or 402 or 403 or 407 or 603 => 21,
        404 => 1,
        485 or 604 => 3,
        408 or 504 => 102,
        410 => 22,
        413 or 505 => 127,
        480 => 18,
        400 or 481 or 500 or 503 => 41,
        486 or 600 => 17,
        484 => 28,
        488 or 606 => 88,
        502 => 38,
        405 => 63,
        406 or 415 or 501 => 79,
        482 or 483 => 25,
        487 => OriginatorCancel,
        _ => 31,
    };

    /// <summary>The reason phrase of a SIP status.</summary>
    public static string Phrase(int status) => status switch
    {
        404 => "Not Found",
        480 => "Temporarily Unavailable",
        486 => "Busy Here",
        503 => "Service Unavailable",
        603 => "Decline",
        _ => "Failure",
    };
}
