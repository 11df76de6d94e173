#!/usr/bin/env pwsh
# Builds, tests and packs the module, and makes its help. Needs the .NET 10 SDK; the help needs Microsoft.PowerShell.PlatyPS.
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Package', 'Help')]
    [string] $Task = 'Build',

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Release'
)

$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
$root = $PSScriptRoot
$version = (Import-PowerShellDataFile "$root/IfBus.Sip.psd1").ModuleVersion

if ($Task -eq 'Help') {
    if (-not (Get-Module -ListAvailable Microsoft.PowerShell.PlatyPS | Where-Object Version -ge '1.0')) {
        throw 'The help was not made: Microsoft.PowerShell.PlatyPS 1.0 or later is not installed. Install-PSResource Microsoft.PowerShell.PlatyPS installs it.'
    }

    $file = & "$root/src/IfBus.Sip.PowerShell/Help/Export-Help.ps1" -OutputFolder "$root/en-US"
    "The help is in $file; the next build stages it."
    return
}

dotnet build "$root/IfBus.Sip.sln" -c $Configuration --nologo
"The module is in $root/out/IfBus.Sip/$version"

if ($Task -eq 'Test') {
    dotnet test "$root/IfBus.Sip.sln" -c $Configuration --no-build --nologo
    if (Get-Module -ListAvailable Pester | Where-Object Version -ge '5.0') {
        $result = Invoke-Pester -Path "$root/tests/Pester" -PassThru
        if ($result.Result -ne 'Passed') { throw 'The Pester suite failed.' }
    }
    else {
        'The Pester suite was not run: Pester 5 is not installed.'
    }
}

if ($Task -eq 'Package') {
    $null = New-Item -ItemType Directory -Force "$root/out/packages"
    Compress-Archive -Path "$root/out/IfBus.Sip/$version" -DestinationPath "$root/out/packages/IfBus.Sip-$version.zip" -Force
    "The package is $root/out/packages/IfBus.Sip-$version.zip"
}
