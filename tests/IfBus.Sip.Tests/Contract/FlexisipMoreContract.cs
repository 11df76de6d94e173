using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <content>Devices, calls, forwarding, messages, provisioning; logins that are refused; and what a Flexisip cannot do.</content>
public abstract partial class FlexisipContract
{
    [FlexisipFact]
    public void Devices_are_listed_and_removed()
    {
        string user = User("dev");
        const string Uuid = "urn:uuid:6f3a2f6c-0b1e-4d9a-9c55-1f0a4f6b7c11";
        Module.Run($"New-SipAccount {user} pa55word");
        Assert.Empty(Module.Run($"Get-SipDevice {user}"));
        Server.Register($"{user}@{Server.Domain}", Uuid, "LinphoneAndroid/5.2.5 (Pixel 6) LinphoneSDK/5.3.47");
        var device = Module.Run<SipDevice>($"Get-SipAccount {user} | Get-SipDevice");
        Assert.Equal((Uuid, $"sip:{user}@{Server.Domain}"), (device.Uuid, device.Account));
        Assert.NotNull(device.UpdatedAt);
        if (!Is20) Assert.Equal(("LinphoneAndroid", "5.2.5", "Pixel 6"), (device.App, device.Version, device.DeviceName));
        Module.Run($"Get-SipDevice {user} | Remove-SipDevice -WhatIf");
        Assert.Single(Module.Run($"Get-SipDevice {user}"));
        Module.Run($"Get-SipDevice {user} | Remove-SipDevice");
        Assert.Empty(Module.Run($"Get-SipDevice {user}"));
        Assert.Equal(ErrorCategory.ObjectNotFound, Module.Fails("SipDeviceNotFound", $"Remove-SipDevice {user} {Uuid}").CategoryInfo.Category);
        Module.Fails("SipInvalidArgument", $"Remove-SipDevice {user} 'a/../b'");
        Remove(user);
    }

    [FlexisipFact]
    public void The_calls_of_an_account_are_told_by_2_1()
    {
        string user = User("calls"), id = "c" + user;
        Module.Run($"New-SipAccount {user} pa55word");
        if (Is20)
        {
            Assert.Contains("2.0", Module.Fails("SipNotSupported", $"Get-SipCallHistory {user}").Exception.Message, StringComparison.Ordinal);
            Module.Fails("SipNotSupported", $"Get-SipCallDetailRecord -Account {user}");
            Module.Fails("SipNotSupported", $"Get-SipCallForwarding {user}");
        }
        else
        {
            // As the proxy tells them.
            string Post(string call, string from, string to) => $$"""{"id":"{{call}}","sip_call_id":"x","from":"{{from}}","to":"{{to}}","devices":{},"initiated_at":"2026-11-22T10:00:00Z","ended_at":null,"conference_id":null}""";
            Raw("POST /statistics/calls", Post(id, $"{user}@{Server.Domain}", $"bob@{Server.Domain}"));
            Raw("POST /statistics/calls", Post(id + "2", $"bob@{Server.Domain}", $"{user}@{Server.Domain}"));
            Raw($"PATCH /statistics/calls/{id}", """{"ended_at":"2026-11-22T10:05:00Z"}""");
            SipCall[] calls = [.. Module.Run($"Get-SipAccount {user} | Get-SipCallHistory").Select(o => (SipCall)o.BaseObject)];
            Assert.Equal([id, id + "2"], calls.Select(c => c.CallId).Order(StringComparer.Ordinal));
            SipCall ended = calls.Single(c => c.CallId == id), open = calls.Single(c => c.CallId == id + "2");
            Assert.Equal((CallState.Terminated, CallDirection.Outbound, TimeSpan.FromMinutes(5), HangupCause.Unknown), (ended.State, ended.Direction, ended.Duration, ended.Cause));
            Assert.Equal((CallDirection.Inbound, null, null), (open.Direction, open.EndedAt, open.Cause));
            Assert.Single(Module.Run($"Get-SipCallHistory {user} -Last 1"));
            var record = Module.Run<SipCallDetailRecord>($"Get-SipAccount {user} | Get-SipCallDetailRecord | Where-Object CallId -eq {id}");
            Assert.Equal(($"{user}@{Server.Domain}", TimeSpan.FromMinutes(5)), (record.From, record.Duration));
            Module.Fails("SipInvalidArgument", "Get-SipCallHistory");
            Forward(user);
        }

        Remove(user);
    }

    [FlexisipFact]
    public void A_provisioning_link_is_shown_once_and_nowhere_else()
    {
        string user = User("prov");
        Module.Run($"New-SipAccount {user} -Email {user}@mail.example");
        var link = Module.Run<SipProvisioning>($"Get-SipAccount {user} | New-SipProvisioning");
        Assert.Matches($"^http://{Server.Space}:{Server.Port}/provisioning/[A-Za-z0-9]+$", link.Link!);
        string token = link.Link!.Split('/')[^1];
        Assert.DoesNotContain(token, link.ToString(), StringComparison.Ordinal);
        string shown = PSSerializer.Serialize(Module.Run($"Get-SipAccount {user}; Set-SipAccount {user} -DisplayName X; Invoke-SipCommand 'GET /accounts/{user}@{Server.Domain}/search'").ToArray(), 5);
        Assert.Contains("HasProvisioningToken", shown, StringComparison.Ordinal);
        Assert.DoesNotContain(token, shown, StringComparison.Ordinal);
        var second = Module.Run<SipProvisioning>($"New-SipProvisioning {user}");
        Assert.NotEqual(link.Link, second.Link);
        Module.Run($"Set-SipAccount {user} -Clear Email");
        Module.Fails("SipAccountHasNoEmail", $"New-SipProvisioning {user} -SendEmail");
        Remove(user);
    }

    [FlexisipFact]
    public void Pushes_and_messages_are_sent_where_the_server_can()
    {
        Module.Fails("SipInvalidArgument", $"Send-SipMessage bob@{Server.Domain} \"two`nlines\"");
        if (Server.HasPusher)
        {
            Module.Run("Send-SipPushNotification fcm project device-token:1 -Type message");
            Assert.Equal($"bob@{Server.Domain}", Module.Run<object>($"(Send-SipMessage bob@{Server.Domain} hello).To"));
        }
        else
        {
            Module.Fails("SipServerUnavailable", "Send-SipPushNotification fcm project device-token:1 -Type message");
            Module.Fails("SipNotSupported", $"Send-SipMessage bob@{Server.Domain} hello");
        }
    }

    [FlexisipFact]
    public void The_spaces_are_told()
    {
        SipSpace[] spaces = [.. Module.Run("Get-SipSpace").Select(o => (SipSpace)o.BaseObject)];
        SipSpace own = spaces.Single(s => s.Host == Server.Space);
        Assert.Equal((Server.Domain, true, false), (own.Domain, own.Super, own.Expired));
        Assert.True(spaces.Single(s => s.Host == Server.Expired.Host).Expired);
        if (!Is20) Assert.Equal((true, "SHA-256"), (own.UniqueEmail, own.PasswordAlgorithm));
    }

    [FlexisipFact]
    public void Whatever_needs_a_call_is_refused_with_the_reason_and_nothing_is_sent()
    {
        Assert.Equal(ConnectionState.Connected, Module.Run<SipServer>("Get-SipServer flexi").State);
        long before = Server.Requests?.Invoke() ?? 0;
        foreach (string command in new[]
        {
            "New-SipCall -From 1001 -To 1002", "New-SipCall -To 1001 -Play x", "Get-SipCallStatus", "Stop-SipCall -CallId x", "Move-SipCall 1003 -CallId x", "Suspend-SipCall -CallId x", "Resume-SipCall -CallId x",
            "Join-SipConference r -CallId x", "Get-SipConference", "Start-SipRecording -CallId x", "Send-SipDtmf 1 -CallId x", "Receive-SipCall -CallId x", "Deny-SipCall -CallId x", "Get-SipRegistration", "Get-SipGateway", "Get-SipQueue", "Get-SipCallDetailRecord",
        })
        {
            ErrorRecord error = Module.Fails("SipNotSupported", command);
            Assert.Contains("FlexiAPI", error.Exception.Message, StringComparison.Ordinal);
            Assert.Contains("Nothing was sent.", error.Exception.Message, StringComparison.Ordinal);
            Assert.Equal(ErrorCategory.NotImplemented, error.CategoryInfo.Category);
        }

        if (Server.Requests is { } count) Assert.Equal(before, count());
    }

    [FlexisipFact]
    public void Each_refused_login_says_what_to_do()
    {
        using var module = new ModuleRunspace();
        ErrorRecord Refused(string id, string key, string? space = null) =>
            module.Fails(id, $"param($key) Connect-SipServer {Server.Host} -Port {Server.Port} -Type Flexisip -Space {space ?? Server.Space} -ApiKey ([Net.NetworkCredential]::new('', $key).SecurePassword)", key);
        ErrorRecord[] all =
        [
            Refused("SipApiKeyInvalid", "nosuchkey"),
            Refused("SipApiKeyRefused", Server.ForeignKey),
            Refused("SipSpaceExpired", Server.Expired.Key, Server.Expired.Host),
            Refused("SipSpaceUnknown", Server.Key, "nowhere.example.org"),
        ];
        Assert.All(all, e => Assert.True(e.ErrorDetails.RecommendedAction.Length > 20, e.FullyQualifiedErrorId));
        Assert.Equal(4, all.Select(e => e.Exception.Message).Distinct().Count());
        Assert.Contains("address", all[1].Exception.Message, StringComparison.Ordinal);
        Assert.Contains("-Space", all[3].ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.All(all, e => Assert.DoesNotContain(Server.ForeignKey, e.ToString() + e.Exception, StringComparison.Ordinal));
        module.Fails("SipAuthenticationFailed", $"param($c) Connect-SipServer {Server.Host} -Port {Server.Port} -Type Flexisip -Space {Server.Space} -Credential $c", Credentials.Of(Server.Plain.Address, "wrong"));
        module.Fails("SipAuthenticationFailed", $"param($c) Connect-SipServer {Server.Host} -Port {Server.Port} -Type Flexisip -Space {Server.Space} -Credential $c", Credentials.Of($"nobody@{Server.Domain}", "wrong"));
    }

    [FlexisipFact]
    public void A_plain_account_sees_itself_and_nothing_else()
    {
        foreach (bool byKey in new[] { true, false })
        {
            using var module = new ModuleRunspace();
            if (byKey) Connect(module, Server.Plain.Key);
            else Connect(module, Server.Plain.Address, Server.Plain.Password);
            Assert.Equal("sip:" + Server.Plain.Address, module.Run<SipAccount>($"Get-SipAccount {Server.Plain.Address}").SipUri);
            // Several, so that the count of a nonce goes on.
            for (int i = 0; i < 3; i++) module.Run($"Get-SipDevice {Server.Plain.Address}");
            if (!Is20) Assert.Empty(module.Run($"Get-SipCallHistory {Server.Plain.Address} | Where-Object From -eq nobody"));
            module.Fails("SipNotSupported", "Get-SipAccount");
            module.Fails("SipNotSupported", "Get-SipAccount someone");
            module.Fails("SipNotSupported", "New-SipAccount x pa55word");
            module.Fails("SipNotSupported", "Get-SipSpace");
        }
    }

    [FlexisipFact]
    public void Raw_requests_are_sent_as_they_are_and_secrets_in_answers_are_masked()
    {
        string user = User("raw");
        var made = Module.Run<SipAccount>($"New-SipAccount {user} pa55word");
        Raw($"POST /accounts/{made.Id}/external", """{"username":"ext1","domain":"provider.example.org","protocol":"UDP","password":"extpw"}""");
        SipCommandResult result = Raw($"GET /accounts/{made.Id}/external", null);
        Assert.True(result.Success);
        Assert.Equal("ext1", result.Fields["username"]);
        Assert.Contains(result.Output, l => l.Contains("\"password\": \"***\"", StringComparison.Ordinal));
        Assert.False(Raw("GET /accounts/99999999", null).Success);
        foreach (string bad in new[] { "GET accounts", "FETCH /accounts", "GET /accounts/../up", "GET /a b", "GET //evil.example/x" }) Module.Fails("SipInvalidArgument", $"Invoke-SipCommand '{bad}'");
        Remove(user);
    }

    private SipCommandResult Raw(string command, string? body) => Module.Run<SipCommandResult>("param($c, $b) if ($b) { Invoke-SipCommand $c @{ Body = $b } } else { Invoke-SipCommand $c }", command, body);

    private void Forward(string user)
    {
        SipCallForwarding Set(string arguments) => Module.Run<SipCallForwarding>($"Set-SipCallForwarding {user} {arguments}");
        Assert.Empty(Module.Run($"Get-SipCallForwarding {user}"));
        Assert.Equal((SipForwardingType.Always, $"sip:bob@{Server.Domain}", true), (Set("Always bob") is var made ? made.Type : default, made.To, made.Enabled));
        Assert.Equal($"sip:ann@{Server.Domain}", Set($"Always sip:ann@{Server.Domain}").To);
        Assert.Equal(made.Id, Module.Run<SipCallForwarding>($"Get-SipAccount {user} | Get-SipCallForwarding").Id);
        Module.Fails("SipValidationFailed", $"Set-SipCallForwarding {user} Busy bob");
        Assert.Equal("voicemail", Set("Always -ToVoicemail").ForwardTo);
        Module.Fails("SipInvalidArgument", $"Set-SipCallForwarding {user} Always");
        Module.Run($"Remove-SipCallForwarding {user} Always");
        Module.Fails("SipCallForwardingNotFound", $"Remove-SipCallForwarding {user} Always");
    }
}
