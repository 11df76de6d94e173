using System.Management.Automation;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>What a login may do with rooms and queues needs the rights to just that, and an error names the classes that lack.</summary>
public sealed class RightsTests : IDisposable
{
    private readonly AsteriskSimulator _simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions
    {
        Users =
        [
            new AsteriskSimulatorUser { Name = "looks", Secret = "s", Write = "reporting" },
            new AsteriskSimulatorUser { Name = "guards", Secret = "s", Write = "call" },
            new AsteriskSimulatorUser { Name = "both", Secret = "s", Write = "call,reporting" },
            new AsteriskSimulatorUser { Name = "records", Secret = "s", Write = "system" },
        ],
    });

    private readonly ModuleRunspace _module = new();
    private readonly SipCall _call;

    public RightsTests()
    {
        Connect(_simulator.User, _simulator.Secret, _simulator.Port);
        _call = _module.Run<SipCall>("New-SipCall -From 1001 -To 1002 -Wait | Join-SipConference sales -PassThru");
    }

    public void Dispose()
    {
        _module.Dispose();
        _simulator.Dispose();
    }

    [Fact]
    public void Class_reporting_is_enough_to_list()
    {
        Connect("looks");
        Assert.Equal(2, _module.Run<SipConference>("Get-SipConference -Server looks").MemberCount);
        Needs("Set-SipConference sales -Locked $true -Server looks", "write= needs class call,");
        Needs("param($c) Exit-SipConference $c -Server looks", "write= needs class call,");
        Needs("Set-SipConference sales -Recording $true -Server looks", "write= needs class system,");
        Needs("param($c) Join-SipConference more -CallId $c -Server looks", "write= needs classes call and reporting. Nothing was sent");
    }

    [Fact]
    public void Class_call_is_enough_to_lock_mute_and_kick()
    {
        Connect("guards");
        Assert.Empty(_module.Run("Set-SipConference sales -Locked $true -Muted $true -Server guards"));
        SipConference room = _module.Run<SipConference>("Get-SipConference sales -Server ifbus");
        Assert.Equal((true, 2), (room.Locked, room.Members.Count(m => m.Muted)));
        // It cannot be looked at who is in it, so nobody in particular can be meant.
        Needs("Set-SipConference sales -Muted $true -Member nobody -Server guards", "write= needs class reporting,");
        Needs("Get-SipConference -Server guards", "write= needs class reporting,");
        Needs("Set-SipConference sales -Locked $true -PassThru -Server guards", "write= needs class reporting,");
        _module.Run("Set-SipConference sales -Kick -Server guards");
        Assert.Empty(_module.Run("Get-SipConference -Server ifbus"));
    }

    [Fact]
    public async Task Moving_calls_into_rooms_needs_the_dialplan_too()
    {
        await _simulator.RestartAsync(CancellationToken.None);
        Connect("both");
        Needs("param($c) Join-SipConference more -CallId $c -Server both", "write= needs classes call and reporting, and either class system in write= or the context 'ifbus-sip' in the dialplan.");
        Needs("Set-SipConference sales -Recording $true -Server both", "write= needs class system,");
        Needs("Set-SipConference sales -Locked $true -Recording $true -Server both", "(ConferenceRecording)");
    }

    [Fact]
    public void Class_system_is_enough_to_record()
    {
        Connect("records");
        Assert.Empty(_module.Run("Set-SipConference sales -Recording $true -Server records"));
        Assert.True(_module.Run<SipConference>("Get-SipConference sales -Server ifbus").Recording);
        Needs("Get-SipConference -Server records", "write= needs class reporting,");
    }

    [Fact]
    public void Queues_need_no_class_but_the_module()
    {
        using ScriptedPeer peer = ScriptedPeer.LogsIn((_, _, _) => Task.FromResult(true));
        Connect("any", "s", peer.Port);
        Needs("Get-SipQueue -Server any", "its module app_queue is not loaded");
    }

    private void Connect(string user, string secret = "s", int? port = null) =>
        _module.Run("param($p, $c, $n) Connect-SipServer 127.0.0.1 -Port $p -Credential $c -Name $n", port ?? _simulator.Port, Credentials.Of(user, secret), user);

    private void Needs(string script, string classes)
    {
        ErrorRecord error = _module.Fails("SipNotSupported", script, _call.CallId);
        Assert.Contains(classes, error.Exception.Message, StringComparison.Ordinal);
        if (!classes.Contains("system", StringComparison.Ordinal) && !classes.Contains('(', StringComparison.Ordinal)) Assert.DoesNotContain("class system", error.Exception.Message, StringComparison.Ordinal);
    }
}
