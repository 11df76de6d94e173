# Many calls from a table into a table: all rows arrive, and the process that does it stays small. The servers are simulators
# in another process, as real ones would be.
BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $kinds = 'Asterisk', 'FreeSwitch', 'Yate', 'OpenSips'
    $script = Join-Path $TestDrive servers.ps1
    # It ends when its input does, that is with this process at the latest.
    Set-Content $script @"
Import-Module '$manifest'
foreach (`$kind in '$($kinds -join "', '")') {
    `$s = Start-SipSimulator `$kind
    '{0} {1} {2} {3}' -f `$kind, `$s.Port, `$s.Credential.UserName, (`$s.Credential)?.GetNetworkCredential().Password
}
'ready'
`$null = [Console]::In.ReadLine()
"@
    $start = [System.Diagnostics.ProcessStartInfo]::new((Get-Process -Id $PID).Path, "-NoProfile -NonInteractive -File ""$script""")
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $true
    $servers = [System.Diagnostics.Process]::Start($start)
    $at = @{}
    while (($line = $servers.StandardOutput.ReadLine()) -and $line -ne 'ready') { $kind, $at[$kind] = $line -split ' ', 2 }
    $at.Count | Should -Be $kinds.Count

    1..1000 | ForEach-Object { [pscustomobject]@{ From = '1001'; To = 'busy' } } | Export-Csv (Join-Path $TestDrive in.csv)
}

AfterAll {
    if ($servers -and -not $servers.HasExited) {
        $servers.StandardInput.Close()
        if (-not $servers.WaitForExit(5000)) { $servers.Kill() }
    }
}

Describe '1000 calls from a file into a file' {
    It 'give 1000 rows in less than 200 MB, on <_>' -ForEach 'Asterisk', 'FreeSwitch', 'Yate', 'OpenSips' {
        $port, $user, $secret = $at[$_] -split ' '
        $out = Join-Path $TestDrive "$_.csv"
        $credential = if ($secret) { "`$with.Credential = [pscredential]::new('$user', (ConvertTo-SecureString '$secret' -AsPlainText))" }
        $took, $peak = Invoke-Fresh @"
Import-Module `$manifest
`$with = @{ Type = '$_'; Port = $port }
$credential
Connect-SipServer 127.0.0.1 @with | Out-Null
`$clock = [System.Diagnostics.Stopwatch]::StartNew()
Import-Csv '$(Join-Path $TestDrive in.csv)' | New-SipCall -ThrottleLimit 50 | Wait-SipCall -State Terminated | Export-Csv '$out'
`$clock.Elapsed.TotalSeconds
[System.Diagnostics.Process]::GetCurrentProcess().PeakWorkingSet64 / 1MB
"@
        $rows = @(Import-Csv $out)
        Write-Host ('{0}: {1} rows in {2:0.0} s, peak working set {3:0} MB' -f $_, $rows.Count, [double]$took, [double]$peak)
        $rows | Should -HaveCount 1000
        ($rows.CallId | Select-Object -Unique) | Should -HaveCount 1000
        $rows.State | Select-Object -Unique | Should -Be Terminated
        [double]$peak | Should -BeLessThan 200
    }
}
