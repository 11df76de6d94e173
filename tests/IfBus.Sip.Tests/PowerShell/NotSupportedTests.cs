using System.Management.Automation;
using System.Text.RegularExpressions;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>What a kind of server cannot do is refused with the true reason and with what to use instead; what only one can is asked of it.</summary>
public sealed partial class NotSupportedTests : IDisposable
{
    private const string Accounts = "accounts, devices, spaces, messages and pushes are those of a Flexisip";
    private readonly ModuleRunspace _module = new();

    public void Dispose() => _module.Dispose();

    public static TheoryData<string, string, string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string, string, string>();
            string[] accounts =
            [
                "Get-SipAccount", "New-SipAccount ann", "Set-SipAccount ann -DisplayName A", "Remove-SipAccount ann", "Enable-SipAccount ann", "Disable-SipAccount ann", "Get-SipDevice ann", "Remove-SipDevice ann u",
                "Send-SipMessage sip:ann@a hello", "Send-SipPushNotification fcm a b", "New-SipProvisioning ann", "Get-SipSpace", "Get-SipCallForwarding ann", "Set-SipCallForwarding ann Always -To bob", "Remove-SipCallForwarding ann Always",
            ];
            foreach (string type in new[] { "Asterisk", "FreeSwitch", "Yate", "Kamailio", "OpenSips" })
            {
                foreach (string script in accounts) cases.Add(type, script, Accounts, "Connect-SipServer -Type Flexisip");
            }

            foreach ((string type, string instead) in new[] { ("Asterisk", "pjsip.conf"), ("FreeSwitch", "Invoke-SipCommand sofia"), ("Yate", "Invoke-SipCommand user.account") })
            {
                cases.Add(type, "Add-SipRegistration 1001 sip:1001@127.0.0.1", "has no command that registers one", type == "Asterisk" ? instead : "at its address");
                cases.Add(type, "Remove-SipRegistration 1001", "has no command that registers one", type == "Asterisk" ? instead : "at its address");
                cases.Add(type, "Set-SipGateway x Inactive", "the proxies Kamailio and OpenSIPS", instead);
            }

            cases.Add("Flexisip", "Add-SipRegistration 1001 sip:1001@127.0.0.1", "accounts and their devices only", "Remove-SipDevice");
            cases.Add("Flexisip", "Set-SipGateway x Inactive", "accounts and their devices only", "Remove-SipDevice");
            cases.Add("Asterisk", "Register-SipRoute x { }", "asks its dialplan", "extensions.conf");
            cases.Add("FreeSwitch", "Register-SipRoute x { }", "asks its dialplan", "");
            cases.Add("Kamailio", "Register-SipRoute x { }", "the script in its configuration", "on a Yate only");
            cases.Add("OpenSips", "Register-SipRoute x { }", "the script in its configuration", "on a Yate only");
            cases.Add("Flexisip", "Register-SipRoute x { }", "is not asked where calls go", "Set-SipCallForwarding");
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_reason_is_true_and_something_else_is_named(string type, string script, string why, string instead)
    {
        ErrorRecord error = _module.Fails("SipNotSupported", $"$ConfirmPreference = 'None'; Start-SipSimulator {type} | Connect-SipServer -Name s | Out-Null; {script}");
        Assert.Contains(why, error.ToString(), StringComparison.Ordinal);
        Assert.EndsWith(" Nothing was sent.", error.ToString(), StringComparison.Ordinal);
        Assert.Contains(instead, error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(ErrorCategory.NotImplemented, error.CategoryInfo.Category);
        // No right of a login gives it.
        Assert.DoesNotMatch(Rights(), error.ToString());
        // The cmdlets that are named are there.
        foreach (Match cmdlet in Cmdlet().Matches(error.ErrorDetails.RecommendedAction)) _module.Run($"Get-Command {cmdlet.Value}");
    }

    [Fact]
    public void What_only_one_of_the_servers_can_is_asked_of_it()
    {
        _module.Run("foreach ($t in 'Asterisk', 'Yate', 'Flexisip') { Start-SipSimulator $t | Connect-SipServer -Name $t }");
        Assert.Equal("Flexisip", _module.Run<SipAccount>("New-SipAccount ann").Server);
        Assert.Equal(2, _module.Run("Get-SipAccount").Count);
        _module.Run("Get-SipDevice ann; Send-SipMessage sip:ann@sip.example.com hello; Send-SipPushNotification fcm a b; Remove-SipAccount ann -Confirm:$false");
        Assert.Equal("Yate", _module.Run<SipRoute>("Register-SipRoute night { }").Server);
        _module.Run("Unregister-SipRoute night");
        // The default is for what it can.
        _module.Run("Set-SipServer -Default Asterisk");
        Assert.Single(_module.Run("Get-SipAccount"));
        Assert.Equal("Asterisk", _module.Run<SipCall>("New-SipCall 1001 1002").Server);
        // Of two that can, one is to be named.
        _module.Run("Start-SipSimulator Flexisip | Connect-SipServer -Name second; Set-SipServer -Default second");
        Assert.Equal("second", _module.Run<SipAccount>("New-SipAccount bob").Server);
        _module.Run("Disconnect-SipServer Asterisk; Start-SipSimulator Flexisip | Connect-SipServer -Name third; Disconnect-SipServer second");
        _module.Fails("SipServerAmbiguous", "Get-SipAccount");
    }

    [GeneratedRegex("the right|login|has no media")]
    private static partial Regex Rights();

    [GeneratedRegex("[A-Z][a-z]+-Sip[A-Za-z]+")]
    private static partial Regex Cmdlet();
}
