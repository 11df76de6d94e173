BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $simulator = Start-Pair Flexisip
}

AfterAll {
    Stop-Everything
}

Describe 'Send-SipMessage' {
    It 'has the server send a message, and tells whom and its id' {
        $sent = Send-SipMessage sip:ann@sip.example.com 'it is time'
        $sent.To | Should -Be sip:ann@sip.example.com
        $sent.Server | Should -Be pbx
        $sent.MessageId | Should -Not -BeNullOrEmpty
        $simulator.SentMessages | Select-Object -Last 1 | Should -Be 'ann@sip.example.com it is time'
    }

    It 'takes addresses, accounts, and rows by property name' {
        ('sip:ann@sip.example.com', 'sip:bob@sip.example.com' | Send-SipMessage -Body hello).To | Should -Be sip:ann@sip.example.com, sip:bob@sip.example.com
        $ann = New-SipAccount ann
        ($ann | Send-SipMessage -Body hello).To | Should -Be $ann.SipUri
        ([pscustomobject]@{ SipUri = 'sip:carl@sip.example.com'; Body = 'by row'; Server = 'pbx' } | Send-SipMessage).To | Should -Be sip:carl@sip.example.com
        $simulator.SentMessages | Select-Object -Last 1 | Should -Be 'carl@sip.example.com by row'
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Send-SipMessage sip:ann@sip.example.com hello -WhatIf }
    }

    It 'refuses what is no address or no line of text, and sends nothing' {
        $before = $simulator.SentMessages.Count
        Assert-Error { Send-SipMessage "sip:a`nb@x" hello } SipInvalidArgument '*-To*' InvalidArgument
        Assert-Error { Send-SipMessage sip:ann@sip.example.com "two`nlines" } SipInvalidArgument '*-Body*one line*' InvalidArgument
        $simulator.SentMessages.Count | Should -Be $before
    }

    It 'tells of one that the server cannot reach, and goes on' {
        $sent = 'sip:nobody@sip.example.com', 'sip:ann@sip.example.com' | Send-SipMessage -Body hello -ErrorAction SilentlyContinue -ErrorVariable e
        $sent.To | Should -Be sip:ann@sip.example.com
        $e.Count | Should -Be 1
        Assert-Error { Send-SipMessage sip:nobody@sip.example.com hello } SipValidationFailed '*Cannot create chat room*' InvalidData
    }

    It 'tells of a server that sends none' {
        Start-Pair Asterisk other | Out-Null
        Assert-Error { Send-SipMessage sip:ann@sip.example.com hello -Server other } SipNotSupported '*Nothing was sent*' NotImplemented
        Disconnect-SipServer other
    }
}
