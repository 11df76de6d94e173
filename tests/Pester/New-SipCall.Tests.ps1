BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'New-SipCall' {
    It 'gives a call out when the server has accepted it, and with -Wait when it talks' {
        (New-SipCall -From 1001 -To 1002).State | Should -BeIn Created, Dialing, Ringing, Connected
        (New-SipCall -From 1001 -To 1002 -Wait).State | Should -Be Connected
    }

    It 'says why a call ended' {
        $call = New-SipCall -From 1001 -To busy -Wait
        $call.Cause | Should -Be UserBusy
        $call.SipStatus | Should -Be 486
        $call.CauseCode | Should -Be 17
    }

    It 'takes rows of a table, by property name, and an empty column is none' {
        "From,To,CallerId,Timeout`n1001,busy,,`n1001,1002,Ann <1001>,20" | Set-Content TestDrive:/rows.csv
        $calls = Import-Csv TestDrive:/rows.csv | New-SipCall -Wait
        ($calls | Sort-Object To).State | Should -Be Connected, Terminated
    }

    It 'makes a call of one leg' {
        (New-SipCall -To 1001 -Application Echo -Wait).State | Should -Be Connected
        (New-SipCall -To 1001 -Play hello-world -Wait).From | Should -BeNullOrEmpty
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { New-SipCall -From 1001 -To 1002 -WhatIf }
    }

    It 'refuses what cannot be sent safely, before anything is sent' {
        Assert-NothingSent { Assert-Error { New-SipCall -From "1001`r`nAction: Logoff" -To 1002 } SipInvalidNumber "*-From '1001\r\nAction: Logoff' is refused*" InvalidArgument }
    }

    It 'goes on with the next row after an error' {
        $rows = [pscustomobject]@{ From = '1001'; To = 'a b' }, [pscustomobject]@{ From = '1001'; To = 'busy' }
        ($rows | New-SipCall -Wait -ErrorAction SilentlyContinue -ErrorVariable failed).Cause | Should -Be UserBusy
        $failed | Should -HaveCount 1
    }

    It 'tells the story of a call with -Verbose, on <_>' -ForEach 'Asterisk', 'FreeSwitch', 'Yate', 'Kamailio', 'OpenSips' {
        Start-Pair $_ story-$_ | Out-Null
        $said = New-SipCall -From 1001 -To 1002 -Wait -Server story-$_ -Verbose 4>&1
        $call = $said | Where-Object { $_ -is [IfBus.Sip.SipCall] }
        $lines = @($said | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] } | ForEach-Object { "$_" })
        $told = "story-${_}: call $($call.CallId) (1001 -> 1002)"
        $lines[0] | Should -BeLike "*1001 to 1002 on story-$_*"
        $lines[1] | Should -Be "$told is accepted."
        $lines[-1] | Should -BeLike "$told was answered after * s."
        # The result comes after what led to it.
        $said[-1] | Should -BeOfType ([IfBus.Sip.SipCall])

        $end = @($call | Stop-SipCall -Verbose 4>&1 | ForEach-Object { "$_" })
        $end[-1] | Should -BeLike "$told has ended after * s: NormalClearing*"
        Disconnect-SipServer story-$_
    }

    It 'tells the story in the debug stream with -Debug alone, and asks nothing' {
        $said = @(Invoke-Fresh 'Import-Module $manifest; Start-SipSimulator | Connect-SipServer -Name d | Out-Null; New-SipCall -From 1001 -To busy -Wait -Debug 5>&1 | ForEach-Object { "$($_.GetType().Name) $_" }')
        $said | Where-Object { $_ -like 'SipCall *' } | Should -HaveCount 1 -Because ($said -join "`n")
        @($said) -match '^DebugRecord d: call .* has ended after .* UserBusy' | Should -HaveCount 1
        @($said) -match 'Continue with this operation' | Should -BeNullOrEmpty
    }

    It 'is silent without -Verbose' {
        @(New-SipCall -From 1001 -To busy -Wait 3>&1 4>&1 5>&1 6>&1) | Should -HaveCount 1
    }

    It 'does not go on talking after -Verbose has ended' {
        New-SipCall -From 1001 -To busy -Wait -Verbose 4>$null | Out-Null
        @(New-SipCall -From 1001 -To busy -Wait 4>&1) | Should -HaveCount 1
    }

    Context 'The progress bar' {
        BeforeAll {
            # A host of its own that counts what it is told.
            function Get-Progress([string] $Script) {
                $shell = [powershell]::Create()
                $null = $shell.AddScript("`$ProgressPreference = 'Continue'; Import-Module '$manifest'; $Script")
                $output = $shell.Invoke()
                $shell.Streams.Error | Should -BeNullOrEmpty
                [pscustomobject]@{ Records = @($shell.Streams.Progress); Output = @($output) }
                $shell.Dispose()
            }
        }

        It 'is not there for short work' {
            $seen = Get-Progress 'Start-SipSimulator Asterisk | Connect-SipServer | Out-Null; 1..20 | ForEach-Object { [pscustomobject]@{ From = "1001"; To = "busy" } } | New-SipCall -Wait'
            $seen.Output | Should -HaveCount 20
            $seen.Records | Where-Object Activity -EQ 'Making calls' | Should -BeNullOrEmpty
        }

        It 'counts, tells how fast, comes seldom, and goes away at the end' {
            $seen = Get-Progress 'Start-SipSimulator Asterisk -RingTime 1 | Connect-SipServer | Out-Null; 1..6 | ForEach-Object { [pscustomobject]@{ From = "1001"; To = "busy" } } | New-SipCall -Wait -ThrottleLimit 2'
            $seen.Output | Should -HaveCount 6
            $records = @($seen.Records | Where-Object Activity -EQ 'Making calls')
            $records[0].StatusDescription | Should -BeLike '* of * done, * under way, * a second'
            $records[-1].RecordType | Should -Be Completed
            # Three rounds of one second and more: three a second at most, from the second second on.
            $records.Count | Should -BeGreaterThan 2
            $records.Count | Should -BeLessThan 40
        }
    }
}
