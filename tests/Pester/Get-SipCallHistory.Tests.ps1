BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipCallHistory' {
    BeforeAll {
        $busy = New-SipCall -From 1001 -To busy -Wait
        $refused = New-SipCall -From 2001 -To reject -Wait
    }

    It 'lists calls that ended, oldest first' {
        (Get-SipCallHistory).CallId | Should -Be $busy.CallId, $refused.CallId
    }

    It 'chooses by number with wildcards, cause, time and count' {
        (Get-SipCallHistory -From '20*').CallId | Should -Be $refused.CallId
        (Get-SipCallHistory -To 'bus?').CallId | Should -Be $busy.CallId
        (Get-SipCallHistory -Cause UserBusy).CallId | Should -Be $busy.CallId
        (Get-SipCallHistory -Last 1).CallId | Should -Be $refused.CallId
        Get-SipCallHistory -After (Get-Date).AddHours(1) | Should -BeNullOrEmpty
        (Get-SipCallHistory -Before (Get-Date).AddHours(1)).Count | Should -Be 2
    }

    It 'takes servers from the pipeline, by value and by property name' {
        (Get-SipServer | Get-SipCallHistory).Count | Should -Be 2
        ([pscustomobject]@{ Server = 'pbx' } | Get-SipCallHistory).Count | Should -Be 2
    }

    It 'gives the calls of an account of Flexisip' {
        Start-Pair Flexisip flexi | Out-Null
        Assert-Error { Get-SipCallHistory -Server flexi } SipInvalidArgument '*-Account*' InvalidArgument
        New-SipAccount ann -Server flexi | Get-SipCallHistory | Should -BeNullOrEmpty
        Disconnect-SipServer flexi
    }

    It 'tells of a connection that is not there' {
        Assert-Error { Get-SipCallHistory -Server nobody } SipServerNotConnected "*'nobody'*" ConnectionError
    }
}
