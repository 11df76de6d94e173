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

    [Theory]
    [InlineData("Get-SipCallStatus")]
    [InlineData("Get-SipCallStatus -State Terminated")]
    [InlineData("Get-SipCallDetailRecord")]
    public void It_is_the_server_whose_calls_are_listed(string cmdlet)
    {
        Assert.Equal(["a", "b"], Servers($"Get-SipServer | {cmdlet}"));
        Assert.Equal(["a"], Servers($"Get-SipServer a | {cmdlet}"));
        Assert.Equal(["b"], Servers($"Get-SipServer b | {cmdlet}"));
        Assert.Equal(["b"], Servers($"[System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize((Get-SipServer b))) | {cmdlet}"));
        Assert.Equal(["b"], Servers($"{cmdlet} -Server (Get-SipServer b)"));
        Assert.Equal(["b"], Servers($"{cmdlet} -Server b"));
        Assert.Equal(["a", "b"], Servers($"{cmdlet} -Server a, b"));
        Assert.Equal(["a", "b"], Servers($"{cmdlet} -Server (Get-SipServer)"));
        // Who only looks asks all, and an empty column of a table is no name.
        Assert.Equal(["a", "b"], Servers(cmdlet));
        Assert.Equal(["a", "b"], Servers($"[pscustomobject]@{{ Server = '' }} | {cmdlet}"));
        Assert.Equal(["b"], Servers($"[pscustomobject]@{{ Server = 'b' }} | {cmdlet}"));
    }

    [Fact]
    public void A_call_is_looked_for_on_the_servers_that_are_named()
    {
        SipCall call = _module.Run<SipCall>("Get-SipCallStatus -Server b");
        Assert.Equal("b", _module.Run<SipCall>("param($id) Get-SipCallStatus $id -Server a, b", call.CallId).Server);
        Assert.Contains("a has no call", _module.Fails("SipCallNotFound", "param($id) Get-SipCallStatus $id -Server a", call.CallId).ToString(), StringComparison.Ordinal);
        SipCall ended = _module.Run<SipCall>("Get-SipCallStatus -Server b -State Terminated");
        Assert.Equal(["b"], Servers($"Get-SipCallDetailRecord '{ended.CallId}' -Server a, b"));
    }

    [Fact]
    public void Events_are_those_of_the_servers_that_are_named()
    {
        Assert.Equal(["a", "b"], Servers("""
            $seen = @{}
            :all do {
                & { [pscustomobject]@{ Server = 'a', 'b' }; foreach ($s in 'a', 'b') { $null = New-SipCall -From 1001 -To 1002 -Server $s -Wait } } | Watch-SipEvent CallStateChanged -Timeout 60 |
                    ForEach-Object { $_; $seen[$_.Server] = 1; if ($seen.Count -eq 2) { break all } }
            } while ($false)
            """));
        Assert.Empty(_module.Run("Watch-SipEvent CallDtmf -Server a, b -Timeout 0; Watch-SipEvent CallDtmf -Timeout 0"));
        _module.Fails("SipServerNotConnected", "Watch-SipEvent -Server a, nobody -Timeout 0");
    }

    [Fact]
    public void Calls_and_ids_that_are_piped_are_calls_still()
    {
        SipCall call = _module.Run<SipCall>("Get-SipServer b | Get-SipCallStatus");
        foreach (string piped in (string[])["$c", "$c.CallId", "[pscustomobject]@{ CallId = $c.CallId; Server = 'b' }", "[pscustomobject]@{ Id = $c.CallId }"])
        {
            Assert.Equal(call.CallId, _module.Run<SipCall>($"param($c) {piped} | Get-SipCallStatus", call).CallId);
        }

        SipCall ended = _module.Run<SipCall>("Get-SipServer b | Get-SipCallStatus -State Terminated");
        foreach (string piped in (string[])["$c", "$c.CallId"])
        {
            Assert.All(_module.Run($"param($c) {piped} | Get-SipCallDetailRecord", ended), r => Assert.Equal(ended.CallId, r.Properties["CallId"].Value));
        }
    }

    [Fact]
    public void Events_are_those_of_the_servers_that_are_piped()
    {
        // What is piped is heard from then on, so the calls that are made after it are seen.
        Assert.Equal(["b"], Servers("""
            & { Get-SipServer b; $null = New-SipCall -From 1001 -To 1002 -Server a -Wait; $null = New-SipCall -From 1001 -To 1002 -Server b -Wait } | Watch-SipEvent CallStateChanged -Count 2 -Timeout 60
            """));
        Assert.Equal(["a", "b"], Servers("""
            $seen = @{}
            :all do {
                & { Get-SipServer; foreach ($s in 'a', 'b') { $null = New-SipCall -From 1001 -To 1002 -Server $s -Wait } } | Watch-SipEvent CallStateChanged -Timeout 60 |
                    ForEach-Object { $_; $seen[$_.Server] = 1; if ($seen.Count -eq 2) { break all } }
            } while ($false)
            """));
        Assert.Empty(_module.Run("Get-SipServer | Watch-SipEvent CallDtmf -Timeout 0"));
    }

    [Fact]
    public void One_that_is_disconnected_ends_its_part_of_the_watch_only()
    {
        SipEvent[] events = [.. _module.Run("""
            & { Get-SipServer; Disconnect-SipServer a; $null = New-SipCall -From 1001 -To 1002 -Server b -Wait } | Watch-SipEvent CallStateChanged -Count 1 -Timeout 60 -ErrorAction SilentlyContinue
            """).Select(o => (SipEvent)o.BaseObject)];
        Assert.Equal("b", Assert.Single(events).Server);
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
