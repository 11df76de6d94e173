BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $simulator = Start-SipSimulator Asterisk
}

AfterAll {
    Stop-Everything
}

Describe 'Find-SipServer' {
    It 'finds out what a port has' {
        $found = Find-SipServer 127.0.0.1 -Port $simulator.Port
        $found.Type | Should -Be Asterisk
        $found.Port | Should -Be $simulator.Port
        $found.Evidence | Should -Not -BeNullOrEmpty
    }

    It 'takes hosts from the pipeline, and rows by property name' {
        ('127.0.0.1' | Find-SipServer -Port $simulator.Port).Type | Should -Be Asterisk
        ([pscustomobject]@{ Host = '127.0.0.1'; Port = $simulator.Port } | Find-SipServer).Type | Should -Be Asterisk
    }

    It 'tells of a host where there is none, and shows each port with -All' {
        $free = Start-SipSimulator
        Stop-SipSimulator $free
        Assert-Error { Find-SipServer 127.0.0.1 -Port $free.Port -Timeout 1 } SipServerNotFound "*127.0.0.1*$($free.Port): nobody listens there*" ConnectionError
        $shown = Find-SipServer 127.0.0.1 -Port $free.Port -Timeout 1 -All
        $shown.Type | Should -BeNullOrEmpty
        $shown.Port | Should -Be $free.Port
    }

    It 'refuses what is no host, and a time that cannot be' {
        Assert-Error { Find-SipServer 'a b' } SipInvalidArgument "*-ComputerName 'a b'*" InvalidArgument
        Assert-Error { Find-SipServer 127.0.0.1 -Timeout 0 } SipInvalidArgument '*-Timeout*0.1 to 60 seconds*' InvalidArgument
    }
}
