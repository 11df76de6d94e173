BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Exit-SipConference' {
    BeforeEach {
        $call = New-TalkingCall
        $call | Join-SipConference room1
    }

    AfterEach {
        Stop-SipCall -All -Force
    }

    It 'takes a call out of its room' {
        ($call | Exit-SipConference -PassThru).CallId | Should -Be $call.CallId
        Get-SipConference | Should -BeNullOrEmpty
    }

    It 'takes rows, by property name' {
        [pscustomobject]@{ CallId = $call.CallId; Server = 'pbx' } | Exit-SipConference
        Get-SipConference | Should -BeNullOrEmpty
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $call | Exit-SipConference -PassThru -WhatIf }
        (Get-SipConference room1).MemberCount | Should -Be 2
    }

    It 'tells of a call that is in no room, or not there' {
        $other = New-TalkingCall
        Assert-Error { $other | Exit-SipConference } SipCallNotInConference '*in no conference room*' InvalidOperation
        Assert-Error { Exit-SipConference nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
    }
}
