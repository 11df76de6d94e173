BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Disable-SipAccount' {
    BeforeEach {
        $ann = New-SipAccount "ann$([guid]::NewGuid().ToString('N').Substring(0, 8))"
        $ann.Blocked | Should -BeFalse
    }

    It 'blocks an account' {
        $after = Disable-SipAccount $ann.Username -PassThru
        ($after.Blocked) | Should -BeTrue
    }

    It 'takes accounts, and rows by property name' {
        $after = $ann | Disable-SipAccount -PassThru
        ($after.Blocked) | Should -BeTrue
        $after = [pscustomobject]@{ SipUri = $ann.SipUri; Server = 'pbx' } | Disable-SipAccount -PassThru
        ($after.Blocked) | Should -BeTrue
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $ann | Disable-SipAccount -PassThru -WhatIf }
        (Get-SipAccount $ann.Username).Blocked | Should -Be $false
    }

    It 'tells of an account that is not there' {
        Assert-Error { Disable-SipAccount nobody } SipAccountNotFound '*nobody*' ObjectNotFound
    }
}
