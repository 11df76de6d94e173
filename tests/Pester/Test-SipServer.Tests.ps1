BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
    Start-Pair -Name other | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Test-SipServer' {
    It 'measures one' {
        $health = Test-SipServer pbx
        $health.Health | Should -Be Healthy
        $health.Latency | Should -BeGreaterThan ([timespan]::Zero)
        $health.Server | Should -Be pbx
    }

    It 'measures all if none is named' {
        # Side by side: who answers first comes first.
        (Test-SipServer).Server | Sort-Object | Should -Be other, pbx
    }

    It 'takes servers and names from the pipeline' {
        (Get-SipServer other | Test-SipServer).Server | Should -Be other
        ('pbx', 'other' | Test-SipServer).Server | Sort-Object | Should -Be other, pbx
    }

    It 'says Critical of a server that is gone, which is no error' {
        $gone = Start-Pair -Name gone
        Stop-SipSimulator $gone
        $health = Test-SipServer gone
        $health.Health | Should -Be Critical
        $health.Message | Should -Not -BeNullOrEmpty
        Disconnect-SipServer gone
    }

    It 'tells of a name that is not there' {
        Assert-Error { Test-SipServer nobody } SipServerNotConnected "*'nobody'*" ConnectionError
    }

    It 'has a list with milliseconds' {
        @(Get-View (Test-SipServer pbx) -List) -match '^Latency' | Should -BeLike '* ms'
    }
}
