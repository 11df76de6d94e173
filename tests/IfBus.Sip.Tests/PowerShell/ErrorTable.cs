using System.Management.Automation;
using System.Text.RegularExpressions;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>An error.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">What is read: &lt;call&gt;, &lt;port&gt; (any number), &lt;time&gt;, &lt;any&gt; stand for what differs from run to run.</param>
internal sealed record ErrorRow(string Id, string Text)
{
    /// <summary>Has it happen.</summary>
    public Func<ModuleRunspace, ErrorRecord>? Fail { get; init; }

    /// <summary>Where it cannot be had: the text in the source.</summary>
    public string? Source { get; init; }
}

/// <summary>All errors, by id, each as it was read by somebody who asked: what happened, to what, what to do?</summary>
internal static class ErrorTable
{
    private const string Asterisk = "Start-SipSimulator Asterisk | Connect-SipServer -Name a | Out-Null; ";
    private const string WithCall = Asterisk + "$c = New-SipCall -From 1001 -To 1002 -Wait; ";
    private const string WithRingingCall = Asterisk + "$c = New-SipCall -From 1001 -To ring; $c | Wait-SipCall -State Ringing -Timeout 20 | Out-Null; ";
    private const string FreeSwitch = "Start-SipSimulator FreeSwitch | Connect-SipServer -Name fs | Out-Null; ";
    private const string Kamailio = "Start-SipSimulator Kamailio | Connect-SipServer -Name kam | Out-Null; ";
    private const string OpenSips = "Start-SipSimulator OpenSips | Connect-SipServer -Name osips | Out-Null; ";
    private const string Flexisip = "Start-SipSimulator Flexisip | Connect-SipServer -Name flexi | Out-Null; $p = [Net.NetworkCredential]::new('', 'pa55word').SecurePassword; ";
    private const string StoppedServer = "$s = Start-SipSimulator Asterisk; $s | Stop-SipSimulator; ";
    private const string Login = "$cr = [pscredential]::new('ann', [Net.NetworkCredential]::new('', 'secret').SecurePassword); ";

    public static readonly ErrorRow[] Rows =
    [
        new("SipAccessRefused", "127.0.0.1 refuses this client: 403 Forbidden.") { Fail = ErrorPeers.Web("SipAccessRefused", (_, s) => HttpPeer.SayAsync(s, "", "403 Forbidden", "text/html")) },
        new("SipAccountChanged", "flexi: sip:ann@sip.example.com was changed at <time>, after <time>. Nothing was sent.") { Fail = m => m.Fails("SipAccountChanged", Flexisip + "New-SipAccount ann $p | Out-Null; Set-SipAccount ann -DisplayName Ann -UnmodifiedSince ([datetime]::UtcNow.AddDays(-1))") },
        new("SipAccountExists", "flexi has an account sip:ann@sip.example.com already (number 2, made <time>).") { Fail = m => m.Fails("SipAccountExists", Flexisip + "New-SipAccount ann $p | Out-Null; New-SipAccount ann $p") },
        new("SipAccountHasNoEmail", "sip:ann@sip.example.com on flexi has no e-mail address. Nothing was sent.") { Fail = m => m.Fails("SipAccountHasNoEmail", Flexisip + "New-SipAccount ann $p | Out-Null; New-SipProvisioning ann -SendEmail") },
        new("SipAccountNameReserved", "flexi does not give the name ann@sip.example.com although no account has it: The username has already been taken.") { Fail = m => m.Fails("SipAccountNameReserved", Flexisip + "New-SipAccount ann $p | Remove-SipAccount -Confirm:$false; New-SipAccount ann $p") },
        new("SipAccountNotFound", "flexi has no account 'nobody' in this space.") { Fail = m => m.Fails("SipAccountNotFound", Flexisip + "Get-SipAccount nobody") },
        new("SipAccountNotRestored", "pbx1 changed sip:ann@sip.example.com, and by that made it not blocked; it could not be put back: no answer.") { Source = "{Name} changed {before.SipUri}, and by that made it not {state}; it could not be put back: " },
        new("SipAddressRefused", "127.0.0.1:<port> refuses this machine's address: Access Denied, go away.") { Fail = ErrorPeers.Says("SipAddressRefused", "FreeSwitch", "Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n") },
        new("SipAnswerFailed", "pbx1 refused to answer <call>: No such channel.") { Source = "{Name} refused to answer {call.CallId}" },
        new("SipApiKeyInvalid", "127.0.0.1 refuses the API key. It cannot be one of FlexiAPI, which have 40 letters and digits; this one has 5 characters.") { Fail = m => m.Fails("SipApiKeyInvalid", "$s = Start-SipSimulator Flexisip; Connect-SipServer $s.Host -Port $s.Port -Type Flexisip -ApiKey ([Net.NetworkCredential]::new('', 'short').SecurePassword)") },
        new("SipApiKeyRefused", "127.0.0.1 refuses the API key: it does not exist (any more), or it is a personal key, which works only from the address that it was made from. The server does not tell which.") { Fail = m => m.Fails("SipApiKeyRefused", "$s = Start-SipSimulator Flexisip; Connect-SipServer $s.Host -Port $s.Port -Type Flexisip -ApiKey ([Net.NetworkCredential]::new('', 'a' * 40).SecurePassword)") },
        new("SipAuthenticationFailed", "127.0.0.1 refused the login of 'ann': Authentication failed.") { Fail = m => m.Fails("SipAuthenticationFailed", Login + "$s = Start-SipSimulator Asterisk; Connect-SipServer $s.Host -Port $s.Port -Type Asterisk -Credential $cr") },
        new("SipCallEnded", "Call <call> on a has ended already (NormalClearing, <time>).") { Fail = m => m.Fails("SipCallEnded", WithCall + "$c | Stop-SipCall -Confirm:$false; $c | Wait-SipCall -Timeout 20 | Out-Null; $c | Suspend-SipCall") },
        new("SipCallForwardingLost", "pbx1 does not forward calls to the voicemail, and the rule that it was to replace (Always to bob) is gone. Not set up.") { Source = "{Name} does not {what} to the voicemail, and the rule that it was to replace ({there}) is gone." },
        new("SipCallForwardingNotFound", "ann has no call forwarding Always on flexi.") { Fail = m => m.Fails("SipCallForwardingNotFound", Flexisip + "New-SipAccount ann $p | Out-Null; Remove-SipCallForwarding ann Always") },
        new("SipCallHeldByPhone", "Call <call> on pbx1 is held by a phone, which alone can resume it: it is OnHold. Nothing was sent.") { Source = "is held by a phone, which alone can resume it" },
        new("SipCallNoDialplan", "Call <call> on a was made to an endpoint, so its From party is in no dialplan, and the server would hang it up instead of moving it. Nothing was sent.") { Fail = m => m.Fails("SipCallNoDialplan", Asterisk + "$c = New-SipCall -From 1001 -To PJSIP/1002 -Wait; $c | Suspend-SipCall") },
        new("SipCallNotBridged", "Call <call> on a has no two parties that are bridged, so there is nobody to bring it back to: it is Connected. Nothing was sent.") { Fail = m => m.Fails("SipCallNotBridged", Asterisk + "$c = New-SipCall -From 1001 -To echo -Wait; $c | Suspend-SipCall") },
        new("SipCallNotConnected", "Call <call> on a is not connected: it is Ringing. Nothing was sent.") { Fail = m => m.Fails("SipCallNotConnected", WithRingingCall + "$c | Suspend-SipCall") },
        new("SipCallNotFound", "a has no call 'nobody'.") { Fail = m => m.Fails("SipCallNotFound", Asterisk + "Stop-SipCall nobody -Confirm:$false") },
        new("SipCallNotInConference", "Call <call> on a is in no conference room: it is Connected. Nothing was sent.") { Fail = m => m.Fails("SipCallNotInConference", WithCall + "$c | Exit-SipConference") },
        new("SipCallNotIncoming", "Call <call> on a is not one that waits to be answered: it is Connected. Nothing was sent.") { Fail = m => m.Fails("SipCallNotIncoming", WithCall + "$c | Receive-SipCall") },
        new("SipCallNotOnHold", "Call <call> on a is not on hold: it is Connected. Nothing was sent.") { Fail = m => m.Fails("SipCallNotOnHold", WithCall + "$c | Resume-SipCall") },
        new("SipCallOnHold", "Call <call> on a is on hold already: it is OnHold. Nothing was sent.") { Fail = m => m.Fails("SipCallOnHold", WithCall + "$c | Suspend-SipCall; $c | Suspend-SipCall") },
        new("SipCallRejected", "a refused the call from 1001 to nosuch: Extension does not exist.") { Fail = m => m.Fails("SipCallRejected", Asterisk + "New-SipCall -From 1001 -To nosuch") },
        new("SipCallTransferring", "Call <call> on a is being transferred already: it is Transferring. Nothing was sent.") { Fail = m => m.Fails("SipCallTransferring", WithCall + "$c | Move-SipCall -To dial-ring -Timeout 0.2 -ErrorAction Ignore; $c | Move-SipCall -To echo") },
        new("SipCertificateNotTrusted", "The certificate of 127.0.0.1:<port> is not trusted: it was issued for another name, and its issuer is not one that is trusted here.") { Fail = ErrorPeers.OwnCertificate },
        new("SipConferenceFailed", "a: ConfbridgeStartRecord of room sales was refused: Conference is already being recorded.") { Fail = m => m.Fails("SipConferenceFailed", WithCall + "$c | Join-SipConference sales; Set-SipConference sales -Recording $true; Set-SipConference sales -Recording $true") },
        new("SipConferenceLocked", "Room sales on a is locked, so <call> was not moved. Nothing was changed.") { Fail = m => m.Fails("SipConferenceLocked", WithCall + "$c | Join-SipConference sales; Set-SipConference sales -Locked $true; New-SipCall -From 1001 -To 1002 -Wait | Join-SipConference sales") },
        new("SipConferenceMemberNotFound", "-Member 'nobody' is refused: nobody in room sales has this channel or leg id; Get-SipConference lists who is in it.") { Fail = m => m.Fails("SipConferenceMemberNotFound", WithCall + "$c | Join-SipConference sales; Set-SipConference sales -Muted $true -Member nobody") },
        new("SipConferenceNotFound", "a: ConfbridgeLock of room empty was refused: No active conferences.") { Fail = m => m.Fails("SipConferenceNotFound", Asterisk + "Set-SipConference empty -Locked $true") },
        new("SipConfigurationInvalid", "The configuration cannot be used: Bogus: is no setting; allowed are ComputerName, Host, Type, Port, <any>. Host 'a b': a host name or an IPv4 or IPv6 address, without scheme, port or path. Port '70000': 1 to 65535. Credential: a user of manager.conf and its secret are needed.") { Fail = m => m.Fails("SipConfigurationInvalid", "Connect-SipServer -Configuration @{ Type = 'Asterisk'; Host = 'a b'; Port = 70000; Bogus = 1 }") },
        new("SipConnectionBusy", "pbx1 is reconnecting already.") { Source = "{Name} is {_state.ToString().ToLowerInvariant()} already." },
        new("SipConnectionFailed", "Cannot connect to 127.0.0.1:<port>: nobody listens there (connection refused).") { Fail = m => m.Fails("SipConnectionFailed", StoppedServer + Login + "Connect-SipServer $s.Host -Port $s.Port -Type Asterisk -Credential $cr") },
        new("SipConnectionLost", "The connection to 127.0.0.1:<port> was lost before Command was answered; whether it was carried out is unknown, it is not sent again. The server closed the connection.") { Fail = m => m.Fails("SipConnectionLost", Asterisk + "Invoke-SipCommand Command -Field @{ Command = 'core restart now' } -Confirm:$false") },
        new("SipDestinationNotFound", "a has no extension 'nosuch' in context 'default'. Nothing was changed.") { Fail = m => m.Fails("SipDestinationNotFound", WithCall + "$c | Move-SipCall -To nosuch") },
        new("SipDeviceNotFound", "ann has no device urn:uuid:1 on flexi, or the server cannot reach its registrar; it answers the same for both.") { Fail = m => m.Fails("SipDeviceNotFound", Flexisip + "New-SipAccount ann $p | Out-Null; Remove-SipDevice ann urn:uuid:1 -Confirm:$false") },
        new("SipDeviceNotRemoved", "pbx1 did not remove the device urn:uuid:1 of ann@sip.example.com, or it has registered again already.") { Source = "{Name} did not remove the device {uuid} of {address}, or it has registered again already." },
        new("SipDialplanMissing", "pbx1 has no context 'ifbus-sip' in its dialplan, and the server refused to add it: Permission denied. Nothing was changed.") { Source = "{name} has no context '{Context}' in its dialplan, and {why}. Nothing was changed." },
        new("SipDisconnected", "pbx1 was disconnected.") { Source = "{Name} was disconnected." },
        new("SipDtmfFailed", "pbx1 refused digit 2 of 4 for <call>: No such channel.") { Source = "{Name} refused digit {i + 1} of {request.Digits.Length} for {call.CallId}" },
        new("SipEventAddressUnusable", "Events of 127.0.0.1 cannot be taken at 127.0.0.1:<port>: the port is in use already.") { Fail = m => m.Fails("SipEventAddressUnusable", "$s = Start-SipSimulator Asterisk; $o = Start-SipSimulator OpenSips; Connect-SipServer $o.Host -Port $o.Port -Type OpenSips -EventAddress \"127.0.0.1:$($s.Port)\"") },
        new("SipEventSocketFailed", "127.0.0.1 answers, but not its event socket: Cannot connect to 127.0.0.1:<port>: nobody listens there (connection refused).") { Fail = m => m.Fails("SipEventSocketFailed", StoppedServer + "$k = Start-SipSimulator Kamailio; Connect-SipServer $k.Host -Port $k.Port -Type Kamailio -Credential $k.Credential -EventAddress \"127.0.0.1:$($s.Port)\"") },
        new("SipGatewayNotFound", "osips has no gateway 'ds:9/sip:nobody@127.0.0.1'.") { Fail = m => m.Fails("SipGatewayNotFound", OpenSips + "Set-SipGateway ds:9/sip:nobody@127.0.0.1 Inactive") },
        new("SipHangUpRejected", "pbx1 refused to hang up <call>: No such channel.") { Source = "{Name} refused to hang up {call.CallId}" },
        new("SipHangUpRinging", "kam is a Kamailio and cannot end call <call>: it is Ringing, and before Kamailio 6.1 no command ends a call that is not answered without harm to the server (dlg.end_dlg would say success and do nothing). Nothing was sent.") { Fail = m => m.Fails("SipHangUpRinging", Kamailio + "$c = New-SipCall -From 1001 -To ring; $id = $null; foreach ($n in 1..200) { $c = Get-SipCallStatus | Where-Object State -eq Ringing; if ($c) { break }; [Threading.Thread]::Sleep(50) }; $c | Stop-SipCall -Confirm:$false") },
        new("SipHoldFailed", "pbx1 refused to hold <call>: No such channel.") { Source = "{Name} refused to hold {call.CallId}" },
        new("SipHttpPathNotFound", "127.0.0.1 has no /other (404 Not Found, no such path /other).") { Fail = m => m.Fails("SipHttpPathNotFound", "$s = Start-SipSimulator Kamailio; Connect-SipServer $s.Host -Port $s.Port -Type Kamailio -Credential $s.Credential -Path /other") },
        new("SipInvalidArgument", "-Digits 'x' is refused: 1 to 100 of 0 to 9, *, #, A to D, and w for half a second of silence.") { Fail = m => m.Fails("SipInvalidArgument", WithCall + "$c | Send-SipDtmf -Digits 'x'") },
        new("SipInvalidNumber", "-From '1001\\r\\nAction: Logoff' is refused: a number or extension has 1 to 80 letters, digits and + * # . _ -; an endpoint is Technology/address, for instance PJSIP/1001 or Local/1001@context, with letters, digits and + * # . _ - @ : ; = ~ % ! / [ ] ? only.") { Fail = m => m.Fails("SipInvalidNumber", Asterisk + "New-SipCall -From \"1001`r`nAction: Logoff\" -To 1002") },
        new("SipLegNotAddressable", "Call <call> on pbx1 has a leg whose id 'a b' is no word of a command: it is Connected. Nothing was sent.") { Source = "has a leg whose id '{SipText.Printable(leg.Id)}' is no word of a command" },
        new("SipNoConsultation", "1002 has no call with 1003 on pbx1 that <call> could be transferred to. Nothing was sent.") { Source = "has no call with {to} on {Name} that {call.CallId} could be transferred to. Nothing was sent." },
        new("SipNoSuchParty", "Call <call> on a has no To party: it is Connected. Nothing was sent.") { Fail = m => m.Fails("SipNoSuchParty", Asterisk + "$c = New-SipCall -To 1001 -Application Echo -Wait; $c | Start-SipRecording -Path x.wav -Party To") },
        new("SipNoTransfer", "Call <call> on a has no attended transfer that goes on: it is Connected. Nothing was sent.") { Fail = m => m.Fails("SipNoTransfer", WithCall + "$c | Move-SipCall -Complete") },
        new("SipNotAsterisk", "127.0.0.1: This is not an Asterisk Manager: it greets with 'Content-Type: auth/request\\n\\n'.") { Fail = m => m.Fails("SipNotAsterisk", Login + "$s = Start-SipSimulator FreeSwitch; Connect-SipServer $s.Host -Port $s.Port -Type Asterisk -Credential $cr") },
        new("SipNotFound", "pbx1 has not got what is needed to list calls. No query results.") { Source = "{server} has not got what is needed to {what}.{said}" },
        new("SipNotFreeSwitch", "127.0.0.1: This is not a FreeSWITCH Event Socket, or not where a message begins: 'Asterisk Call Manager/11.0.0\\r\\n'.") { Fail = m => m.Fails("SipNotFreeSwitch", Login + "$s = Start-SipSimulator Asterisk; Connect-SipServer $s.Host -Port $s.Port -Type FreeSwitch -Credential $cr") },
        new("SipNotRecording", "Call <call> on a has no recording of ours that runs.") { Fail = m => m.Fails("SipNotRecording", WithCall + "$c | Stop-SipRecording") },
        new("SipNotSupported", "flexi cannot do it: FlexiAPI, the account manager of Flexisip, has no connection to the proxy's calls: it cannot make, list, end, hold, move or record one. Nothing was sent.") { Fail = m => m.Fails("SipNotSupported", Flexisip + "New-SipCall -From 1001 -To 1002") },
        new("SipNumberNotRegistered", "osips has no registration of 'nosuchnumber' in its table location (AOR not found). No call was made.") { Fail = m => m.Fails("SipNumberNotRegistered", OpenSips + "New-SipCall -From nosuchnumber -To 1002") },
        new("SipProfileExists", "A server is registered as 'pbx1' already. Nothing was changed.") { Source = "A server is registered as '{there}' already. Nothing was changed." },
        new("SipProfileFileBusy", "C:/Users/ann/servers.json is being written by another process for more than 5 s. Nothing was changed.") { Source = "{Path} is being written by another process for more than {Patience.TotalSeconds:0} s. Nothing was changed." },
        new("SipProfileFileInvalid", "C:/Users/ann/servers.json cannot be used: line 3, byte 7: ',' is invalid after a property name. It was left as it is.") { Source = "{Path} cannot be used: {what}. It was left as it is." },
        new("SipProfileFileNotWritten", "C:/Users/ann/servers.json cannot be written: there is no room. Nothing was changed.") { Source = "{Path} cannot be written: " },
        new("SipProfileFolderUnknown", "This user has no folder for settings.") { Source = "This user has no folder for settings." },
        new("SipProfileNotFound", "No server is registered as 'nobody'.") { Fail = m => m.Fails("SipProfileNotFound", "Get-SipServer nobody -Registered") },
        new("SipProtocolError", "127.0.0.1: The answer to which is no reply of JSON-RPC: it is no valid JSON (line 1, byte 1).") { Fail = ErrorPeers.Web("SipProtocolError", (_, s) => HttpPeer.SayAsync(s, "<html>")) },
        new("SipRateLimited", "pbx1 takes no more requests for now, and still took none after we had waited; it did not list accounts.") { Source = "{server} takes no more requests for now, and still took none after we had waited; it did not {what}." },
        new("SipRecordingFailed", "pbx1 refused to record <call> to a.wav: Cannot record session!.") { Source = "{Name} refused to record {call.CallId}" },
        new("SipRecordingNotAlone", "PJSIP/1001-00000000 of call <call> on a is recorded 2 times, and this server cannot mute one of several recordings of a leg. Nothing was sent.") { Fail = m => m.Fails("SipRecordingNotAlone", "Start-SipSimulator Asterisk -Version 16.28.0 | Connect-SipServer -Name a | Out-Null; $c = New-SipCall -From 1001 -To 1002 -Wait; $c | Start-SipRecording -Path a.wav | Out-Null; $c | Start-SipRecording -Path b.wav | Out-Null; $c | Set-SipRecording -Muted $true") },
        new("SipRecordingRuns", "Call <call> on fs is being recorded to a.wav already: it is Connected. Nothing was sent.") { Fail = m => m.Fails("SipRecordingRuns", FreeSwitch + "$c = New-SipCall -From sofia/gateway/answer/1001 -To 1000 -Wait; $c | Start-SipRecording -Path a.wav | Out-Null; $c | Start-SipRecording -Path a.wav") },
        new("SipRegistrationNotFound", "kam has no registration of 'nobody'.") { Fail = m => m.Fails("SipRegistrationNotFound", Kamailio + "Remove-SipRegistration nobody -Confirm:$false") },
        new("SipRegistrationNotKept", "pbx1 took the registration of 1001, and does not show it.") { Source = "{Name} took the registration of {request.Aor}, and does not show it." },
        new("SipRejected", "127.0.0.1 refused which: Internal error: no memory (-32603).") { Fail = ErrorPeers.Web("SipRejected", (r, s) => HttpPeer.SayAsync(s, $"{{\"jsonrpc\":\"2.0\",\"error\":{{\"code\":-32603,\"message\":\"Internal error\",\"data\":\"no memory\"}},\"id\":{r.Id}}}")) },
        new("SipReplyMismatch", "127.0.0.1 answered which with the id 999999, not <port>: the reply is another request's.") { Fail = ErrorPeers.Web("SipReplyMismatch", (_, s) => HttpPeer.SayAsync(s, "{\"jsonrpc\":\"2.0\",\"result\":[],\"id\":999999}")) },
        new("SipReplyTooLarge", "The reply of pbx1 is longer than 1000000 bytes.") { Source = "The reply of {name} is longer than {most} bytes." },
        new("SipRequestNotTaken", "127.0.0.1 did not take the request which (HTTP 400 Bad Request). Nothing was carried out.") { Fail = m => m.Fails("SipRequestNotTaken", "$s = Start-SipSimulator OpenSips; Connect-SipServer $s.Host -Port $s.Port -Type OpenSips -Path /other") },
        new("SipRequestTooLarge", "The request core.echo of <port> bytes is refused: kam takes 15000 bytes of a request, head and body (tcp_rd_buf_size, 16384 where the server's configuration does not say otherwise). Nothing was sent.") { Fail = m => m.Fails("SipRequestTooLarge", Kamailio + "Invoke-SipCommand core.echo @{ 0 = 'x' * 100000 } -Confirm:$false") },
        new("SipResumeFailed", "pbx1 refused to resume <call>: No such channel.") { Source = "{Name} refused to resume {call.CallId}" },
        new("SipSecretMissing", "The secret of the registered server 'pbx1' is not in a vault, and nobody gave it (this session cannot ask).") { Source = "The secret of the registered server '{profile.Name}' is not in a vault, and nobody gave it" },
        new("SipServerAmbiguous", "Several servers are connected (a, b) and none is the default.") { Fail = m => m.Fails("SipServerAmbiguous", Asterisk + "Start-SipSimulator Asterisk | Connect-SipServer -Name b | Out-Null; New-SipCall -From 1001 -To 1002") },
        new("SipServerBorrowed", "The connection 'a' belongs to another runspace, which has handed it over; here it can be used with -Server only. Nothing was changed.") { Fail = ErrorPeers.Borrowed },
        new("SipServerDoesNotRead", "pbx1: The server has not read for a while: 65536 bytes wait to be sent.") { Source = "The server has not read for a while: {_pending.WrittenCount} bytes wait to be sent." },
        new("SipServerFailed", "pbx1 failed to list accounts by a fault of its own (500). A part may have been done.") { Source = "{server} failed to {what} by a fault of its own ({reply.Status}).{said} A part may have been done." },
        new("SipServerNameInUse", "There is a connection named 'a' already with other settings: Port '<port>' (asked for: '<port>'), the secret. Nothing was changed.") { Fail = m => m.Fails("SipServerNameInUse", Asterisk + "Start-SipSimulator Asterisk | Connect-SipServer -Name a") },
        new("SipServerNotConnected", "No server is connected in this runspace.") { Fail = m => m.Fails("SipServerNotConnected", "New-SipCall -From 1001 -To 1002") },
        new("SipServerNotFound", "No server of a known kind was found at 127.0.0.1. By port: <port>: nobody listens there (connection refused).") { Fail = m => m.Fails("SipServerNotFound", StoppedServer + "Connect-SipServer 127.0.0.1 -Port $s.Port") },
        new("SipServerRestarted", "pbx1 was started anew.") { Source = "{Name} was started anew." },
        new("SipServerShuttingDown", "127.0.0.1 is shutting down.") { Fail = ErrorPeers.ShutsDown },
        new("SipServerTypeAmbiguous", "There are several servers at 127.0.0.1: Kamailio on port <port> (<any>); OpenSips on port <port> (<any>).") { Fail = ErrorPeers.TwoKinds },
        new("SipServerUnavailable", "pbx1 cannot send a message now: what it needs for that is not there or not set up.") { Source = "{server} cannot {what} now: what it needs for that is not there or not set up.{said}" },
        new("SipSimulatorPortInUse", "The simulator cannot listen on 127.0.0.1:<port>: the port is in use already.") { Fail = m => m.Fails("SipSimulatorPortInUse", "$s = Start-SipSimulator Asterisk; Start-SipSimulator Asterisk -Port $s.Port") },
        new("SipSpaceExpired", "127.0.0.1 does nothing for old.example.com: the space has expired, or is closed.") { Fail = ErrorPeers.Expired },
        new("SipSpaceRefused", "flexi refuses to make ann@other.example.com: there is no space with that domain, or it has as many accounts as it may have.") { Fail = m => m.Fails("SipSpaceRefused", Flexisip + "New-SipAccount ann $p -Domain other.example.com") },
        new("SipSpaceUnknown", "127.0.0.1 has no space with the host name 'other.example.com': FlexiAPI finds the space by the name that it is called by.") { Fail = m => m.Fails("SipSpaceUnknown", "$s = Start-SipSimulator Flexisip; Connect-SipServer $s.Host -Port $s.Port -Type Flexisip -Space other.example.com -ApiKey $s.ApiKey") },
        new("SipStopped", "It was given up before it was done.") { Source = "OperationCanceledException => (\"SipStopped\"" },
        new("SipTimeout", "Call <call> is Ringing after 0 s, not Terminated. The call goes on.") { Fail = m => m.Fails("SipTimeout", WithRingingCall + "$c | Wait-SipCall -Timeout 0") },
        new("SipTlsFailed", "127.0.0.1:<port> does not speak TLS on this port: the TLS handshake failed.") { Fail = m => m.Fails("SipTlsFailed", Login + "$s = Start-SipSimulator Asterisk; Connect-SipServer $s.Host -Port $s.Port -UseTls -Type Asterisk -Credential $cr") },
        new("SipTlsRequired", "127.0.0.1:<port> speaks TLS on this port, and was asked in clear text.") { Fail = ErrorPeers.WebOverTls },
        new("SipTokenRefused", "127.0.0.1 refuses the access token.") { Fail = m => m.Fails("SipTokenRefused", "$s = Start-SipSimulator Flexisip; Connect-SipServer $s.Host -Port $s.Port -Type Flexisip -ApiKey ([Net.NetworkCredential]::new('', 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln').SecurePassword)") },
        new("SipTransferFailed", "The transfer of <call> to dial-busy failed: the call ended (UserBusy, DialStatus BUSY).") { Fail = m => m.Fails("SipTransferFailed", WithCall + "$c | Move-SipCall -To dial-busy") },
        new("SipTransferNotAllowed", "a typed the code for attended transfers (*2) for the To party of <call>, and nothing came of it.") { Fail = m => m.Fails("SipTransferNotAllowed", Asterisk + "$c = New-SipCall -From 1001 -To basic-answer -Wait; $c | Move-SipCall -To 601 -Attended") },
        new("SipTransferNotAnswered", "Call <call> on a cannot be completed: 601 has not answered: it is Transferring. Nothing was sent.") { Fail = m => m.Fails("SipTransferNotAnswered", "Start-SipSimulator Asterisk -RingTime 60 | Connect-SipServer -Name a | Out-Null; $c = New-SipCall -From answer0 -To dial-answer0 -Wait; $c | Move-SipCall -To 601 -Attended -Timeout 0.2 -ErrorAction Ignore; $c | Move-SipCall -Complete") },
        new("SipUnexpected", "This failed in a way that the module does not expect: nobody listens there.") { Source = "This failed in a way that the module does not expect: {SipText.Reason(exception)}." },
        new("SipValidationFailed", "flexi refuses to change sip:ann@sip.example.com. email: The email must be a valid email address.") { Fail = m => m.Fails("SipValidationFailed", Flexisip + "New-SipAccount ann $p | Out-Null; Set-SipAccount ann -Email 'not an address'") },
        new("SipVariableFailed", "pbx1 does not set CUSTOMER: No such channel.") { Source = "{Name} does not set {name}" },
        new("SipCallNotPlaced", "No server has taken the call 1001 to 1002. flexi: <any> a: <any>") { Fail = m => m.Fails("SipCallNotPlaced", Flexisip + Asterisk + "New-SipCall 1001 1002 -Server flexi, a -Timeout 0.0001 -WarningAction SilentlyContinue") },
        new("SipCircuitOpen", "pbx1 failed 3 calls in a row and is left alone for 30 s; then one call tries it. Nothing was sent.") { Source = "{Name} failed {CircuitBreaker.Limit} calls in a row and is left alone for" },
        new("SipNotYate", "127.0.0.1:<port> is no Yate external module: it says 'Asterisk Call Manager/11.0.0'.") { Fail = ErrorPeers.Says("SipNotYate", "Yate", "Asterisk Call Manager/11.0.0\r\n") },
    ];

    /// <summary>The pattern for a text of the table.</summary>
    public static string Pattern(string text) => "^" + Regex.Escape(text)
        .Replace("<call>", "[0-9A-Za-z./-]+", StringComparison.Ordinal)
        .Replace("<port>", @"\d+", StringComparison.Ordinal)
        .Replace("<any>", ".+", StringComparison.Ordinal)
        .Replace("<time>", @"\d{4}-\d\d-\d\d\ \d\d:\d\d:\d\dZ", StringComparison.Ordinal) + "$";
}
