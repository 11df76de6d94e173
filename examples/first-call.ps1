# A first call, on a simulated Asterisk: nothing leaves this machine.
# In the Shell:  dotnet run --project src/IfBus.Sip.Shell -- examples/first-call.ps1
# In pwsh:       Import-Module ./out/IfBus.Sip/0.1.0/IfBus.Sip.psd1; ./examples/first-call.ps1
$ErrorActionPreference = 'Stop'

'A simulated Asterisk starts on a loopback port, and we connect to it:'
$simulator = Start-SipSimulator Asterisk -RingTime 1
$simulator | Connect-SipServer -Name pbx1 | Out-Default

'1001 calls 1002. The server accepts the call at once; then the phones ring:'
$call = New-SipCall -From 1001 -To 1002 -CallerId 'Ann <1001>'
$call | Wait-SipCall -State Ringing -Timeout 10 | ForEach-Object { "  $($_.From) -> $($_.To): $($_.State)" }

'It is connected when 1002 has answered, not before:'
$call | Wait-SipCall -State Connected -Timeout 10 | ForEach-Object { "  $($_.From) -> $($_.To): $($_.State)" }

'A phone that is busy says so, with its Q.850 cause and SIP status:'
New-SipCall -From 1001 -To busy -Wait | ForEach-Object { "  $($_.From) -> $($_.To): $($_.State), $($_.Cause) ($($_.CauseCode), SIP $($_.SipStatus))" }

'The live calls:'
Get-SipCallStatus | Where-Object State -EQ Connected | Out-Default

'We hang up, and get the call as it ended:'
$call | Stop-SipCall -PassThru | Out-Default

'The detail record that the server wrote:'
$call | Get-SipCallDetailRecord | Out-Default

Disconnect-SipServer pbx1
$simulator | Stop-SipSimulator
