BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Set-SipAccount' {
    BeforeAll {
        $ann = New-SipAccount ann -Email ann@example.com
    }

    It 'changes what is named, and says what it changed' {
        $change = Set-SipAccount ann -DisplayName 'Ann A'
        $change.Changes.Property | Should -Be DisplayName
        $after = Get-SipAccount ann
        $after.DisplayName | Should -Be 'Ann A'
        $after.Email | Should -Be ann@example.com
    }

    It 'takes accounts, names, and rows by property name' {
        ($ann | Set-SipAccount -DisplayName B).Account.DisplayName | Should -Be B
        ('ann' | Set-SipAccount -DisplayName C).Account.DisplayName | Should -Be C
        ([pscustomobject]@{ SipUri = $ann.SipUri; Server = 'pbx' } | Set-SipAccount -DisplayName D).Account.DisplayName | Should -Be D
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $ann | Set-SipAccount -DisplayName X -WhatIf }
    }

    It 'tells of an account that is not there' {
        Assert-Error { Set-SipAccount nobody -DisplayName X } SipAccountNotFound '*nobody*' ObjectNotFound
    }

    It 'reads as text in a file' {
        (Set-SipAccount ann -DisplayName Z | ConvertTo-Csv | ConvertFrom-Csv).Changes | Should -BeLike "DisplayName '*' -> 'Z'"
    }
}
