BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
    Start-Pair -Name other | Out-Null
    $here = New-TalkingCall -Server pbx
    $there = New-TalkingCall -From 2001 -Server other
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipCallStatus' {
    It 'lists live calls of all servers' {
        (Get-SipCallStatus | Sort-Object Server).CallId | Should -Be $there.CallId, $here.CallId
        (Get-SipCallStatus -Server other).CallId | Should -Be $there.CallId
        (Get-SipCallStatus -Server other, pbx | Sort-Object Server).CallId | Should -Be $there.CallId, $here.CallId
    }

    It 'chooses by number with wildcards, and by state' {
        (Get-SipCallStatus -From '20*').CallId | Should -Be $there.CallId
        (Get-SipCallStatus -To '100?').Count | Should -Be 2
        Get-SipCallStatus -State OnHold | Should -BeNullOrEmpty
        (Get-SipCallStatus -State Connected).Count | Should -Be 2
    }

    It 'takes calls, ids, if:// addresses and rows from the pipeline' {
        ($here | Get-SipCallStatus).State | Should -Be Connected
        ($here.CallId | Get-SipCallStatus -Server pbx).State | Should -Be Connected
        ($here.Uri | Get-SipCallStatus -Server pbx).State | Should -Be Connected
        ([pscustomobject]@{ CallId = $there.CallId; Server = 'other' } | Get-SipCallStatus).From | Should -Be 2001
    }

    It 'leaves out a server that has no calls, unless it is named' {
        Start-Pair Flexisip flexi | Out-Null
        (Get-SipCallStatus).Count | Should -Be 2
        Get-SipCallHistory | Should -BeNullOrEmpty
        Assert-Error { Get-SipCallStatus -Server flexi } SipNotSupported '*Nothing was sent*' NotImplemented
        Disconnect-SipServer flexi
    }

    It 'lists the calls of the servers that are piped, and of no other' {
        (Get-SipServer other | Get-SipCallStatus).CallId | Should -Be $there.CallId
        (Get-SipServer | Get-SipCallStatus | Sort-Object Server).CallId | Should -Be $there.CallId, $here.CallId
        Get-SipServer pbx | Get-SipCallStatus -From '20*' | Should -BeNullOrEmpty
    }

    It 'tells of a call that is not there' {
        Assert-Error { Get-SipCallStatus nobody -Server pbx } SipCallNotFound "*no call 'nobody'*" ObjectNotFound
    }

    It 'completes ids, with who talks, and only of the server that is named' {
        $found = Get-Completion 'Get-SipCallStatus '
        $found.CompletionText | Should -Contain $here.CallId
        ($found | Where-Object CompletionText -EQ $here.CallId).ToolTip | Should -Be '1001 -> 1002 Connected'
        (Get-Completion 'Get-SipCallStatus -Server other -CallId ').CompletionText | Should -Be $there.CallId
    }

    It 'has a table with the whole id at 120 columns and its beginning at 80' {
        (Get-View $here 120)[-1] | Should -BeLike "*$($here.CallId) pbx"
        (Get-View $here 80)[-1] | Should -BeLike "*$($here.CallId.Substring(0, 8))*"
    }
}
