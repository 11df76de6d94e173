BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Yate | Out-Null
    Register-SipRoute day { } | Out-Null
    Register-SipRoute night -Number '7*' { } | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipRoute' {
    It 'lists routes with their counters, with wildcards' {
        (Get-SipRoute).Name | Should -Be day, night
        (Get-SipRoute 'n*').Number | Should -Be '7*'
    }

    It 'takes servers, by value and by property name' {
        (Get-SipServer | Get-SipRoute day).Server | Should -Be pbx
        ([pscustomobject]@{ Server = 'pbx' } | Get-SipRoute day).Server | Should -Be pbx
    }

    It 'asks the server nothing' {
        $before = (Test-SipServer).Operations
        Get-SipRoute | Out-Null
        (Test-SipServer).Operations | Should -Be ($before + 1)
    }

    It 'tells of a connection that is not there' {
        Assert-Error { Get-SipRoute -Server nobody } SipServerNotConnected "*'nobody'*" ConnectionError
    }

    It 'completes names' {
        (Get-Completion 'Unregister-SipRoute n').CompletionText | Should -Be night
    }
}
