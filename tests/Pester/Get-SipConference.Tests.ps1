BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipConference' {
    BeforeAll {
        New-TalkingCall | Join-SipConference room1
    }

    It 'lists rooms with their members' {
        $room = Get-SipConference
        $room.Name | Should -Be room1
        $room.Members.Count | Should -Be 2
    }

    It 'chooses by name with wildcards' {
        (Get-SipConference 'ROOM*').Name | Should -Be room1
        Get-SipConference 'x*' | Should -BeNullOrEmpty
    }

    It 'takes servers, and names by property' {
        (Get-SipServer | Get-SipConference).Name | Should -Be room1
        ([pscustomobject]@{ Room = 'room1'; Server = 'pbx' } | Get-SipConference).Name | Should -Be room1
    }

    It 'gives nothing for a room that is not there, and tells of a server that has none' {
        Get-SipConference nowhere | Should -BeNullOrEmpty
        Start-Pair Kamailio proxy | Out-Null
        Assert-Error { Get-SipConference -Server proxy } SipNotSupported '*Nothing was sent*' NotImplemented
        Disconnect-SipServer proxy
    }

    It 'completes rooms that were listed' {
        Get-SipConference | Out-Null
        (Get-Completion 'Join-SipConference ro').CompletionText | Should -Contain room1
    }
}
