BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Enable-SipAccount' {
    BeforeEach {
        $ann = New-SipAccount "ann$([guid]::NewGuid().ToString('N').Substring(0, 8))"
        $ann | Disable-SipAccount
    }

    It 'opens an account' {
        $after = Enable-SipAccount $ann.Username -PassThru
        ($after.Blocked) | Should -BeFalse
    }

    It 'takes accounts, and rows by property name' {
        $after = $ann | Enable-SipAccount -PassThru
        ($after.Blocked) | Should -BeFalse
        $after = [pscustomobject]@{ SipUri = $ann.SipUri; Server = 'pbx' } | Enable-SipAccount -PassThru
        ($after.Blocked) | Should -BeFalse
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $ann | Enable-SipAccount -PassThru -WhatIf }
        (Get-SipAccount $ann.Username).Blocked | Should -Be $true
    }

    It 'tells of an account that is not there' {
        Assert-Error { Enable-SipAccount nobody } SipAccountNotFound '*nobody*' ObjectNotFound
    }
}
