# The transcripts of the README against what the script that made them gives today.
BeforeAll {
    $root = (Resolve-Path "$PSScriptRoot/../..").Path
    $manifest = (Get-ChildItem "$root/out/IfBus.Sip/*/IfBus.Sip.psd1" | Sort-Object FullName | Select-Object -Last 1).FullName
    Import-Module $manifest -Force
    $readme = Get-Content -Raw "$root/README.md"

    # The same lines apart from ids, ports, times and versions, and from how wide a column is by them.
    function Get-Shape([string[]] $Lines) {
        $Lines | ForEach-Object {
            $_ -replace '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}', '<id>' `
                -replace '127\.0\.0\.1:\d+', '127.0.0.1:<port>' `
                -replace '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', '<time>' `
                -replace '\b\d+:\d\d:\d\d\b', '<duration>' `
                -replace '\b(\d+\.)+\d+$', '<version>' `
                -replace '-{2,}', '--' -replace ' +', ' '
        }
    }
}

AfterAll {
    Disconnect-SipServer -All
    Stop-SipSimulator -All
    Remove-Module IfBus.Sip
}

Describe 'The README' {
    It 'shows the main job on <_> as it is' -ForEach 'Asterisk', 'FreeSwitch', 'Yate', 'Kamailio', 'OpenSips', 'Flexisip' {
        $readme -match "(?s)<!-- main-job $_ -->\n``````text\n(.*?)\n``````\n" | Should -BeTrue
        $shown = Get-Shape ($Matches[1] -split "`n")
        $now = Get-Shape (& "$root/examples/main-job.ps1" $_)
        $now.Count | Should -BeGreaterThan 15
        $now -join "`n" | Should -BeExactly ($shown -join "`n")
    }
}
