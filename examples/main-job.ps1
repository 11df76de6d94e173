<#
.SYNOPSIS
Runs the main job on one kind of server and shows each command with its output: the transcripts of the README.

.DESCRIPTION
Connects, calls, waits until it rings and until it is answered, lists the calls, hangs up, and reads the detail record;
with Flexisip, which has no calls, the accounts. Without -Server it does so on a simulator. The README is made of it:
main-job.ps1 -UpdateReadme replaces the blocks there, and a test compares them.

.PARAMETER Type
The kind of server.

.PARAMETER Server
Name of a connection to a real server of that kind; left out: a simulator is started and stopped.

.PARAMETER From
Who is called first.

.PARAMETER To
Who is called then. It is called for real where -Server names a real server.

.PARAMETER UpdateReadme
Writes the transcripts of all kinds into this file.

.EXAMPLE
./main-job.ps1 FreeSwitch

.EXAMPLE
./main-job.ps1 Asterisk -Server pbx1 -From 1001 -To 1002

.EXAMPLE
./main-job.ps1 -UpdateReadme ../README.md
#>
[CmdletBinding(DefaultParameterSetName = 'Run')]
param(
    [Parameter(Mandatory, Position = 0, ParameterSetName = 'Run')]
    [ValidateSet('Asterisk', 'FreeSwitch', 'Yate', 'Kamailio', 'OpenSips', 'Flexisip')] [string] $Type,
    [Parameter(ParameterSetName = 'Run')] [string] $Server,
    [Parameter(ParameterSetName = 'Run')] [string] $From,
    [Parameter(ParameterSetName = 'Run')] [string] $To,
    [Parameter(Mandatory, ParameterSetName = 'Readme')] [string] $UpdateReadme
)

$ErrorActionPreference = 'Stop'
if ($UpdateReadme) {
    $text = Get-Content -Raw -LiteralPath $UpdateReadme
    foreach ($kind in 'Asterisk', 'FreeSwitch', 'Yate', 'Kamailio', 'OpenSips', 'Flexisip') {
        $lines = (& $PSCommandPath $kind) -join "`n"
        $block = [regex]"(?s)(<!-- main-job $kind -->\n``````text\n).*?(\n``````\n)"
        if (-not $block.IsMatch($text)) { throw "$UpdateReadme has no block for $kind." }
        $text = $block.Replace($text, { param($m) $m.Groups[1].Value + $lines + $m.Groups[2].Value }, 1)
    }
    Set-Content -LiteralPath $UpdateReadme -Value $text -NoNewline
    return
}

# Numbers that ring and answer on the simulators. Yate's and FreeSWITCH's are those of their sample configurations.
$numbers = switch ($Type) {
    FreeSwitch { 'sofia/gateway/answer/1001', 'answer1' }
    Yate { 'sip/sip:answer@127.0.0.1', '4001' }
    Kamailio { 'sip:1001@127.0.0.1', 'sip:answer1@127.0.0.1' }
    default { '1001', '1002' }
}
if (-not $From) { $From = $numbers[0] }
if (-not $To) { $To = $numbers[1] }
$name = if ($Server) { $Server } else { 'pbx1' }

# Shows a command as it would be typed, runs it, and shows what it gives as pwsh does in a window of 118 columns.
function Show([string] $Command) {
    "PS> $Command"
    $output = . ([scriptblock]::Create($Command)) | Out-String -Width 118
    ($output -replace '\x1b\[[0-9;]*m').Trim("`r", "`n") -split '\r?\n' | ForEach-Object TrimEnd | Where-Object { $output.Trim() }
}

$rendering = $PSStyle.OutputRendering
$PSStyle.OutputRendering = 'PlainText'
try {
    if (-not $Server) {
        $ring = if ($Type -eq 'Flexisip') { '' } else { ' -RingTime 2' }
        . Show "Start-SipSimulator $Type$ring | Connect-SipServer -Name $name"
    }

    if ($Type -eq 'Flexisip') {
        'PS> $password = Read-Host -AsSecureString'
        $password = ConvertTo-SecureString 'not-a-real-one1' -AsPlainText -Force
        . Show 'New-SipAccount ann -Password $password -DisplayName Ann'
        . Show "'bob', 'carl' | ForEach-Object { New-SipAccount `$_ -Password `$password } | Format-Table SipUri, Activated, Blocked"
        . Show 'Set-SipAccount ann -Email ann@example.com'
        . Show 'Disable-SipAccount bob'
        . Show 'Get-SipAccount | Where-Object Blocked -eq $true | Format-Table SipUri, Activated, Blocked'
        . Show 'Get-SipAccount ann | Format-List SipUri, DisplayName, Email, Activated, Blocked'
        . Show "'bob', 'carl' | ForEach-Object { Remove-SipAccount `$_ -Confirm:`$false }"
        . Show 'Get-SipAccount | Format-Table SipUri, DisplayName, Email'
    }
    else {
        . Show "`$call = New-SipCall -From $From -To $To"
        . Show '$call | Wait-SipCall -State Ringing -Timeout 20'
        . Show '$call | Wait-SipCall -State Connected -Timeout 20'
        . Show 'Get-SipCallStatus | Where-Object State -eq Connected'
        . Show '$call | Stop-SipCall -PassThru'
        # OpenSIPS accounts what goes through it, not the calls that it makes itself: of those there is what we saw.
        if ($Type -eq 'OpenSips') { . Show 'Get-SipCallHistory -Last 1' } else { . Show '$call | Get-SipCallDetailRecord' }
    }

    if (-not $Server) { . Show "Disconnect-SipServer $name; Stop-SipSimulator -All" }
}
finally {
    $PSStyle.OutputRendering = $rendering
}
