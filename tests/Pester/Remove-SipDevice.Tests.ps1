BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Remove-SipDevice' {
    BeforeAll {
        $ann = New-SipAccount ann
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { $ann | Remove-SipDevice -Uuid 6f1d2a36-1111-4222-8333-444455556666 -WhatIf }
    }

    It 'tells of a device or account that is not there, whether it comes by value or by property name' {
        $e = Get-FirstError { [pscustomobject]@{ Account = 'ann'; Uuid = '6f1d2a36-1111-4222-8333-444455556666'; Server = 'pbx' } | Remove-SipDevice -Confirm:$false }
        if ($e) { $e.FullyQualifiedErrorId | Should -BeLike 'SipDeviceNotFound,*' }
        Assert-Error { Remove-SipDevice nobody 6f1d2a36-1111-4222-8333-444455556666 -Confirm:$false } SipAccountNotFound '*nobody*' ObjectNotFound
    }
}
