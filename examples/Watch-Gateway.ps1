<#
.SYNOPSIS
Says when a gateway goes down, and when it is back.

.DESCRIPTION
Asks the server every -Interval seconds for its gateways (Get-SipGateway: endpoints of Asterisk, sofia gateways of
FreeSWITCH, dispatcher and load balancer destinations of Kamailio and OpenSIPS). When one changes from available to not
available there is a warning, -OnDown is called with it, and an object says so; when it is back, the same with -OnUp. A
gateway that is down at the beginning is told once. A server that does not answer is told as well, and asked again.

.PARAMETER Name
Names of gateways, with wildcards; all if left out.

.PARAMETER Interval
Seconds between two questions.

.PARAMETER Duration
Ends after so many seconds; 0 goes on until Ctrl+C.

.PARAMETER OnDown
Called with the gateway that went down: send a mail, open a ticket.

.PARAMETER OnUp
Called with the gateway that is back.

.PARAMETER Server
Name of a connection; left out: the default or only one.

.PARAMETER Simulated
Runs against a simulated OpenSIPS, one of whose gateways is taken out of use after a second.

.EXAMPLE
./Watch-Gateway.ps1 trunk* -OnDown { param($gateway) Send-MailMessage -To noc@example.com -Subject "$($gateway.Name) is down" }

.EXAMPLE
./Watch-Gateway.ps1 -Simulated -Duration 3 -Interval 1
#>
[CmdletBinding()]
param(
    [Parameter(Position = 0)] [string[]] $Name = '*',
    [ValidateRange(0.1, 3600)] [double] $Interval = 10,
    [ValidateRange(0, [int]::MaxValue)] [double] $Duration = 0,
    [scriptblock] $OnDown,
    [scriptblock] $OnUp,
    [string] $Server,
    [switch] $Simulated
)

$ErrorActionPreference = 'Stop'
$simulator = $null
if ($Simulated) {
    $simulator = Start-SipSimulator OpenSips
    $Server = ($simulator | Connect-SipServer -Name 'gateway-simulated').Name
}

$on = if ($Server) { @{ Server = $Server } } else { @{} }
$known = @{}
$answered = $true
$watch = [Diagnostics.Stopwatch]::StartNew()
try {
    do {
        try {
            $gateways = @($Name | ForEach-Object { Get-SipGateway $_ @on })
            if (-not $answered) { Write-Warning 'The server answers again.' }
            $answered = $true
        }
        catch {
            if ($answered) { Write-Warning "The server does not tell its gateways: $_" }
            $answered = $false
            $gateways = @()
        }

        foreach ($gateway in $gateways) {
            $before = $known[$gateway.Name]
            $known[$gateway.Name] = $gateway.Available
            if ($before -eq $gateway.Available -or ($null -eq $before -and $gateway.Available)) { continue }
            if ($gateway.Available) {
                Write-Warning "$($gateway.Name) on $($gateway.Server) is back ($($gateway.Status))."
                if ($OnUp) { & $OnUp $gateway | Out-Null }
            }
            else {
                Write-Warning "$($gateway.Name) on $($gateway.Server) is down ($($gateway.Status))."
                if ($OnDown) { & $OnDown $gateway | Out-Null }
            }
            [pscustomobject]@{ At = [datetime]::UtcNow; Server = $gateway.Server; Name = $gateway.Name; Available = $gateway.Available; Status = $gateway.Status }
        }

        if ($simulator -and $watch.Elapsed.TotalSeconds -gt 1) {
            $gateways | Select-Object -First 1 | Where-Object Available | Set-SipGateway -State Inactive -Server $Server
        }
        if ($Duration -and $watch.Elapsed.TotalSeconds -ge $Duration) { break }
        Start-Sleep -Seconds $Interval
    } while ($true)
}
finally {
    if ($simulator) {
        Disconnect-SipServer $Server
        $simulator | Stop-SipSimulator
    }
}
