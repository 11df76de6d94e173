namespace IfBus.Sip;

/// <summary>
/// Why a call ended: the Q.850 causes under their numbers (ITU-T Q.850, 05/98, table 1), and above 127 what no Q.850
/// cause says. <see cref="SipCall.CauseCode"/> keeps the server's own number, <see cref="SipCall.CauseText"/> its words.
/// </summary>
public enum HangupCause
{
    /// <summary>The server gave no cause, or one that has no name here.</summary>
    Unknown = 0,
    /// <summary>Unallocated (unassigned) number.</summary>
    UnallocatedNumber = 1,
    /// <summary>No route to specified transit network.</summary>
    NoRouteToTransitNetwork = 2,
    /// <summary>No route to destination.</summary>
    NoRouteToDestination = 3,
    /// <summary>Send special information tone.</summary>
    SendSpecialInformationTone = 4,
    /// <summary>Misdialled trunk prefix.</summary>
    MisdialledTrunkPrefix = 5,
    /// <summary>Channel unacceptable.</summary>
    ChannelUnacceptable = 6,
    /// <summary>Call awarded and being delivered in an established channel.</summary>
    CallAwarded = 7,
    /// <summary>Preemption.</summary>
    Preemption = 8,
    /// <summary>Query on release: ported number (QoR).</summary>
    PortedNumber = 14,
    /// <summary>Normal call clearing.</summary>
    NormalClearing = 16,
    /// <summary>User busy.</summary>
    UserBusy = 17,
    /// <summary>No user responding.</summary>
    NoUserResponding = 18,
    /// <summary>No answer from user (user alerted).</summary>
    NoAnswer = 19,
    /// <summary>Subscriber absent.</summary>
    SubscriberAbsent = 20,
    /// <summary>Call rejected.</summary>
    CallRejected = 21,
    /// <summary>Number changed.</summary>
    NumberChanged = 22,
    /// <summary>Redirection to new destination.</summary>
    RedirectedToNewDestination = 23,
    /// <summary>Call rejected due to feature at the destination; in Asterisk "answered elsewhere" is 26.</summary>
    RejectedByFeature = 24,
    /// <summary>Exchange routing error.</summary>
    ExchangeRoutingError = 25,
    /// <summary>Non-selected user clearing; servers use it for "answered elsewhere".</summary>
    AnsweredElsewhere = 26,
    /// <summary>Destination out of order.</summary>
    DestinationOutOfOrder = 27,
    /// <summary>Invalid number format (address incomplete).</summary>
    InvalidNumberFormat = 28,
    /// <summary>Facility rejected.</summary>
    FacilityRejected = 29,
    /// <summary>Response to STATUS ENQUIRY.</summary>
    ResponseToStatusEnquiry = 30,
    /// <summary>Normal, unspecified.</summary>
    NormalUnspecified = 31,
    /// <summary>No circuit or channel available.</summary>
    NoCircuitAvailable = 34,
    /// <summary>Network out of order.</summary>
    NetworkOutOfOrder = 38,
    /// <summary>Temporary failure.</summary>
    TemporaryFailure = 41,
    /// <summary>Switching equipment congestion.</summary>
    SwitchCongestion = 42,
    /// <summary>Access information discarded.</summary>
    AccessInformationDiscarded = 43,
    /// <summary>Requested circuit or channel not available.</summary>
    RequestedChannelUnavailable = 44,
    /// <summary>Precedence call blocked (pre-empted in Asterisk).</summary>
    PreEmpted = 45,
    /// <summary>Resource unavailable, unspecified.</summary>
    ResourceUnavailable = 47,
    /// <summary>Requested facility not subscribed.</summary>
    FacilityNotSubscribed = 50,
    /// <summary>Outgoing calls barred.</summary>
    OutgoingCallBarred = 52,
    /// <summary>Incoming calls barred.</summary>
    IncomingCallBarred = 54,
    /// <summary>Bearer capability not authorized.</summary>
    BearerCapabilityNotAuthorized = 57,
    /// <summary>Bearer capability not presently available.</summary>
    BearerCapabilityNotAvailable = 58,
    /// <summary>Service or option not available, unspecified.</summary>
    ServiceUnavailable = 63,
    /// <summary>Bearer capability not implemented.</summary>
    BearerCapabilityNotImplemented = 65,
    /// <summary>Channel type not implemented.</summary>
    ChannelTypeNotImplemented = 66,
    /// <summary>Requested facility not implemented.</summary>
    FacilityNotImplemented = 69,
    /// <summary>Service or option not implemented, unspecified.</summary>
    ServiceNotImplemented = 79,
    /// <summary>Invalid call reference value.</summary>
    InvalidCallReference = 81,
    /// <summary>Incompatible destination.</summary>
    IncompatibleDestination = 88,
    /// <summary>Invalid message, unspecified.</summary>
    InvalidMessage = 95,
    /// <summary>Mandatory information element is missing.</summary>
    MandatoryElementMissing = 96,
    /// <summary>Message type non-existent or not implemented.</summary>
    MessageTypeNotImplemented = 97,
    /// <summary>Message not compatible with call state.</summary>
    WrongMessage = 98,
    /// <summary>Information element non-existent or not implemented.</summary>
    ElementNotImplemented = 99,
    /// <summary>Invalid information element contents.</summary>
    InvalidElementContents = 100,
    /// <summary>Message not compatible with call state (recovered).</summary>
    WrongCallState = 101,
    /// <summary>Recovery on timer expiry.</summary>
    RecoveryOnTimerExpire = 102,
    /// <summary>Parameter non-existent or not implemented, passed on.</summary>
    MandatoryElementLength = 103,
    /// <summary>Protocol error, unspecified.</summary>
    ProtocolError = 111,
    /// <summary>Interworking, unspecified.</summary>
    Interworking = 127,

    /// <summary>The server was started anew while we were not connected: the call did not outlive it, how it ended was not seen.</summary>
    ServerRestarted = 500,
    /// <summary>The server shut down or restarted and ended the call for it.</summary>
    ServerShutdown = 501,
    /// <summary>The call ended while we were not connected; its end was not seen.</summary>
    EndedUnseen = 900,
}
