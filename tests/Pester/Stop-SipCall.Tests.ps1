BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Stop-SipCall' {
    It 'ends a call, with a cause' {
        $call = New-TalkingCall
        $ended = $call | Stop-SipCall -Cause CallRejected -PassThru
        $ended.State | Should -Be Terminated
        Get-SipCallStatus | Should -BeNullOrEmpty
    }

    It 'takes ids and rows from the pipeline' {
        $one, $two = (New-TalkingCall), (New-TalkingCall)
        $one.CallId | Stop-SipCall
        [pscustomobject]@{ CallId = $two.CallId; Server = 'pbx' } | Stop-SipCall
        Get-SipCallStatus | Should -BeNullOrEmpty
    }

    It 'ends all calls without asking with -Force' {
        1..3 | ForEach-Object { New-TalkingCall } | Out-Null
        Stop-SipCall -All -Force
        Get-SipCallStatus | Should -BeNullOrEmpty
    }

    It 'asks nothing with -WhatIf' {
        $call = New-TalkingCall
        Assert-NothingSent { $call | Stop-SipCall -PassThru -WhatIf }
        ($call | Get-SipCallStatus).State | Should -Be Connected
        $call | Stop-SipCall
    }

    It 'tells of calls that are not there or have ended' {
        Assert-Error { Stop-SipCall nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
        $call = New-SipCall -From 1001 -To busy -Wait
        Assert-Error { $call | Stop-SipCall } SipCallEnded '*has ended already (UserBusy*' ObjectNotFound
    }

    It 'completes causes and ids' {
        (Get-Completion 'Stop-SipCall x -Cause UserB').CompletionText | Should -Be UserBusy
        $call = New-TalkingCall
        (Get-Completion "Stop-SipCall $($call.CallId.Substring(0, 8))").CompletionText | Should -Be $call.CallId
        $call | Stop-SipCall
    }
}
