namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>What can be done about an error, by its id; used where the place that failed has said nothing more exact.</summary>
internal static class ErrorActions
{
    private static readonly Dictionary<string, string> ById = new(StringComparer.Ordinal)
    {
        // Reaching the server.
        ["SipConnectionFailed"] = "Check host, port and firewall, and that the server's control interface runs; Find-SipServer shows what answers there.",
        ["SipConnectionLost"] = "The connection comes back by itself unless it was made with -ReconnectAttempts 0; Get-SipServer shows its state, Get-SipCallStatus what became of a call.",
        ["SipConnectionBusy"] = "Wait until Get-SipServer shows it Connected, or end it with Disconnect-SipServer first.",
        ["SipDisconnected"] = "Connect-SipServer makes a new connection.",
        ["SipServerNotConnected"] = "Get-SipServer lists the connections; Connect-SipServer makes one.",
        ["SipServerNotFound"] = "Name the kind and the port: Connect-SipServer -Type and -Port.",
        ["SipServerTypeAmbiguous"] = "Say which is meant: Connect-SipServer -Type.",
        ["SipServerAmbiguous"] = "Name one with -Server, or make one the default: Set-SipServer -Default <name>.",
        ["SipServerBorrowed"] = "Do this in the runspace that connected, or Connect-SipServer here for a connection of its own.",
        ["SipServerNameInUse"] = "Give another -Name, or end that connection first: Disconnect-SipServer <name>.",
        ["SipProfileExists"] = "Give this one another -Name, or put it in the place of that one with -Force.",
        ["SipProfileFileBusy"] = "Try again.",
        ["SipProfileFileInvalid"] = "Mend the file, or move it away and register the servers anew.",
        ["SipProfileFileNotWritten"] = "Check the rights on the folder, or name another with the environment variable IFBUS_SIP_HOME.",
        ["SipProfileFolderUnknown"] = "Set the environment variable IFBUS_SIP_HOME to a folder.",
        ["SipProfileNotFound"] = "Get-SipServer -Registered lists them; Register-SipServer registers one.",
        ["SipSecretMissing"] = "Give it with -Credential or -ApiKey.",
        ["SipCircuitOpen"] = "Look at it with Test-SipServer; a call with this server alone in -Server is tried in any case.",
        ["SipServerShuttingDown"] = "Connect again when the server is up.",
        ["SipServerRestarted"] = "Get-SipCallStatus shows the calls that are up now; those from before the restart have ended.",
        ["SipServerDoesNotRead"] = "The server hangs, or the network does: look at the server's load and log.",
        ["SipServerFailed"] = "The server's own log has the reason.",
        ["SipServerUnavailable"] = "Set up at the server what it says it lacks, or try again later.",
        ["SipTimeout"] = "Test-SipServer shows whether the server answers. What changes something may have been carried out: look with Get-SipCallStatus before doing it again.",
        ["SipTlsRequired"] = "Use -UseTls, or the server's clear-text port.",
        ["SipTlsFailed"] = "Use the server's TLS port, or leave out -UseTls for a clear-text port.",
        ["SipCertificateNotTrusted"] = "Connect by the name that stands in the certificate, or name the file of its authority with -CertificateAuthority.",
        ["SipNotAsterisk"] = "Check that the port is the Manager's (manager.conf: port, usually 5038), or find out what answers there: Find-SipServer.",
        ["SipNotFreeSwitch"] = "Check that the port is the Event Socket's (event_socket.conf: listen-port, usually 8021), or find out what answers there: Find-SipServer.",
        ["SipNotYate"] = "Check that the port is that of a listener in extmodule.conf, or find out what answers there: Find-SipServer.",
        ["SipHttpPathNotFound"] = "Give the path that the server's configuration names with -Path.",
        ["SipProtocolError"] = "Check with Find-SipServer that -Type and -Port are those of this server. If they are, report the message with the server's version.",
        ["SipReplyMismatch"] = "Something between here and the server mixes up replies: connect without a proxy, or report the message with the server's version.",
        ["SipReplyTooLarge"] = "Ask for less at once, or let the server answer in smaller pages.",
        ["SipRequestTooLarge"] = "Send less in one request: shorter values, fewer of them.",
        ["SipRequestNotTaken"] = "Check -Path, and the buffer sizes of the server's HTTP module.",
        ["SipEventSocketFailed"] = "Check -EventAddress, or leave it out: then the calls are polled.",
        ["SipEventAddressUnusable"] = "Give an address of this machine that the server reaches, and a free port, with -EventAddress.",

        // Being let in.
        ["SipAuthenticationFailed"] = "Check user and password (Connect-SipServer -Credential), or the key (-ApiKey), against the server's configuration.",
        ["SipAccessRefused"] = "The server lets in by source address, or this login has no right to it: look into its configuration.",
        ["SipAddressRefused"] = "Let this machine's address in at the server.",
        ["SipApiKeyInvalid"] = "Copy the key anew from the web panel, Admin > API Keys, without blanks.",
        ["SipApiKeyRefused"] = "Make a new key in the web panel, Admin > API Keys, for the address of this machine.",
        ["SipTokenRefused"] = "Get a new access token of the OpenID Connect server.",
        ["SipSpaceExpired"] = "A super administrator can give the space another date, or open it.",
        ["SipSpaceRefused"] = "Get-SipSpace shows the spaces and how many accounts they may have.",
        ["SipSpaceUnknown"] = "Connect by the host name of the space, or give it with -Space.",
        ["SipRateLimited"] = "Try again in a minute.",

        // What was given.
        ["SipInvalidArgument"] = "Give a value that the rule in the message allows; Get-Help <cmdlet> -Parameter <name> says more. Nothing was sent.",
        ["SipInvalidNumber"] = "Give a number or an address in the form that the message names. Nothing was sent.",
        ["SipConfigurationInvalid"] = "Mend each setting that is named; Test-SipServerConfiguration checks them without connecting.",
        ["SipNotSupported"] = "Get-SipServer shows what this server and login can do (Capabilities).",
        ["SipDialplanMissing"] = "Add the context to the server's dialplan, as the README shows, or use a login that may add it.",
        ["SipSimulatorPortInUse"] = "Leave out -Port for a free one, or stop what listens there.",

        // Calls.
        ["SipCallNotFound"] = "Get-SipCallStatus lists the live calls.",
        ["SipCallEnded"] = "Get-SipCallStatus lists the live calls; Get-SipCallHistory and Get-SipCallDetailRecord those that ended.",
        ["SipCallNotPlaced"] = "Nothing was placed, so the call can be made again. Get-SipServer shows how the servers stand.",
        ["SipCallRejected"] = "Check -From, -To and -Context against the server's dialplan and endpoints; CauseText and the server's log say more.",
        ["SipCallNotConnected"] = "Wait-SipCall -State Connected waits until both talk; Get-SipCallStatus shows the state.",
        ["SipCallNotBridged"] = "This works for a call of two parties that talk; Get-SipCallStatus shows its Legs.",
        ["SipCallNotIncoming"] = "Get-SipCallStatus -State Incoming lists the calls that wait to be answered.",
        ["SipCallNotOnHold"] = "Suspend-SipCall puts a call on hold; Get-SipCallStatus -State OnHold lists those that are.",
        ["SipCallOnHold"] = "Resume-SipCall takes it off hold.",
        ["SipCallHeldByPhone"] = "Resume the call at the phone.",
        ["SipCallNoDialplan"] = "Call an extension that dials the endpoint, or move the other party: -Keep To, -Party To.",
        ["SipCallTransferring"] = "Wait for the transfer, or end it: Move-SipCall -Complete or -Cancel.",
        ["SipNoSuchParty"] = "Name the party that the call has with -Party or -Keep; Get-SipCallStatus shows its Legs.",
        ["SipHangUpRejected"] = "Get-SipCallStatus shows whether the call is still up; the message has the server's reason.",
        ["SipHangUpRinging"] = "Wait-SipCall until it is Connected, then Stop-SipCall; or let it ring out.",
        ["SipAnswerFailed"] = "Get-SipCallStatus shows whether the caller still waits; the message has the server's reason.",
        ["SipHoldFailed"] = "Get-SipCallStatus shows how the call stands; the message has the server's reason.",
        ["SipResumeFailed"] = "Get-SipCallStatus shows how the call stands; the message has the server's reason.",
        ["SipDestinationNotFound"] = "Give a destination that the server's dialplan has.",
        ["SipLegNotAddressable"] = "Whoever makes that leg must give it an id of printable ASCII without blanks, quotes and backslashes (origination_uuid, or the Call-ID where the profile has inbound-use-callid-as-uuid).",
        ["SipNoConsultation"] = "The server cannot make that call, the phone does: have it call the destination, then Move-SipCall -Attended again.",
        ["SipNoTransfer"] = "Begin one: Move-SipCall -To <number> -Attended.",
        ["SipTransferFailed"] = "Get-SipCallStatus shows how the call stands now; the message says why it failed.",
        ["SipTransferNotAllowed"] = "Allow it at the server: the message says what it lacks.",
        ["SipTransferNotAnswered"] = "Wait until the destination answers, or give the transfer up: Move-SipCall -Cancel.",
        ["SipDtmfFailed"] = "Get-SipCallStatus shows whether the party is still there; send the digits that are missing.",
        ["SipVariableFailed"] = "Check the name of the variable, and that the call is still up (Get-SipCallStatus).",
        ["SipNumberNotRegistered"] = "Get-SipRegistration lists what is registered; a number elsewhere is called by its SIP URI or with -EndpointTemplate.",

        // Rooms and recordings.
        ["SipCallNotInConference"] = "Get-SipConference lists the rooms and who is in them.",
        ["SipConferenceFailed"] = "Get-SipConference shows how the room stands; the message has the server's reason.",
        ["SipConferenceLocked"] = "Set-SipConference -Locked $false unlocks it.",
        ["SipConferenceMemberNotFound"] = "Get-SipConference lists who is in the room.",
        ["SipConferenceNotFound"] = "Get-SipConference lists the rooms; Join-SipConference makes one.",
        ["SipNotRecording"] = "Details of Get-SipCallStatus shows the recordings of a call; Start-SipRecording begins one.",
        ["SipRecordingFailed"] = "Check that the server may write to that folder and that the call is still up; the message has the server's reason.",
        ["SipRecordingNotAlone"] = "Stop the other recording of that leg first: Stop-SipRecording.",
        ["SipRecordingRuns"] = "Stop-SipRecording ends it; or give another -Path.",

        // What the server keeps.
        ["SipGatewayNotFound"] = "Get-SipGateway lists them.",
        ["SipRegistrationNotFound"] = "Get-SipRegistration lists them.",
        ["SipRegistrationNotKept"] = "Look at the server's log; Get-SipRegistration lists what it keeps.",
        ["SipRejected"] = "The message has the server's reason; its log may say more. Get-SipServer shows what this login can do (Capabilities).",
        ["SipNotFound"] = "Check that it exists (Get-SipAccount), and that the server's version has it (Get-SipServer).",
        ["SipValidationFailed"] = "Mend the fields that the message names, and do it again.",
        ["SipAccountNotFound"] = "Get-SipAccount lists the accounts.",
        ["SipAccountExists"] = "Set-SipAccount changes it; New-SipAccount -SkipExisting passes over accounts that exist.",
        ["SipAccountNameReserved"] = "Choose another name, or have the old account removed for good at the server.",
        ["SipAccountHasNoEmail"] = "Set-SipAccount -Email gives it one.",
        ["SipAccountChanged"] = "Get-SipAccount shows how it stands; set it again.",
        ["SipAccountNotRestored"] = "Get-SipAccount shows how it stands; set it again.",
        ["SipDeviceNotFound"] = "Get-SipDevice lists the devices.",
        ["SipDeviceNotRemoved"] = "Block the account first (Disable-SipAccount), to keep its devices from registering.",
        ["SipCallForwardingNotFound"] = "Get-SipCallForwarding lists the rules.",
        ["SipCallForwardingLost"] = "Set the rule again: Set-SipCallForwarding.",

        // The module itself.
        ["SipStopped"] = "Get-SipCallStatus shows what goes on at the server; do it again if it is still wanted.",
        ["SipUnexpected"] = "Do it again with -Verbose; if it fails again, report the message, what was run, and the server's version.",
    };

    /// <summary>All ids that there are.</summary>
    public static IReadOnlyCollection<string> Ids => ById.Keys;

    /// <summary>What can be done about it.</summary>
    public static string For(string errorId) => ById.GetValueOrDefault(errorId) ?? ById["SipUnexpected"];
}
