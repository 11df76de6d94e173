using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>Errors name what the user wrote, and say what can be done.</summary>
public sealed class ErrorTextTests : IDisposable
{
    private readonly ModuleRunspace _module = new();

    public void Dispose() => _module.Dispose();

    [Theory]
    [InlineData("Host", "'a b'")]
    [InlineData("Name", "'a*'")]
    [InlineData("Port", "0")]
    [InlineData("ConnectTimeout", "0")]
    [InlineData("RequestTimeout", "-1")]
    [InlineData("RingTimeout", "100000")]
    [InlineData("KeepAlive", "0")]
    [InlineData("SkipCertificateCheck", "$true")]
    [InlineData("EventBuffer", "1")]
    [InlineData("HistorySize", "-1")]
    [InlineData("ReconnectAttempts", "-1")]
    [InlineData("ReconnectFactor", "0.5")]
    [InlineData("ReconnectDelay", "0")]
    [InlineData("ReconnectDelay", "301")]
    [InlineData("ReconnectMaxDelay", "0")]
    [InlineData("EndpointTemplate", "'x'")]
    [InlineData("Context", "'a b'")]
    public void A_problem_has_the_name_that_the_setting_is_written_with(string setting, string value)
    {
        var found = _module.Run(
            $"$t = @{{ Type = 'Asterisk'; Host = 'x'; Credential = [pscredential]::new('u', [Net.NetworkCredential]::new('', 's').SecurePassword) }}; $t['{setting}'] = {value}; (Test-SipServerConfiguration -Configuration $t).Problems");
        Assert.NotEmpty(found);
        // A wait that is longer than the longest is told of the longest, which says what it must not be less than.
        string[] names = [.. found.Select(p => ((SipConfigurationProblem)p.BaseObject).Parameter).Distinct()];
        Assert.Contains(setting == "ReconnectDelay" && value == "301" ? "ReconnectMaxDelay" : setting, names);
        foreach (SipConfigurationProblem problem in found.Select(p => (SipConfigurationProblem)p.BaseObject))
        {
            // What it is called can be written: it is a setting, and so is what its rule names.
            string named = problem.Rule.Split(' ').FirstOrDefault(w => w.StartsWith("Reconnect", StringComparison.Ordinal)) ?? problem.Parameter;
            foreach (string name in new[] { problem.Parameter, named })
                Assert.DoesNotContain("is no setting", string.Concat(_module.Try($"Test-SipServerConfiguration -Configuration @{{ {name} = 1 }}").Errors), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Get-SipConference ('x' * 33)", "1 to 32 characters")]
    [InlineData("Set-SipConference ('x' * 33) -Locked $true", "1 to 32 characters")]
    [InlineData("$c | Join-SipConference 'a b'", "letters, digits and _")]
    public void A_room_is_refused_by_the_name_of_the_parameter(string script, string rule)
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a; $global:c = New-SipCall -From 1001 -To 1002 -Wait");
        ErrorRecord error = _module.Fails("SipInvalidArgument", script);
        Assert.StartsWith("-Name '", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains(rule, error.Exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Start-SipSimulator -Version nonsense", "-Version 'nonsense' is refused: with -Type Asterisk it is 16, 18, 20, 22 or one that begins with it, for instance 22.10.1 or 16.28.0.")]
    [InlineData("Start-SipSimulator Kamailio -Version 3.6.8", "-Version '3.6.8' is refused: with -Type Kamailio it is 5.6, 5.7, 5.8, 6.0, 6.1 or one that begins with it, for instance 5.6.3.")]
    [InlineData("Start-SipSimulator Flexisip -Version \"2.1`n\"", "-Version '2.1\\n' is refused: with -Type Flexisip it is 2.0, 2.1 or one that begins with it, for instance 2.0.7.")]
    [InlineData("Start-SipSimulator OpenSips -Version ''", "-Version '' is refused: with -Type OpenSips it is 3.4, 3.5, 3.6 or one that begins with it, for instance 3.6.8.")]
    [InlineData("Start-SipSimulator -User \"a`nb\"", "-User 'a\\nb' is refused: 1 to 80 characters that can be printed.")]
    public void A_simulator_is_refused_in_words(string script, string text) =>
        Assert.Equal(text, _module.Fails("SipInvalidArgument", script).Exception.Message);

    [Theory]
    [InlineData("Asterisk", "16.28.0")]
    [InlineData("FreeSwitch", "1.10.9")]
    [InlineData("Yate", "6.4")]
    [InlineData("Kamailio", "6.1.0")]
    [InlineData("OpenSips", "3.6.8")]
    [InlineData("Flexisip", "2.0.7")]
    public void A_version_that_a_simulator_plays_is_taken(string type, string version) =>
        Assert.Single(_module.Run($"Start-SipSimulator {type} -Version {version}; Stop-SipSimulator -All"));

    [Fact]
    public void The_rule_for_variables_is_what_is_held_to()
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a; $global:c = New-SipCall -From 1001 -To 1002 -Wait");
        _module.Run("$c | Set-SipCallVariable _x1 v; $c | Set-SipCallVariable ('x' * 80) v");
        foreach (string bad in new[] { "1x", "a-b", new string('x', 81) })
        {
            ErrorRecord error = _module.Fails("SipInvalidArgument", "param($n) $c | Set-SipCallVariable $n v", bad);
            Assert.Contains("1 to 80 letters, digits and _, and does not begin with a digit", error.Exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_wait_without_a_connection_claims_nothing_of_the_call()
    {
        _module.Run("$global:s = Start-SipSimulator Asterisk; $s | Connect-SipServer -Name a; $global:c = New-SipCall -From 1001 -To 1002 -Wait; $s | Stop-SipSimulator");
        await Until.TrueAsync(() => _module.Run<SipServer>("Get-SipServer a").State == ConnectionState.Reconnecting);
        ErrorRecord error = _module.Fails("SipTimeout", "$c | Wait-SipCall -Timeout 0");
        Assert.Contains("was Connected when it was last seen, and after 0 s, not Terminated: a is Reconnecting.", error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("goes on", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_consultation_that_nobody_answers_in_time_can_be_given_up()
    {
        // Those of the call answer at once, the destination not for a minute.
        _module.Run("Start-SipSimulator Asterisk -RingTime 60 | Connect-SipServer -Name a; $global:c = New-SipCall -From answer0 -To dial-answer0 -Wait");
        ErrorRecord error = _module.Fails("SipTimeout", "$c | Move-SipCall -To 601 -Attended -Timeout 0.2");
        Assert.Contains("Move-SipCall -Cancel", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(CallState.Transferring, _module.Run<SipCall>("$c | Get-SipCallStatus").State);
        Assert.Equal(CallState.Connected, _module.Run<SipCall>("$c | Move-SipCall -Cancel -PassThru").State);
    }
}
