using System.Management.Automation;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>The cmdlets as a user's script meets them, on the simulator.</summary>
public sealed class CmdletTests : IDisposable
{
    private readonly ModuleRunspace _module = new();

    public void Dispose() => _module.Dispose();

    [Fact]
    public void Without_a_server_and_with_several()
    {
        ErrorRecord none = _module.Fails("SipServerNotConnected", "New-SipCall -From 1 -To 2");
        Assert.Equal(ErrorCategory.ConnectionError, none.CategoryInfo.Category);
        Assert.Contains("Connect-SipServer", none.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a; Start-SipSimulator Asterisk | Connect-SipServer -Name b");
        Assert.Contains("a, b", _module.Fails("SipServerAmbiguous", "New-SipCall -From 1 -To 2").Exception.Message, StringComparison.Ordinal);
        Assert.Equal("b", _module.Run<SipCall>("New-SipCall -From 1 -To 2 -Server b").Server);
        _module.Run("Set-SipServer -Default a");
        Assert.Equal("a", _module.Run<SipCall>("New-SipCall -From 1 -To 2").Server);
        Assert.Equal(2, _module.Run("Get-SipCallStatus").Count);
        // A call that is piped in brings its own server.
        Assert.Equal("b", _module.Run<SipCall>("Get-SipCallStatus -Server b | Stop-SipCall -PassThru").Server);
        Assert.Equal(["a", "b"], _module.Run("Get-SipServer").Select(s => ((SipServer)s.BaseObject).Name));
    }

    [Fact]
    public void WhatIf_does_nothing()
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        Assert.Empty(_module.Run("New-SipCall -From 1 -To 2 -WhatIf"));
        Assert.Empty(_module.Run("Get-SipCallStatus"));
        SipCall call = _module.Run<SipCall>("New-SipCall -From 1 -To 2 -WhatIf:$false");
        Assert.Empty(_module.Run("Get-SipCallStatus | Stop-SipCall -WhatIf -PassThru"));
        Assert.Equal(call.CallId, _module.Run<SipCall>("Get-SipCallStatus").CallId);
    }

    [Fact]
    public void Records_of_a_file_become_calls_and_bad_ones_errors()
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        (var output, IReadOnlyList<ErrorRecord> errors) = _module.Try(
            "[pscustomobject]@{From='1001';To='1002';CallerId='Ann <1001>'}, [pscustomobject]@{From=\"10`r`n01\";To='1002'}, [pscustomobject]@{From='1001';To='1003'} | New-SipCall");
        Assert.Equal(2, output.Count);
        ErrorRecord error = Assert.Single(errors);
        Assert.StartsWith("SipInvalidNumber,", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(ErrorCategory.InvalidArgument, error.CategoryInfo.Category);
        Assert.Contains("-From '10\\r\\n01'", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void There_is_nothing_to_watch_of_a_call_that_has_ended_or_never_was()
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        SipCall call = _module.Run<SipCall>("New-SipCall -From busy -To 1002 -Wait");
        string said = Assert.Single(_module.Run("param($c) $c | Watch-SipEvent 3>&1", call)).ToString();
        Assert.Contains("has ended already (UserBusy)", said, StringComparison.Ordinal);
        _module.Fails("SipCallNotFound", "Watch-SipEvent -CallId nobody");
    }

    [Theory]
    [InlineData("Watch-SipEvent -Timeout -1", "-00:00:01")]
    [InlineData("Watch-SipEvent -Timeout '50.00:00:00'", "50.00:00:00")]
    [InlineData("$c | Wait-SipCall -Timeout -0.001", "-00:00:00.0010000")]
    [InlineData("$c | Wait-SipCall -Timeout 1e9", "11574.01:46:40")]
    public void Times_that_cannot_be_waited_for_are_refused(string script, string value)
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a; New-SipCall -From ring -To 1002 -OutVariable c");
        ErrorRecord error = _module.Fails("SipInvalidArgument", script);
        Assert.Equal($"-Timeout '{value}' is refused: 0 seconds to 49 days; left out: without end.", error.Exception.Message);
        _module.Fails("SipTimeout", "$c | Wait-SipCall -Timeout 0");
        Assert.Empty(_module.Run("Watch-SipEvent CallDtmf -Timeout 0"));
    }

    [Fact]
    public void Configuration_is_checked_offline_and_as_a_whole()
    {
        dynamic check = _module.Run("Test-SipServerConfiguration 'a b' -Port 99999")[0];
        Assert.False((bool)check.IsValid);
        ErrorRecord error = _module.Fails("SipConfigurationInvalid", "Connect-SipServer -Configuration @{ Host = 'x y'; Bogus = 1 }");
        Assert.Contains("Bogus", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("EndpointTemplate", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Raw_commands_and_health()
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        SipCommandResult result = _module.Run<SipCommandResult>("Invoke-SipCommand Command @{ Command = 'core show version' }");
        Assert.Contains("22.10.1", Assert.Single(result.Output), StringComparison.Ordinal);
        // The verdict is about the average: a process that has just begun is slow once, not twenty times.
        _module.Run("1..20 | ForEach-Object { Invoke-SipCommand Ping }");
        Assert.Equal(HealthState.Healthy, _module.Run<SipServerHealth>("Test-SipServer").Health);
        _module.Fails("SipInvalidArgument", "Invoke-SipCommand Logoff");
        _module.Fails("SipInvalidArgument", "Invoke-SipCommand Getvar @{ Variable = \"a`nAction: Hangup\" }");
    }

    [Fact]
    public void Names_and_ids_are_completed_from_memory()
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name 'my server'");
        SipCall call = _module.Run<SipCall>("New-SipCall -From 1001 -To 1002");
        Assert.Equal("'my server'", Complete("Get-SipCallStatus -Server "));
        Assert.Equal(call.CallId, Complete("Stop-SipCall -CallId "));

        string Complete(string line) => Assert.Single(_module.Run("param($l) (TabExpansion2 $l $l.Length).CompletionMatches | ForEach-Object CompletionText", line)).ToString();
    }

    [Fact]
    public void Runspaces_do_not_see_each_other()
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        using var other = new ModuleRunspace();
        Assert.Empty(other.Run("Get-SipServer"));
        Assert.Single(_module.Run("Get-SipServer"));
    }

    [Fact]
    public void Secrets_are_nowhere_in_what_is_shown()
    {
        string shown = string.Join('\n', _module.Run(
            "$s = Start-SipSimulator Asterisk -Secret ([Net.NetworkCredential]::new('', 'hush-hush').SecurePassword); $s; $s | Connect-SipServer -Name a; Get-SipServer; Test-SipServer; New-SipCall -From 1 -To 2 -Verbose -Debug 4>&1 5>&1")
            .SelectMany(o => o.Properties.Select(p => $"{p.Name}={p.Value}").Append(o.ToString())));
        Assert.DoesNotContain("hush-hush", shown, StringComparison.Ordinal);
        Assert.Contains("Name=a", shown, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_in_use_by_another_server_is_refused_and_the_same_is_given_back()
    {
        _module.Run("$a = Start-SipSimulator Asterisk; $b = Start-SipSimulator Asterisk; $global:a = $a; $global:b = $b; $a | Connect-SipServer -Name x");
        Assert.Single(_module.Run("$a | Connect-SipServer -Name x"));
        Assert.Single(_module.Run("Get-SipServer"));
        _module.Fails("SipServerNameInUse", "$b | Connect-SipServer -Name x");
    }

    [Theory]
    [InlineData("-Context other", "Context 'default' (asked for: 'other')")]
    [InlineData("-EndpointTemplate 'SIP/{0}'", "EndpointTemplate 'PJSIP/{0}' (asked for: 'SIP/{0}')")]
    [InlineData("-RequestTimeout 5 -KeepAlive 20", "RequestTimeout '00:00:30' (asked for: '00:00:05'), KeepAlive '00:00:15' (asked for: '00:00:20')")]
    [InlineData("-ReconnectAttempts 3", "ReconnectAttempts not set (asked for: '3')")]
    [InlineData("-Credential ([pscredential]::new('ifbus', [Net.NetworkCredential]::new('', 'hush-hush').SecurePassword))", "the secret")]
    public void Connecting_again_with_other_settings_says_which(string settings, string said)
    {
        _module.Run("Start-SipSimulator Asterisk -OutVariable s | Connect-SipServer -Name x");
        ErrorRecord error = _module.Fails("SipServerNameInUse", $"$s | Connect-SipServer -Name X {settings}");
        Assert.Contains($"with other settings: {said}. Nothing", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("Disconnect-SipServer x", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, 5038)]
    [InlineData(true, 5039)]
    public void What_is_left_out_is_the_same_as_what_is_usual(bool tls, int port)
    {
        var configuration = new SipServerConfiguration { Type = SipServerType.Asterisk, Host = "pbx", UseTls = tls };
        SipServerConfiguration complete = new SipAdapterFactory().Complete(configuration);
        Assert.Equal(("pbx", port, "default", "PJSIP/{0}", null), (complete.Name, complete.Port, complete.Context, complete.EndpointTemplate, configuration.Port));
        Assert.Single(_module.Run("Start-SipSimulator Asterisk -OutVariable s | Connect-SipServer -Name x | ForEach-Object { }; $s | Connect-SipServer -Name x -Context default -EndpointTemplate 'PJSIP/{0}'"));
    }

    [Fact]
    public void Empty_columns_are_none_and_a_wrong_server_costs_one_record()
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        (var output, IReadOnlyList<ErrorRecord> errors) = _module.Try("""
            [pscustomobject]@{ From = '1001'; To = '1002'; Timeout = ''; CallerId = ''; Context = ''; Server = '' },
            [pscustomobject]@{ From = '1001'; To = '1002'; Server = 'nowhere' },
            [pscustomobject]@{ From = '1001'; To = '1003'; Timeout = '30'; Server = 'A' } | New-SipCall
            """);
        Assert.Equal(2, output.Count);
        Assert.StartsWith("SipServerNotConnected,", Assert.Single(errors).FullyQualifiedErrorId, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "1001:Connected")]
    [InlineData("-State Terminated", "busy:Terminated reject:Terminated")]
    [InlineData("-State Terminated -From rej*", "reject:Terminated")]
    [InlineData("-State Connected, Terminated -To 1002", "1001:Connected busy:Terminated")]
    [InlineData("-State Ringing", "")]
    [InlineData("-From '' -To ''", "1001:Connected")]
    public void Calls_by_state_the_ended_ones_too(string filter, string expected)
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a; $null = New-SipCall -From busy -To 1002 -Wait; $null = New-SipCall -From reject -To 1003 -Wait; $null = New-SipCall -From 1001 -To 1002 -Wait");
        Assert.Equal(expected, string.Join(' ', _module.Run("Get-SipCallStatus " + filter).Select(c => (SipCall)c.BaseObject).Select(c => $"{c.From}:{c.State}").Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("$c.CallId | Get-SipCallStatus")]
    [InlineData("$c | Get-SipCallStatus")]
    [InlineData("Get-SipCallStatus -CallId $c")]
    [InlineData("Get-SipCallStatus $c.Uri")]
    [InlineData("[pscustomobject]@{ CallId = $c.CallId; Server = 'a'; State = 'Created' } | Get-SipCallStatus")]
    [InlineData("[System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($c)) | Get-SipCallStatus")]
    [InlineData("$c, $c.CallId | Wait-SipCall -State Dialing, Ringing, Connected | Where-Object Server -eq a")]
    public void Calls_are_found_however_they_are_given(string script)
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        SipCall call = _module.Run<SipCall>("New-SipCall -From 1001 -To 1002");
        var found = _module.Run("param($c) " + script, call);
        Assert.NotEmpty(found);
        Assert.All(found, f => Assert.Equal(call.CallId, ((SipCall)f.BaseObject).CallId));
    }

    [Fact]
    public void A_server_object_brings_its_connection_into_another_runspace()
    {
        SipServer server = _module.Run<SipServer>("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        using (var other = new ModuleRunspace())
        {
            Assert.Equal("a", other.Run<SipServerHealth>("param($s) Test-SipServer -Server $s", server).Server);
            Assert.Empty(other.Run("Get-SipServer"));
        }

        Assert.Equal(ConnectionState.Connected, _module.Run<SipServer>("Get-SipServer").State);
    }

    [Theory]
    [InlineData("Disconnect-SipServer $s")]
    [InlineData("$s | Disconnect-SipServer")]
    [InlineData("Set-SipServer -Default $s")]
    public void A_connection_of_another_runspace_is_used_but_not_changed(string script)
    {
        SipServer server = _module.Run<SipServer>("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        using (var other = new ModuleRunspace())
        {
            Assert.Contains("'a' belongs to another runspace", other.Fails("SipServerBorrowed", "param($s) " + script, server).Exception.Message, StringComparison.Ordinal);
            other.Fails("SipServerNotConnected", "New-SipCall -From 1 -To 2");
            Assert.Equal("a", other.Run<SipCall>("param($s) New-SipCall -From 1 -To 2 -Server $s", server).Server);
        }

        Assert.Equal(ConnectionState.Connected, _module.Run<SipServer>("Get-SipServer").State);
    }

    [Fact]
    public void All_calls_are_ended_without_a_question_when_told_so()
    {
        // This host has nobody to ask.
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a; New-SipCall -From ring -To 1002");
        _module.Run("Stop-SipCall -All -Confirm:$false");
        Assert.Empty(_module.Run("Get-SipCallStatus"));
    }

    [Fact]
    public void A_simulator_does_not_share_its_port()
    {
        _module.Run("Start-SipSimulator Asterisk -OutVariable s");
        _module.Fails("SipSimulatorPortInUse", "Start-SipSimulator Asterisk -Port $s.Port");
    }

    [Fact]
    public void A_simulator_is_stopped_twice_without_a_word()
    {
        _module.Run("$s = Start-SipSimulator Asterisk; $s | Stop-SipSimulator; $s | Stop-SipSimulator");
        Assert.Equal(0, _module.Run<int>("$s.ActiveCalls"));
    }

    [Fact]
    public void A_simulator_has_faults_from_the_start_and_later()
    {
        _module.Fails("SipInvalidArgument", "Start-SipSimulator -Delay -1");
        _module.Run("Start-SipSimulator Asterisk -SplitWrites -Delay 0.001 -OutVariable s | Connect-SipServer -Name a");
        Assert.True(_module.Run<bool>("$s.Faults.SplitWrites"));
        Assert.Equal(CallState.Connected, _module.Run<SipCall>("New-SipCall -From 1001 -To 1002 -Wait").State);
        _module.Run("$s.Faults.RefuseConnections = $true; $s.DropConnections()");
        (_, IReadOnlyList<ErrorRecord> errors) = _module.Try("while ($true) { $null = Invoke-SipCommand Ping -ErrorAction Stop }");
        Assert.Equal(ErrorCategory.ConnectionError, Assert.Single(errors).CategoryInfo.Category);
    }

    [Fact]
    public void The_hash_table_takes_what_has_no_parameter()
    {
        _module.Run("$t = @{ Host = 'x'; Credential = [pscredential]::new('u', [Net.NetworkCredential]::new('', 's').SecurePassword); ReconnectDelay = 0.5; ReconnectMaxDelay = 5; ReconnectFactor = 1.5; EventBuffer = 100; HistorySize = 0 }");
        Assert.True(_module.Run<bool>("(Test-SipServerConfiguration -Configuration $t).IsValid"));
    }

    [Theory]
    [InlineData("Host = 'x'; Bogus = 1", "Bogus")]
    [InlineData("Host = 'x'; ReconnectFactor = 'many'", "ReconnectFactor")]
    [InlineData("Host = 'x'; ReconnectDelay = 10; ReconnectMaxDelay = -1", "ReconnectMaxDelay ReconnectMaxDelay")]
    [InlineData("Host = 'x'; ReconnectDelay = 0", "ReconnectDelay")]
    [InlineData("Host = 'x y'; Bogus = 1; Port = 'many'", "Bogus Host Port")]
    [InlineData("Host = 'x'; UseTls = $true; SkipCertificateCheck = 'false'", "SkipCertificateCheck")] // PowerShell takes that text for true
    public void Whatever_is_wrong_with_a_hash_table_is_listed(string table, string parameters)
    {
        var check = _module.Run("param($c) Test-SipServerConfiguration -Configuration @{ Credential = $c; " + table + " } | ForEach-Object { $_.IsValid; $_.Problems | ForEach-Object Parameter }", Credentials.Of("u", "s"));
        Assert.False((bool)check[0].BaseObject);
        Assert.Equal(parameters, string.Join(' ', check.Skip(1).Select(p => p.ToString()).Order(StringComparer.Ordinal)));
        _module.Fails("SipConfigurationInvalid", "param($c) Connect-SipServer -Configuration @{ Credential = $c; " + table + " }", Credentials.Of("u", "s"));
    }
}
