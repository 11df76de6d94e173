BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Set-SipRecording' {
    BeforeEach {
        $call = New-TalkingCall
        $recording = $call | Start-SipRecording a.wav
    }

    AfterEach {
        Stop-SipCall -All -Force
    }

    It 'mutes a recording, and records again' {
        ($call | Set-SipRecording -Muted $true -PassThru).State | Should -Be Muted
        ($call | Set-SipRecording -Muted $false -PassThru).State | Should -Be Recording
    }

    It 'takes the recording itself, by property name' {
        ($recording | Set-SipRecording -Muted $true -PassThru).RecordingId | Should -Be $recording.RecordingId
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $call | Set-SipRecording -Muted $true -PassThru -WhatIf }
    }

    It 'tells of a call that is not there' {
        Assert-Error { Set-SipRecording nobody -Muted $true } SipCallNotFound "*'nobody'*" ObjectNotFound
    }
}
