BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
    Start-Pair -Name other | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Set-SipServer' {
    It 'makes a server the default, and the others not' {
        Set-SipServer -Default other
        (Get-SipServer | Where-Object IsDefault).Name | Should -Be other
        (New-SipCall -From 1001 -To 1002).Server | Should -Be other
    }

    It 'takes a server from the pipeline' {
        (Get-SipServer pbx | Set-SipServer -PassThru).IsDefault | Should -BeTrue
    }

    It 'only says what it would do with -WhatIf' {
        Set-SipServer pbx
        Assert-NothingSent { Set-SipServer other -PassThru -WhatIf }
        (Get-SipServer | Where-Object IsDefault).Name | Should -Be pbx
    }

    It 'tells of a name that is not there' {
        Assert-Error { Set-SipServer nobody } SipServerNotConnected "*'nobody'*" ConnectionError
    }
}
