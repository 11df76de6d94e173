# The examples do what they say, on simulators, in a real pwsh.
BeforeAll {
    $manifest = (Get-ChildItem "$PSScriptRoot/../../out/IfBus.Sip/*/IfBus.Sip.psd1" | Sort-Object FullName | Select-Object -Last 1).FullName
    Import-Module $manifest -Force
    $examples = (Resolve-Path "$PSScriptRoot/../../examples").Path
}

AfterAll {
    Disconnect-SipServer -All
    Stop-SipSimulator -All
    Remove-Module IfBus.Sip
}

Describe 'Every example' {
    BeforeDiscovery {
        $scripts = Get-ChildItem "$PSScriptRoot/../../examples" -Recurse -Filter *.ps1 | Where-Object Name -NotLike '*.Tests.ps1' | ForEach-Object { @{ Name = $_.Name; File = $_.FullName } }
    }

    It '<Name> has help and its parameters' -ForEach $scripts {
        $help = Get-Help $File -Full
        $help.Synopsis | Should -Match '\w+.*\.'
        if ($Name -eq 'first-call.ps1') { return }
        $help.description.Text | Should -Not -BeNullOrEmpty
        @($help.examples.example).Count | Should -BeGreaterThan 0
        foreach ($parameter in $help.parameters.parameter | Where-Object name -NotIn WhatIf, Confirm) {
            $parameter.description.Text | Should -Not -BeNullOrEmpty -Because "-$($parameter.name) is explained"
        }
    }

    It '<Name> calls cmdlets and parameters that there are' -ForEach $scripts {
        $tokens = $errors = $null
        $tree = [System.Management.Automation.Language.Parser]::ParseFile($File, [ref]$tokens, [ref]$errors)
        $errors | Should -BeNullOrEmpty
        $used = $tree.FindAll({ $args[0] -is [System.Management.Automation.Language.CommandAst] }, $true) | Where-Object { "$($_.GetCommandName())" -match '-Sip' }
        foreach ($command in $used) {
            $found = Get-Command $command.GetCommandName() -Module IfBus.Sip
            foreach ($element in $command.CommandElements | Where-Object { $_ -is [System.Management.Automation.Language.CommandParameterAst] }) {
                { $found.ResolveParameter($element.ParameterName) } | Should -Not -Throw
            }
        }
    }
}

Describe 'Invoke-CallCampaign' {
    BeforeAll {
        '1002', 'busy', 'bye', 'reject', 'nosuch', '1004' | ForEach-Object { [pscustomobject]@{ From = '1001'; To = $_ } } | Export-Csv TestDrive:/calls.csv
        $summary = & $examples/Invoke-CallCampaign.ps1 TestDrive:/calls.csv TestDrive:/result.csv -Limit 2 -TalkTime 1 -Simulated
        $result = Import-Csv TestDrive:/result.csv
    }

    It 'writes what became of each call' {
        $result | Should -HaveCount 6
        ($result | Where-Object To -EQ busy | ForEach-Object { $_.State, $_.Cause, $_.SipStatus }) | Should -Be 'Terminated', 'UserBusy', '486'
        ($result | Where-Object To -EQ reject).SipStatus | Should -Be 603
        ($result | Where-Object To -EQ nosuch).State | Should -Be 'Refused'
        ($result | Where-Object To -EQ nosuch).CauseText | Should -Match 'nosuch'
        ($result | Where-Object To -EQ 1002).Cause | Should -Be NormalClearing
        ($result | Where-Object To -EQ 1002).AnsweredAt | Should -Not -BeNullOrEmpty
    }

    It 'keeps the limit' {
        $summary.Calls | Should -Be 6
        $summary.MostAtOnce | Should -Be 2
    }

    It 'leaves nothing behind, and calls nobody with -WhatIf' {
        Get-SipServer | Should -BeNullOrEmpty
        & $examples/Invoke-CallCampaign.ps1 TestDrive:/calls.csv TestDrive:/none.csv -Simulated -WhatIf
        Test-Path TestDrive:/none.csv | Should -BeFalse
    }

    It 'says which column is missing' {
        'a,b', '1,2' | Set-Content TestDrive:/wrong.csv
        { & $examples/Invoke-CallCampaign.ps1 TestDrive:/wrong.csv TestDrive:/none.csv -Simulated } | Should -Throw '*has no column From and no column To*'
    }
}

Describe 'Export-LongCallReport' {
    It 'writes the long call and not the short one' {
        $summary = & $examples/Export-LongCallReport.ps1 TestDrive:/long.csv -Simulated
        $rows = @(Import-Csv TestDrive:/long.csv)
        $summary.Calls, $summary.Long | Should -Be 2, 1
        $rows.From, $rows.To, $rows.State | Should -Be '1001', '1002', 'Connected'
        [timespan]$rows.Duration | Should -BeGreaterThan ([timespan]'00:00:03')
    }

    It 'writes a heading when there is none, and takes those that ended if asked' {
        Start-SipSimulator Asterisk | Connect-SipServer -Name report | Out-Null
        New-SipCall -From 1001 -To 1002 -Wait | Stop-SipCall -Confirm:$false
        (& $examples/Export-LongCallReport.ps1 TestDrive:/none.csv).Long | Should -Be 0
        Get-Content TestDrive:/none.csv | Should -HaveCount 1
        $null = & $examples/Export-LongCallReport.ps1 TestDrive:/ended.csv -LongerThan 0 -IncludeEnded -Server report
        (Import-Csv TestDrive:/ended.csv).State | Should -Be 'Terminated'
        Disconnect-SipServer report
    }
}

Describe 'Watch-Gateway' {
    It 'tells and calls when a gateway goes down, and when it is back' {
        Start-SipSimulator OpenSips | Connect-SipServer -Name edge | Out-Null
        $name = @(Get-SipGateway -Server edge)[0].Name
        $seen = [Collections.Generic.List[string]]::new()
        # What the example calls changes the gateway: down at the first look, up again when that was told.
        Set-SipGateway $name Inactive -Server edge
        $told = & $examples/Watch-Gateway.ps1 $name -Server edge -Interval 0.2 -Duration 2 -WarningVariable warnings -WarningAction SilentlyContinue -OnDown {
            param($gateway)
            $seen.Add("down $($gateway.Name)")
            Set-SipGateway $gateway.Name Active -Server edge
        } -OnUp { param($gateway) $seen.Add("up $($gateway.Name)") }
        $seen | Should -Be "down $name", "up $name"
        $told.Available | Should -Be $false, $true
        "$($warnings[0])" | Should -BeLike "$name on edge is down*"
        "$($warnings[1])" | Should -BeLike "$name on edge is back*"
        Disconnect-SipServer edge
    }

    It 'shows itself on a simulator' {
        $told = & $examples/Watch-Gateway.ps1 -Simulated -Interval 0.3 -Duration 3 -WarningAction SilentlyContinue
        $told | Should -HaveCount 1
        $told.Available | Should -BeFalse
    }
}

Describe 'Stop-AllCalls' {
    BeforeEach {
        Start-SipSimulator Asterisk | Connect-SipServer -Name loud | Out-Null
        '1002', '1004', '112', 'ring' | ForEach-Object { New-SipCall -From 1001 -To $_ -Server loud } | Wait-SipCall -State Connected, Ringing -Timeout 20 | Out-Null
    }

    AfterEach {
        Disconnect-SipServer loud
        Stop-SipSimulator -All
    }

    It 'ends all but the emergency calls' {
        $result = & $examples/Stop-AllCalls.ps1 loud -Except 112, 110 -Force
        $result.Ended, $result.Left, $result.Spared | Should -Be 3, 0, 1
        (Get-SipCallStatus -Server loud).To | Should -Be '112'
        (Get-SipCallHistory -Server loud).Cause | Should -Be NormalClearing, NormalClearing, NormalClearing
    }

    It 'ends none with -WhatIf' {
        & $examples/Stop-AllCalls.ps1 loud -Except 112 -WhatIf
        Get-SipCallStatus -Server loud | Should -HaveCount 4
    }
}

Describe 'Move-CallsOffServer' {
    BeforeAll {
        Start-SipSimulator Asterisk | Connect-SipServer -Name old | Out-Null
        Start-SipSimulator OpenSips | Connect-SipServer -Name balancer | Out-Null
        $gateway = @(Get-SipGateway -Server balancer)[0].Name
        $null = '1002', '1004' | ForEach-Object { New-SipCall -From 1001 -To $_ -Server old -Wait }
    }

    AfterAll {
        Disconnect-SipServer old, balancer
        Stop-SipSimulator -All
    }

    It 'moves nothing with -WhatIf' {
        & $examples/Move-CallsOffServer.ps1 old -Destination 'dial-{0}' -Balancer balancer -Gateway $gateway -WhatIf
        (Get-SipCallStatus -Server old).To | Sort-Object | Should -Be '1002', '1004'
        (Get-SipGateway $gateway -Server balancer).Available | Should -BeTrue
    }

    It 'keeps new calls away, moves each call, and says where it is' {
        $moved = & $examples/Move-CallsOffServer.ps1 old -Destination 'dial-{0}' -Balancer balancer -Gateway $gateway -Timeout 60
        (Get-SipGateway $gateway -Server balancer).Available | Should -BeFalse
        $moved.To | Sort-Object | Should -Be 'dial-1002', 'dial-1004'
        $now = Get-SipCallStatus -Server old
        $now.To | Sort-Object | Should -Be 'dial-1002', 'dial-1004'
        $now.State | Should -Be 'Connected', 'Connected'
    }

    It 'says what is left' {
        $null = New-SipCall -From 1001 -To ring -Server old
        & $examples/Move-CallsOffServer.ps1 old -Destination 'nosuch{0}' -Timeout 1 -WarningVariable warnings -WarningAction SilentlyContinue
        "$($warnings[-1])" | Should -BeLike '*calls are left on old: *1001 -> ring*'
    }
}

Describe 'Tests of one''s own script' {
    It 'pass on the simulator' {
        $command = "Import-Module '$manifest'; `$r = Invoke-Pester '$examples/testing/Test-Reachable.Tests.ps1' -PassThru -Output None; `"`$(`$r.PassedCount) `$(`$r.FailedCount)`""
        (pwsh -NoProfile -Command $command | Select-Object -Last 1) | Should -Be '6 0'
    }
}
