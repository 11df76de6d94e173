BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Set-SipCallVariable' {
    BeforeAll {
        $call = New-TalkingCall
    }

    It 'sets a variable' {
        $call | Set-SipCallVariable colour red | Should -BeNullOrEmpty
        $call | Get-SipCallVariable colour | Should -Be red
    }

    It 'takes rows, by property name, and ids' {
        [pscustomobject]@{ CallId = $call.CallId; Server = 'pbx' } | Set-SipCallVariable colour green
        $call | Get-SipCallVariable colour | Should -Be green
        $call.CallId | Set-SipCallVariable colour blue
        $call | Get-SipCallVariable colour | Should -Be blue
    }

    It 'asks nothing with -WhatIf' {
        $call | Set-SipCallVariable colour white
        Assert-NothingSent { $call | Set-SipCallVariable colour black -WhatIf }
        $call | Get-SipCallVariable colour | Should -Be white
    }

    It 'refuses a value that would be another command' {
        Assert-Error { $call | Set-SipCallVariable colour "red`r`nAction: Logoff" } SipInvalidArgument '*-Value*' InvalidArgument
    }
}
