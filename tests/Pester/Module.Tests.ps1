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

Describe 'Get-Help' {
    BeforeAll {
        $cmdlets = (Get-Command -Module IfBus.Sip).Name
        $root = (Resolve-Path "$PSScriptRoot/../..").Path
    }

    It 'has synopsis, description, examples and notes of every cmdlet' {
        $cmdlets | Should -HaveCount (Import-PowerShellDataFile $manifest).CmdletsToExport.Count
        foreach ($name in $cmdlets) {
            $help = Get-Help $name -Full
            $help.Synopsis | Should -Not -BeNullOrEmpty -Because $name
            # Without help of its own a cmdlet has its syntax there.
            $help.Synopsis | Should -Not -BeLike "*$name*" -Because $name
            ($help.description | Out-String).Trim() | Should -Not -BeNullOrEmpty -Because $name
            @($help.examples.example).Count | Should -BeGreaterOrEqual 2 -Because $name
            $help.examples.example.code | ForEach-Object { $_ | Should -Not -BeNullOrEmpty -Because $name }
            ($help.alertSet | Out-String).Trim() | Should -Not -BeNullOrEmpty -Because $name
        }
    }

    It 'describes every parameter' {
        $common = [System.Management.Automation.Cmdlet]::CommonParameters
        foreach ($name in $cmdlets) {
            foreach ($parameter in (Get-Command $name).Parameters.Keys | Where-Object { $_ -notin $common }) {
                $text = (Get-Help $name -Parameter $parameter).description | Out-String
                $text.Trim() | Should -Not -BeNullOrEmpty -Because "$name -$parameter"
            }
        }
    }

    It 'finds the topics' {
        Get-Help about_IfBus.Sip | Out-String | Should -BeLike '*FIRST CALL*'
        Get-Help about_IfBus.Sip_Simulator | Out-String | Should -BeLike '*NUMBERS*'
    }

    It 'is what the markdown says' {
        if (-not (Get-Module -ListAvailable Microsoft.PowerShell.PlatyPS | Where-Object Version -GE '1.0')) {
            Write-Host 'The help was not made anew and compared: Microsoft.PowerShell.PlatyPS is not installed.'
            Set-ItResult -Skipped -Because 'Microsoft.PowerShell.PlatyPS is not installed'
            return
        }

        $made = pwsh -NoProfile -File "$root/src/IfBus.Sip.PowerShell/Help/Export-Help.ps1" -OutputFolder (Join-Path $TestDrive help)
        $stored = Get-Content "$root/en-US/IfBus.Sip.PowerShell.dll-Help.xml"
        $differences = Compare-Object $stored (Get-Content $made) | ForEach-Object { "$($_.SideIndicator) $($_.InputObject.Trim())" }
        $differences | Should -BeNullOrEmpty -Because './build.ps1 -Task Help must be run after a change of the markdown'
    }
}
