BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $simulator = Start-Pair
}

AfterAll {
    Stop-Everything
}

Describe 'Receive-SipCall' {
    BeforeEach {
        $id = $simulator.StartIncomingCall('5551', 'ring')
        $until = [datetime]::UtcNow.AddSeconds(20)
        while (-not ($call = Get-SipCallStatus -State Incoming, Ringing | Where-Object CallId -EQ $id) -and [datetime]::UtcNow -lt $until) { Start-Sleep -Milliseconds 20 }
        $call | Should -Not -BeNullOrEmpty -Because 'the test needs a call that comes in'
    }

    AfterEach {
        Stop-SipCall -All -Force
    }

    It 'answers a call that comes in' {
        ($call | Receive-SipCall -PassThru).State | Should -Be Connected
    }

    It 'takes rows, by property name' {
        ([pscustomobject]@{ CallId = $id; Server = 'pbx' } | Receive-SipCall -PassThru).State | Should -Be Connected
    }

    It 'takes ids from the pipeline' {
        ($id | Receive-SipCall -PassThru).State | Should -Be Connected
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $call | Receive-SipCall -PassThru -WhatIf }
        ($call | Get-SipCallStatus).IsEnded | Should -BeFalse
    }

    It 'tells of a call that is not there' {
        Assert-Error { Receive-SipCall nobody } SipCallNotFound "*'nobody'*" ObjectNotFound
    }
}
