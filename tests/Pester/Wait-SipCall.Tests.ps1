BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Wait-SipCall' {
    It 'waits until a call has ended' {
        $call = New-SipCall -From 1001 -To busy | Wait-SipCall
        $call.State | Should -Be Terminated
        $call.Cause | Should -Be UserBusy
    }

    It 'waits for a state, and for the end at the latest' {
        (New-SipCall -From 1001 -To 1002 | Wait-SipCall -State Connected).State | Should -Be Connected
        (New-SipCall -From 1001 -To busy | Wait-SipCall -State Connected).State | Should -Be Terminated
    }

    It 'takes rows, by property name, and ids' {
        $call = New-SipCall -From 1001 -To busy
        ([pscustomobject]@{ CallId = $call.CallId; Server = 'pbx' } | Wait-SipCall).Cause | Should -Be UserBusy
        ($call.CallId | Wait-SipCall).Cause | Should -Be UserBusy
    }

    It 'says so when the time is over, and the call goes on' {
        $call = New-TalkingCall
        Assert-Error { $call | Wait-SipCall -Timeout 0.1 } SipTimeout '*The call goes on.' OperationTimeout
        ($call | Get-SipCallStatus).State | Should -Be Connected
    }

    It 'tells of a call that is not there' {
        Assert-Error { Wait-SipCall nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
    }

    It 'completes states' {
        (Get-Completion 'Wait-SipCall x -State OnH').CompletionText | Should -Be OnHold
    }

    It 'ends within a second after Ctrl+C, and says what goes on' -Skip:$IsWindows {
        $script = Join-Path $TestDrive wait.ps1
        Set-Content $script "Import-Module '$manifest'; Start-SipSimulator Asterisk | Connect-SipServer -Name pbx | Out-Null; `$c = New-SipCall -From 1001 -To 1002 -Wait; Set-Content '$TestDrive/ready' `$c.CallId; `$c | Wait-SipCall"
        # A shell's background job ignores SIGINT, and so would all that it starts.
        $process = Start-Process env -ArgumentList '--default-signal=INT', 'pwsh', '-NoProfile', '-NonInteractive', '-File', $script -RedirectStandardOutput "$TestDrive/out.txt" -RedirectStandardError "$TestDrive/err.txt" -PassThru
        $until = [datetime]::UtcNow.AddSeconds(60)
        while (-not (Get-Content "$TestDrive/ready" -ErrorAction Ignore) -and [datetime]::UtcNow -lt $until -and -not $process.HasExited) { Start-Sleep -Milliseconds 50 }
        $id = Get-Content "$TestDrive/ready"
        $id | Should -Not -BeNullOrEmpty
        # Waiting begins just after the file is there.
        Start-Sleep -Milliseconds 500
        kill -INT $process.Id
        $process.WaitForExit(20000) | Should -BeTrue
        Get-Content "$TestDrive/out.txt" -Raw | Should -BeLike "*Stopped. Call $id (1001 -> 1002) on pbx is Connected and goes on; Stop-SipCall $id ends it.*"
    }
}
