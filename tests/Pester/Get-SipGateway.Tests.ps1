BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipGateway' {
    It 'lists endpoints and trunks, with wildcards' {
        (Get-SipGateway).Name | Should -Contain 1001
        (Get-SipGateway 'unr*').Available | Should -BeFalse
    }

    It 'takes servers, by value and by property name' {
        (Get-SipServer | Get-SipGateway 1001).Server | Should -Be pbx
        ([pscustomobject]@{ Server = 'pbx' } | Get-SipGateway 1001).Name | Should -Be 1001
    }

    It 'tells of a server that knows none' {
        Start-Pair Yate yate | Out-Null
        Assert-Error { Get-SipGateway -Server yate } SipNotSupported '*Nothing was sent*' NotImplemented
        Disconnect-SipServer yate
    }
}
