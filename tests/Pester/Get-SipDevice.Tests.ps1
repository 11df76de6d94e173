BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $simulator = Start-Pair Flexisip
    $ann = New-SipAccount ann
    $bob = New-SipAccount bob
    $simulator.RegisterDevice('ann@sip.example.com', 'urn:uuid:6f3a2f6c-0b1e-4d9a-9c55-1f0a4f6b7c11', 'LinphoneAndroid/5.2.5 (Pixel 6) LinphoneSDK/5.3.47')
    $simulator.RegisterDevice('sip:ann@sip.example.com', 'urn:uuid:6f3a2f6c-0b1e-4d9a-9c55-1f0a4f6b7c12', 'Desk phone')
}

AfterAll {
    Stop-Everything
}

Describe 'Get-SipDevice' {
    It 'lists the devices of an account, with what they call themselves' {
        $phone, $desk = Get-SipDevice ann | Sort-Object Uuid
        $phone.Uuid | Should -Be urn:uuid:6f3a2f6c-0b1e-4d9a-9c55-1f0a4f6b7c11
        $phone.DeviceName | Should -Be 'Pixel 6'
        $phone.App | Should -Be LinphoneAndroid
        $phone.Version | Should -Be 5.2.5
        $phone.Account | Should -Be $ann.SipUri
        $phone.Server | Should -Be pbx
        $phone.UpdatedAt.Kind | Should -Be Utc
        $desk.UserAgent | Should -Be 'Desk phone'
    }

    It 'says in the verbose stream that none is no proof' {
        Get-SipDevice bob -Verbose 4>&1 | Should -BeLike '*no device, or the server cannot read its registrar*'
        Get-SipDevice bob | Should -BeNullOrEmpty
    }

    It 'takes accounts, and rows by property name' {
        @($ann, $bob | Get-SipDevice).Count | Should -Be 2
        @([pscustomobject]@{ SipUri = $ann.SipUri; Server = 'pbx' } | Get-SipDevice).Count | Should -Be 2
    }

    It 'shows a table that fits' {
        $lines = Get-View (Get-SipDevice ann)
        @($lines) -match 'Pixel 6' | Should -HaveCount 1
        ($lines | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual 120
    }

    It 'tells of an account that is not there, and of a server that has none' {
        Assert-Error { Get-SipDevice nobody } SipAccountNotFound '*nobody*' ObjectNotFound
        Start-Pair Asterisk other | Out-Null
        Assert-Error { Get-SipDevice ann -Server other } SipNotSupported '*Nothing was sent*' NotImplemented
        Disconnect-SipServer other
    }
}
