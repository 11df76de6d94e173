BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipCallVariable' {
    BeforeAll {
        $call = New-TalkingCall
        $call | Set-SipCallVariable colour red
    }

    It 'reads a variable' {
        $call | Get-SipCallVariable colour | Should -Be red
    }

    It 'takes rows, by property name, and ids' {
        [pscustomobject]@{ CallId = $call.CallId; Server = 'pbx' } | Get-SipCallVariable colour | Should -Be red
        $call.CallId | Get-SipCallVariable colour | Should -Be red
    }

    It 'refuses a name that cannot be, and a call that is not there' {
        Assert-Error { $call | Get-SipCallVariable "a`nb" } SipInvalidArgument '*-Name*' InvalidArgument
        Assert-Error { Get-SipCallVariable colour nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
    }
}
