namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>
/// Where every call of every recording stands at its end: read in the recordings by hand and by the README of
/// wire/freeswitch, not taken from what the product says of them.
///
/// One line a call: the end of its id; in or out; its states (N Created, I Incoming, D Dialing, R Ringing, C Connected,
/// H OnHold, T Terminated); cause; number; SIP status; milliseconds from the answer to the end by the server's stamps;
/// legs; the server's word. A dash is nothing. A client is told only of what it subscribed to: where that lacks
/// CHANNEL_ANSWER nothing is seen to be answered, and where it lacks CHANNEL_HANGUP_COMPLETE nothing to end.
/// </summary>
internal static class FreeSwitchEndings
{
    private static readonly Dictionary<string, string> Calls = new()
    {
        // An api originate, to an extension that rings; its client was not told of CHANNEL_HANGUP_COMPLETE.
        ["api-blocks-events"] = "b150 out ND - - - - 2 -",
        ["burst-200-calls"] = "each out NDCT NormalClearing 16 - ~ 1 NORMAL_CLEARING",
        // The loopback call ends with its second half, 20 ms after its first. Two were dialled by the room itself.
        ["conference"] = """
            0065 out NDCT NormalClearing 16 - 3039.962 2 NORMAL_CLEARING
            0066 out NDCT NormalClearing 16 - 1999.966 1 NORMAL_CLEARING
            0067 out NDCT NormalClearing 16 - 2020.003 1 NORMAL_CLEARING
            0068 out NDCT NormalClearing 16 - 1019.966 1 NORMAL_CLEARING
            """,
        ["dialplan-bridge"] = "1a3c in ICT NormalClearing 16 - 620.025 2 NORMAL_CLEARING",
        ["dialplan-bridge-incompatible-codec"] = "0080 out NDRT IncompatibleDestination 88 - - 2 INCOMPATIBLE_DESTINATION",
        // To an extension: it has arrived when the tone begins.
        ["dtmf"] = "0077 out NDRCT NormalClearing 16 - 4140.013 1 NORMAL_CLEARING",
        // Told of nothing but their ends.
        ["event-array-values"] = "",
        // Told of CHANNEL_CREATE, of the second of CHANNEL_HANGUP too.
        ["event-custom-order"] = """
            2873 out ND - - - - 1 -
            161d out ND - - - - 1 -
            """,
        ["event-json"] = "0008 out NDCT UserBusy 17 - 340.006 1 USER_BUSY",
        // The third is hidden by the client's own filter: its beginning, and that its originate is done.
        ["event-plain-filter"] = """
            0003 out NT Unknown - - - 0 -USAGE: <call url> <exten>|&<application_name>(<app_args>) [<dialplan>] [<context>] [<cid_name>] [<cid_num>] [<timeout_sec>]
            0004 out NDCT NormalClearing 16 - 340.027 1 NORMAL_CLEARING
            0005 out NDCT NormalClearing 16 - 1220.037 1 NORMAL_CLEARING
            0006 out N - - - - 1 -
            0007 out NDCT NormalClearing 16 - 59.899 1 NORMAL_CLEARING
            """,
        // Told in XML, which the adapter does not ask for.
        ["event-xml"] = "0009 out N - - - - 0 -",
        ["inbound-call"] = "fa6f in ICT NormalClearing 16 - 520.005 1 NORMAL_CLEARING",
        // The first kill came too early; four came after the answer, the last before it.
        ["kill-right-after-bgapi"] = """
            0090 out NDCT NormalClearing 16 - 1839.995 1 NORMAL_CLEARING
            0091 out NDCT NormalClearing 16 - 0 1 ORIGINATOR_CANCEL
            0092 out NDCT NormalClearing 16 - 0 1 ORIGINATOR_CANCEL
            0093 out NDCT NormalClearing 16 - 0 1 ORIGINATOR_CANCEL
            0094 out NDCT NormalClearing 16 - 0 1 ORIGINATOR_CANCEL
            0095 out NDT NormalClearing 16 - - 1 ORIGINATOR_CANCEL
            """,
        ["media-commands"] = "0081 out NDCT Unknown 16 - 4659.972 1 ALLOTTED_TIMEOUT",
        // An api originate: its client hears of it when it executes something, and the connection ends with it.
        ["myevents"] = "0079 out N - - - - 1 -",
        ["originate-answer-hangup"] = "0010 out NDCT NormalClearing 16 - 1039.998 1 NORMAL_CLEARING",
        // One after the other; at once, under one uuid and under two. The rest never had a channel nor a uuid of ours.
        ["originate-failover"] = """
            0084 out NDCT NormalClearing 16 - 340.008 2 NORMAL_CLEARING
            0085 out NDCT NormalClearing 16 - 339.983 1 NORMAL_CLEARING
            0086 out NDCT NormalClearing 16 - 340.04 2 NORMAL_CLEARING
            """,
        // Without CHANNEL_ANSWER. The last has the uuid of the one before it asked for, and another.
        ["originate-fails-at-once"] = """
            c172 out NDT NoRouteToDestination 3 - - 2 NO_ROUTE_DESTINATION
            f4d6 out NDT DestinationOutOfOrder 27 - - 1 DESTINATION_OUT_OF_ORDER
            193f out NDT NoRouteToDestination 3 - - 1 NO_ROUTE_DESTINATION
            uuid out NDT NormalClearing 16 - - 1 NORMAL_CLEARING
            74c3 out NDT NoAnswer 19 - - 2 NO_ANSWER
            ecc1 out NDT UserBusy 17 - - 2 USER_BUSY
            0030 out NDT NormalClearing 16 - - 1 NORMAL_CLEARING
            501b out NDT NormalClearing 16 - - 1 NORMAL_CLEARING
            """,
        // Without CHANNEL_ANSWER, by api.
        ["originate-injection"] = """
            42ef out NDT UserBusy 17 - - 1 USER_BUSY
            ab33 out NDT NormalClearing 16 - - 1 NORMAL_CLEARING
            7527 out NDT AnsweredElsewhere 16 - - 1 LOSE_RACE
            c9fa out NDT NormalClearing 16 - - 1 NORMAL_CLEARING
            609e out NDT CallRejected 21 - - 1 CALL_REJECTED
            dc4e out NDT NormalClearing 16 - - 1 NORMAL_CLEARING
            587b out NDT NormalClearing 16 - - 1 NORMAL_CLEARING
            f4f6 out NDT NormalClearing 16 - - 1 NORMAL_CLEARING
            1efd out NDT NormalClearing 16 - - 1 NORMAL_CLEARING
            a8ce out NDT UserBusy 17 486 - 1 USER_BUSY
            """,
        // Told of CHANNEL_CREATE and CHANNEL_DESTROY.
        ["originate-limits"] = """
            0200 out ND - - - - 1 -
            0201 out ND - - - - 1 -
            0202 out NT DestinationOutOfOrder 27 - - 0 DESTINATION_OUT_OF_ORDER
            0203 out NT DestinationOutOfOrder 27 - - 0 DESTINATION_OUT_OF_ORDER
            0210 out ND - - - - 1 -
            0211 out NT DestinationOutOfOrder 27 - - 0 DESTINATION_OUT_OF_ORDER
            0212 out NT DestinationOutOfOrder 27 - - 0 DESTINATION_OUT_OF_ORDER
            0213 out NT DestinationOutOfOrder 27 - - 0 DESTINATION_OUT_OF_ORDER
            0214 out NT DestinationOutOfOrder 27 - - 0 DESTINATION_OUT_OF_ORDER
            0220 out NT DestinationOutOfOrder 27 - - 0 DESTINATION_OUT_OF_ORDER
            """,
        ["originate-sofia-404"] = "6907 out NDT UnallocatedNumber 1 404 - 1 UNALLOCATED_NUMBER",
        ["originate-sofia-480"] = "6915 out NDT NoUserResponding 18 480 - 1 NO_USER_RESPONSE",
        ["originate-sofia-503"] = "6908 out NDT TemporaryFailure 41 503 - 1 NORMAL_TEMPORARY_FAILURE",
        ["originate-sofia-603"] = "6910 out NDT CallRejected 21 603 - 1 CALL_REJECTED",
        ["originate-sofia-answered"] = "7609 out NDRCT NormalClearing 16 - 1019.964 1 NORMAL_CLEARING",
        ["originate-sofia-busy-486"] = "7412 out NDT UserBusy 17 486 - 1 USER_BUSY",
        ["originate-sofia-cancel-while-ringing"] = "8751 out NDRT NormalClearing 16 - - 1 ORIGINATOR_CANCEL",
        ["originate-sofia-early-media-far-hangup"] = "8897 out NDRCT NormalClearing 16 - 2020.048 1 NORMAL_CLEARING",
        // +OK and the application come with the early media, a second before the answer.
        ["originate-sofia-early-media-not-ignored"] = "9039 out NDRCT NormalClearing 16 - 1999.976 1 NORMAL_CLEARING",
        ["originate-sofia-no-answer-timeout"] = "8500 out NDRT NoAnswer 19 - - 1 NO_ANSWER",
        ["originate-sofia-nobody-listening"] = "8430 out NDT TemporaryFailure 41 503 - 1 NORMAL_TEMPORARY_FAILURE",
        // Told of CHANNEL_CREATE and CHANNEL_HANGUP.
        ["partial-command-blocks-events"] = """
            6336 out ND - - - - 1 -
            125a out ND - - - - 1 -
            """,
        // An application that is not there, and two hang-ups by message.
        ["sendmsg"] = """
            0075 out NDCT DestinationOutOfOrder 27 - 2839.962 1 DESTINATION_OUT_OF_ORDER
            0076 out NDCT UserBusy 17 - 40.118 1 USER_BUSY
            0083 out NDCT NormalClearing 16 - 39.937 1 NORMAL_CLEARING
            """,
        // That the connection is gone says nothing of the call.
        ["server-killed"] = "0403 out NDC - - - - 1 -",
        ["server-shutdown"] = """
            0400 out NDRCT ServerShutdown 16 - 919.955 1 SYSTEM_SHUTDOWN
            0401 out NDCT ServerShutdown 16 - 860.025 1 SYSTEM_SHUTDOWN
            0402 out NDRT ServerShutdown 16 - - 2 SYSTEM_SHUTDOWN
            """,
        // SIP answers, told of the results of their originates only: neither a status nor a number, so this is that of the name.
        ["sip-status-cause-map"] = """
            400 out NT TemporaryFailure 41 - - 0 NORMAL_TEMPORARY_FAILURE
            401 out NT CallRejected 21 - - 0 CALL_REJECTED
            402 out NT CallRejected 21 - - 0 CALL_REJECTED
            403 out NT CallRejected 21 - - 0 CALL_REJECTED
            404 out NT UnallocatedNumber 1 - - 0 UNALLOCATED_NUMBER
            405 out NT ServiceUnavailable 63 - - 0 SERVICE_UNAVAILABLE
            406 out NT ServiceNotImplemented 79 - - 0 SERVICE_NOT_IMPLEMENTED
            407 out NT CallRejected 21 - - 0 CALL_REJECTED
            408 out NT RecoveryOnTimerExpire 102 - - 0 RECOVERY_ON_TIMER_EXPIRE
            410 out NT NumberChanged 22 - - 0 NUMBER_CHANGED
            413 out NT Interworking 127 - - 0 INTERWORKING
            415 out NT ServiceNotImplemented 79 - - 0 SERVICE_NOT_IMPLEMENTED
            480 out NT NoUserResponding 18 - - 0 NO_USER_RESPONSE
            481 out NT TemporaryFailure 41 - - 0 NORMAL_TEMPORARY_FAILURE
            482 out NT ExchangeRoutingError 25 - - 0 EXCHANGE_ROUTING_ERROR
            483 out NT ExchangeRoutingError 25 - - 0 EXCHANGE_ROUTING_ERROR
            484 out NT InvalidNumberFormat 28 - - 0 INVALID_NUMBER_FORMAT
            485 out NT NoRouteToDestination 3 - - 0 NO_ROUTE_DESTINATION
            486 out NT UserBusy 17 - - 0 USER_BUSY
            487 out NT NormalClearing - - - 0 ORIGINATOR_CANCEL
            488 out NT IncompatibleDestination 88 - - 0 INCOMPATIBLE_DESTINATION
            500 out NT TemporaryFailure 41 - - 0 NORMAL_TEMPORARY_FAILURE
            501 out NT ServiceNotImplemented 79 - - 0 SERVICE_NOT_IMPLEMENTED
            502 out NT NetworkOutOfOrder 38 - - 0 NETWORK_OUT_OF_ORDER
            503 out NT TemporaryFailure 41 - - 0 NORMAL_TEMPORARY_FAILURE
            504 out NT RecoveryOnTimerExpire 102 - - 0 RECOVERY_ON_TIMER_EXPIRE
            505 out NT Interworking 127 - - 0 INTERWORKING
            600 out NT UserBusy 17 - - 0 USER_BUSY
            603 out NT CallRejected 21 - - 0 CALL_REJECTED
            604 out NT NoRouteToDestination 3 - - 0 NO_ROUTE_DESTINATION
            606 out NT IncompatibleDestination 88 - - 0 INCOMPATIBLE_DESTINATION
            """,
        // No channel of any of them.
        ["sync-failure-with-uuid"] = """
            0510 out NT UserBusy 17 - - 0 USER_BUSY
            0511 out NT SubscriberAbsent - - - 0 USER_NOT_REGISTERED
            0512 out NT Unknown - - - 0 INVALID_GATEWAY
            0513 out NT SubscriberAbsent 20 - - 0 SUBSCRIBER_ABSENT
            0514 out NT ChannelTypeNotImplemented 66 - - 0 CHAN_NOT_IMPLEMENTED
            """,
        // Each keeps its own call: they were made apart.
        ["uuid-bridge"] = """
            0070 out NDRCT NormalClearing 16 - 939.965 1 NORMAL_CLEARING
            0071 out NDCT NormalClearing 16 - 899.999 1 NORMAL_CLEARING
            0072 out NDCT NormalClearing 16 - 1759.999 1 NORMAL_CLEARING
            0073 out NDCT NormalClearing 16 - 1039.991 1 NORMAL_CLEARING
            """,
        // The hold of a null channel begins and cannot be ended.
        ["uuid-hold"] = """
            0062 out NDRCHCHCHCT NormalClearing 16 - 13320.017 1 NORMAL_CLEARING
            0063 out NDCHT NormalClearing 16 - 13280.019 1 NORMAL_CLEARING
            """,
        // None; USER_BUSY, 17; CALL_REJECTED; an unknown word; in small letters; 0; 487; one word too many.
        ["uuid-kill-cause"] = """
            0040 out NDCT NormalClearing 16 - 39.961 1 NORMAL_CLEARING
            0041 out NDCT UserBusy 17 - 39.997 1 USER_BUSY
            0042 out NDCT UserBusy 17 - 40.002 1 USER_BUSY
            0043 out NDCT CallRejected 21 - 39.981 1 CALL_REJECTED
            0044 out NDCT NormalClearing 16 - 39.991 1 NORMAL_CLEARING
            0045 out NDCT UserBusy 17 - 40.002 1 USER_BUSY
            0046 out NDCT Unknown 0 - 39.999 1 NONE
            0047 out NDCT NormalClearing 16 - 39.982 1 ORIGINATOR_CANCEL
            0048 out NDCT NormalClearing 16 - 40.008 1 NORMAL_CLEARING
            """,
        ["uuid-record"] = "0064 out NDRCT NormalClearing 16 - 5779.983 1 NORMAL_CLEARING",
        ["uuid-record-unwritable"] = "0082 out NDRCT NormalClearing 16 - 1059.989 1 NORMAL_CLEARING",
        ["uuid-transfer"] = "0060 out NDRCT UserBusy 17 - 759.995 1 USER_BUSY",
        ["uuid-transfer-no-extension"] = "0061 out NDCT NoRouteToDestination 3 - 39.964 1 NO_ROUTE_DESTINATION",
    };

    /// <summary>The recordings that have a line.</summary>
    public static IEnumerable<string> Scenarios => Calls.Keys;

    /// <summary>The calls of a recording; null if it has none, nor the end of a channel.</summary>
    public static string[]? Of(string scenario) => Calls.TryGetValue(scenario, out string? lines) ? lines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : null;
}
