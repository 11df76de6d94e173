BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $simulator = Start-SipSimulator Asterisk
    $file = Join-Path $env:IFBUS_SIP_HOME servers.json
}

AfterAll {
    Remove-Item function:Set-Secret, function:Get-Secret, function:Remove-Secret -ErrorAction Ignore
    Stop-Everything
}

Describe 'Register-SipServer' {
    AfterEach {
        Disconnect-SipServer -All -ErrorAction Ignore
        Get-SipServer -Registered | Unregister-SipServer -WarningAction Ignore
    }

    It 'keeps settings that Connect-SipServer uses by the name' {
        Register-SipServer 127.0.0.1 -Name daily -Type Asterisk -Port $simulator.Port -RingTimeout 20 -MaxCalls 5 | Out-Null
        $profile = Get-SipServer daily -Registered
        "$($profile.Name) $($profile.Type) $($profile.Host):$($profile.Port) $($profile.Login)" | Should -Be "daily Asterisk 127.0.0.1:$($simulator.Port) Credential"
        $profile.Settings['RingTimeout'] | Should -Be 20
        $server = Connect-SipServer daily -Credential $simulator.Credential
        "$($server.Name) $($server.State) $($server.MaxCalls)" | Should -Be 'daily Connected 5'
    }

    It 'keeps no password in the file, and says that it will be asked for where there is no vault' -Skip:([bool](Get-Command Set-Secret -ErrorAction Ignore)) {
        Register-SipServer 127.0.0.1 -Name daily -Type Asterisk -Port $simulator.Port -Credential $simulator.Credential -WarningVariable said -WarningAction SilentlyContinue | Out-Null
        "$said" | Should -BeLike '*is not kept and will be asked for*'
        Get-Content $file -Raw | Should -Not -BeLike "*$($simulator.Credential.GetNetworkCredential().Password)*"
    }

    It 'takes the password from the vault' {
        $global:vault = @{}
        function global:Set-Secret { param($Name, $Secret) $global:vault[$Name] = $Secret }
        function global:Get-Secret { param($Name) $global:vault[$Name] }
        function global:Remove-Secret { param($Name) $global:vault.Remove($Name) }
        try {
            (Register-SipServer 127.0.0.1 -Name daily -Type Asterisk -Port $simulator.Port -Credential $simulator.Credential).SecretStored | Should -BeTrue
            $global:vault.Keys | Should -Be 'IfBus.Sip/daily'
            (Connect-SipServer daily).State | Should -Be Connected
            Unregister-SipServer daily
            $global:vault.Count | Should -Be 0
        }
        finally {
            Remove-Item function:Set-Secret, function:Get-Secret, function:Remove-Secret
        }
    }

    It 'registers the rows of a table' {
        $rows = "Name,Host,Type,Port`na,10.0.0.1,Yate,5040`nb,10.0.0.2,Kamailio,8080" | ConvertFrom-Csv
        ($rows | Register-SipServer).Name | Should -Be a, b
        (Get-SipServer b -Registered).Port | Should -Be 8080
    }

    It 'refuses what the kind of server refuses, and a name that is taken' {
        Assert-Error { Register-SipServer 10.0.0.1 -Name 'a*' -Type Yate } SipConfigurationInvalid '*Name*' InvalidArgument
        Register-SipServer 10.0.0.1 -Name a -Type Yate | Out-Null
        Assert-Error { Register-SipServer 10.0.0.2 -Name A -Type Yate } SipProfileExists "*'a' already*" ResourceExists
        (Register-SipServer 10.0.0.2 -Name A -Type Yate -Force).Host | Should -Be 10.0.0.2
    }

    It 'writes nothing with -WhatIf' {
        Register-SipServer 10.0.0.1 -Name a -Type Yate -WhatIf
        Get-SipServer -Registered | Should -BeNullOrEmpty
    }

    It 'shows its servers in 120 columns' {
        Register-SipServer 10.0.0.1 -Name a -Type Yate -Context from-ops -RingTimeout 20 | Out-Null
        $view = Get-View (Get-SipServer -Registered)
        $view[0] | Should -Match 'Name\s+Type\s+Host\s+Port\s+User\s+Secret\s+Settings'
        $view[2] | Should -Match '^a\s+Yate\s+10\.0\.0\.1\s+Context, RingTimeout$'
    }
}
