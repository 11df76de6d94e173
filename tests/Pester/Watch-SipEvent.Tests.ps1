BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Watch-SipEvent' {
    It 'gives events, so many and no more' {
        # A server that is piped in is heard from then on, so the call is made after that.
        $events = @(& { Get-SipServer pbx; $null = New-SipCall -From 1001 -To 1002 -Wait } | Watch-SipEvent -Count 1 -Timeout 60)
        $events | Should -HaveCount 1
        $events[0].Type | Should -Be CallStateChanged
        $events[0].PreviousState | Should -Be Created
        $events[0].Time.Kind | Should -Be Utc
        Get-SipCallStatus | Stop-SipCall
    }

    It 'follows a call to its end, from the pipeline by property name' {
        $call = New-TalkingCall
        $heard = [hashtable]::Synchronized(@{ First = $false })
        $server = Get-SipServer pbx
        # Digits until one is heard: from then on the end cannot be missed.
        $other = 1 | ForEach-Object -AsJob -Parallel {
            Import-Module $using:manifest
            while (-not ($using:heard).First) { $using:call | Send-SipDtmf 1 -Server $using:server }
            $using:call | Stop-SipCall -Server $using:server
        }
        try { $events = @($call | Watch-SipEvent -Timeout 60 | ForEach-Object { $heard.First = $true; $_ }) }
        finally {
            $heard.First = $true
            $other | Receive-Job -Wait -AutoRemoveJob
        }

        $events[0].Type | Should -Be CallDtmf
        $events.CallId | Select-Object -Unique | Should -Be $call.CallId
        $events[-1].Call.State | Should -Be Terminated
        $events[-1].PreviousState | Should -BeIn Connected, HangingUp
        (Get-View $events[-1])[-1] | Should -BeLike "*CallStateChanged*1001 -> 1002 $($call.CallId)"
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
