BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
    $ann = New-SipAccount ann
    Set-SipCallForwarding ann Always -To sip:bob@sip.example.com | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Remove-SipCallForwarding' {
    BeforeEach {
        Set-SipCallForwarding ann Always -To sip:bob@sip.example.com | Out-Null
    }

    It 'takes a rule away' {
        Remove-SipCallForwarding ann Always
        Get-SipCallForwarding ann | Where-Object Enabled | Should -BeNullOrEmpty
    }

    It 'takes what Get-SipCallForwarding gives, by property name' {
        Get-SipCallForwarding ann | Remove-SipCallForwarding
        Get-SipCallForwarding ann | Where-Object Enabled | Should -BeNullOrEmpty
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $ann | Remove-SipCallForwarding -Type Always -WhatIf }
        Get-SipCallForwarding ann | Should -Not -BeNullOrEmpty
    }

    It 'tells of an account that is not there' {
        Assert-Error { Remove-SipCallForwarding nobody Always } SipAccountNotFound '*nobody*' ObjectNotFound
    }
}
