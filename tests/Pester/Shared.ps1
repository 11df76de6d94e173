# What all files of the suite begin with: the staged module, and a few ways to look at it. Dot-sourced in BeforeAll.
$ErrorActionPreference = 'Stop'
# Bars of work that takes long would be drawn between the results.
$ProgressPreference = 'SilentlyContinue'
# What the user of this machine has registered is none of the tests' business.
$env:IFBUS_SIP_HOME = Join-Path ([IO.Path]::GetTempPath()) "ifbus-sip-pester-$PID"
$manifest = (Get-ChildItem "$PSScriptRoot/../../out/IfBus.Sip/*/IfBus.Sip.psd1" | Sort-Object { [version]$_.Directory.Name } | Select-Object -Last 1).FullName
if (-not $manifest) { throw 'There is no staged module: build first.' }
if ((Get-Module IfBus.Sip).Path -ne (Join-Path (Split-Path $manifest) 'bin/IfBus.Sip.PowerShell.dll')) { Import-Module $manifest -Force }

# A simulator with a connection to it; gives the simulator.
function Start-Pair {
    param([string] $Type = 'Asterisk', [string] $Name = 'pbx', [hashtable] $With = @{})
    $simulator = Start-SipSimulator $Type @With
    $null = $simulator | Connect-SipServer -Name $Name
    $simulator
}

# Everything that a file has opened.
function Stop-Everything {
    Disconnect-SipServer -All -ErrorAction Ignore
    Stop-SipSimulator -All -ErrorAction Ignore
    Remove-Item $env:IFBUS_SIP_HOME -Recurse -Force -ErrorAction Ignore
}

# A call that talks.
function New-TalkingCall {
    param([string] $From = '1001', [string] $To = '1002', [string] $Server)
    $named = if ($Server) { @{ Server = $Server } } else { @{} }
    $call = New-SipCall -From $From -To $To -Wait @named
    $call.State | Should -Be Connected -Because 'the test needs a call that talks'
    $call
}

# The first error of a piece of script, whether it ended it or not.
function Get-FirstError([scriptblock] $Action) {
    $ErrorActionPreference = 'Continue'
    try { & $Action 2>&1 | Where-Object { $_ -is [System.Management.Automation.ErrorRecord] } | Select-Object -First 1 }
    catch { $_ }
}

# Holds that a piece of script fails, with this id, text and category.
function Assert-Error {
    param([Parameter(Mandatory)] [scriptblock] $Action, [Parameter(Mandatory)] [string] $Id, [Parameter(Mandatory)] [string] $Text, [Parameter(Mandatory)] [string] $Category)
    $e = Get-FirstError $Action
    $e | Should -Not -BeNullOrEmpty -Because 'an error was expected'
    $e.FullyQualifiedErrorId | Should -BeLike "$Id,*" -Because "the text was: $e"
    "$e" | Should -BeLike $Text
    # A parameter that an error names is one of the cmdlet that was used.
    if ("$e" -match "^-(\w+) '") { $e.InvocationInfo.MyCommand.Parameters.Keys | Should -Contain $Matches[1] }
    $e.CategoryInfo.Category | Should -Be $Category
}

# Holds that a piece of script asks the server nothing: the server's operations are counted, and the two of the test are its own.
function Assert-NothingSent {
    param([scriptblock] $Action, [string] $Server = 'pbx')
    $before = (Test-SipServer $Server).Operations
    $before | Should -BeLessThan 95 -Because 'the last 100 are counted'
    & $Action | Should -BeNullOrEmpty
    (Test-SipServer $Server).Operations | Should -Be ($before + 1)
}

# Runs a piece of script in a pwsh of its own, with the staged module not yet imported; gives what it puts out.
function Invoke-Fresh {
    param([string] $Script, [string[]] $Option = @())
    $file = Join-Path $TestDrive "fresh-$([guid]::NewGuid()).ps1"
    Set-Content $file "`$manifest = '$manifest'`n$Script"
    pwsh -NoProfile -NonInteractive @Option -File $file
}

# What Tab offers at the end of a line.
function Get-Completion([string] $Line) {
    (TabExpansion2 $Line $Line.Length).CompletionMatches
}

# The lines of a view, as on a screen of this width.
function Get-View {
    param($InputObject, [int] $Width = 120, [switch] $List)
    $text = if ($List) { $InputObject | Format-List | Out-String -Width $Width } else { $InputObject | Format-Table | Out-String -Width $Width }
    $text -split "`r?`n" | ForEach-Object TrimEnd | Where-Object { $_ }
}
