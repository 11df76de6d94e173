<#
.SYNOPSIS
Hangs up all calls of a server, in an emergency: fraud, a loop, a runaway dialler.

.DESCRIPTION
Lists the calls, ends them, and looks again until none is left or -Timeout is over, since a dialler goes on calling while
this runs. Calls that -Except names stay: a call from or to one of these numbers is left alone. Asks once, unless -Force or
-Confirm:$false is given; -WhatIf shows the calls that would be ended. What could not be ended is told as an error.

.PARAMETER Server
Name of the connection. It has to be given: nobody should empty the wrong server.

.PARAMETER Except
Numbers whose calls stay, with wildcards; emergency numbers for instance.

.PARAMETER Cause
The cause that the phones are told.

.PARAMETER Timeout
How many seconds to go on.

.PARAMETER Force
Asks nothing.

.PARAMETER Simulated
Runs against a simulated Asterisk with three calls, of which one is to 112; -Server is the name to give it.

.EXAMPLE
./Stop-AllCalls.ps1 pbx1 -Except 112, 110, 911* -WhatIf

.EXAMPLE
./Stop-AllCalls.ps1 pbx1 -Except 112, 110, 911* -Force
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')]
param(
    [Parameter(Mandatory, Position = 0)] [string] $Server,
    [string[]] $Except = @(),
    [IfBus.Sip.HangupCause] $Cause = 'NormalClearing',
    [ValidateRange(1, 3600)] [int] $Timeout = 30,
    [switch] $Force,
    [switch] $Simulated
)

$ErrorActionPreference = 'Stop'
function Get-Doomed {
    Get-SipCallStatus -Server $Server | Where-Object {
        $call = $_
        -not ($Except | Where-Object { $call.From -like $_ -or $call.To -like $_ })
    }
}

$simulator = $null
try {
    if ($Simulated) {
        # These are made for -WhatIf too, or it would have nothing to show.
        $simulator = Start-SipSimulator Asterisk -WhatIf:$false -Confirm:$false
        $null = $simulator | Connect-SipServer -Name $Server
        $null = '1002', '1004', '112' | ForEach-Object { New-SipCall -From 1001 -To $_ -Server $Server -Wait -WhatIf:$false -Confirm:$false }
    }

    $calls = @(Get-Doomed)
    foreach ($call in $calls) { Write-Verbose "$($call.From) -> $($call.To), $($call.State), $($call.CallId)" }
    if ($Force -and -not $PSBoundParameters.ContainsKey('Confirm')) { $ConfirmPreference = 'None' }
    if ($calls.Count -and -not $PSCmdlet.ShouldProcess("$($calls.Count) calls on $Server ($((@($calls | Select-Object -First 5) | ForEach-Object { "$($_.From) -> $($_.To)" }) -join ', ')$(if ($calls.Count -gt 5) { ', ...' }))", 'End')) { return }

    $ended = [Collections.Generic.HashSet[string]]::new()
    $watch = [Diagnostics.Stopwatch]::StartNew()
    $failures = @()
    while ($calls.Count) {
        # All at once; one that has ended by itself meanwhile is no failure.
        $failures = @()
        $calls | Stop-SipCall -Cause $Cause -PassThru -Confirm:$false -WhatIf:$false -ErrorAction SilentlyContinue -ErrorVariable failures |
            ForEach-Object { $null = $ended.Add($_.CallId) }
        $calls = @(Get-Doomed)
        if ($watch.Elapsed.TotalSeconds -ge $Timeout) { break }
        if ($calls.Count) { Start-Sleep -Milliseconds 200 }
    }

    [pscustomobject]@{ Server = $Server; Ended = $ended.Count; Left = $calls.Count; Spared = @(Get-SipCallStatus -Server $Server).Count - $calls.Count; Seconds = [Math]::Round($watch.Elapsed.TotalSeconds, 1) }
    if ($calls.Count) { Write-Error "$($calls.Count) calls on $Server could not be ended within $Timeout s: $(($calls.CallId | Select-Object -First 5) -join ', '). $($failures | Select-Object -First 1)" -ErrorAction Continue }
}
finally {
    if ($simulator) {
        Disconnect-SipServer $Server -WhatIf:$false -Confirm:$false -ErrorAction SilentlyContinue
        $simulator | Stop-SipSimulator -WhatIf:$false -Confirm:$false
    }
}
