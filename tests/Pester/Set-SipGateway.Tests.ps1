BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Kamailio | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Set-SipGateway' {
    BeforeAll {
        $name = (Get-SipGateway | Where-Object Status -EQ Active | Select-Object -First 1).Name
    }

    It 'takes a trunk out of use and back' {
        (Set-SipGateway $name Inactive -PassThru).Available | Should -BeFalse
        (Set-SipGateway $name Active -PassThru).Available | Should -BeTrue
    }

    It 'takes what Get-SipGateway gives, by property name' {
        (Get-SipGateway $name | Set-SipGateway -State Inactive -PassThru).Name | Should -Be $name
        Set-SipGateway $name Active
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Set-SipGateway $name Inactive -PassThru -WhatIf }
        (Get-SipGateway $name).Available | Should -BeTrue
    }

    It 'tells of a trunk that is not there' {
        Assert-Error { Set-SipGateway 9/sip:nobody@x Inactive } SipRejected '*dispatcher.set_state*' InvalidOperation
    }

    It 'completes trunks that were listed, and states' {
        (Get-Completion "Set-SipGateway ").CompletionText | Should -Contain "'$name'"
        (Get-Completion "Set-SipGateway '$name' Ina").CompletionText | Should -Be Inactive
    }
}
