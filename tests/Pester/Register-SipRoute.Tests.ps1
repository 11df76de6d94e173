BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Yate | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Register-SipRoute' {
    AfterEach {
        Get-SipRoute | Unregister-SipRoute
    }

    It 'registers a script that says where calls go' {
        $route = Register-SipRoute night -Number '7*' { @{ Refuse = 'UserBusy' } }
        $route.Name | Should -Be night
        $route.Active | Should -BeTrue
        (New-SipCall -From 1001 -To 7001 -Wait).IsEnded | Should -BeTrue
        # The counter is read from what runs beside the call.
        $until = [datetime]::UtcNow.AddSeconds(20)
        while ((Get-SipRoute night).Asked -eq 0 -and [datetime]::UtcNow -lt $until) { Start-Sleep -Milliseconds 20 }
        (Get-SipRoute night).Asked | Should -BeGreaterThan 0
    }

    It 'takes servers, by value and by property name' {
        (Get-SipServer | Register-SipRoute one { }).Server | Should -Be pbx
        ([pscustomobject]@{ Server = 'pbx' } | Register-SipRoute two { }).Server | Should -Be pbx
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Register-SipRoute night { } -WhatIf }
        Get-SipRoute | Should -BeNullOrEmpty
    }

    It 'tells of a server that does not ask' {
        Start-Pair Asterisk other | Out-Null
        Assert-Error { Register-SipRoute night { } -Server other } SipNotSupported '*Nothing was sent*' NotImplemented
        Disconnect-SipServer other
    }
}
