# How a script of one's own is tested without a server: Invoke-Pester ./Test-Reachable.Tests.ps1
# Needs Pester 5, and the module: imported before, or found by its name.
BeforeAll {
    if (-not (Get-Module IfBus.Sip)) { Import-Module IfBus.Sip }
    $simulator = Start-SipSimulator Asterisk
    $null = $simulator | Connect-SipServer -Name 'under-test'
    $script = "$PSScriptRoot/Test-Reachable.ps1"
}

AfterAll {
    Disconnect-SipServer 'under-test'
    $simulator | Stop-SipSimulator
}

Describe 'Test-Reachable' {
    It 'finds a phone that answers, and hangs up' {
        $result = & $script 1002 -From 1001 -Server under-test
        $result.Answered | Should -BeTrue
        Get-SipCallStatus -Server under-test | Should -BeNullOrEmpty
    }

    It 'says why <Number> does not' -ForEach @(
        @{ Number = 'busy'; Cause = 'UserBusy'; Status = 486 }
        @{ Number = 'reject'; Cause = 'CallRejected'; Status = 603 }
    ) {
        $result = & $script $Number -From 1001 -Server under-test
        $result.Answered | Should -BeFalse
        $result.Cause | Should -Be $Cause
        $result.SipStatus | Should -Be $Status
    }

    It 'goes on after a number that does not exist' {
        $results = 'nosuch', '1002' | & $script -From 1001 -Server under-test
        $results.Answered | Should -Be $false, $true
        $results[0].Problem | Should -Match 'nosuch'
    }

    It 'calls nobody with -WhatIf' {
        $before = @(Get-SipCallHistory -Server under-test).Count
        & $script 1002 -From 1001 -Server under-test -WhatIf | Should -BeNullOrEmpty
        Get-SipCallStatus -Server under-test | Should -BeNullOrEmpty
        @(Get-SipCallHistory -Server under-test).Count | Should -Be $before
    }

    It 'says so when the server is gone' {
        $other = Start-SipSimulator Asterisk
        $null = $other | Connect-SipServer -Name 'goes-away' -ReconnectAttempts 0
        $other | Stop-SipSimulator
        $result = & $script 1002 -From 1001 -Server goes-away
        $result.Answered | Should -BeFalse
        $result.Problem | Should -Match 'goes-away'
        Disconnect-SipServer goes-away
    }
}
