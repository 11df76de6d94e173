BeforeAll {
    . $PSScriptRoot/Shared.ps1
}

AfterAll {
    Stop-Everything
}

Describe 'Unregister-SipServer' {
    BeforeEach {
        Register-SipServer 10.0.0.1 -Name one -Type Yate -Force | Out-Null
        Register-SipServer 10.0.0.2 -Name two -Type Yate -Force | Out-Null
    }

    It 'forgets by name, whatever its letters'' case' {
        Unregister-SipServer ONE | Should -BeNullOrEmpty
        (Get-SipServer -Registered).Name | Should -Be two
    }

    It 'takes registered servers from the pipeline' {
        Get-SipServer -Registered | Unregister-SipServer
        Get-SipServer -Registered | Should -BeNullOrEmpty
    }

    It 'tells of a name that is not there, and goes on' {
        Assert-Error { Unregister-SipServer nobody } SipProfileNotFound "*'nobody'*" ObjectNotFound
        Unregister-SipServer nobody, two -ErrorAction SilentlyContinue
        (Get-SipServer -Registered).Name | Should -Be one
    }

    It 'leaves all with -WhatIf' {
        Unregister-SipServer one -WhatIf
        (Get-SipServer -Registered).Count | Should -Be 2
    }

    It 'completes names' {
        (Get-Completion 'Unregister-SipServer t').CompletionText | Should -Be two
    }
}
