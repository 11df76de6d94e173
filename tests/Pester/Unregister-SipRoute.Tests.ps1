BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Yate | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Unregister-SipRoute' {
    BeforeEach {
        Register-SipRoute night { } | Out-Null
    }

    AfterEach {
        Get-SipRoute | Unregister-SipRoute
    }

    It 'takes a route away' {
        (Unregister-SipRoute night -PassThru).Name | Should -Be night
        Get-SipRoute | Should -BeNullOrEmpty
    }

    It 'takes what Get-SipRoute gives, by property name' {
        Get-SipRoute | Unregister-SipRoute
        Get-SipRoute | Should -BeNullOrEmpty
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Unregister-SipRoute night -PassThru -WhatIf }
        (Get-SipRoute).Name | Should -Be night
    }

    It 'tells of a route that is not there' {
        Assert-Error { Unregister-SipRoute nobody } SipInvalidArgument "*-Name 'nobody'*" InvalidArgument
    }
}
