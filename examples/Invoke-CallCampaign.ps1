<#
.SYNOPSIS
Makes the calls of a CSV file, never more than a limit at once, and writes what became of each.

.DESCRIPTION
The file has the columns From and To, and if wanted CallerId. A call is begun when fewer than -Limit calls of this campaign
are up. The result file gets one line a call as soon as it has ended: state, cause, SIP status and duration as the server
told them. A number that is refused before it is called (a typing error, an unknown extension) gets a line too, with the
reason in CauseText, and the campaign goes on.

.PARAMETER Path
The CSV file with the calls.

.PARAMETER ResultPath
The CSV file to write. It is replaced.

.PARAMETER Limit
How many calls may be up at the same time.

.PARAMETER RingTime
How many seconds a phone may ring.

.PARAMETER TalkTime
Hangs up a call that talks longer than so many seconds; 0 leaves that to the parties.

.PARAMETER Server
Name of a connection that Connect-SipServer made; left out: the default or only one.

.PARAMETER Simulated
Runs against a simulated Asterisk, which is stopped afterwards: nothing leaves this machine.

.EXAMPLE
Connect-SipServer pbx1 -Type Asterisk -Credential ifbus
./Invoke-CallCampaign.ps1 campaign.csv result.csv -Limit 20 -RingTime 30

.EXAMPLE
./Invoke-CallCampaign.ps1 campaign.csv result.csv -Simulated -TalkTime 1

Tries the file without calling anybody.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory, Position = 0)] [string] $Path,
    [Parameter(Mandatory, Position = 1)] [string] $ResultPath,
    [ValidateRange(1, 1000)] [int] $Limit = 5,
    [ValidateRange(1, 600)] [int] $RingTime = 30,
    [ValidateRange(0, 86400)] [int] $TalkTime = 0,
    [string] $Server,
    [switch] $Simulated
)

$ErrorActionPreference = 'Stop'
$rows = @(Import-Csv -LiteralPath $Path)
$lacking = 'From', 'To' | Where-Object { $rows.Count -and $_ -notin $rows[0].PSObject.Properties.Name }
if ($lacking) { throw "$Path has no column $($lacking -join ' and no column ')." }
if (-not $PSCmdlet.ShouldProcess("$($rows.Count) calls of $Path, $Limit at once", 'Make')) { return }

$simulator = $null
if ($Simulated) {
    $simulator = Start-SipSimulator Asterisk
    $Server = ($simulator | Connect-SipServer -Name 'campaign-simulated').Name
}

$on = if ($Server) { @{ Server = $Server } } else { @{} }
$open = [Collections.Generic.List[object]]::new()
$count = @{ Most = 0 }

function Write-Ended {
    # Lines for those that have ended; the others stay open.
    foreach ($call in @($open)) {
        $now = Get-SipCallStatus -CallId $call.CallId @on
        if ($TalkTime -and $now.State -eq 'Connected' -and $now.BillableDuration -gt [timespan]::FromSeconds($TalkTime)) {
            # It may end by itself in that moment, which is what is wanted.
            $now | Stop-SipCall -Confirm:$false -ErrorAction SilentlyContinue
            $now = Get-SipCallStatus -CallId $call.CallId @on
        }
        if ($now.State -ne 'Terminated') { continue }
        $null = $open.Remove($call)
        $now
    }
}

try {
    # The pipeline writes each line as it comes: what is done is in the file, whatever happens later.
    & {
        foreach ($row in $rows) {
            while ($open.Count -ge $Limit) {
                Write-Ended
                if ($open.Count -ge $Limit) { Start-Sleep -Milliseconds 100 }
            }
            $request = @{ From = $row.From; To = $row.To; Timeout = $RingTime }
            if ($row.CallerId) { $request.CallerId = $row.CallerId }
            try {
                $open.Add((New-SipCall @request @on))
                $count.Most = [Math]::Max($count.Most, $open.Count)
            }
            catch {
                [pscustomobject]@{ From = $row.From; To = $row.To; State = 'Refused'; CauseText = "$_" }
            }
        }
        while ($open.Count) {
            Write-Ended
            if ($open.Count) { Start-Sleep -Milliseconds 100 }
        }
    } | Select-Object From, To, State, Cause, CauseCode, SipStatus, CreatedAt, AnsweredAt, EndedAt, Duration, CauseText, CallId |
        Export-Csv -LiteralPath $ResultPath
}
finally {
    if ($open.Count) { Write-Warning "Broken off: $($open.Count) calls of the campaign are still up. Get-SipCallStatus lists them." }
    if ($simulator) {
        Disconnect-SipServer $Server
        $simulator | Stop-SipSimulator
    }
}

[pscustomobject]@{ Calls = $rows.Count; MostAtOnce = $count.Most; Result = (Resolve-Path -LiteralPath $ResultPath).Path }
