BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Kamailio | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Remove-SipRegistration' {
    BeforeEach {
        Add-SipRegistration 3001 sip:3001@127.0.0.1:5099 -Expires 600 | Out-Null
    }

    It 'removes where a phone can be reached' {
        Remove-SipRegistration 3001 -Confirm:$false
        Get-SipRegistration 3001 | Should -BeNullOrEmpty
    }

    It 'takes what Get-SipRegistration gives, by property name' {
        Get-SipRegistration 3001 | Remove-SipRegistration -Confirm:$false
        Get-SipRegistration 3001 | Should -BeNullOrEmpty
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Remove-SipRegistration 3001 -WhatIf }
        Get-SipRegistration 3001 | Should -Not -BeNullOrEmpty
    }

    It 'tells of a phone that is not there' {
        Assert-Error { Remove-SipRegistration nobody -Confirm:$false } SipRegistrationNotFound "*'nobody'*" ObjectNotFound
    }
}
