BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Suspend-SipCall' {
    BeforeAll {
        $call = New-TalkingCall
    }

    AfterEach {
        if (($call | Get-SipCallStatus).State -eq 'OnHold') { $call | Resume-SipCall }
    }

    It 'holds a call' {
        ($call | Suspend-SipCall -PassThru).State | Should -Be OnHold
    }

    It 'takes rows, by property name, and ids' {
        ([pscustomobject]@{ CallId = $call.CallId; Server = 'pbx' } | Suspend-SipCall -PassThru).State | Should -Be OnHold
        $call | Resume-SipCall
        ($call.CallId | Suspend-SipCall -PassThru).State | Should -Be OnHold
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $call | Suspend-SipCall -PassThru -WhatIf }
        ($call | Get-SipCallStatus).State | Should -Be Connected
    }

    It 'tells of a call that is not there, and of a server that cannot' {
        Assert-Error { Suspend-SipCall nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
        Start-Pair Kamailio proxy | Out-Null
        $other = New-TalkingCall -Server proxy
        Assert-Error { $other | Suspend-SipCall } SipNotSupported '*Hold*Nothing was sent*' NotImplemented
        Disconnect-SipServer proxy
    }
}
