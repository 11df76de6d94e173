BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipAccount' {
    BeforeAll {
        'ann', 'anton', 'bob' | ForEach-Object { New-SipAccount $_ } | Out-Null
    }

    It 'lists accounts, page by page' {
        (Get-SipAccount).Username | Should -Be admin, ann, anton, bob
        (Get-SipAccount -First 1 -Skip 1).Username | Should -Be ann
    }

    It 'finds by name with wildcards, by number, and by address' {
        (Get-SipAccount 'an*').Username | Should -Be ann, anton
        (Get-SipAccount sip:bob@sip.example.com).Username | Should -Be bob
        (Get-SipAccount '#1').Username | Should -Be admin
    }

    It 'takes names and rows, by property name' {
        ('ann', 'bob' | Get-SipAccount).Username | Should -Be ann, bob
        ([pscustomobject]@{ SipUri = 'sip:bob@sip.example.com'; Server = 'pbx' } | Get-SipAccount).Username | Should -Be bob
    }

    It 'tells of an account that is not there' {
        Assert-Error { Get-SipAccount nobody } SipAccountNotFound '*nobody*' ObjectNotFound
    }

    It 'completes accounts that were listed' {
        Get-SipAccount | Out-Null
        (Get-Completion 'Set-SipAccount bo').CompletionText | Should -Be "'bob@sip.example.com'"
    }
}
