BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
    $ann = New-SipAccount ann
    Set-SipCallForwarding ann Always -To sip:bob@sip.example.com | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Set-SipCallForwarding' {
    It 'makes and changes a rule' {
        (Set-SipCallForwarding ann Busy -ToVoicemail -Enabled $false).Type | Should -Be Busy
        (Set-SipCallForwarding ann Always -To sip:eve@sip.example.com).To | Should -Be 'sip:eve@sip.example.com'
    }

    It 'takes accounts, and rows by property name' {
        ($ann | Set-SipCallForwarding -Type Always -To sip:bob@sip.example.com).To | Should -Be 'sip:bob@sip.example.com'
        ([pscustomobject]@{ SipUri = $ann.SipUri; Type = 'Always'; To = 'sip:eve@sip.example.com'; Server = 'pbx' } | Set-SipCallForwarding).To | Should -Be 'sip:eve@sip.example.com'
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $ann | Set-SipCallForwarding -Type NoAnswer -ToVoicemail -WhatIf }
    }

    It 'tells of an account that is not there' {
        Assert-Error { Set-SipCallForwarding nobody Always -To sip:bob@sip.example.com } SipAccountNotFound '*nobody*' ObjectNotFound
    }
}
