BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Remove-SipAccount' {
    BeforeEach {
        $ann = New-SipAccount "ann$([guid]::NewGuid().ToString('N').Substring(0, 8))"
    }

    It 'removes an account' {
        Remove-SipAccount $ann.Username -Confirm:$false
        Assert-Error { Get-SipAccount $ann.Username } SipAccountNotFound "*$($ann.Username)*" ObjectNotFound
    }

    It 'takes accounts, and rows by property name' {
        ($ann | Remove-SipAccount -PassThru -Confirm:$false).Username | Should -Be $ann.Username
        $bob = New-SipAccount bob
        [pscustomobject]@{ SipUri = $bob.SipUri; Server = 'pbx' } | Remove-SipAccount -Confirm:$false
        Assert-Error { Get-SipAccount bob } SipAccountNotFound '*bob*' ObjectNotFound
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $ann | Remove-SipAccount -PassThru -WhatIf }
        (Get-SipAccount $ann.Username).Username | Should -Be $ann.Username
    }

    It 'tells of an account that is not there' {
        Assert-Error { Remove-SipAccount nobody -Confirm:$false } SipAccountNotFound '*nobody*' ObjectNotFound
    }
}
