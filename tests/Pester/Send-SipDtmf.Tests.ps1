BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Send-SipDtmf' {
    BeforeAll {
        $call = New-TalkingCall
    }

    It 'plays digits' {
        $call | Send-SipDtmf 12 -Duration 0.1 -Gap 0.05 | Should -BeNullOrEmpty
        (Get-SipCallStatus $call.CallId).State | Should -Be Connected
    }

    It 'takes rows, by property name, and ids' {
        Get-FirstError { [pscustomobject]@{ CallId = $call.CallId; Server = 'pbx' } | Send-SipDtmf 1 } | Should -BeNullOrEmpty
        Get-FirstError { $call.CallId | Send-SipDtmf '#' } | Should -BeNullOrEmpty
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $call | Send-SipDtmf 12 -WhatIf }
    }

    It 'refuses what is no digit, and a call that is not there' {
        Assert-Error { $call | Send-SipDtmf 'x' } SipInvalidArgument "*-Digits*'x'*" InvalidArgument
        Assert-Error { Send-SipDtmf 1 nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
    }
}
