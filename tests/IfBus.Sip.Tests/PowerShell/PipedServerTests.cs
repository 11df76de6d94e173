using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>An object of Get-SipServer that is piped to what servers are asked for means -Server, never something's name.</summary>
public sealed class PipedServerTests : IDisposable
{
    private readonly ModuleRunspace _module = new();

    // Room sales is on a, room a on b: a server's name is a room's name too.
    public PipedServerTests() => _module.Run("""
        Start-SipSimulator Asterisk | Connect-SipServer -Name a
        Start-SipSimulator Asterisk | Connect-SipServer -Name b
        New-SipCall -From 1001 -To 1002 -Server a -Wait | Join-SipConference sales
        New-SipCall -From 1001 -To 1002 -Server b -Wait | Join-SipConference a
        New-SipCall -From 1001 -To busy -Server a -Wait
        New-SipCall -From 1001 -To busy -Server b -Wait
        """);

    public void Dispose() => _module.Dispose();

    [Theory]
    [InlineData("Get-SipConference")]
    [InlineData("Get-SipStatistic")]
    [InlineData("Get-SipGateway")]
    [InlineData("Get-SipQueue")]
    [InlineData("Get-SipRegistration")]
    [InlineData("Get-SipCallHistory")]
    public void It_is_the_server_that_is_asked(string cmdlet)
    {
        Assert.Equal(["a", "b"], Servers($"Get-SipServer | {cmdlet}"));
        Assert.Equal(["b"], Servers($"Get-SipServer b | {cmdlet}"));
        Assert.Equal(["b"], Servers($"'b' | {cmdlet}"));
        // What came back from a job or a file.
        Assert.Equal(["b"], Servers($"[System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize((Get-SipServer b))) | {cmdlet}"));
        Assert.Equal(["b"], Servers($"{cmdlet} -Server (Get-SipServer b)"));
        Assert.Equal(["b"], Servers($"{cmdlet} -Server b"));
        // Other objects bring their property Server.
        Assert.Equal(["b"], Servers($"Get-SipStatistic -Server b | {cmdlet}"));
    }

    [Fact]
    public void Rooms_are_found_on_it()
    {
        Assert.Equal(["a/sales", "b/a"], Rooms("Get-SipServer | Get-SipConference"));
        Assert.Equal(["a/sales"], Rooms("Get-SipServer | Get-SipConference sales"));
        Assert.Equal(["b/a"], Rooms("Get-SipConference -Server b | Get-SipConference"));
        Assert.Equal(["b/a"], Rooms("[pscustomobject]@{ Name = 'a'; Server = 'b' } | Get-SipConference"));
        Assert.Equal(["a/sales"], Rooms("[pscustomobject]@{ Room = 'sales' } | Get-SipConference"));
    }

    [Fact]
    public void A_room_is_changed_on_it()
    {
        Assert.Equal(["a/sales"], Rooms("Get-SipServer a | Set-SipConference sales -Locked $true -PassThru"));
        Assert.Equal(["b/a"], Rooms("Get-SipConference -Server b | Set-SipConference -Locked $true -PassThru"));
        _module.Run("Set-SipConference a -Locked $false -Server b");
        // Which room, is not said by the server's name.
        _module.Run("Set-SipServer -Default b");
        _module.Fails("SipInvalidArgument", "Get-SipServer a | Set-SipConference -Locked $true");
        Assert.False(_module.Run<SipConference>("Get-SipConference a").Locked);
    }

    private string[] Servers(string script) => [.. _module.Run(script).Select(o => (string)o.Properties["Server"].Value).Distinct().Order()];

    private string[] Rooms(string script) => [.. _module.Run(script).Select(o => (SipConference)o.BaseObject).Select(r => $"{r.Server}/{r.Name}").Order()];
}
