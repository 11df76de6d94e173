BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Stop-SipRecording' {
    BeforeEach {
        $call = New-TalkingCall
        $recording = $call | Start-SipRecording a.wav
    }

    AfterEach {
        Stop-SipCall -All -Force
    }

    It 'ends a recording' {
        ($call | Stop-SipRecording -PassThru).State | Should -Be Stopped
    }

    It 'takes the recording itself, by property name' {
        ($recording | Stop-SipRecording -PassThru).RecordingId | Should -Be $recording.RecordingId
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $call | Stop-SipRecording -PassThru -WhatIf }
    }

    It 'tells of a call that is not recorded, or not there' {
        $call | Stop-SipRecording
        Assert-Error { $call | Stop-SipRecording } SipNotRecording '*has no recording of ours*' InvalidOperation
        Assert-Error { Stop-SipRecording nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
    }
}
