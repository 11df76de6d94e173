BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Watch-SipEvent' {
    It 'gives events, so many and no more' {
        $call = New-SipCall -From 1001 -To 1002
        $events = @(Watch-SipEvent -Count 1 -Timeout 20)
        $events | Should -HaveCount 1
        $events[0].Type | Should -Be CallStateChanged
        $events[0].Time.Kind | Should -Be Utc
        $call | Stop-SipCall
    }

    It 'follows a call to its end, from the pipeline by property name' {
        $states = @(New-SipCall -From 1001 -To busy | Watch-SipEvent -Timeout 20 -WarningAction SilentlyContinue)
        # It may have ended before: then there is a warning, and nothing to see.
        if ($states) { $states[-1].Call.State | Should -Be Terminated }
    }

    It 'shows what was' {
        $call = New-SipCall -From 1001 -To 1002
        $item = Watch-SipEvent -CallId $call.CallId -Count 1 -Timeout 20
        $item.CallId | Should -Be $call.CallId
        $item.PreviousState | Should -Not -BeNullOrEmpty
        (Get-View $item)[-1] | Should -BeLike "*CallStateChanged*1001 -> 1002 $($call.CallId)"
        $call | Stop-SipCall
    }

    It 'ends when the time is over' {
        Watch-SipEvent -Timeout 0.1 -Type CallDtmf | Should -BeNullOrEmpty
    }

    It 'tells of a call that is not there' {
        Assert-Error { Watch-SipEvent -CallId nobody -Timeout 1 } SipCallNotFound "*'nobody'*" ObjectNotFound
    }

    It 'completes types of events' {
        (Get-Completion 'Watch-SipEvent -Type CallD').CompletionText | Should -Be CallDtmf
    }
}
