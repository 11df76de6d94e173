BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipDevice' {
    BeforeAll {
        $ann = New-SipAccount ann
    }

    It 'lists devices of an account; none is no error' {
        Get-SipDevice ann | Should -BeNullOrEmpty
    }

    It 'takes accounts, and rows by property name' {
        { $ann | Get-SipDevice } | Should -Not -Throw
        { [pscustomobject]@{ SipUri = $ann.SipUri; Server = 'pbx' } | Get-SipDevice } | Should -Not -Throw
    }

    It 'tells of an account that is not there' {
        Assert-Error { Get-SipDevice nobody } SipAccountNotFound '*nobody*' ObjectNotFound
    }
}
