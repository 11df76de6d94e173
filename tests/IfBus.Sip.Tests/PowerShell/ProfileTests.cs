using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Text.Json;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>The folder of registered servers belongs to the process; nobody else may look while these tests change it.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public static class ProfileFolder
{
    public const string Name = "folder of registered servers";

    private const string Variable = "IFBUS_SIP_HOME";

    /// <summary>No test reads what the developer has registered.</summary>
    [ModuleInitializer]
    internal static void Hide() => Use(Path.Combine(Path.GetTempPath(), $"ifbus-sip-none-{Environment.ProcessId}"));

    internal static void Use(string folder) => Environment.SetEnvironmentVariable(Variable, folder);
}

/// <summary>Register-SipServer, Unregister-SipServer, Get-SipServer -Registered, and Connect-SipServer by a registered name.</summary>
[Collection(ProfileFolder.Name)]
public sealed class ProfileTests : IDisposable
{
    // The commands of SecretManagement, as a script sees them. Kept in $global:vault.
    private const string Vault = """
        $global:vault = @{}
        function global:Set-Secret { param($Name, $Secret) $global:vault[$Name] = $Secret }
        function global:Get-Secret { param($Name) if ($global:vault.ContainsKey($Name)) { $global:vault[$Name] } else { throw "The secret $Name was not found." } }
        function global:Remove-Secret { param($Name) if (-not $global:vault.ContainsKey($Name)) { throw "The secret $Name was not found." }; $global:vault.Remove($Name) }
        """;

    private const string Pbx = "$global:s = Start-SipSimulator Asterisk; ";

    private readonly string _folder = Directory.CreateTempSubdirectory("ifbus-sip-profiles-").FullName;
    private readonly ModuleRunspace _module;

    public ProfileTests()
    {
        ProfileFolder.Use(Path.Combine(_folder, "settings"));
        _module = new ModuleRunspace();
    }

    private string File => Path.Combine(_folder, "settings", "servers.json");

    public void Dispose()
    {
        _module.Dispose();
        ProfileFolder.Hide();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_registered_server_is_connected_to_by_its_name()
    {
        _module.Run(Vault);
        SipServerProfile profile = _module.Run<SipServerProfile>(Pbx + "Register-SipServer 127.0.0.1 -Name pbx1 -Type Asterisk -Port $s.Port -Credential $s.Credential -RingTimeout 25 -Context from-ops -MaxCalls 7");
        Assert.Equal(("pbx1", "127.0.0.1", (SipServerType?)SipServerType.Asterisk, "Credential", true), (profile.Name, profile.Host, profile.Type, profile.Login, profile.SecretStored));
        Assert.Equal(new Dictionary<string, object> { ["Context"] = "from-ops", ["RingTimeout"] = 25.0, ["MaxCalls"] = 7 }, profile.Settings.ToDictionary());

        SipServer server = _module.Run<SipServer>("Connect-SipServer PBX1");
        Assert.Equal(("pbx1", "127.0.0.1", ConnectionState.Connected, (int?)7), (server.Name, server.Host, server.State, server.MaxCalls));
        Assert.Equal(profile.User, server.User);
    }

    [Fact]
    public void The_file_holds_no_secret_and_is_for_its_user_only()
    {
        _module.Run(Vault);
        _module.Run(Pbx + "Register-SipServer 127.0.0.1 -Name pbx1 -Type Asterisk -Port $s.Port -Credential ([pscredential]::new('ops', [Net.NetworkCredential]::new('', 'Tr0ub4dor').SecurePassword))");
        string text = System.IO.File.ReadAllText(File);
        Assert.DoesNotContain("Tr0ub4dor", text, StringComparison.Ordinal);
        using (var json = JsonDocument.Parse(text)) Assert.Equal("ops", json.RootElement.GetProperty("servers").GetProperty("pbx1").GetProperty("User").GetString());
        Assert.Equal("Tr0ub4dor", _module.Run<string>("[Net.NetworkCredential]::new('', $vault['IfBus.Sip/pbx1']).Password"));
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, System.IO.File.GetUnixFileMode(Path.GetDirectoryName(File)!));
    }

    [Fact]
    public void Who_connects_twice_has_one_connection_and_is_not_asked_again()
    {
        _module.Run(Vault);
        _module.Run(Pbx + "Register-SipServer 127.0.0.1 -Name pbx1 -Type Asterisk -Port $s.Port -Credential $s.Credential; Connect-SipServer pbx1; $global:vault.Clear()");
        _module.Run<SipServer>("Connect-SipServer pbx1");
        Assert.Equal(1, _module.Run<int>("$s.Connections"));
    }

    [Fact]
    public void What_is_given_goes_before_what_is_registered()
    {
        _module.Run(Vault);
        _module.Run(Pbx + "Register-SipServer 127.0.0.1 -Name pbx1 -Type Asterisk -Port 1 -Credential $s.Credential -MaxCalls 7 -UseTls");
        SipServer server = _module.Run<SipServer>("Connect-SipServer pbx1 -Port $s.Port -UseTls:$false -MaxCalls 9 -Name other");
        Assert.Equal(("other", false, (int?)9, ConnectionState.Connected), (server.Name, server.Tls, server.MaxCalls, server.State));
    }

    [Fact]
    public void Registered_servers_are_piped_to_their_connections()
    {
        _module.Run(Vault);
        _module.Run(Pbx + "Register-SipServer 127.0.0.1 -Name a -Type Asterisk -Port $s.Port -Credential $s.Credential -MaxCalls 3; $o = Start-SipSimulator OpenSips; Register-SipServer 127.0.0.1 -Name b -Type OpenSips -Port $o.Port");
        SipServer[] servers = [.. _module.Run("Get-SipServer -Registered | Connect-SipServer").Select(o => (SipServer)o.BaseObject)];
        Assert.Equal([("a", (int?)3), ("b", null)], servers.Select(s => (s.Name, s.MaxCalls)));
    }

    [Fact]
    public void A_kind_that_was_not_registered_is_found_out()
    {
        _module.Run("$global:s = Start-SipSimulator OpenSips; Register-SipServer 127.0.0.1 -Name p -Port $s.Port");
        Assert.Equal(SipServerType.OpenSips, _module.Run<SipServer>("Connect-SipServer p").Type);
    }

    [Fact]
    public void Without_a_vault_the_password_is_not_kept_which_is_said()
    {
        Collection<PSObject> output = _module.Run(Pbx + "Register-SipServer 127.0.0.1 -Name pbx1 -Type Asterisk -Port $s.Port -Credential $s.Credential 3>&1");
        Assert.Contains("is not kept and will be asked for", Assert.IsType<WarningRecord>(output[0].BaseObject).Message, StringComparison.Ordinal);
        Assert.False(Assert.IsType<SipServerProfile>(output[1].BaseObject).SecretStored);
        ErrorRecord error = _module.Fails("SipSecretMissing", "Connect-SipServer pbx1");
        Assert.Equal(ErrorCategory.AuthenticationError, error.CategoryInfo.Category);
        Assert.Contains("-Credential", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(ConnectionState.Connected, _module.Run<SipServer>("Connect-SipServer pbx1 -Credential $s.Credential").State);
    }

    [Fact]
    public void A_vault_that_refuses_is_said_and_the_server_is_registered_all_the_same()
    {
        _module.Run("function global:Set-Secret { param($Name, $Secret) throw 'The vault is locked.' }");
        Collection<PSObject> output = _module.Run(Pbx + "Register-SipServer 127.0.0.1 -Name pbx1 -Type Asterisk -Port $s.Port -Credential $s.Credential 3>&1");
        Assert.Contains("The vault is locked", Assert.IsType<WarningRecord>(output[0].BaseObject).Message, StringComparison.Ordinal);
        Assert.Equal("pbx1", _module.Run<SipServerProfile>("Get-SipServer -Registered").Name);
    }

    [Fact]
    public void A_login_that_was_left_out_is_asked_for_later()
    {
        SipServerProfile profile = _module.Run<SipServerProfile>("Register-SipServer 127.0.0.1 -Name pbx1 -Type Asterisk");
        Assert.Equal(("Credential", null, false), (profile.Login, profile.User, profile.SecretStored));
    }

    [Fact]
    public void An_API_key_goes_to_the_vault()
    {
        _module.Run(Vault);
        _module.Run("$global:s = Start-SipSimulator Flexisip; Register-SipServer $s.Host -Name flexi -Type Flexisip -Port $s.Port -Space $s.Space -ApiKey $s.ApiKey");
        Assert.Equal("ApiKey", _module.Run<SipServerProfile>("Get-SipServer flexi -Registered").Login);
        Assert.Equal(ConnectionState.Connected, _module.Run<SipServer>("Connect-SipServer flexi").State);
    }

    [Fact]
    public void A_hash_table_is_registered_like_parameters()
    {
        SipServerProfile profile = _module.Run<SipServerProfile>("Register-SipServer -Configuration @{ Host = '127.0.0.1'; Name = 'y'; Type = 'Yate'; Port = 5040; HistorySize = 500; ReconnectDelay = '00:00:02' }");
        Assert.Equal(((SipServerType?)SipServerType.Yate, (int?)5040), (profile.Type, profile.Port));
        Assert.Equal(new Dictionary<string, object> { ["HistorySize"] = 500, ["ReconnectDelay"] = 2.0 }, profile.Settings.ToDictionary());
    }

    [Fact]
    public void A_name_that_is_taken_is_refused_unless_forced()
    {
        _module.Run("Register-SipServer 10.0.0.1 -Name pbx1 -Type Yate");
        Assert.Equal(ErrorCategory.ResourceExists, _module.Fails("SipProfileExists", "Register-SipServer 10.0.0.2 -Name PBX1 -Type Yate").CategoryInfo.Category);
        Assert.Equal("10.0.0.1", _module.Run<SipServerProfile>("Get-SipServer -Registered").Host);
        _module.Run("Register-SipServer 10.0.0.2 -Name PBX1 -Type Yate -Force");
        Assert.Equal(("PBX1", "10.0.0.2"), _module.Run<SipServerProfile>("Get-SipServer -Registered") is var p ? (p.Name, p.Host) : default);
    }

    [Fact]
    public void A_new_password_that_is_not_kept_takes_the_old_one_out_of_the_vault()
    {
        _module.Run(Vault);
        _module.Run("$global:c = [pscredential]::new('ops', [Net.NetworkCredential]::new('', 'old').SecurePassword); Register-SipServer 10.0.0.1 -Name p -Type Asterisk -Credential $c");
        _module.Run("Register-SipServer 10.0.0.2 -Name p -Type Asterisk -Force");
        Assert.True(_module.Run<SipServerProfile>("Get-SipServer p -Registered").SecretStored);
        _module.Run("function global:Set-Secret { param($Name, $Secret) throw 'The vault is locked.' }; Register-SipServer 10.0.0.2 -Name p -Type Asterisk -Credential $c -Force 3>$null");
        Assert.False(_module.Run<SipServerProfile>("Get-SipServer p -Registered").SecretStored);
        Assert.Equal(0, _module.Run<int>("$vault.Count"));
    }

    [Fact]
    public void Unregister_forgets_the_server_and_its_secret()
    {
        _module.Run(Vault);
        _module.Run(Pbx + "Register-SipServer 127.0.0.1 -Name pbx1 -Type Asterisk -Port $s.Port -Credential $s.Credential; Register-SipServer 10.0.0.9 -Name pbx2 -Type Yate");
        _module.Run("Get-SipServer pbx1 -Registered | Unregister-SipServer");
        Assert.Equal("pbx2", _module.Run<SipServerProfile>("Get-SipServer -Registered").Name);
        Assert.Equal(0, _module.Run<int>("$vault.Count"));
        _module.Fails("SipProfileNotFound", "Unregister-SipServer pbx1");
    }

    [Fact]
    public void WhatIf_changes_nothing()
    {
        _module.Run("Register-SipServer 10.0.0.9 -Name pbx2 -Type Yate -WhatIf");
        Assert.False(System.IO.File.Exists(File));
        _module.Run("Register-SipServer 10.0.0.9 -Name pbx2 -Type Yate; Unregister-SipServer pbx2 -WhatIf");
        Assert.Single(_module.Run("Get-SipServer -Registered"));
    }

    [Fact]
    public void What_the_kind_refuses_is_not_registered()
    {
        ErrorRecord error = _module.Fails("SipConfigurationInvalid", "Register-SipServer 10.0.0.9 -Name 'a*b' -Type Yate -Port 99999");
        Assert.Contains("Name 'a*b'", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("Port '99999'", error.Exception.Message, StringComparison.Ordinal);
        Assert.Empty(_module.Run("Get-SipServer -Registered"));
    }

    [Theory]
    [InlineData("{ \"version\": 1,\n \"servers\": { \"a\": ", "line 2")]
    [InlineData("{ \"version\": 9, \"servers\": {} }", "newer version of the module")]
    [InlineData("{ \"servers\": {} }", "does not say its version")]
    [InlineData("[]", "it holds no object")]
    [InlineData("{ \"version\": 1, \"servers\": { \"a\": { \"Host\": \"h\" }, \"a\": { \"Host\": \"i\" } } }", "stands in it twice")]
    [InlineData("{ \"version\": 1, \"servers\": { \"a\": [] } }", "the server 'a' is no object")]
    public void A_file_that_is_broken_is_named_and_left_as_it_is(string text, string what)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        System.IO.File.WriteAllText(File, text);
        ErrorRecord error = _module.Fails("SipProfileFileInvalid", "Get-SipServer -Registered");
        Assert.Contains(File, error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains(what, error.Exception.Message, StringComparison.Ordinal);
        _module.Fails("SipProfileFileInvalid", "Register-SipServer 10.0.0.1 -Name b -Type Yate");
        Assert.Equal(text, System.IO.File.ReadAllText(File));
    }

    [Theory]
    [InlineData("{ \"Host\": \"h\", \"Password\": \"x\" }", "server 'a': 'Password' is no setting that is kept")]
    [InlineData("{ \"Host\": \"h\", \"Type\": \"Cisco\" }", "server 'a': Type 'Cisco'")]
    [InlineData("{ \"Host\": \"h\", \"UseTls\": \"false\" }", "server 'a': UseTls 'false'")]
    [InlineData("{ \"Host\": \"h\", \"RingTimeout\": \"soon\" }", "server 'a': RingTimeout 'soon'")]
    [InlineData("{ \"Type\": \"Yate\" }", "Host, a text, is missing")]
    public void An_entry_that_cannot_be_used_is_named_and_the_others_can_be(string json, string what)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        System.IO.File.WriteAllText(File, $"{{ \"version\": 1, \"servers\": {{ \"a\": {json} }} }}");
        _module.Run("Register-SipServer 10.0.0.1 -Name b -Type Yate");
        (Collection<PSObject> output, IReadOnlyList<ErrorRecord> errors) = _module.Try("Get-SipServer -Registered");
        Assert.Equal("b", Assert.IsType<SipServerProfile>(Assert.Single(output).BaseObject).Name);
        Assert.Contains(what, Assert.Single(errors).Exception.Message, StringComparison.Ordinal);
        _module.Fails("SipProfileFileInvalid", "Register-SipServer 10.0.0.1 -Name a -Type Yate -Force");
    }

    [Fact]
    public void A_broken_file_keeps_nobody_from_connecting_to_a_host()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(File)!);
        System.IO.File.WriteAllText(File, "{");
        Collection<PSObject> output = _module.Run("$s = Start-SipSimulator OpenSips; Connect-SipServer 127.0.0.1 -Type OpenSips -Port $s.Port 3>&1");
        Assert.Contains("is taken for a host name", Assert.IsType<WarningRecord>(output[0].BaseObject).Message, StringComparison.Ordinal);
        Assert.IsType<SipServer>(output[1].BaseObject);
    }

    [Fact]
    public void Twenty_at_once_lose_nothing()
    {
        _module.Run("param($m) 1..20 | ForEach-Object -ThrottleLimit 8 -Parallel { Import-Module $using:m; Register-SipServer \"10.0.0.$_\" -Name \"pbx$_\" -Type Yate }", Repository.StagedModule);
        Assert.Equal(20, _module.Run("Get-SipServer -Registered").Count);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(File)!, "*.tmp"));
    }

    [Fact]
    public void Names_are_completed()
    {
        _module.Run("Register-SipServer 10.0.0.1 -Name pbx1 -Type Yate; Register-SipServer 10.0.0.2 -Name proxy1 -Type OpenSips");
        Assert.Equal("pbx1 proxy1", _module.Run<string>("(TabExpansion2 'Connect-SipServer p' 19).CompletionMatches.CompletionText -join ' '"));
        Assert.Equal("proxy1", _module.Run<string>("(TabExpansion2 'Unregister-SipServer pr' 23).CompletionMatches.CompletionText -join ' '"));
        Assert.Equal("pbx1", _module.Run<string>("(TabExpansion2 'Get-SipServer -Registered pb' 28).CompletionMatches.CompletionText -join ' '"));
    }
}
