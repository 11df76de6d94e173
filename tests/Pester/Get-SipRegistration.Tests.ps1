BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipRegistration' {
    It 'lists where phones can be reached, with wildcards' {
        (Get-SipRegistration).Aor | Should -Contain 1001
        (Get-SipRegistration '100?').Count | Should -Be 2
        Get-SipRegistration 'x*' | Should -BeNullOrEmpty
    }

    It 'takes servers, by value and by property name' {
        (Get-SipServer | Get-SipRegistration 1001).Server | Should -Be pbx
        ([pscustomobject]@{ Server = 'pbx' } | Get-SipRegistration 1001).Aor | Should -Be 1001
    }

    It 'tells of a server that knows none' {
        Start-Pair Yate yate | Out-Null
        Assert-Error { Get-SipRegistration -Server yate } SipNotSupported '*Nothing was sent*' NotImplemented
        Disconnect-SipServer yate
    }

    It 'completes contacts that were listed' {
        Get-SipRegistration | Out-Null
        (Get-Completion 'Get-SipRegistration 100').CompletionText | Should -Be 1001, 1002
    }
}
