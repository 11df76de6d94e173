using System.Management.Automation;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>A module that comes to a server on which ten thousand calls of others are up.</summary>
public sealed class ManyCallsTests
{
    private const int Talking = 9_900;
    private const int Ringing = 100;

    [Fact]
    public async Task Ten_thousand_calls_are_listed_filtered_and_stopped()
    {
        using AsteriskSimulator simulator = AsteriskSimulator.Start();
        for (int i = 0; i < Talking; i++) simulator.StartIncomingCall(i % 3 == 0 ? $"77{i:0000}" : $"88{i:0000}", "wait");
        for (int i = 0; i < Ringing; i++) simulator.StartIncomingCall($"99{i:0000}", "ring");
        Assert.Equal(Talking + Ringing, simulator.ActiveCalls);

        using var module = new ModuleRunspace();
        module.Run("param($p, $c) Connect-SipServer 127.0.0.1 -Type Asterisk -Port $p -Credential $c -Name a", simulator.Port, Credentials.Of(simulator.User, simulator.Secret));
        SipCall[] all = List("");
        Assert.Equal(Talking + Ringing, all.Length);
        Assert.Equal(Talking + Ringing, all.Select(c => c.CallId).Distinct().Count());
        // An extension that pauses may go on to dial: what each is in is asked of the server first.
        await Until.TrueAsync(() => List("-State Connected").Length == Talking);
        Assert.Equal(Ringing, List("-From 99*").Length);
        Assert.Equal(Talking / 3, List("-State Connected -From 77*").Length);
        Assert.Equal("770003", Assert.Single(List("-From 770003")).From);

        // One by one through the pipeline, then all that are left at once.
        Assert.Equal(Talking / 3, module.Run("Get-SipCallStatus -From 77* | Stop-SipCall -PassThru").Count(c => ((SipCall)c.BaseObject).State == CallState.Terminated));
        Assert.Equal(Talking + Ringing - (Talking / 3), simulator.ActiveCalls);
        Assert.Equal(Talking + Ringing - (Talking / 3), List("").Length);
        module.Run("Stop-SipCall -All -Confirm:$false");
        Assert.Equal(0, simulator.ActiveCalls);
        Assert.Empty(List(""));
        Assert.Equal(0, module.Run<SipServer>("Get-SipServer").ActiveCalls);

        SipCall[] List(string filter) => [.. module.Run("Get-SipCallStatus " + filter).Select(c => (SipCall)c.BaseObject)];
    }
}
