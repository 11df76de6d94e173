BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
    $ann = New-SipAccount ann
    Set-SipCallForwarding ann Always -To sip:bob@sip.example.com | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipCallForwarding' {
    It 'lists the rules of an account' {
        $rule = Get-SipCallForwarding ann
        $rule.Type | Should -Be Always
        $rule.To | Should -Be 'sip:bob@sip.example.com'
    }

    It 'takes accounts, and rows by property name' {
        ($ann | Get-SipCallForwarding).Type | Should -Be Always
        ([pscustomobject]@{ SipUri = $ann.SipUri; Server = 'pbx' } | Get-SipCallForwarding).Type | Should -Be Always
    }

    It 'tells of an account that is not there' {
        Assert-Error { Get-SipCallForwarding nobody } SipAccountNotFound '*nobody*' ObjectNotFound
    }
}
