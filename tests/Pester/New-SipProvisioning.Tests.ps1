BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'New-SipProvisioning' {
    BeforeAll {
        $ann = New-SipAccount ann
    }

    It 'makes a link for a phone' {
        $link = New-SipProvisioning ann
        $link.SipUri | Should -Be $ann.SipUri
        $link.Link | Should -BeLike '*/provisioning/*'
    }

    It 'takes accounts, and rows by property name' {
        ($ann | New-SipProvisioning).SipUri | Should -Be $ann.SipUri
        ([pscustomobject]@{ SipUri = $ann.SipUri; Server = 'pbx' } | New-SipProvisioning).SipUri | Should -Be $ann.SipUri
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $ann | New-SipProvisioning -WhatIf }
    }

    It 'tells of an account that is not there' {
        Assert-Error { New-SipProvisioning nobody } SipAccountNotFound '*nobody*' ObjectNotFound
    }
}
