<#
.SYNOPSIS
Calls numbers one after the other and says which of them answered: a script as a user has it, with tests beside it.

.DESCRIPTION
Each number is called from -From. An answered call is hung up at once. The result says what the far end said: whether it
answered, the cause and the SIP status.

.PARAMETER Number
The numbers to try.

.PARAMETER From
Who calls.

.PARAMETER RingTime
How many seconds a number may ring.

.PARAMETER Server
Name of a connection; left out: the default or only one.

.EXAMPLE
Connect-SipServer pbx1 -Type Asterisk -Credential ifbus
./Test-Reachable.ps1 1002, 1004 -From 1001 | Where-Object Answered -EQ $false
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory, Position = 0, ValueFromPipeline)] [string[]] $Number,
    [Parameter(Mandatory)] [string] $From,
    [ValidateRange(1, 600)] [int] $RingTime = 20,
    [string] $Server
)

begin {
    $on = if ($Server) { @{ Server = $Server } } else { @{} }
}

process {
    foreach ($one in $Number) {
        if (-not $PSCmdlet.ShouldProcess($one, "Call from $From")) { continue }
        try {
            # -Wait: until it talks, or has ended.
            $call = New-SipCall -From $From -To $one -Timeout $RingTime -Wait @on -ErrorAction Stop
            $answered = $call.State -eq 'Connected'
            if ($answered) { $call | Stop-SipCall -Confirm:$false -ErrorAction SilentlyContinue }
            [pscustomobject]@{ Number = $one; Answered = $answered; Cause = $call.Cause; SipStatus = $call.SipStatus; Problem = $call.CauseText }
        }
        catch {
            [pscustomobject]@{ Number = $one; Answered = $false; Cause = $null; SipStatus = $null; Problem = "$_" }
        }
    }
}
