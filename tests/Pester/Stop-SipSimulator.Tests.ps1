BeforeAll {
    . $PSScriptRoot/Shared.ps1
}

AfterAll {
    Stop-Everything
}

Describe 'Stop-SipSimulator' {
    It 'stops a simulator, from the pipeline' {
        $simulator = Start-Pair
        $simulator | Stop-SipSimulator
        (Test-SipServer pbx).Health | Should -Be Critical
        Disconnect-SipServer pbx
    }

    It 'stops all' {
        $one = Start-SipSimulator
        $two = Start-SipSimulator
        Stop-SipSimulator -All
        foreach ($port in $one.Port, $two.Port) { (Get-FirstError { Start-SipSimulator -Port $port }) | Should -BeNullOrEmpty }
    }

    It 'only says what it would do with -WhatIf' {
        $simulator = Start-Pair
        Stop-SipSimulator $simulator -WhatIf
        (Test-SipServer pbx).Health | Should -Be Healthy
    }

    It 'takes simulators only' {
        Assert-Error { Stop-SipSimulator nobody } CannotConvertArgument* '*nobody*' InvalidArgument
    }
}
