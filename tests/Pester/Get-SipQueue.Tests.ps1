BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipQueue' {
    It 'lists queues, with wildcards' {
        $queue = Get-SipQueue
        $queue.Name | Should -Be q1
        "$($queue.Members)" | Should -BeLike 'Ringer*'
        Get-SipQueue 'x*' | Should -BeNullOrEmpty
    }

    It 'takes servers, by value and by property name' {
        (Get-SipServer | Get-SipQueue).Server | Should -Be pbx
        ([pscustomobject]@{ Server = 'pbx' } | Get-SipQueue q1).Name | Should -Be q1
    }

    It 'tells of a server that has none' {
        Start-Pair Kamailio proxy | Out-Null
        Assert-Error { Get-SipQueue -Server proxy } SipNotSupported '*Nothing was sent*' NotImplemented
        Disconnect-SipServer proxy
    }
}
