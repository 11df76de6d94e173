BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
    Start-Pair -Name other | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipServer' {
    It 'lists connections, by name with wildcards' {
        (Get-SipServer).Name | Should -Be pbx, other
        (Get-SipServer 'p*').Name | Should -Be pbx
        Get-SipServer 'nobody*' | Should -BeNullOrEmpty
    }

    It 'tells of a name that is not there' {
        Assert-Error { Get-SipServer nobody } SipServerNotConnected "*'nobody'*" ConnectionError
    }

    It 'shows a table of 80 and 120 columns and a list' {
        (Get-View (Get-SipServer) 80)[0] | Should -BeLike 'Name *Address *State *'
        (Get-View (Get-SipServer) 120) -join ' ' | Should -BeLike '*Asterisk 22*'
        @(Get-View (Get-SipServer pbx) -List) -match '^ConnectedAt' | Should -BeLike '*UTC'
    }

    It 'completes names' {
        (Get-Completion 'Get-SipServer o').CompletionText | Should -Be other
    }
}
