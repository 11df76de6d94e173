BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Send-SipMessage' {
    It 'says what became of a message' {
        $e = $null
        $sent = Send-SipMessage sip:ann@sip.example.com hello -ErrorAction SilentlyContinue -ErrorVariable e
        if ($e) { $e[0].FullyQualifiedErrorId | Should -BeLike 'Sip*,*' } else { $sent.To | Should -Be sip:ann@sip.example.com }
    }

    It 'takes addresses, and rows by property name' {
        foreach ($e in (Get-FirstError { 'sip:ann@sip.example.com' | Send-SipMessage -Body hello }), (Get-FirstError { [pscustomobject]@{ SipUri = 'sip:ann@sip.example.com'; Body = 'hello'; Server = 'pbx' } | Send-SipMessage })) {
            if ($e) { $e.FullyQualifiedErrorId | Should -BeLike 'Sip*,*' }
        }
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Send-SipMessage sip:ann@sip.example.com hello -WhatIf }
    }

    It 'refuses what is no address' {
        Assert-Error { Send-SipMessage "sip:a`nb@x" hello } SipInvalidArgument '*-To*' InvalidArgument
    }
}
