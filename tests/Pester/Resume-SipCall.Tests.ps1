BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Resume-SipCall' {
    BeforeAll {
        $call = New-TalkingCall
    }

    BeforeEach {
        if (($call | Get-SipCallStatus).State -eq 'Connected') { $call | Suspend-SipCall }
    }

    It 'brings a call back from hold' {
        ($call | Resume-SipCall -PassThru).State | Should -Be Connected
    }

    It 'takes rows, by property name, and ids' {
        ([pscustomobject]@{ CallId = $call.CallId; Server = 'pbx' } | Resume-SipCall -PassThru).State | Should -Be Connected
        $call | Suspend-SipCall
        ($call.CallId | Resume-SipCall -PassThru).State | Should -Be Connected
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $call | Resume-SipCall -PassThru -WhatIf }
        ($call | Get-SipCallStatus).State | Should -Be OnHold
    }

    It 'tells of a call that is not on hold, or not there' {
        $call | Resume-SipCall
        Assert-Error { $call | Resume-SipCall } SipCallNotOnHold '*not on hold*' InvalidOperation
        Assert-Error { Resume-SipCall nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
    }
}
