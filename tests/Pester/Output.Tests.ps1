# How objects look, and what is left of them in files, jobs and other processes.
BeforeAll {
    . $PSScriptRoot/Shared.ps1
    Start-Pair | Out-Null
    Start-Pair FreeSwitch fs | Out-Null
    Start-Pair Yate yate | Out-Null
    Start-Pair Kamailio proxy | Out-Null
    $flexi = Start-Pair Flexisip flexi
    $talking = New-TalkingCall -Server fs
    $busy = New-SipCall -From 1001 -To busy -Wait -Server fs
    $recorded = New-TalkingCall -Server pbx
    $recording = $recorded | Start-SipRecording a.wav
    $recorded | Join-SipConference room1
    $ann = New-SipAccount ann -Server flexi -Dictionary @{ colour = 'red' }
    $flexi.RegisterDevice('ann@sip.example.com', 'urn:uuid:6f3a2f6c-0b1e-4d9a-9c55-1f0a4f6b7c11', 'LinphoneAndroid/5.2.5 (Pixel 6)')
    $again = New-SipCall -From 1001 -To busy -Server fs
    $event = Watch-SipEvent -Server fs -CallId $again.CallId -Count 1 -Timeout 20 -WarningAction Ignore
    if (-not $event) {
        # It had ended before it was watched.
        $again = New-SipCall -From 1001 -To 1002 -Server fs
        $event = Watch-SipEvent -Server fs -Type All -Count 1 -Timeout 20
    }

    # One of each type that cmdlets give.
    $objects = [ordered]@{
        SipCall = $talking, $busy
        SipServer = Get-SipServer
        SipServerHealth = Test-SipServer
        SipServerFinding = Find-SipServer 127.0.0.1 -Port (Get-SipServer).Port -Timeout 5
        SipEvent = $event
        SipCallDetailRecord = Get-SipCallDetailRecord -Server fs
        SipRecording = $recording
        SipConference = Get-SipConference -Server pbx
        SipRegistration = Get-SipRegistration -Server pbx, proxy
        SipGateway = Get-SipGateway -Server pbx, proxy
        SipQueue = Get-SipQueue -Server pbx
        SipStatistic = Get-SipStatistic -Server pbx, fs
        SipCommandResult = Invoke-SipCommand CoreStatus -Server pbx
        SipRoute = Register-SipRoute night -Number '7*' { } -Server yate
        SipSimulator = Start-SipSimulator
        SipConfigurationCheck = Test-SipServerConfiguration x -Port 0
        SipAccount = $ann
        SipAccountChange = $ann | Set-SipAccount -DisplayName 'Ann A' -Server flexi
        SipSpace = Get-SipSpace -Server flexi
        SipDevice = Get-SipDevice ann -Server flexi
        SipSentMessage = Send-SipMessage sip:ann@sip.example.com hello -Server flexi
        SipProvisioning = $ann | New-SipProvisioning
        SipCallForwarding = $ann | Set-SipCallForwarding -Type Always -To sip:bob@sip.example.com
    }
    $escape = [char]27
}

AfterAll {
    Stop-Everything
}

Describe 'Tables and lists of <_>' -ForEach 'SipCall', 'SipServer', 'SipServerHealth', 'SipServerFinding', 'SipEvent', 'SipCallDetailRecord', 'SipRecording', 'SipConference', 'SipRegistration', 'SipGateway', 'SipQueue', 'SipStatistic', 'SipCommandResult', 'SipRoute', 'SipSimulator', 'SipConfigurationCheck', 'SipAccount', 'SipAccountChange', 'SipSpace', 'SipDevice', 'SipSentMessage', 'SipProvisioning', 'SipCallForwarding' {
    BeforeAll {
        $some = @($objects[$_])
    }

    It 'have a line an object, of 80 and of 120 columns, and headings of one line' {
        $some | Should -Not -BeNullOrEmpty
        if ($_ -eq 'SipProvisioning') { return } # a list only: its link must not be cut
        foreach ($width in 80, 120) {
            $lines = @(Get-View $some $width)
            $lines[1] | Should -Match '^[- ]+$' -Because "the headings are one line:`n$($lines -join "`n")"
            $lines.Count | Should -Be ($some.Count + 2)
            $lines | ForEach-Object { $_.Length | Should -BeLessOrEqual $width }
        }
    }

    It 'show text, and no names of types' {
        $text = ((Get-View $some 120) + (Get-View $some 120 -List)) -join "`n"
        $text | Should -Not -Match 'System\.|IfBus\.Sip\.|KeyValuePair'
        $text.Contains($escape) | Should -BeFalse
    }

    It 'are the same after a job' {
        $back = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($some, 1))
        Get-View $back 120 | Should -Be (Get-View $some 120)
    }
}

Describe 'Times and durations on the screen' {
    It 'are in UTC in tables too, whatever the zone of this machine is' {
        $before = $env:TZ
        try {
            $env:TZ = 'Asia/Tokyo'
            $lines = @(Invoke-Fresh 'Import-Module $manifest; Start-SipSimulator FreeSwitch | Connect-SipServer | Out-Null; $c = New-SipCall -From sofia/gateway/answer/1001 -To busy -Wait; $r = @($c | Get-SipCallDetailRecord)[0]; [TimeZoneInfo]::Local.BaseUtcOffset.TotalHours; $r.StartedAt.ToString("yyyy-MM-dd HH:mm:ss"); $r | Format-Table | Out-String -Width 120')
        }
        finally {
            $env:TZ = $before
        }

        if ($lines[0] -ne '9') { Set-ItResult -Skipped -Because 'this system has no zone Asia/Tokyo'; return }
        @($lines) -match '^Started \(UTC\) ' | Should -HaveCount 1
        @($lines) -match "^$([regex]::Escape($lines[1])) " | Should -HaveCount 1
    }

    It 'are readable' {
        $list = Get-View $busy -List
        $list -match '^CreatedAt' | Should -Match ': \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC$'
        $list -match '^AnsweredAt' | Should -Match ':\s*$'
        $list -match '^Duration' | Should -Match ': 0:00:\d\d\.\d{3}$'
        (Get-View $busy)[-1] | Should -Match ' 0:00:\d\d UserBusy '
    }
}

Describe 'What a caller sends' {
    It 'reaches no terminal as a command' {
        $simulator = Start-Pair FreeSwitch evil
        $simulator.StartIncomingCall("0301$escape[31m", 'ring') | Out-Null
        $call = Get-SipCallStatus -Server evil
        $call.From | Should -Be "0301$escape[31m" -Because 'what the server says stays as it is in the object'
        foreach ($text in (Get-View $call), (Get-View $call -List), ($call | Stop-SipCall -Verbose 4>&1 | Out-String)) {
            "$text".Contains("$escape[31m") | Should -BeFalse
            "$text" | Should -BeLike '*0301*'
        }
    }
}

Describe 'Colours' {
    BeforeAll {
        $script = 'Import-Module $manifest; $s = Start-SipSimulator | Connect-SipServer; $c = New-SipCall -From 1001 -To 1002 -Wait;'
    }

    It 'are there where they are asked for, and width is kept' {
        $lines = @(Invoke-Fresh "`$PSStyle.OutputRendering = 'Ansi'; $script `$c | Format-Table | Out-String -Width 120")
        ($lines -join "`n").Contains($escape) | Should -BeTrue
        $plain = $lines | ForEach-Object { $_ -replace "$escape\[[0-9;]*m" } | Where-Object { $_ -like 'Connected*' }
        $plain.TrimEnd() | Should -Match '^Connected  1001 {13}1002 '
    }

    It 'are not there in what is redirected' {
        # To a file: what is piped into another program pwsh itself colours too, unless NO_COLOR is set.
        $file = Join-Path $TestDrive redirected.txt
        Invoke-Fresh "$script & { `$c; `$s; Test-SipServer; `$c | Format-List } > '$file'"
        Get-Content -Raw $file | Should -BeLike '*Connected*Healthy*'
        (Get-Content -Raw $file).Contains($escape) | Should -BeFalse
    }

    It 'are not there with NO_COLOR or plain text' {
        $before = $env:NO_COLOR
        try {
            $env:NO_COLOR = '1'
            (Invoke-Fresh "$script `$c | Out-Host; `$s | Format-Table | Out-String") -join "`n" | Should -Not -Match $escape
        }
        finally {
            $env:NO_COLOR = $before
        }

        (Invoke-Fresh "`$PSStyle.OutputRendering = 'PlainText'; $script `$c | Format-Table | Out-String") -join "`n" | Should -Not -Match $escape
    }
}

Describe 'Export-Csv and back' {
    It 'gives the facts of a call as text' {
        $busy | Export-Csv TestDrive:/call.csv
        $row = Import-Csv TestDrive:/call.csv
        foreach ($name in 'CallId', 'Uri', 'Server', 'ServerType', 'State', 'Direction', 'From', 'To', 'Cause', 'CauseCode', 'CauseText', 'Codec', 'Duration') { $row.$name | Should -Be "$($busy.$name)" -Because $name }
        $row.Legs | Should -Be ($busy.Legs.Name -join '; ')
        $row.Details | Should -BeLike 'SipCallId=*'
        [timespan]$row.Duration | Should -Be $busy.Duration
    }

    It 'never gives the name of a type' {
        foreach ($type in $objects.Keys) {
            # A simulator carries credentials, which no file is to have.
            if ($type -eq 'SipSimulator') { continue }
            ($objects[$type] | ConvertTo-Csv) -join "`n" | Should -Not -Match 'System\.|IfBus\.Sip\.Sip|\[\]' -Because $type
        }
    }
}

Describe 'ConvertTo-Json and back' {
    It 'gives the facts of a call, times in UTC, and enums by name with -EnumsAsStrings' {
        $back = $busy | ConvertTo-Json -Depth 4 -EnumsAsStrings | ConvertFrom-Json
        foreach ($name in 'CallId', 'Server', 'ServerType', 'State', 'Cause', 'CauseCode', 'From', 'To') { $back.$name | Should -Be "$($busy.$name)" -Because $name }
        $back.CreatedAt.ToUniversalTime() | Should -Be $busy.CreatedAt
        $back.CreatedAt.Kind | Should -Be Utc
        [timespan]::FromTicks($back.Duration.Ticks) | Should -Be $busy.Duration
        $back.Legs.Name | Should -Be $busy.Legs.Name
        $back.Details.SipCallId | Should -Be $busy.Details['SipCallId']
    }
}

Describe 'Export-Clixml, jobs and other processes' {
    BeforeAll {
        # All facts of an object in one text, whatever has carried it.
        function Get-Facts($Item) {
            ConvertTo-Json $Item -Depth 5 -EnumsAsStrings -Compress
        }
    }

    It 'keep a <_> whole' -ForEach 'SipCall', 'SipServer', 'SipServerHealth', 'SipServerFinding', 'SipEvent', 'SipCallDetailRecord', 'SipConference', 'SipRegistration', 'SipGateway', 'SipQueue', 'SipStatistic', 'SipAccount', 'SipAccountChange', 'SipSpace', 'SipDevice', 'SipSentMessage', 'SipRecording', 'SipRoute', 'SipConfigurationCheck' {
        $item = @($objects[$_])[-1]
        $file = Join-Path $TestDrive "$_.xml"
        $item | Export-Clixml $file
        $back = Import-Clixml $file
        $back.PSTypeNames[0] | Should -BeLike "Deserialized.IfBus.Sip.*$_"
        foreach ($property in $item.PSObject.Properties) {
            $was, $is = $property.Value, $back.($property.Name)
            if ($null -eq $was) { $is | Should -BeNullOrEmpty -Because $property.Name; continue }
            if ($was -is [datetime]) { $is.Kind | Should -Be Utc -Because $property.Name }
            if ($was -is [datetime] -or $was -is [timespan] -or $was -is [ValueType]) { "$is" | Should -Be "$was" -Because $property.Name; continue }
            if ($was -is [System.Collections.IEnumerable] -and $was -isnot [string]) { $is.Count | Should -Be $was.Count -Because $property.Name }
            # A table has its entries by name.
            elseif ($was -isnot [System.Collections.IDictionary]) { "$is" | Should -Be "$was" -Because $property.Name }
        }
    }

    It 'keep legs, details and fields as objects' {
        $busy | Export-Clixml TestDrive:/call.xml
        $back = Import-Clixml TestDrive:/call.xml
        $back.Legs[0].Name | Should -Be $busy.Legs[0].Name
        $back.Legs[0].State | Should -Be Hungup
        $back.Details['SipCallId'] | Should -Be $busy.Details['SipCallId']
        $event | Export-Clixml TestDrive:/event.xml
        $back = Import-Clixml TestDrive:/event.xml
        if ($event.Call) { $back.Call.CallId | Should -Be $event.Call.CallId }
        if ($event.Fields.Count) { $back.Fields[0].Name | Should -Be $event.Fields[0].Name }
    }

    It 'go into a job and come out of it' {
        $back = Start-Job { param($calls) $calls; $calls[1].Legs[0].State } -ArgumentList (, ($talking, $busy)) | Receive-Job -Wait -AutoRemoveJob
        $back[0].State | Should -Be Connected
        $back[1].Cause | Should -Be UserBusy
        $back[1].EndedAt.Kind | Should -Be Utc
        $back[1].Duration | Should -BeOfType ([timespan])
        # The legs were objects there too.
        $back[2] | Should -Be Hungup
        # What came back is still a call to all cmdlets.
        ($back[0] | Get-SipCallStatus).CallId | Should -Be $talking.CallId
    }

    It 'are made in a job by the module itself' {
        $back = Start-Job { param($manifest) Import-Module $manifest; Start-SipSimulator | Connect-SipServer | Out-Null; New-SipCall -From 1001 -To busy -Wait } -ArgumentList $manifest | Receive-Job -Wait -AutoRemoveJob
        $back.Cause | Should -Be UserBusy
        $back.Legs.Count | Should -BeGreaterThan 0
        $back.Legs[0].Name | Should -BeLike 'PJSIP/*'
    }
}
