BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $simulator = Start-Pair Flexisip
    $ann = New-SipAccount ann
    $uuid = 'urn:uuid:6f3a2f6c-0b1e-4d9a-9c55-1f0a4f6b7c11'
}

AfterAll {
    Stop-Everything
}

Describe 'Remove-SipDevice' {
    BeforeEach {
        $simulator.RegisterDevice('ann@sip.example.com', $uuid, 'LinphoneAndroid/5.2.5 (Pixel 6)')
    }

    It 'removes the registration of a device' {
        Remove-SipDevice ann $uuid -Confirm:$false | Should -BeNullOrEmpty
        Get-SipDevice ann | Should -BeNullOrEmpty
    }

    It 'takes devices from the pipeline, and rows by property name' {
        Get-SipDevice ann | Remove-SipDevice -Confirm:$false
        Get-SipDevice ann | Should -BeNullOrEmpty
        $simulator.RegisterDevice('ann@sip.example.com', $uuid, 'Desk phone')
        [pscustomobject]@{ Account = 'ann'; Uuid = $uuid; Server = 'pbx' } | Remove-SipDevice -Confirm:$false
        Get-SipDevice ann | Should -BeNullOrEmpty
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $ann | Remove-SipDevice -Uuid $uuid -WhatIf }
        (Get-SipDevice ann).Uuid | Should -Be $uuid
    }

    It 'tells of a device or account that is not there' {
        Assert-Error { Remove-SipDevice ann urn:uuid:1 -Confirm:$false } SipDeviceNotFound '*ann has no device urn:uuid:1 on pbx*' ObjectNotFound
        Assert-Error { Remove-SipDevice nobody $uuid -Confirm:$false } SipAccountNotFound '*nobody*' ObjectNotFound
        (Get-SipDevice ann).Uuid | Should -Be $uuid
    }

    It 'refuses what is no instance id' {
        Assert-Error { Remove-SipDevice ann 'a b/c' -Confirm:$false } SipInvalidArgument '*-Uuid*' InvalidArgument
    }
}
