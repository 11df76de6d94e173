BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Kamailio | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Add-SipRegistration' {
    It 'adds where a phone can be reached' {
        $added = Add-SipRegistration 3001 sip:3001@127.0.0.1:5099 -Expires 600
        $added.Aor | Should -Be 3001
        (Get-SipRegistration 3001).Contact | Should -Be 'sip:3001@127.0.0.1:5099'
    }

    It 'takes rows, by property name' {
        [pscustomobject]@{ Aor = '3002'; Contact = 'sip:3002@127.0.0.1:5099'; Server = 'pbx' } | Add-SipRegistration | Out-Null
        (Get-SipRegistration 3002).Server | Should -Be pbx
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Add-SipRegistration 3003 sip:3003@127.0.0.1 -WhatIf }
    }

    It 'refuses what is no address' {
        Assert-Error { Add-SipRegistration 3004 "sip:a`nb" } SipInvalidArgument '*-Contact*' InvalidArgument
    }
}
