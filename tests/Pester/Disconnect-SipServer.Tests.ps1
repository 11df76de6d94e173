BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $simulator = Start-SipSimulator Asterisk
}

AfterAll {
    Stop-Everything
}

Describe 'Disconnect-SipServer' {
    BeforeEach {
        $simulator | Connect-SipServer -Name one | Out-Null
        $simulator | Connect-SipServer -Name two | Out-Null
    }

    AfterEach {
        Disconnect-SipServer -All
    }

    It 'ends the connection that is named' {
        Disconnect-SipServer one
        (Get-SipServer).Name | Should -Be two
    }

    It 'takes connections from the pipeline, and names by property' {
        Get-SipServer one | Disconnect-SipServer
        'two' | Disconnect-SipServer
        Get-SipServer | Should -BeNullOrEmpty
    }

    It 'leaves the calls to the server' {
        New-SipCall -From 1001 -To 1002 -Wait -Server one | Out-Null
        Disconnect-SipServer -All
        $simulator | Connect-SipServer -Name three | Out-Null
        $left = Get-SipCallStatus -Server three
        $left | Should -HaveCount 1
        $left | Stop-SipCall
    }

    It 'only says what it would do with -WhatIf' {
        Disconnect-SipServer -All -WhatIf
        Get-SipServer | Should -HaveCount 2
    }

    It 'tells of a connection that is not there' {
        Assert-Error { Disconnect-SipServer nobody } SipServerNotConnected "*'nobody'*" ConnectionError
    }
}
