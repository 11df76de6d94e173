BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $simulator = Start-SipSimulator Asterisk
}

AfterAll {
    Stop-Everything
}

Describe 'Connect-SipServer' {
    It 'connects and tells what the server is' {
        $server = $simulator | Connect-SipServer -Name by-value
        $server.State | Should -Be Connected
        $server.Type | Should -Be Asterisk
        $server.Version | Should -BeLike 'Asterisk *'
        $server.Capabilities.HasFlag([IfBus.Sip.SipCapabilities]::MakeCall) | Should -BeTrue
    }

    It 'takes a row of a table, by property name' {
        $row = [pscustomobject]@{ Host = '127.0.0.1'; Port = $simulator.Port; Type = 'Asterisk'; Credential = $simulator.Credential; Name = 'by-row' }
        ($row | Connect-SipServer).Name | Should -Be by-row
    }

    It 'connects to each kind of server' -ForEach 'Asterisk', 'FreeSwitch', 'Yate', 'Kamailio', 'OpenSips', 'Flexisip' {
        (Start-SipSimulator $_ | Connect-SipServer -Name "kind-$_").State | Should -Be Connected
    }

    It 'refuses a wrong password and says so' {
        $wrong = [pscredential]::new('ifbus', (ConvertTo-SecureString 'wrong' -AsPlainText))
        Assert-Error { Connect-SipServer 127.0.0.1 -Port $simulator.Port -Type Asterisk -Credential $wrong } SipAuthenticationFailed '*refused the login of*' AuthenticationError
    }

    It 'refuses a setting that cannot be, before anything is sent' {
        Assert-Error { Connect-SipServer 127.0.0.1 -Port 70000 -Type Asterisk -Credential $simulator.Credential } SipConfigurationInvalid '*70000*1 to 65535*' InvalidArgument
    }

    It 'completes the kinds' {
        (Get-Completion 'Connect-SipServer x -Type Fr').CompletionText | Should -Be FreeSwitch
    }

    It 'tells the story of the connection with -Verbose only' {
        $said = @($simulator | Connect-SipServer -Name told -Verbose 4>&1 | Where-Object { $_ -is [System.Management.Automation.VerboseRecord] })
        "$said" | Should -BeLike '*Connected to told*'
        @($simulator | Connect-SipServer -Name silent 4>&1) | Should -HaveCount 1
    }
}
