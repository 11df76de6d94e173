BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair Flexisip | Out-Null
}

AfterAll {
    Stop-Everything
}

Describe 'Send-SipPushNotification' {
    It 'sends a push' {
        Send-SipPushNotification fcm project token | Should -BeNullOrEmpty
    }

    It 'takes rows, by property name' {
        { [pscustomobject]@{ Provider = 'fcm'; Param = 'project'; Prid = 'token'; Server = 'pbx' } | Send-SipPushNotification } | Should -Not -Throw
    }

    It 'asks nothing with -WhatIf' {
        Assert-NothingSent { Send-SipPushNotification fcm project token -WhatIf }
    }

    It 'refuses a provider that does not exist' {
        (Get-FirstError { Send-SipPushNotification pigeon project token }).FullyQualifiedErrorId | Should -BeLike 'ParameterArgumentValidationError,*'
    }
}
