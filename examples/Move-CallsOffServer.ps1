<#
.SYNOPSIS
Moves the calls of a server elsewhere before maintenance, and waits until it is empty.

.DESCRIPTION
Each call that talks is transferred: its From party goes on to the number that -Destination makes of its To party, which
the dialplan of the server sends to the other server (a prefix, a trunk). Calls that ring are let to ring out, and are
moved when they have been answered. When -Timeout is over, what is left is told; nothing is hung up.

Keep new calls away from the server first: the balancer before it does that (Set-SipGateway -State Inactive on an OpenSIPS
or a Kamailio, with -Balancer and -Gateway here).

.PARAMETER Server
Name of the connection to the server that is to be emptied.

.PARAMETER Destination
The number to move a call to; {0} stands for the number that it talks to now.

.PARAMETER Balancer
Name of a connection to the proxy that spreads calls to this server.

.PARAMETER Gateway
The server's name there, as Get-SipGateway shows it. It is set Inactive before the calls are moved.

.PARAMETER Timeout
How many seconds to wait until the server is empty.

.EXAMPLE
./Move-CallsOffServer.ps1 pbx1 -Destination '9{0}' -WhatIf

.EXAMPLE
./Move-CallsOffServer.ps1 pbx1 -Destination '9{0}' -Balancer edge -Gateway 'ds:1/sip:10.0.0.5:5060' -Timeout 1800
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory, Position = 0)] [string] $Server,
    [Parameter(Mandatory)] [ValidatePattern('\{0\}|^[^{}]+$')] [string] $Destination,
    [string] $Balancer,
    [string] $Gateway,
    [ValidateRange(0, 86400)] [int] $Timeout = 600
)

$ErrorActionPreference = 'Stop'
if ([bool]$Balancer -ne [bool]$Gateway) { throw 'Give -Balancer and -Gateway, or neither.' }
if ($Gateway -and $PSCmdlet.ShouldProcess("$Gateway on $Balancer", 'Set Inactive')) {
    Set-SipGateway $Gateway Inactive -Server $Balancer -Confirm:$false
}

# What was moved stays on the server's list until the parties hang up; it is not moved again.
$moved = [Collections.Generic.HashSet[string]]::new()
$tried = @{}
$watch = [Diagnostics.Stopwatch]::StartNew()
while ($true) {
    $calls = @(Get-SipCallStatus -Server $Server)
    foreach ($call in $calls | Where-Object { $_.State -eq 'Connected' -and -not $moved.Contains($_.CallId) -and $tried[$_.CallId] -lt 3 }) {
        $to = $Destination -f $call.To
        if (-not $PSCmdlet.ShouldProcess("call $($call.From) -> $($call.To) on $Server", "Move to $to")) { continue }
        $tried[$call.CallId]++
        try {
            $now = $call | Move-SipCall -To $to -Timeout 30 -PassThru -Confirm:$false
            $null = $moved.Add($call.CallId)
            [pscustomobject]@{ CallId = $call.CallId; From = $now.From; To = $now.To; Was = $call.To; State = $now.State }
        }
        catch {
            Write-Warning "The call $($call.From) -> $($call.To) was not moved: $_"
        }
    }

    if ($WhatIfPreference) { return }
    $left = @(Get-SipCallStatus -Server $Server | Where-Object { -not $moved.Contains($_.CallId) })
    if (-not $left) { return }
    if ($watch.Elapsed.TotalSeconds -ge $Timeout) {
        Write-Warning "$($left.Count) calls are left on ${Server}: $(($left | ForEach-Object { "$($_.From) -> $($_.To), $($_.State)" }) -join '; ')."
        return
    }
    Start-Sleep -Milliseconds 500
}
