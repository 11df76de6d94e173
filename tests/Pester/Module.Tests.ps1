# The staged module in a real pwsh: what the engine package alone cannot show.
BeforeAll {
    $manifest = (Get-ChildItem "$PSScriptRoot/../../out/IfBus.Sip/*/IfBus.Sip.psd1" | Sort-Object FullName | Select-Object -Last 1).FullName
    Import-Module $manifest -Force
}

AfterAll {
    Remove-Module IfBus.Sip
}

Describe 'The module' {
    It 'has a manifest that holds' {
        (Test-ModuleManifest $manifest).Version | Should -Be ([version](Import-PowerShellDataFile $manifest).ModuleVersion)
    }

    It 'exports what it says, with approved verbs' {
        $commands = Get-Command -Module IfBus.Sip
        $commands.Name | Sort-Object | Should -Be ((Import-PowerShellDataFile $manifest).CmdletsToExport | Sort-Object)
        $commands.Verb | Where-Object { $_ -notin (Get-Verb).Verb } | Should -BeNullOrEmpty
    }

    It 'can be imported again and by force' {
        Import-Module $manifest
        Import-Module $manifest -Force
        Get-Command New-SipCall | Should -Not -BeNullOrEmpty
    }

    It 'works in a fresh process where other logging abstractions were loaded before' {
        $other = Get-ChildItem "$HOME/.nuget/packages/microsoft.extensions.logging.abstractions/*/lib/net*/Microsoft.Extensions.Logging.Abstractions.dll" |
            Where-Object FullName -NotMatch '/8\.0\.' | Select-Object -Last 1
        if (-not $other) { Set-ItResult -Skipped -Because 'no other version of the logging abstractions is on this machine'; return }
        $load = "`$null = [Reflection.Assembly]::LoadFrom('$($other.FullName)');"
        $result = pwsh -NoProfile -Command "$load Import-Module '$manifest'; Start-SipSimulator Asterisk | Connect-SipServer | Out-Null; (New-SipCall -From 1001 -To busy -Wait).Cause"
        $result | Should -Be 'UserBusy'
    }
}

Describe 'Calls as objects' {
    BeforeAll {
        Start-SipSimulator Asterisk | Connect-SipServer -Name pester | Out-Null
        $calls = 'busy', 'reject', '1002' | ForEach-Object { [pscustomobject]@{ To = $_ } } | New-SipCall -From 1001 -Wait
    }

    AfterAll {
        Disconnect-SipServer -All
        Stop-SipSimulator -All
    }

    It 'sort, group, and filter' {
        ($calls | Group-Object State -NoElement | Sort-Object Name).Name | Should -Be 'Connected', 'Terminated'
        ($calls | Where-Object Cause -EQ UserBusy).SipStatus | Should -Be 486
        $calls | Sort-Object Duration | Should -HaveCount 3
    }

    It 'give the same facts after Export-Csv' {
        $calls | Export-Csv TestDrive:/calls.csv
        $back = Import-Csv TestDrive:/calls.csv
        $back.Cause | Should -Be $calls.ForEach{ "$($_.Cause)" }
        $back.CallId | Should -Be $calls.CallId
    }

    It 'give the same facts after ConvertTo-Json and Export-Clixml' {
        ($calls | ConvertTo-Json -Depth 4 | ConvertFrom-Json).CauseCode | Should -Be $calls.CauseCode
        $calls | Export-Clixml TestDrive:/calls.xml
        (Import-Clixml TestDrive:/calls.xml).SipStatus | Should -Be $calls.SipStatus
    }

    It 'fit a line of 120 columns' {
        ($calls | Format-Table | Out-String -Width 120) -split "`n" | ForEach-Object { $_.TrimEnd().Length | Should -BeLessOrEqual 120 }
    }

    It 'are stopped through the pipeline, and only asked about with -WhatIf' {
        Get-SipCallStatus | Stop-SipCall -WhatIf
        Get-SipCallStatus | Should -HaveCount 1
        (Get-SipCallStatus | Stop-SipCall -PassThru).Cause | Should -Be NormalClearing
        Get-SipCallStatus | Should -BeNullOrEmpty
    }

    It 'fail with stable ids and categories' {
        Stop-SipCall nobody -ErrorAction SilentlyContinue -ErrorVariable e
        $e[0].FullyQualifiedErrorId | Should -BeLike 'SipCallNotFound,*'
        $e[0].CategoryInfo.Category | Should -Be ObjectNotFound
    }
}
