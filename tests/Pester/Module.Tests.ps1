# Importing the staged module, each time in a pwsh of its own, and its help as a whole.
BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $root = (Resolve-Path "$PSScriptRoot/../..").Path
}

AfterAll {
    Stop-Everything
}

Describe 'The module in a fresh process' {
    It 'is imported by its folder, again, and by force' {
        $folder = Split-Path (Split-Path $manifest)
        Invoke-Fresh "Import-Module '$folder'; Import-Module '$folder'; Import-Module `$manifest -Force; (Get-Command New-SipCall).Module.Name" | Should -Be IfBus.Sip
    }

    It 'is found by name, and its commands without an import' {
        $folder = Split-Path (Split-Path (Split-Path $manifest))
        Invoke-Fresh "`$env:PSModulePath = '$folder' + [IO.Path]::PathSeparator + `$env:PSModulePath; (Start-SipSimulator Yate).Type" | Should -Be Yate
    }

    It 'says nothing when it is imported, and is quick about it' {
        $said = @(Invoke-Fresh 'Import-Module $manifest *>&1')
        $said | Should -BeNullOrEmpty
    }

    It 'works where other logging abstractions were loaded before' {
        # The build of the tests brings one.
        $cache = if ($env:NUGET_PACKAGES) { $env:NUGET_PACKAGES } else { "$HOME/.nuget/packages" }
        $other = Get-ChildItem "$cache/microsoft.extensions.logging.abstractions/*/lib/net*/Microsoft.Extensions.Logging.Abstractions.dll" -ErrorAction Ignore |
            Where-Object FullName -NotMatch '/8\.0\.' | Select-Object -Last 1
        if (-not $other) {
            Write-Host 'Not tried beside another version of the logging abstractions: none is on this machine.'
            Set-ItResult -Skipped -Because 'no other version of the logging abstractions is on this machine'
            return
        }

        $loaded = '[AppDomain]::CurrentDomain.GetAssemblies() | ForEach-Object GetName | Where-Object Name -eq Microsoft.Extensions.Logging.Abstractions | ForEach-Object { $_.Version.Major } | Sort-Object'
        $version = [Reflection.AssemblyName]::GetAssemblyName($other.FullName).Version.Major
        # Alone before the import, and beside ours after it.
        Invoke-Fresh "`$null = [Reflection.Assembly]::LoadFrom('$($other.FullName)'); $loaded; Import-Module `$manifest; Start-SipSimulator Asterisk | Connect-SipServer | Out-Null; (New-SipCall -From 1001 -To busy -Wait).Cause; $loaded" |
            Should -Be (@($version, 'UserBusy') + @($version, 8 | Sort-Object))
    }

    It 'is removed with all that it has open' {
        Invoke-Fresh 'Import-Module $manifest; $s = Start-SipSimulator; $s | Connect-SipServer | Out-Null; $port = $s.Port; Remove-Module IfBus.Sip; Import-Module $manifest; @(Get-SipServer).Count; (Start-SipSimulator -Port $port).Port -eq $port' |
            Should -Be 0, 'True'
    }

    It 'keeps parallel runspaces apart, and hands a server over that is named' {
        $server = Start-Pair -Name shared | Out-Null; $server = Get-SipServer shared
        $found = 1..2 | ForEach-Object -Parallel {
            Import-Module $using:manifest
            [pscustomobject]@{ Own = @(Get-SipServer).Count; Cause = (New-SipCall -From 1001 -To busy -Wait -Server $using:server).Cause }
        }
        $found.Own | Should -Be 0, 0
        $found.Cause | Should -Be UserBusy, UserBusy
    }
}

Describe 'The help' {
    It 'has its topics' {
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
