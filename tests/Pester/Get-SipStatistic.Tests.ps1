BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipStatistic' {
    It 'tells counters' {
        $counters = Get-SipStatistic
        $counters.Server | Should -Be pbx
        $counters.Version | Should -BeLike 'Asterisk *'
        $counters.ActiveCalls | Should -Be 0
    }

    It 'takes servers, by value and by property name' {
        (Get-SipServer | Get-SipStatistic).Server | Should -Be pbx
        ([pscustomobject]@{ Server = 'pbx' } | Get-SipStatistic).Server | Should -Be pbx
    }

    It 'tells of a connection that is not there' {
        Assert-Error { Get-SipStatistic -Server nobody } SipServerNotConnected "*'nobody'*" ConnectionError
    }
}
