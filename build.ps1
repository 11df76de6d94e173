#!/usr/bin/env pwsh
# Builds, tests and packs the module, and makes its help. Needs the .NET 10 SDK; the help needs Microsoft.PowerShell.PlatyPS,
# the Pester suite Pester 5.
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
$staged = "$root/out/IfBus.Sip/$version"

if ($Task -eq 'Help') {
    if (-not (Get-Module -ListAvailable Microsoft.PowerShell.PlatyPS | Where-Object Version -ge '1.0')) {
        throw 'The help was not made: Microsoft.PowerShell.PlatyPS 1.0 or later is not installed. Install-PSResource Microsoft.PowerShell.PlatyPS installs it.'
    }

    $file = & "$root/src/IfBus.Sip.PowerShell/Help/Export-Help.ps1" -OutputFolder "$root/en-US"
    "The help is in $file; the next build stages it."
    return
}

# A file that the module had once must not be packed.
if ($Task -eq 'Package' -and (Test-Path $staged)) { Remove-Item $staged -Recurse }
dotnet build "$root/IfBus.Sip.sln" -c $Configuration --nologo
$null = Test-ModuleManifest "$staged/IfBus.Sip.psd1"
"The module is in $staged; Import-Module $root/out/IfBus.Sip takes the newest."

if ($Task -eq 'Package') {
    $package = & "$root/src/IfBus.Sip.PowerShell/Export-Package.ps1" -StagedModule $staged -OutputFolder "$root/out/packages"
    "The package is $package; Publish-PSResource -NupkgPath publishes it."
}

if ($Task -eq 'Test') {
    dotnet test "$root/IfBus.Sip.sln" -c $Configuration --no-build --nologo
    if (Get-Module -ListAvailable Pester | Where-Object Version -ge '5.0') {
        $settings = New-PesterConfiguration
        $settings.Run.Path = "$root/tests/Pester"
        $settings.Run.PassThru = $true
        $result = Invoke-Pester -Configuration $settings
        if ($result.Result -ne 'Passed') { throw 'The Pester suite failed.' }
    }
    else {
        'The Pester suite was not run: Pester 5 is not installed. Install-PSResource Pester installs it.'
    }
}
