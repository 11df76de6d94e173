BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Set-SipConference' {
    BeforeAll {
        $call = New-TalkingCall
        $call | Join-SipConference room1
    }

    It 'locks and opens a room' {
        (Set-SipConference room1 -Locked $true -PassThru).Locked | Should -BeTrue
        (Set-SipConference room1 -Locked $false -PassThru).Locked | Should -BeFalse
    }

    It 'takes rooms from the pipeline, and rows by property name' {
        (Get-SipConference room1 | Set-SipConference -Locked $true -PassThru).Locked | Should -BeTrue
        ([pscustomobject]@{ Name = 'room1'; Server = 'pbx' } | Set-SipConference -Locked $false -PassThru).Locked | Should -BeFalse
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Set-SipConference room1 -Locked $true -PassThru -WhatIf }
    }

    It 'tells of a room that is not there' {
        Assert-Error { Set-SipConference nowhere -Locked $true } SipConferenceNotFound '*nowhere*' ObjectNotFound
    }
}
