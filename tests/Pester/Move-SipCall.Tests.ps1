BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Move-SipCall' {
    AfterEach {
        Stop-SipCall -All -Force
    }

    It 'transfers a call' {
        $moved = New-TalkingCall | Move-SipCall 1003 -PassThru
        $moved.State | Should -Be Connected
        $moved.To | Should -Be 1003
    }

    It 'takes ids and rows' {
        $call = New-TalkingCall
        ([pscustomobject]@{ CallId = $call.CallId; Server = 'pbx' } | Move-SipCall -To 1003 -PassThru).To | Should -Be 1003
        ($call.CallId | Move-SipCall -To 1002 -PassThru).To | Should -Be 1002
    }

    It 'asks nothing with -WhatIf' {
        $call = New-TalkingCall
        Assert-NothingSent { $call | Move-SipCall 1003 -PassThru -WhatIf }
        ($call | Get-SipCallStatus).To | Should -Be 1002
    }

    It 'refuses a destination that cannot be, and a call that is not there' {
        $call = New-TalkingCall
        Assert-Error { $call | Move-SipCall "1003`n" } SipInvalidNumber "*-To '1003\n' is refused*" InvalidArgument
        Assert-Error { Move-SipCall 1003 nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
    }
}
