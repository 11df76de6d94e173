BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Join-SipConference' {
    AfterEach {
        Stop-SipCall -All -Force
    }

    It 'moves a call into a room' {
        New-TalkingCall | Join-SipConference room1 | Should -BeNullOrEmpty
        (Get-SipConference room1).MemberCount | Should -Be 2
    }

    It 'takes rows, by property name, and ids' {
        $call = New-TalkingCall
        ([pscustomobject]@{ CallId = $call.CallId; Server = 'pbx'; Room = 'room2' } | Join-SipConference -PassThru).State | Should -Be Connected
        $other = New-TalkingCall
        $other.CallId | Join-SipConference room2
        (Get-SipConference room2).MemberCount | Should -Be 4
    }

    It 'asks nothing with -WhatIf' {
        $call = New-TalkingCall
        Assert-NothingSent { $call | Join-SipConference room3 -PassThru -WhatIf }
    }

    It 'refuses a name that cannot be, and a call that is not there' {
        $call = New-TalkingCall
        Assert-Error { $call | Join-SipConference 'a b' } SipInvalidArgument "*'a b'*" InvalidArgument
        Assert-Error { Join-SipConference room1 nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
    }
}
