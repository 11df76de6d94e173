BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipSpace' {
    It 'lists spaces, with wildcards' {
        (Get-SipSpace).Domain | Should -Be sip.example.com
        (Get-SipSpace 'sip.*').Server | Should -Be pbx
        Get-SipSpace 'x*' | Should -BeNullOrEmpty
    }

    It 'takes servers, by value and by property name' {
        (Get-SipServer | Get-SipSpace).Server | Should -Be pbx
        ([pscustomobject]@{ Server = 'pbx' } | Get-SipSpace).Server | Should -Be pbx
    }

    It 'tells of a server that has none' {
        Start-Pair Asterisk other | Out-Null
        Assert-Error { Get-SipSpace -Server other } SipNotSupported '*Nothing was sent*' NotImplemented
        Disconnect-SipServer other
    }
}
