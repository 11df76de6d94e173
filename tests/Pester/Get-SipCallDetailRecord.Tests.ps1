BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipCallDetailRecord' {
    BeforeAll {
        $call = New-SipCall -From 1001 -To busy -Wait
        $record = $call | Get-SipCallDetailRecord
    }

    It 'gives the records of a call' {
        # Asterisk writes one more for the leg that was dialled and is busy.
        $record.CallId | Select-Object -Unique | Should -Be $call.CallId
        $record.Disposition | Should -Contain BUSY
        $record.StartedAt.Kind | Select-Object -Unique | Should -Be Utc
    }

    It 'lists all, and chooses by number with wildcards and time' {
        (Get-SipCallDetailRecord).CallId | Should -Contain $call.CallId
        (Get-SipCallDetailRecord -To 'b*').CallId | Select-Object -Unique | Should -Be $call.CallId
        Get-SipCallDetailRecord -To '9*' | Should -BeNullOrEmpty
        Get-SipCallDetailRecord -After (Get-Date).AddHours(1) | Should -BeNullOrEmpty
    }

    It 'takes ids and rows, by property name' {
        ($call.CallId | Get-SipCallDetailRecord).To | Select-Object -Unique | Should -Be busy
        ([pscustomobject]@{ CallId = $call.CallId; Server = 'pbx' } | Get-SipCallDetailRecord).To | Select-Object -Unique | Should -Be busy
    }

    It 'tells of a server that keeps none' {
        Start-Pair Flexisip flexi | Out-Null
        Assert-Error { Get-SipCallDetailRecord -Server flexi } SipNotSupported '*one account at a time*' NotImplemented
        Disconnect-SipServer flexi
    }
}
