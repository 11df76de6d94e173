# Ctrl+C: every cmdlet that waits ends within a second, and says what there is at the server. Each time in a pwsh of its own,
# which gets the signal that a terminal sends; its servers are in this one.
BeforeDiscovery {
    # Script calls Ready when it is certain that the cmdlet waits: what comes before it in a pipeline goes on once it has begun.
    $calls = @(
        @{ Name = 'New-SipCall -Wait'; Script = '& { [pscustomobject]@{ From = "ring"; To = "1002" }; while (-not (Get-SipCallStatus -State Ringing)) { }; Ready } | New-SipCall -Wait'; Said = '*Stopped. Call * (ring -> 1002) on pbx is Ringing and goes on; Stop-SipCall * ends it.*' }
        @{ Name = 'Wait-SipCall'; Script = '$call = New-SipCall -From 1001 -To 1002 -Wait; & { $call; Ready } | Wait-SipCall'; Said = '*Stopped. Call * (1001 -> 1002) on pbx is Connected and goes on; Stop-SipCall * ends it.*' }
        @{ Name = 'Wait-SipCall -Timeout'; Script = '$call = New-SipCall -From 1001 -To 1002 -Wait; & { $call; Ready } | Wait-SipCall -Timeout 30'; Said = '*Stopped. Call * (1001 -> 1002) on pbx is Connected and goes on; Stop-SipCall * ends it.*' }
        @{ Name = 'Watch-SipEvent'; Script = '$null = 1..2 | ForEach-Object { New-SipCall -From 1001 -To 1002 -Wait }; & { Get-SipServer pbx; Ready } | Watch-SipEvent'; Said = '*Stopped. 2 calls on pbx go on; Get-SipCallStatus lists them, Stop-SipCall ends them.*' }
        # Digits are sent to it until one is heard.
        @{ Name = 'Watch-SipEvent -CallId'; Script = '$call = New-SipCall -From 1001 -To 1002 -Wait; $call | Watch-SipEvent | ForEach-Object { Ready }'; Meanwhile = { Get-SipCallStatus -State Connected | Send-SipDtmf 1 }; Said = '*Stopped. Call * (1001 -> 1002) on pbx is Connected and goes on; Stop-SipCall * ends it.*' }
    )
    # From where on the server says nothing more; what has come from the client by then.
    $silences = @(
        @{ Name = 'before the greeting'; Greeting = $null; Waits = $false; With = '-Type Asterisk' }
        @{ Name = 'in the login'; Greeting = "Asterisk Call Manager/11.0.0`r`n"; Waits = $true; With = '-Type Asterisk' }
        @{ Name = 'in TLS'; Greeting = $null; Waits = $true; With = '-Type Asterisk -UseTls' }
    )
}

BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $simulator = Start-Pair
    $pwsh = (Get-Process -Id $PID).Path

    # Runs a script until Ready was called in it, sends SIGINT, and gives what it said and how long it took to its end.
    function Stop-Waiting([string] $Script, [scriptblock] $Meanwhile) {
        $folder = New-Item -ItemType Directory (Join-Path $TestDrive ([guid]::NewGuid()))
        $file = Join-Path $folder script.ps1
        Set-Content $file @"
`$ErrorActionPreference = 'Stop'
Import-Module '$manifest'
`$credential = [pscredential]::new('$($simulator.Credential.UserName)', (ConvertTo-SecureString '$($simulator.Credential.GetNetworkCredential().Password)' -AsPlainText))
function Ready { [IO.File]::WriteAllText('$folder/ready', '') }
`$null = Connect-SipServer 127.0.0.1 -Type Asterisk -Port $($simulator.Port) -Credential `$credential -Name pbx
try { $Script } finally { [IO.File]::WriteAllText('$folder/ended', [Diagnostics.Stopwatch]::GetTimestamp()) }
"@
        # A shell's background job ignores SIGINT, and so would all that it starts.
        $process = Start-Process env -ArgumentList '--default-signal=INT', $pwsh, '-NoProfile', '-NonInteractive', '-File', $file -RedirectStandardOutput "$folder/out" -RedirectStandardError "$folder/err" -PassThru
        try {
            $until = [datetime]::UtcNow.AddSeconds(60)
            while (-not (Test-Path "$folder/ready")) {
                if ($process.HasExited -or [datetime]::UtcNow -gt $until) { throw "It never waited: $(Get-Content "$folder/out", "$folder/err" -Raw)" }
                if ($Meanwhile) { $null = & $Meanwhile $folder }
                Start-Sleep -Milliseconds 20
            }

            # A clock that all processes of a machine share.
            $sent = [Diagnostics.Stopwatch]::GetTimestamp()
            kill -INT $process.Id
            $process.WaitForExit(60000) | Should -BeTrue
            [pscustomobject]@{
                Seconds = ([long](Get-Content "$folder/ended") - $sent) / [Diagnostics.Stopwatch]::Frequency
                Said = Get-Content "$folder/out" -Raw
            }
        }
        finally {
            if (-not $process.HasExited) { $process.Kill() }
            Stop-SipCall -All -Confirm:$false
        }
    }

    # Holds that it ends within a second, and says this. Three tries: the machine may stand still for a second of its own.
    # A cmdlet that waits for a time of its own is late in all of them: the shortest is that of a connection, 10 seconds.
    function Assert-Stopped([string] $Script, [string] $Said, [scriptblock] $Meanwhile) {
        foreach ($try in 1..3) {
            $stopped = Stop-Waiting $Script $Meanwhile
            $stopped.Said | Should -BeLike $Said
            if ($stopped.Seconds -le 1) { break }
            Write-Host ('Try {0}: {1:0.00} s' -f $try, $stopped.Seconds)
        }

        $stopped.Seconds | Should -BeLessOrEqual 1
        $stopped.Seconds | Should -BeGreaterThan 0
    }
}

AfterAll {
    Stop-Everything
}

Describe 'Ctrl+C' -Skip:$IsWindows {
    It 'ends <Name> within a second, which says what goes on' -ForEach $calls {
        Assert-Stopped $Script $Said $Meanwhile
    }

    It 'ends Connect-SipServer <Name> within a second' -ForEach $silences {
        $listener = [Net.Sockets.TcpListener]::new([Net.IPAddress]::Loopback, 0)
        $listener.Start()
        $clients = [System.Collections.Generic.Dictionary[string, Net.Sockets.TcpClient]]::new()
        try {
            # The server: says what it says, and tells when the client waits for the rest.
            $serve = {
                param($folder)
                if (-not $clients.ContainsKey($folder)) {
                    if (-not $listener.Pending()) { return }
                    $clients[$folder] = $listener.AcceptTcpClient()
                    if ($Greeting) { $clients[$folder].GetStream().Write([Text.Encoding]::ASCII.GetBytes($Greeting)) }
                }

                if (-not $Waits -or $clients[$folder].Available -gt 0) { Set-Content "$folder/ready" '' }
            }
            Assert-Stopped "Connect-SipServer 127.0.0.1 $With -Port $($listener.LocalEndpoint.Port) -Name silent -Credential `$credential" "*Stopped. There is no connection to silent (127.0.0.1:$($listener.LocalEndpoint.Port)); nothing was changed on the server.*" $serve
        }
        finally {
            $clients.Values.ForEach('Dispose')
            $listener.Stop()
        }
    }
}
