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
}
