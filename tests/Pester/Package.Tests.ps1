# The package as the PowerShell Gallery takes it.
BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $staged = Split-Path $manifest
    $folder = Join-Path $TestDrive packages
    $missing = if (-not (Get-Command dotnet -ErrorAction Ignore)) { 'there is no .NET SDK on this machine' }
    if (-not $missing) {
        $package = & "$PSScriptRoot/../../src/IfBus.Sip.PowerShell/Export-Package.ps1" -StagedModule $staged -OutputFolder $folder
        $zip = [System.IO.Compression.ZipFile]::OpenRead($package.FullName)
        $entries = $zip.Entries.FullName | ForEach-Object { [uri]::UnescapeDataString($_) }
        $reader = [System.IO.StreamReader]::new(($zip.Entries | Where-Object FullName -EQ IfBus.Sip.nuspec).Open())
        $nuspec = ([xml]$reader.ReadToEnd()).package.metadata
        $reader.Dispose()
        $zip.Dispose()
    }
}

Describe 'The package' {
    BeforeEach {
        if ($missing) { Set-ItResult -Skipped -Because $missing }
    }

    It 'has the files of the module at its root, and nothing else but what makes it a package' {
        $files = Get-ChildItem $staged -Recurse -File | ForEach-Object { [System.IO.Path]::GetRelativePath($staged, $_.FullName) -replace '\\', '/' }
        $own = '_rels/.rels', '[Content_Types].xml', 'IfBus.Sip.nuspec'
        $rest = $entries | Where-Object { $_ -notin $own -and $_ -notlike 'package/services/metadata/*.psmdcp' }
        $rest | Sort-Object | Should -Be ($files | Sort-Object)
        $own | ForEach-Object { $_ | Should -BeIn $entries }
        $entries | Where-Object { $_ -match '\.pdb$|(^|/)(obj|ref)/|\.deps\.json$' } | Should -BeNullOrEmpty
    }

    It 'says of itself what the manifest says' {
        $data = Import-PowerShellDataFile $manifest
        $nuspec.id | Should -Be IfBus.Sip
        $nuspec.version | Should -Be $data.ModuleVersion
        $nuspec.authors | Should -Be $data.Author
        $nuspec.description | Should -Be $data.Description
        $nuspec.releaseNotes | Should -Be $data.PrivateData.PSData.ReleaseNotes
        $tags = $nuspec.tags -split ' '
        foreach ($tag in @('PSModule', 'PSEdition_Core', 'PSIncludes_Cmdlet') + $data.CmdletsToExport.ForEach{ "PSCmdlet_$_" } + $data.CmdletsToExport.ForEach{ "PSCommand_$_" }) { $tag | Should -BeIn $tags }
        $nuspec.tags.Length | Should -BeLessOrEqual 4000
    }

    It 'can be published to a repository, found, installed from it, and imported' {
        if (-not (Get-Module -ListAvailable Microsoft.PowerShell.PSResourceGet)) {
            Write-Host 'The package was not published to a local repository: Microsoft.PowerShell.PSResourceGet is not installed.'
            Set-ItResult -Skipped -Because 'Microsoft.PowerShell.PSResourceGet is not installed'
            return
        }

        $repository = (New-Item -ItemType Directory (Join-Path $TestDrive repository)).FullName
        $saved = (New-Item -ItemType Directory (Join-Path $TestDrive saved)).FullName
        $name = "IfBusSip$PID"
        # In a process of its own: its assemblies are to stay out of this one.
        Invoke-Fresh @"
`$ErrorActionPreference = 'Stop'
Register-PSResourceRepository -Name $name -Uri '$repository' -Trusted
try {
    Publish-PSResource -NupkgPath '$($package.FullName)' -Repository $name
    (Find-PSResource IfBus.Sip -Repository $name).Version.ToString()
    Save-PSResource IfBus.Sip -Repository $name -Path '$saved'
}
finally {
    Unregister-PSResourceRepository $name
}
"@ | Should -Be $nuspec.version
        Get-ChildItem $saved -Recurse -Filter *.nuspec | Should -BeNullOrEmpty
        Invoke-Fresh "`$env:PSModulePath = '$saved'; Import-Module IfBus.Sip; (Get-Module IfBus.Sip).Path; Start-SipSimulator | Connect-SipServer | Out-Null; (New-SipCall -From 1001 -To busy -Wait).Cause" |
            Should -Be (Join-Path $saved "IfBus.Sip/$($nuspec.version)/bin/IfBus.Sip.PowerShell.dll"), UserBusy
    }
}
