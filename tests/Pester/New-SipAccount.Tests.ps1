BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'New-SipAccount' {
    It 'makes an account' {
        $account = New-SipAccount ann (ConvertTo-SecureString 'a-long-password' -AsPlainText) -Email ann@example.com
        $account.SipUri | Should -Be 'sip:ann@sip.example.com'
        $account.Activated | Should -BeTrue
    }

    It 'takes rows of a table, by property name' {
        "Username,Password,DisplayName,Dictionary`nbob,a-long-password,Bob B,colour=red;size=big`neve,,," | Set-Content TestDrive:/users.csv
        $made = Import-Csv TestDrive:/users.csv | New-SipAccount
        $made.Username | Sort-Object | Should -Be bob, eve
        ($made | Where-Object Username -EQ bob).Dictionary['size'] | Should -Be big
    }

    It 'leaves those that are there with -SkipExisting' {
        New-SipAccount ann -SkipExisting | Should -BeNullOrEmpty
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { New-SipAccount carl -WhatIf }
    }

    It 'tells of one that is there already' {
        Assert-Error { New-SipAccount ann } SipAccountExists '*ann*' ResourceExists
    }
}
