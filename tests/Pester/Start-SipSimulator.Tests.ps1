BeforeAll {
    . $PSScriptRoot/Shared.ps1
}

AfterAll {
    Stop-Everything
}

Describe 'Start-SipSimulator' {
    It 'plays each kind of server on loopback' -ForEach 'Asterisk', 'FreeSwitch', 'Yate', 'Kamailio', 'OpenSips', 'Flexisip' {
        $simulator = Start-SipSimulator $_
        $simulator.Type | Should -Be $_
        $simulator.Host | Should -Be 127.0.0.1
        $simulator.Port | Should -BeGreaterThan 0
    }

    It 'is taken by Connect-SipServer, by property name' {
        (Start-SipSimulator | Connect-SipServer).State | Should -Be Connected
    }

    It 'starts none with -WhatIf' {
        Start-SipSimulator -WhatIf | Should -BeNullOrEmpty
    }

    It 'tells of a port that is taken' {
        $port = (Start-SipSimulator).Port
        Assert-Error { Start-SipSimulator -Port $port } SipSimulatorPortInUse "*127.0.0.1:$port*" ConnectionError
    }

    It 'shows no secret' {
        $simulator = Start-SipSimulator -Secret (ConvertTo-SecureString 'hidden-word' -AsPlainText)
        ($simulator | Format-List * | Out-String) + ($simulator | ConvertTo-Csv) + ($simulator | Format-Table | Out-String) | Should -Not -BeLike '*hidden-word*'
    }

    It 'completes kinds' {
        (Get-Completion 'Start-SipSimulator Ya').CompletionText | Should -Be Yate
    }
}
