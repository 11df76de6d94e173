<#
.SYNOPSIS
Writes the calls that have lasted longer than two hours to a CSV file, for a nightly job.

.DESCRIPTION
Lists the calls that are up now, on one server or on all that are connected, and of these the ones that have lasted longer
than -LongerThan. With -IncludeEnded the calls that ended while this session was connected are in it too: for a session
that stays connected all day. The file is written in any case; without such calls it has the heading only, so that a
missing file means a job that did not run.

.PARAMETER Path
The CSV file to write. It is replaced.

.PARAMETER LongerThan
How long is too long; a time span. Two hours if left out.

.PARAMETER Server
Names of connections; left out: all.

.PARAMETER IncludeEnded
Ended calls too, as far as this session has seen them.

.PARAMETER Simulated
Runs against a simulated Asterisk with two calls, of which one is long, and takes three seconds for two hours.

.EXAMPLE
Connect-SipServer -Configuration (Import-PowerShellDataFile pbx1.psd1)
./Export-LongCallReport.ps1 "long-$(Get-Date -Format yyyy-MM-dd).csv"

.EXAMPLE
./Export-LongCallReport.ps1 long.csv -LongerThan 00:30:00 -Server pbx1, pbx2 -IncludeEnded
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory, Position = 0)] [string] $Path,
    [timespan] $LongerThan = '02:00:00',
    [string[]] $Server,
    [switch] $IncludeEnded,
    [switch] $Simulated
)

$ErrorActionPreference = 'Stop'
$simulator = $null
try {
    if ($Simulated) {
        $simulator = Start-SipSimulator Asterisk
        $Server = ($simulator | Connect-SipServer -Name 'report-simulated').Name
        $null = New-SipCall -From 1001 -To 1002 -Server $Server[0] -Wait
        $LongerThan = [timespan]::FromSeconds(3)
        Start-Sleep -Seconds 3
        $null = New-SipCall -From 1003 -To 1004 -Server $Server[0] -Wait
    }

    if (-not $Server) { $Server = (Get-SipServer).Name }
    if (-not $Server) { throw 'No server is connected: Connect-SipServer first, or try -Simulated.' }
    $calls = @($Server | ForEach-Object {
            Get-SipCallStatus -Server $_
            if ($IncludeEnded) { Get-SipCallHistory -Server $_ }
        })
    $long = @($calls | Where-Object Duration -GT $LongerThan | Sort-Object Duration -Descending)
    $columns = 'Server', 'From', 'To', 'State', 'Duration', 'CreatedAt', 'AnsweredAt', 'EndedAt', 'Cause', 'CallId'
    if ($long.Count) { $long | Select-Object $columns | Export-Csv -LiteralPath $Path }
    else { ($columns | ForEach-Object { '"' + $_ + '"' }) -join ',' | Set-Content -LiteralPath $Path }
    [pscustomobject]@{ Calls = $calls.Count; Long = $long.Count; LongerThan = $LongerThan; Report = (Resolve-Path -LiteralPath $Path).Path }
}
finally {
    if ($simulator) {
        Disconnect-SipServer 'report-simulated' -ErrorAction SilentlyContinue
        $simulator | Stop-SipSimulator
    }
}
