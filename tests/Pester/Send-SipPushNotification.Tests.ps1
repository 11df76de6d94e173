BeforeAll {
    . $PSScriptRoot/Shared.ps1
    $simulator = Start-Pair Flexisip
}

AfterAll {
    Stop-Everything
}

Describe 'Send-SipPushNotification' {
    It 'sends a push' {
        Send-SipPushNotification fcm project token -Type call | Should -BeNullOrEmpty
        $simulator.SentPushes | Select-Object -Last 1 | Should -Be 'fcm project call'
    }

    It 'takes rows, by property name' {
        [pscustomobject]@{ Provider = 'apns'; Param = 'team'; Prid = 'token'; Server = 'pbx' } | Send-SipPushNotification
        $simulator.SentPushes | Select-Object -Last 1 | Should -Be 'apns team background'
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Send-SipPushNotification fcm project token -WhatIf }
    }

    It 'refuses a provider that does not exist' {
        Assert-Error { Send-SipPushNotification pigeon project token } ParameterArgumentValidationError '*pigeon*apns*' InvalidData
    }

    It 'tells of a push service that fails, and shows no token' {
        $e = Get-FirstError { Send-SipPushNotification fcm project fail-secret-token }
        $e.FullyQualifiedErrorId | Should -BeLike 'SipServerUnavailable,*'
        $e.CategoryInfo.Category | Should -Be ResourceUnavailable
        ($e | Format-List * -Force | Out-String) | Should -Not -BeLike '*secret-token*'
    }
}
