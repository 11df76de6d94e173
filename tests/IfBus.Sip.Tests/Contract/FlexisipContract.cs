using System.Management.Automation;
using System.Security.Cryptography;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The FlexiAPI under test.</summary>
public sealed record FlexisipServer
{
    public required string Host { get; init; }

    public required int Port { get; init; }

    /// <summary>Web host of the super space.</summary>
    public required string Space { get; init; }

    /// <summary>Its SIP domain.</summary>
    public required string Domain { get; init; }

    /// <summary>Key of a super administrator.</summary>
    public required string Key { get; init; }

    /// <summary>Key of an account that is no administrator, and that account with its password.</summary>
    public required (string Key, string Address, string Password) Plain { get; init; }

    /// <summary>A key that works from another address only.</summary>
    public required string ForeignKey { get; init; }

    /// <summary>Web host of a space that has expired, and its administrator's key.</summary>
    public required (string Host, string Key) Expired { get; init; }

    /// <summary>Has a device register: address of the account, its instance id, its User-Agent.</summary>
    public required Action<string, string, string> Register { get; init; }

    /// <summary>True if it can send pushes and messages.</summary>
    public bool HasPusher { get; init; } = true;

    /// <summary>Requests that it was sent; null if it does not count.</summary>
    public Func<long>? Requests { get; init; }

    public IDisposable? Simulator { get; init; }
}

/// <summary>What holds on a FlexiAPI, real or simulated, 2.0 and 2.1.</summary>
public abstract partial class FlexisipContract : IDisposable
{
    private readonly Lazy<ModuleRunspace> _module;
    private readonly string _prefix = "t" + RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz", 8);

    protected FlexisipContract() => _module = new Lazy<ModuleRunspace>(() =>
    {
        var module = new ModuleRunspace();
        Connect(module, Server.Key);
        return module;
    });

    /// <summary>The server under test.</summary>
    protected abstract FlexisipServer Server { get; }

    internal ModuleRunspace Module => _module.Value;

    private bool Is20 => Module.Run<SipServer>("Get-SipServer flexi").Version == "FlexiAPI 2.0";

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        if (_module.IsValueCreated) _module.Value.Dispose();
        Server.Simulator?.Dispose();
    }

    [FlexisipFact]
    public void It_says_what_it_is_and_what_it_can()
    {
        var server = Module.Run<SipServer>("Get-SipServer flexi");
        Assert.Equal((ConnectionState.Connected, SipServerType.Flexisip), (server.State, server.Type));
        Assert.True(server.Version is "FlexiAPI 2.0" or "FlexiAPI 2.1", server.Version);
        Assert.True(server.Capabilities.HasFlag(SipCapabilities.Accounts | SipCapabilities.Spaces | SipCapabilities.PushNotification));
        Assert.Equal(!Is20, server.Capabilities.HasFlag(SipCapabilities.AccountCalls));
        Assert.False(server.Capabilities.HasFlag(SipCapabilities.MakeCall));
        var health = Module.Run<SipServerHealth>("Test-SipServer flexi");
        Assert.Equal((ConnectionState.Connected, null), (health.State, health.Message));
        Assert.NotNull(health.Latency);
    }

    [FlexisipFact]
    public void An_account_is_made_found_changed_and_removed()
    {
        string user = User("life");
        var made = Module.Run<SipAccount>($"New-SipAccount {user} pa55word -DisplayName 'Li Fe' -Email {user}@mail.example -DtmfProtocol rfc2833 -Dictionary @{{ desk = '12' }}");
        Assert.Equal((user, Server.Domain, $"sip:{user}@{Server.Domain}", true, false), (made.Username, made.Domain, made.SipUri, made.Activated, made.Blocked));
        Assert.Equal(("Li Fe", $"{user}@mail.example", "rfc2833", "12"), (made.DisplayName, made.Email, made.DtmfProtocol, made.Dictionary["desk"]));
        Assert.StartsWith("IfBus.Sip/", made.UserAgent, StringComparison.Ordinal);

        foreach (string name in new[] { user, $"{user}@{Server.Domain}", $"sip:{user}@{Server.Domain}", $"'#{made.Id}'" })
            Assert.Equal(made.Id, Module.Run<SipAccount>($"Get-SipAccount {name}").Id);
        Assert.Equal(made.Id, Module.Run<SipAccount>($"Get-SipAccount -Email {user}@mail.example").Id);
        Assert.Equal(made.Id, Module.Run<SipAccount>($"Get-SipAccount {user}*").Id);

        ErrorRecord twice = Module.Fails("SipAccountExists", $"New-SipAccount {user} pa55word");
        Assert.Equal(ErrorCategory.ResourceExists, twice.CategoryInfo.Category);
        Assert.Empty(Module.Run($"New-SipAccount {user} pa55word -SkipExisting"));

        Assert.Equal(made.Id, Module.Run<SipAccount>($"Get-SipAccount {user} | Remove-SipAccount -PassThru -Confirm:$false").Id);
        Assert.Equal(ErrorCategory.ObjectNotFound, Module.Fails("SipAccountNotFound", $"Get-SipAccount {user}").CategoryInfo.Category);
        Module.Fails("SipAccountNotFound", $"Remove-SipAccount '#{made.Id}' -Confirm:$false");
        Module.Fails("SipAccountNameReserved", $"New-SipAccount {user} pa55word");
    }

    [FlexisipFact]
    public void A_change_of_one_property_leaves_all_others()
    {
        string user = User("one");
        string phone = Phone();
        Module.Run($"New-SipAccount {user} pa55word -DisplayName Before -Email {user}@mail.example -Phone {phone} -DtmfProtocol sipinfo -Dictionary @{{ a = '1'; b = '2' }} -Blocked $true");
        var before = Module.Run<SipAccount>($"Get-SipAccount {user}");
        Assert.True(before is { Activated: true, Blocked: true });

        var change = Module.Run<SipAccountChange>($"Get-SipAccount {user} | Set-SipAccount -DisplayName After");
        Assert.Equal("DisplayName 'Before' -> 'After'", Assert.Single(change.Changes).ToString());
        // 2.0 unblocks and deactivates with every change; 2.1 does not take the address that the account has.
        Assert.Equal(Is20 ? ["Blocked", "Activated"] : ["Email"], change.Restored);

        var after = Module.Run<SipAccount>($"Get-SipAccount {user}");
        Assert.Equal("After", after.DisplayName);
        Assert.Equal((before.Email, before.Phone, before.DtmfProtocol), (after.Email, after.Phone, after.DtmfProtocol));
        Assert.Equal((phone, true, true, false), (after.Phone, after.Activated, after.Blocked, after.Admin));
        Assert.Equal(before.Dictionary.OrderBy(d => d.Key, StringComparer.Ordinal), after.Dictionary.OrderBy(d => d.Key, StringComparer.Ordinal));
        Assert.Equal(before.PasswordAlgorithms, after.PasswordAlgorithms);

        // Nothing to change: nothing is sent.
        Assert.Empty(Module.Run<SipAccountChange>($"Set-SipAccount {user} -DisplayName After").Changes);
        change = Module.Run<SipAccountChange>($"Set-SipAccount {user} -Email new.{user}@mail.example -Clear DisplayName, Phone -Dictionary @{{ b = '3' }}");
        Assert.Equal(["DisplayName", "Email", "Phone", "Dictionary"], change.Changes.Select(c => c.Property));
        after = Module.Run<SipAccount>($"Get-SipAccount {user}");
        Assert.Equal((null, $"new.{user}@mail.example", null, "sipinfo", true, true), (after.DisplayName, after.Email, after.Phone, after.DtmfProtocol, after.Activated, after.Blocked));
        Assert.Equal("b=3", string.Join(",", after.Dictionary.Select(d => $"{d.Key}={d.Value}")));
        Remove(user);
    }

    [FlexisipFact]
    public void A_change_is_not_made_if_the_account_was_changed_since()
    {
        string user = User("since");
        Module.Run($"New-SipAccount {user} pa55word -DisplayName A");
        ErrorRecord error = Module.Fails("SipAccountChanged", $"Set-SipAccount {user} -DisplayName B -UnmodifiedSince ([datetime]::UtcNow.AddDays(-1))");
        Assert.Contains("Nothing was sent", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal("A", Module.Run<SipAccount>($"Get-SipAccount {user}").DisplayName);
        Assert.Single(Module.Run<SipAccountChange>($"Set-SipAccount {user} -DisplayName B -UnmodifiedSince (Get-SipAccount {user}).UpdatedAt").Changes);
        Remove(user);
    }

    [FlexisipFact]
    public void A_password_can_be_changed_and_a_user_renamed_with_one()
    {
        string user = User("pw"), other = User("pw2");
        Module.Run($"New-SipAccount {user} pa55word");
        Assert.Equal("Password", Module.Run<SipAccountChange>($"Set-SipAccount {user} -Password n3w-password").Changes.Single().ToString());
        Assert.Equal(user, Own(user, "n3w-password"));
        ErrorRecord alone = Module.Fails("SipInvalidArgument", $"Set-SipAccount {user} -NewUsername {other}");
        Assert.Contains("-Password", alone.Exception.Message, StringComparison.Ordinal);
        Module.Run($"Set-SipAccount {user} -NewUsername {other} -Password 0ther-password");
        Assert.Equal(other, Own(other, "0ther-password"));
        Remove(other);
    }

    [FlexisipFact]
    public void Accounts_are_blocked_and_let_in_again()
    {
        string user = User("door");
        Module.Run($"New-SipAccount {user} pa55word");
        Module.Run($"Get-SipAccount {user} | Disable-SipAccount -WhatIf");
        Assert.False(Module.Run<SipAccount>($"Get-SipAccount {user}").Blocked);
        Assert.True(Module.Run<SipAccount>($"Get-SipAccount {user} | Disable-SipAccount -PassThru") is { Blocked: true, Activated: true });
        Assert.True(Module.Run<SipAccount>($"Disable-SipAccount {user} -Deactivate -PassThru") is { Blocked: true, Activated: false });
        Assert.True(Module.Run<SipAccount>($"Enable-SipAccount {user} -PassThru -WarningAction SilentlyContinue") is { Blocked: false, Activated: false });
        Assert.True(Module.Run<SipAccount>($"Enable-SipAccount {user} -Activate -PassThru") is { Blocked: false, Activated: true });
        Remove(user);
    }

    [FlexisipFact]
    public void A_bare_number_is_a_user_name_and_never_the_number_of_an_account()
    {
        // There is an account number 1, the first administrator.
        Assert.Equal(1, Module.Run<SipAccount>("Get-SipAccount '#1'").Id);
        foreach (string command in new[] { "Get-SipAccount 1", "Remove-SipAccount 1 -Confirm:$false", "1 | Remove-SipAccount -Confirm:$false", "Disable-SipAccount -Account 1" }) Module.Fails("SipAccountNotFound", command);
        Assert.Equal(1, Module.Run<SipAccount>("Get-SipAccount '#1'").Id);
    }

    [FlexisipFact]
    public void A_table_becomes_accounts_and_each_bad_row_its_own_error()
    {
        string a = User("row1"), b = User("row2"), c = User("row3");
        (var output, var errors) = Module.Try($$"""
            @(
                [pscustomobject]@{ Username = '{{a}}'; Password = 'pa55word'; DisplayName = 'Row 1'; Email = ''; Activated = ''; Dictionary = 'x=1;y=2' }
                [pscustomobject]@{ Username = 'Not Fit'; Password = 'pa55word'; DisplayName = ''; Email = ''; Activated = ''; Dictionary = '' }
                [pscustomobject]@{ Username = '{{b}}'; Password = ''; DisplayName = ''; Email = 'nope'; Activated = ''; Dictionary = '' }
                [pscustomobject]@{ Username = '{{c}}'; Password = ''; DisplayName = ''; Email = ''; Activated = 'False'; Dictionary = '' }
            ) | New-SipAccount
            """);
        Assert.Equal([a, c], output.Select(o => ((SipAccount)o.BaseObject).Username).Order(StringComparer.Ordinal));
        Assert.Equal(["SipInvalidArgument", "SipValidationFailed"], errors.Select(e => e.FullyQualifiedErrorId.Split(',')[0]).Order(StringComparer.Ordinal));
        var refusal = (SipRejectedException)errors.Single(e => e.FullyQualifiedErrorId.StartsWith("SipValidationFailed", StringComparison.Ordinal)).Exception;
        Assert.Contains("email", refusal.FieldErrors.Keys);
        Assert.Equal("2", Module.Run<SipAccount>($"Get-SipAccount {a}").Dictionary["y"]);
        Assert.False(Module.Run<SipAccount>($"Get-SipAccount {c}").Activated);
        Remove(a);
        Remove(c);
    }

    [FlexisipFact]
    public void Lists_come_by_pages_and_only_as_far_as_they_are_wanted()
    {
        string[] users = [.. Enumerable.Range(10, 45).Select(i => User("p" + i))];
        Module.Run("param($u) $u | ForEach-Object { [pscustomobject]@{ Username = $_ } } | New-SipAccount -ThrottleLimit 4", new object[] { users });
        long total = Module.Run<SipStatistic>("Get-SipStatistic -Server flexi").Fields["Accounts"] is { } n ? long.Parse(n, System.Globalization.CultureInfo.InvariantCulture) : 0;
        string[] all = [.. Module.Run("Get-SipAccount").Select(o => ((SipAccount)o.BaseObject).SipUri)];
        Assert.Equal(total, all.Length);
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.Equal(45, Module.Run($"Get-SipAccount {_prefix}p*").Count);

        long before = Server.Requests?.Invoke() ?? 0;
        Assert.Equal(all.Skip(21).Take(3), Module.Run("Get-SipAccount -Skip 21 -First 3").Select(o => ((SipAccount)o.BaseObject).SipUri));
        if (Server.Requests is { } count) Assert.Equal(before + 1, count());
        Assert.Empty(Module.Run("Get-SipAccount -Skip 100000"));
        Module.Run($"Get-SipAccount {_prefix}p* | Remove-SipAccount -Confirm:$false");
    }

    private string Own(string user, string password)
    {
        using var module = new ModuleRunspace();
        return Connect(module, $"{user}@{Server.Domain}", password).Run<SipAccount>($"Get-SipAccount {user}").Username;
    }

    private string User(string name) => _prefix + name;

    private static string Phone() => "+336" + RandomNumberGenerator.GetString("0123456789", 8);

    private void Remove(string user) => Module.Run($"Remove-SipAccount {user} -Confirm:$false");

    private ModuleRunspace Connect(ModuleRunspace module, string key)
    {
        module.Run($"param($key) Connect-SipServer {Server.Host} -Port {Server.Port} -Type Flexisip -Space {Server.Space} -Name flexi -ApiKey ([Net.NetworkCredential]::new('', $key).SecurePassword)", key);
        return module;
    }

    private ModuleRunspace Connect(ModuleRunspace module, string user, string password)
    {
        module.Run($"param($c) Connect-SipServer {Server.Host} -Port {Server.Port} -Type Flexisip -Space {Server.Space} -Name flexi -Credential $c", Credentials.Of(user, password));
        return module;
    }
}
