# What holds for all cmdlets alike: names, parameters, completion, help, and the manifest.
BeforeDiscovery {
    . $PSScriptRoot/Shared.ps1
    $names = (Get-Command -Module IfBus.Sip).Name
}

BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
    $call = New-TalkingCall
    # Takes the call's id, the server's name, or no server at all, since it makes one.
    $withoutServer = 'Register-SipServer', 'Unregister-SipServer', 'Find-SipServer', 'Connect-SipServer', 'Get-SipServer', 'Set-SipServer', 'Test-SipServerConfiguration', 'Start-SipSimulator', 'Stop-SipSimulator'
}

AfterAll {
    Stop-Everything
}

Describe 'Cmdlet <_>' -ForEach $names {
    BeforeAll {
        $command = Get-Command $_
        $parameters = $command.Parameters
        $common = [System.Management.Automation.Cmdlet]::CommonParameters + [System.Management.Automation.Cmdlet]::OptionalCommonParameters
    }

    It 'has an approved verb and a singular noun of ours' {
        $command.Verb | Should -BeIn (Get-Verb).Verb
        $command.Noun | Should -MatchExactly '^Sip[A-Z]'
        # Status is a singular.
        $command.Noun -replace 'Status$' | Should -Not -Match 's$'
        $command.CommandType | Should -Be Cmdlet
    }

    It 'has a test file of its own' {
        "$PSScriptRoot/$_.Tests.ps1" | Should -Exist
    }

    It 'says what it gives, and has a table for it' {
        $views = [xml](Get-Content "$(Split-Path $manifest)/IfBus.Sip.Format.ps1xml" -Raw)
        foreach ($type in $command.OutputType.Name | Where-Object { $_ -like 'IfBus.*' }) {
            $known = $views.SelectNodes("//View[ViewSelectedBy/TypeName='$type' and ViewSelectedBy/TypeName='Deserialized.$type']")
            $known.Count | Should -BeGreaterThan 0 -Because "$type has a view, after a job too"
        }
    }

    It 'asks before it changes something, if its verb says that it does' {
        $changes = $command.Verb -in 'New', 'Set', 'Remove', 'Add', 'Start', 'Stop', 'Move', 'Suspend', 'Resume', 'Join', 'Exit', 'Send', 'Deny', 'Receive', 'Enable', 'Disable', 'Invoke', 'Register', 'Unregister', 'Disconnect'
        $parameters.ContainsKey('WhatIf') | Should -Be $changes
    }

    It 'takes -Server by name or as an object, by property name too, and completes it' {
        if ($_ -in $withoutServer) { return }
        $server = $parameters['Server']
        $server | Should -Not -BeNullOrEmpty
        $server.ParameterType.Name | Should -BeIn String, 'String[]'
        $server.Attributes | Where-Object { $_ -is [IfBus.Sip.PowerShell.Binding.ServerNameAttribute] } | Should -Not -BeNullOrEmpty
        $bound = $server.Attributes | Where-Object { $_ -is [Parameter] }
        ($bound.ValueFromPipelineByPropertyName -contains $true) -or ($bound.ValueFromPipeline -contains $true) | Should -BeTrue
        (Get-Completion "$_ -Server p").CompletionText | Should -Contain pbx
    }

    It 'means the same by the same parameter name' {
        $types = @{
            CallId = 'String[]', 'String'; State = 'CallState[]', 'SipGatewayState'; Cause = 'HangupCause', 'HangupCause[]'; Timeout = 'Nullable`1', 'TimeSpan'; PassThru = , 'SwitchParameter'
            Force = , 'SwitchParameter'; Party = , 'SipParty'; ThrottleLimit = , 'Int32'; After = , 'Nullable`1'; Before = , 'Nullable`1'; Account = , 'String[]'; Muted = 'Nullable`1', 'Boolean'
        }
        foreach ($name in $parameters.Keys | Where-Object { $types.ContainsKey($_) }) { $parameters[$name].ParameterType.Name | Should -BeIn $types[$name] -Because "-$name" }
    }

    It 'takes ids of calls from objects, and completes them with who talks and how it stands' {
        # The Call-ID of a push notification is no call of ours.
        if (-not $parameters.ContainsKey('CallId') -or $_ -eq 'Send-SipPushNotification') { return }
        $parameters['CallId'].Aliases | Should -Contain Id
        $found = Get-Completion "$_ -CallId "
        $found.CompletionText | Should -Be $call.CallId
        $found.ToolTip | Should -Be '1001 -> 1002 Connected'
    }

    It 'completes the values of its enumerations' {
        foreach ($parameter in $parameters.Values | Where-Object { $_.Name -notin $common }) {
            $type = $parameter.ParameterType
            if ($type.IsArray) { $type = $type.GetElementType() }
            $type = [Nullable]::GetUnderlyingType($type) ?? $type
            if (-not $type.IsEnum) { continue }
            @(Get-Completion "$_ -$($parameter.Name) ").Count | Should -BeGreaterThan 1 -Because "-$($parameter.Name)"
        }
    }

    It 'has help with a synopsis, parameters, examples and notes' {
        $help = Get-Help $_ -Full
        $help.Synopsis | Should -Not -BeNullOrEmpty
        # Without help of its own a cmdlet has its syntax there.
        $help.Synopsis | Should -Not -BeLike "*$_*"
        ($help.description | Out-String).Trim() | Should -Not -BeNullOrEmpty
        @($help.examples.example).Count | Should -BeGreaterOrEqual 2
        $help.examples.example.code | ForEach-Object { $_ | Should -Not -BeNullOrEmpty }
        ($help.alertSet | Out-String).Trim() | Should -Not -BeNullOrEmpty
        $described = @{}
        foreach ($parameter in $help.parameters.parameter) { $described[$parameter.name] = ($parameter.description | Out-String).Trim() }
        foreach ($parameter in $parameters.Keys | Where-Object { $_ -notin [System.Management.Automation.Cmdlet]::CommonParameters }) { $described[$parameter] | Should -Not -BeNullOrEmpty -Because "-$parameter" }
    }
}

Describe 'The manifest' {
    BeforeAll {
        $data = Import-PowerShellDataFile $manifest
        $gallery = $data.PrivateData.PSData
    }

    It 'holds, without a warning' {
        $tested = Test-ModuleManifest $manifest -WarningVariable warnings -ErrorAction Stop
        $warnings | Should -BeNullOrEmpty
        $tested.Version | Should -Be ([version]$data.ModuleVersion)
    }

    It 'exports by name, without wildcards, and no more and no less than there is' {
        foreach ($kind in 'CmdletsToExport', 'FunctionsToExport', 'AliasesToExport', 'VariablesToExport') {
            $data.ContainsKey($kind) | Should -BeTrue -Because $kind
            $data[$kind] | Where-Object { $_ -match '[*?]' } | Should -BeNullOrEmpty -Because $kind
        }

        (Get-Command -Module IfBus.Sip).Name | Sort-Object | Should -Be ($data.CmdletsToExport | Sort-Object)
    }

    It 'has what the PowerShell Gallery wants' {
        foreach ($field in 'RootModule', 'ModuleVersion', 'GUID', 'Author', 'CompanyName', 'Copyright', 'Description', 'PowerShellVersion', 'CompatiblePSEditions') { $data[$field] | Should -Not -BeNullOrEmpty -Because $field }
        [version]$data.PowerShellVersion | Should -BeGreaterOrEqual ([version]'7.4')
        $data.CompatiblePSEditions | Should -Be Core
        $gallery.Tags | Should -Contain PSEdition_Core
        $gallery.Tags | ForEach-Object { $_ | Should -Not -Match '\s' }
        $gallery.ReleaseNotes | Should -Not -BeNullOrEmpty
        $data.Description.Length | Should -BeLessThan 4000
    }

    It 'has no field that does not fit PowerShell 7' {
        foreach ($field in 'ModuleToProcess', 'DotNetFrameworkVersion', 'CLRVersion', 'PowerShellHostVersion', 'ProcessorArchitecture') { $data.ContainsKey($field) | Should -BeFalse -Because $field }
    }

    It 'names files that are there' {
        foreach ($file in @($data.RootModule) + $data.FormatsToProcess + $data.TypesToProcess) { Join-Path (Split-Path $manifest) $file | Should -Exist }
    }
}
