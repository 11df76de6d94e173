using System.Net;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>What the adapter says on the wire, whatever it is asked for.</summary>
public sealed class CommandsTests
{
    [Fact]
    public void Nothing_that_can_wait_runs_in_the_connection_and_no_event_is_kept_from_it()
    {
        using FreeSwitchSimulator server = Start();
        using var relay = new CommandRelay(server.Port);
        using var module = new ModuleRunspace();
        module.Run(
            """
            param($port, $credential)
            Connect-SipServer 127.0.0.1 -Type FreeSwitch -Port $port -Credential $credential -EndpointTemplate 'sofia/gateway/answer/{0}' -Name wire
            """,
            relay.Port,
            Credentials.Of(server.User, server.Secret));
        module.Run(
            """
            $call = New-SipCall -From 5 -To sofia/gateway/answer/1 -Wait
            $call | Get-SipCallStatus
            Get-SipCallStatus
            $call | Suspend-SipCall
            $call | Resume-SipCall
            $call | Start-SipRecording -Path wire.wav
            $call | Set-SipRecording -Muted $true
            $call | Stop-SipRecording
            $call | Send-SipDtmf 1
            $call | Set-SipCallVariable free 1
            $call | Get-SipCallVariable free
            $call | Move-SipCall -To sofia/gateway/answer/2 -Attended
            $call | Move-SipCall -Complete
            $call | Move-SipCall -To 1000
            $call | Join-SipConference wire
            Get-SipConference
            Set-SipConference wire -Muted $true
            $call | Exit-SipConference
            Get-SipRegistration
            Get-SipGateway
            Get-SipStatistic
            Test-SipServer
            Invoke-SipCommand status -Confirm:$false
            """);
        server.StartIncomingCall("1001", "1002");
        module.Run("Get-SipCallStatus | Where-Object State -eq Incoming | Receive-SipCall -PassThru | Stop-SipCall");
        server.StartIncomingCall("1001", "1002");
        module.Run("Get-SipCallStatus | Where-Object State -eq Incoming | Deny-SipCall -Confirm:$false; Get-SipCallDetailRecord; Disconnect-SipServer wire");

        string[] commands = relay.Commands;
        // While an api command runs its connection is told nothing; uptime takes no time.
        Assert.Equal("api uptime", Assert.Single(commands.Where(c => c.StartsWith("api", StringComparison.OrdinalIgnoreCase)).Distinct()));
        Assert.Equal(["api", "auth", "bgapi", "event", "exit"], commands.Select(c => c.Split(' ')[0]).Distinct().Order(StringComparer.Ordinal));
        // So many were asked for in earnest.
        string[] jobs = [.. commands.Where(c => c.StartsWith("bgapi ", StringComparison.Ordinal)).Select(c => c.Split(' ', '\n')[1]).Distinct().Order(StringComparer.Ordinal)];
        Assert.Superset(
            new HashSet<string> { "conference", "originate", "show", "sofia", "status", "uuid_answer", "uuid_bridge", "uuid_getvar", "uuid_hold", "uuid_kill", "uuid_record", "uuid_send_dtmf", "uuid_setvar", "uuid_transfer" },
            jobs.ToHashSet());
        // A job of ours is known by its id.
        Assert.All(commands.Where(c => c.StartsWith("bgapi ", StringComparison.Ordinal)), c => Assert.Contains("\nJob-UUID: ", c, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_call_that_is_hung_up_before_the_server_has_it_ends_as_soon_as_it_does()
    {
        using FreeSwitchSimulator server = Start(new SimulatorFaults { EarlyKillFails = true });
        using var relay = new CommandRelay(server.Port);
        await using ISipAdapter adapter = await ConnectAsync(relay.Port);
        SipCall call = await adapter.MakeCallAsync(new SipCallRequest { To = "sofia/gateway/ring/ring", Application = "park" }, default);
        SipCall ended = await adapter.HangUpAsync(call.CallId, HangupCause.CallRejected, default);
        Assert.Equal((CallState.Terminated, HangupCause.CallRejected, 21), (ended.State, ended.Cause, ended.CauseCode));
        Assert.Equal(0, server.ActiveChannels);
        Assert.Equal(["bgapi uuid_kill " + call.CallId + " CALL_REJECTED"], Kills(relay));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_kill_that_comes_too_early_is_repeated(int lost)
    {
        using FreeSwitchSimulator server = Start();
        int kills = 0;
        using var relay = new CommandRelay(server.Port, c => c.StartsWith("bgapi uuid_kill ", StringComparison.Ordinal) && Interlocked.Increment(ref kills) <= lost ? c.Replace("uuid_kill ", "uuid_kill x", StringComparison.Ordinal) : c);
        await using ISipAdapter adapter = await ConnectAsync(relay.Port);
        SipCall call = await adapter.MakeCallAsync(new SipCallRequest { To = "null/1", Application = "park" }, default);
        await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], TimeSpan.FromSeconds(20), default);
        SipCall ended = await adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default);
        Assert.Equal((CallState.Terminated, HangupCause.NormalClearing, 16), (ended.State, ended.Cause, ended.CauseCode));
        Assert.Equal(Enumerable.Repeat($"bgapi uuid_kill {call.CallId} NORMAL_CLEARING", lost + 1), Kills(relay));
        Assert.Equal(0, server.ActiveChannels);
    }

    [Fact]
    public async Task A_kill_is_not_repeated_for_ever()
    {
        using FreeSwitchSimulator server = Start();
        using var relay = new CommandRelay(server.Port, c => c.StartsWith("bgapi uuid_kill ", StringComparison.Ordinal) ? c.Replace("uuid_kill ", "uuid_kill x", StringComparison.Ordinal) : c);
        await using ISipAdapter adapter = await ConnectAsync(relay.Port, requestSeconds: 1);
        SipCall call = await adapter.MakeCallAsync(new SipCallRequest { To = "null/1", Application = "park" }, default);
        await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], TimeSpan.FromSeconds(20), default);
        SipTimeoutException error = await Assert.ThrowsAsync<SipTimeoutException>(() => adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default));
        Assert.Equal(call.CallId, error.CallId);
        Assert.Equal(6, Kills(relay).Length);
        Assert.Equal(1, server.ActiveChannels);
    }

    private static string[] Kills(CommandRelay relay) => [.. relay.Commands.Where(c => c.StartsWith("bgapi uuid_kill ", StringComparison.Ordinal)).Select(c => c.Split('\n')[0])];

    private static FreeSwitchSimulator Start(SimulatorFaults? faults = null) => FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions { RingTime = TimeSpan.FromMilliseconds(20), Faults = faults ?? new SimulatorFaults() });

    private static Task<ISipAdapter> ConnectAsync(int port, double requestSeconds = 10) => Connected.ToAsync(SipServerType.FreeSwitch, port, 10, requestSeconds, 20, new NetworkCredential("freeswitch", "ClueCon"));
}
