# Makes the package of a staged module as the PowerShell Gallery takes it: the module's files at the root of the package, and
# its commands among the tags, by which Find-PSResource -CommandName finds it (Compress-PSResource leaves those out).
# Needs the .NET 10 SDK. Gives the file.
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $StagedModule,
    [Parameter(Mandatory)] [string] $OutputFolder
)

$ErrorActionPreference = 'Stop'
$manifest = Import-PowerShellDataFile "$StagedModule/IfBus.Sip.psd1"
$version = $manifest.ModuleVersion
$tags = @('PSModule') + $manifest.PrivateData.PSData.Tags
$commands = @('PSIncludes_Cmdlet') + $manifest.CmdletsToExport.ForEach{ "PSCmdlet_$_" } + $manifest.CmdletsToExport.ForEach{ "PSCommand_$_" }
# The gallery takes no more than 4000 characters of tags.
if (($tags + $commands -join ' ').Length -le 4000) { $tags += $commands }
else { Write-Warning 'The commands are not among the tags of the package: they are too many.' }

function Text([string] $value) { [System.Security.SecurityElement]::Escape($value) }

$null = New-Item -ItemType Directory -Force $OutputFolder
$description = "$OutputFolder/IfBus.Sip.nuspec"
Set-Content $description @"
<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2011/08/nuspec.xsd">
  <metadata>
    <id>IfBus.Sip</id>
    <version>$version</version>
    <authors>$(Text $manifest.Author)</authors>
    <owners>$(Text $manifest.CompanyName)</owners>
    <requireLicenseAcceptance>false</requireLicenseAcceptance>
    <description>$(Text $manifest.Description)</description>
    <releaseNotes>$(Text $manifest.PrivateData.PSData.ReleaseNotes)</releaseNotes>
    <copyright>$(Text $manifest.Copyright)</copyright>
    <tags>$(Text ($tags -join ' '))</tags>
  </metadata>
  <files>
    <file src="$(Text (Resolve-Path $StagedModule).Path)/**" target="" />
  </files>
</package>
"@
# What it says of assemblies that are not below lib is about packages for .NET projects.
$said = dotnet pack $description --output $OutputFolder --nologo 2>&1
if ($LASTEXITCODE) { throw "The package was not made: $($said -join [Environment]::NewLine)" }
Remove-Item $description
Get-Item "$OutputFolder/IfBus.Sip.$version.nupkg"
