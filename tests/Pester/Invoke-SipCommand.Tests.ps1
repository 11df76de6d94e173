BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Invoke-SipCommand' {
    It 'sends a raw command and gives the answer' {
        $answer = Invoke-SipCommand CoreStatus
        $answer.Success | Should -BeTrue
        $answer.Fields['CoreCurrentCalls'] | Should -Be 0
    }

    It 'takes fields, and the server by property name' {
        ([pscustomobject]@{ Server = 'pbx' } | Invoke-SipCommand Command @{ Command = 'core show version' }).Success | Should -BeTrue
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Invoke-SipCommand CoreStatus -WhatIf }
    }

    It 'refuses a value that would be another command' {
        Assert-Error { Invoke-SipCommand Ping @{ Text = "x`r`nAction: Logoff" } } SipInvalidArgument '-Field *Logoff*' InvalidArgument
    }

    It 'shows what the server said in lines' {
        @(Get-View (Invoke-SipCommand CoreStatus) -List) -match 'CoreCurrentCalls: 0' | Should -HaveCount 1
    }
}
