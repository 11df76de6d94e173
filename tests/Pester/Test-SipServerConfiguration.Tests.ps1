BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $credential = [pscredential]::new('u', (ConvertTo-SecureString 'p' -AsPlainText))
}

AfterAll {
    Stop-Everything
}

Describe 'Test-SipServerConfiguration' {
    It 'finds nothing wrong with what can be used' {
        $check = Test-SipServerConfiguration pbx -Type Asterisk -Credential $credential
        $check.IsValid | Should -BeTrue
        $check.Problems | Should -BeNullOrEmpty
    }

    It 'lists everything that is wrong, and sends nothing' {
        $check = Test-SipServerConfiguration -Configuration @{ Host = 'x'; Type = 'Asterisk'; Port = 70000; Colour = 'red' }
        $check.IsValid | Should -BeFalse
        $check.Problems.Parameter | Should -Be Colour, Port, Credential
        "$($check.Problems)" | Should -BeLike '*70000*1 to 65535*'
    }

    It 'takes rows of a table, by property name' {
        ([pscustomobject]@{ Host = 'a'; Port = '5038'; Credential = $credential }, [pscustomobject]@{ Host = 'b'; Port = '0'; Credential = $credential } | Test-SipServerConfiguration).IsValid | Should -Be $true, $false
    }

    It 'reads as text in a file' {
        $row = Test-SipServerConfiguration pbx -Port 0 -Credential $credential | ConvertTo-Csv | ConvertFrom-Csv
        $row.Problems | Should -BeLike "Port '0': *"
    }

    It 'shows a table' {
        @(Get-View (Test-SipServerConfiguration pbx -Port 0 -Credential $credential)) -match '^pbx' | Should -BeLike "*no*Port '0'*"
    }

    It 'refuses a value that no port has' {
        Assert-Error { Test-SipServerConfiguration pbx -Port many } CannotConvertArgumentNoMessage '*many*' InvalidArgument
    }
}
