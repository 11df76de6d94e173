BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Start-SipRecording' {
    BeforeEach {
        $call = New-TalkingCall
    }

    AfterEach {
        Stop-SipCall -All -Force
    }

    It 'records a call' {
        $recording = $call | Start-SipRecording a.wav
        $recording.State | Should -Be Recording
        $recording.Path | Should -BeLike '*a.wav'
        $recording.StartedAt.Kind | Should -Be Utc
    }

    It 'takes rows, by property name, and ids' {
        ([pscustomobject]@{ CallId = $call.CallId; Server = 'pbx' } | Start-SipRecording b.wav).State | Should -Be Recording
        ($call.CallId | Start-SipRecording c.wav).State | Should -Be Recording
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $call | Start-SipRecording d.wav -WhatIf }
    }

    It 'refuses a path that cannot be, and a call that is not there' {
        Assert-Error { $call | Start-SipRecording "a`nb.wav" } SipInvalidArgument '*-Path*' InvalidArgument
        Assert-Error { Start-SipRecording a.wav nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
    }
}
