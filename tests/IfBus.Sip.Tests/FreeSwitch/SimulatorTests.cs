using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>What no recording shows: faults, limits, phones that act of themselves, and what must never be run.</summary>
public sealed class SimulatorTests
{
    private static readonly string[] ShellWords = ["touch", "/tmp/x"];

    [Fact]
    public async Task A_phone_that_hangs_up_is_told_with_its_disposition()
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event json ALL");
        await client.SendAsync("bgapi originate {origination_uuid=u1,ignore_early_media=true}sofia/gateway/answer/1000 &park()\nJob-UUID: j1\n\n");
        Assert.Equal("+OK u1\n", (await client.NextAsync(r => r["Job-UUID"] == "j1")).EventBody);
        await client.EventAsync("CHANNEL_PARK");
        Assert.Equal((1, 1), (simulator.ActiveChannels, simulator.ActiveCalls));
        simulator.HangUpByPhone("u1");
        EslRecord record = await client.EventAsync("CHANNEL_HANGUP_COMPLETE");
        Assert.Equal(("recv_bye", "200", "16", "ANSWER"), (record["variable_sip_hangup_disposition"], record["variable_sip_term_status"], record["variable_hangup_cause_q850"], record["variable_endpoint_disposition"]));
        Assert.Equal(2, record.Fields.Count(f => f.Key == "Hangup-Cause"));
        await client.NextAsync(r => r.Name == "CHANNEL_STATE" && r["Channel-State"] == "CS_DESTROY");
        Assert.Equal((0, 0), (simulator.ActiveChannels, simulator.ActiveCalls));
        Assert.Throws<ArgumentException>(() => simulator.HangUpByPhone("u1"));
    }

    [Fact]
    public async Task A_phone_calls_and_rings_until_the_server_answers()
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event plain ALL");
        string id = simulator.StartIncomingCall("zoë", "1002");
        EslRecord created = await client.EventAsync("CHANNEL_CREATE");
        Assert.Equal((id, "inbound", "zoë", "1002", "sofia/internal/zoë@127.0.0.1:5087"), (created["Unique-ID"], created["Call-Direction"], created["Caller-Caller-ID-Number"], created["Caller-Destination-Number"], created["Channel-Name"]));
        await client.NextAsync(r => r.Name == "CHANNEL_EXECUTE" && r["Application"] == "sleep");
        Assert.Equal("+OK\n", await client.ApiAsync($"uuid_transfer {id} 1006"));
        Assert.Equal(id, (await client.EventAsync("CHANNEL_ANSWER"))["Unique-ID"]);
        await client.EventAsync("CHANNEL_PARK");
        Assert.Equal("+OK\n", await client.ApiAsync($"uuid_kill {id} CALL_REJECTED"));
        Assert.Equal(("CALL_REJECTED", "send_bye"), ((await client.EventAsync("CHANNEL_HANGUP_COMPLETE")) is var r ? (r["Hangup-Cause"], r["variable_sip_hangup_disposition"]) : default));
    }

    [Theory]
    [InlineData("busy", "USER_BUSY", "486")]
    [InlineData("x486", "USER_BUSY", "486")]
    [InlineData("sipp-reject", "CALL_REJECTED", "603")]
    [InlineData("decline1", "CALL_REJECTED", "603")]
    [InlineData("notfound", "UNALLOCATED_NUMBER", "404")]
    [InlineData("congestion", "NORMAL_TEMPORARY_FAILURE", "503")]
    [InlineData("cause34", "NORMAL_CIRCUIT_CONGESTION", "503")]
    public async Task Numbers_refuse(string number, string cause, string status)
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event json CHANNEL_HANGUP_COMPLETE BACKGROUND_JOB");
        foreach (string dial in new[] { $"sofia/gateway/trunk/{number}", $"sofia/internal/{number}@10.0.0.1", $"user/{number}", $"sofia/gateway/{number}/5551234" })
        {
            await client.SendAsync($"bgapi originate {dial} &park()\n\n");
            EslRecord ended = await client.EventAsync("CHANNEL_HANGUP_COMPLETE");
            Assert.Equal((cause, status, "recv_refuse"), (ended["Hangup-Cause"], ended["variable_sip_term_status"], ended["variable_sip_hangup_disposition"]));
            Assert.Equal($"-ERR {cause}\n", (await client.EventAsync("BACKGROUND_JOB")).EventBody);
        }
    }

    [Theory]
    [InlineData("sofia/gateway/nosuch/1", "INVALID_GATEWAY")]
    [InlineData("sofia/gateway/unreach/1", "NETWORK_OUT_OF_ORDER")]
    [InlineData("sofia/other/1@host", "INVALID_PROFILE")]
    [InlineData("user/nosuch", "SUBSCRIBER_ABSENT")]
    [InlineData("user/unreachable", "USER_NOT_REGISTERED")]
    [InlineData("error/CALL_REJECTED", "CALL_REJECTED")]
    [InlineData("mystery/1", "CHAN_NOT_IMPLEMENTED")]
    public async Task No_channel_at_all(string dial, string cause)
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event json CHANNEL_CREATE CHANNEL_HANGUP CHANNEL_HANGUP_COMPLETE");
        Assert.Equal($"-ERR {cause}\n", await client.ApiAsync($"originate {dial} &park()"));
        Assert.Equal("false", await client.ApiAsync("uuid_exists x"));
        Assert.DoesNotContain(client.Records, r => r.IsEvent);
        Assert.Equal(0, simulator.ActiveChannels);
    }

    [Theory]
    [InlineData("originate null/1000 &system(touch\\s/tmp/x)")]
    [InlineData("originate {a=b}null/1 &set(x=${system(touch\\s/tmp/x)} XML")]
    [InlineData("originate {origination_caller_id_name=Bob,execute_on_answer='system\\stouch\\s/tmp/x'}null/1 &park()")]
    [InlineData("originate {origination_caller_id_name=Bob,api_on_answer='system\\stouch\\s/tmp/x'}null/1 &park()")]
    [InlineData("system touch /tmp/x")]
    [InlineData("eval ${system(touch /tmp/x)}")]
    [InlineData("expand system touch /tmp/x")]
    public async Task System_is_counted_and_never_run(string command)
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event plain CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE");
        await client.ApiAsync(command);
        // An application runs after the originate was answered: its event follows.
        if (simulator.SystemCommands.Count == 0) await client.EventAsync("CHANNEL_EXECUTE");
        Assert.Equal(ShellWords, Assert.Single(simulator.SystemCommands).Split(' '));
    }

    [Fact]
    public async Task A_value_that_is_pasted_can_become_another_call()
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event plain CHANNEL_CREATE");
        await client.ApiAsync("originate {origination_caller_id_name=Bob}null/666 &park() }null/1000 &park()");
        Assert.Equal("null/666", (await client.EventAsync("CHANNEL_CREATE"))["Channel-Name"]);
        await client.SendAsync("api originate {origination_caller_id_name=Bob\n\napi eval injected\n\n}null/1 &park()\n\n");
        Assert.StartsWith("-USAGE", (await client.NextAsync(r => r.Type == "api/response")).Body, StringComparison.Ordinal);
        Assert.Equal("injected", (await client.NextAsync(r => r.Type == "api/response")).Body);
        Assert.Equal("-ERR command not found", (await client.NextAsync(r => r.Type == "command/reply")).Reply);
    }

    [Fact]
    public async Task Bytes_that_are_no_text_go_through_json_as_they_are()
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event json CHANNEL_CREATE");
        await client.SendAsync(Encoding.Latin1.GetBytes("api originate {name=caf\u00e9}null/1 &park()\n\n"));
        EslRecord created = await client.NextAsync(r => r.Type == "text/event-json");
        Assert.Contains("\"variable_name\":\"caf\u00e9\"", created.Body, StringComparison.Ordinal);
        Assert.Equal(created.Body.Length, int.Parse(created.Outer("Content-Length")!, null));
    }

    [Fact]
    public async Task Filters_are_ored_and_hide_jobs()
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event plain ALL", "filter Unique-ID u1", "filter Event-Name /CHANNEL_(ANSWER|DESTROY)/");
        await client.SendAsync("bgapi originate {origination_uuid=u2}null/1 &park()\n\n");
        Assert.Equal("u2", (await client.EventAsync("CHANNEL_ANSWER"))["Unique-ID"]);
        Assert.Equal("+OK u1\n", await client.ApiAsync("originate {origination_uuid=u1}null/1 &park()"));
        await client.NextAsync(r => r.Name == "CHANNEL_PARK" && r["Unique-ID"] == "u1");
        Assert.DoesNotContain(client.Records, r => r.Name is "BACKGROUND_JOB" or "API" || (r["Unique-ID"] == "u2" && r.Name != "CHANNEL_ANSWER"));
        Assert.Equal("+OK filter deleted. [all][]", await client.CommandAsync("filter delete all"));
        Assert.Equal("+OK events nixed", await client.CommandAsync("nixevent CHANNEL_HANGUP"));
        await client.ApiAsync("uuid_kill u2");
        await client.NextAsync(r => r.Name == "CHANNEL_HANGUP_COMPLETE" && r["Unique-ID"] == "u2");
        Assert.DoesNotContain(client.Records, r => r.Name == "CHANNEL_HANGUP");
    }

    [Fact]
    public async Task A_kill_can_come_too_early()
    {
        var time = new FakeTimeProvider();
        using FreeSwitchSimulator simulator = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions { TimeProvider = time, Faults = new SimulatorFaults { EarlyKillFails = true } });
        using EslClient client = await EslClient.LogInAsync(simulator, "event plain BACKGROUND_JOB");
        await client.SendAsync("bgapi originate {origination_uuid=u1}null/1 &park()\n\napi uuid_kill u1 ORIGINATOR_CANCEL\n\n");
        Assert.Equal("-ERR No such channel!\n", (await client.NextAsync(r => r.Type == "api/response")).Body);
        // The job begins, and then the leg answers.
        time.Advance(TimeSpan.FromMilliseconds(100));
        time.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Equal("+OK u1\n", (await client.EventAsync("BACKGROUND_JOB")).EventBody);
        Assert.Equal("+OK\n", await client.ApiAsync("uuid_kill u1"));
    }

    [Fact]
    public async Task Refused_by_the_access_list()
    {
        using FreeSwitchSimulator simulator = Start(new SimulatorFaults { RudeRejection = true });
        using EslClient client = EslClient.Open(simulator);
        await client.ReadToEndAsync();
        Assert.Equal(EslRecord.All(Transcript.Open("freeswitch", "auth-acl-refused").Server(1)).Select(r => r.ToString()), client.Records.Select(r => r.ToString()));
    }

    [Fact]
    public async Task Silence_ends_a_connection_that_is_not_logged_in_and_no_other()
    {
        var time = new FakeTimeProvider();
        using FreeSwitchSimulator simulator = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions { TimeProvider = time, HeartbeatInterval = TimeSpan.Zero });
        using EslClient silent = EslClient.Open(simulator);
        await silent.NextAsync(r => r.Type == "auth/request");
        using EslClient other = EslClient.Open(simulator);
        await other.NextAsync(r => r.Type == "auth/request");
        // Any first command stops that clock.
        Assert.Equal("-ERR command not found", await other.CommandAsync("api status"));
        time.Advance(TimeSpan.FromSeconds(26));
        await silent.ReadToEndAsync();
        Assert.Equal(EslRecord.All(Transcript.Open("freeswitch", "auth-timeout").Server(1)).Select(r => r.ToString()), silent.Records.Select(r => r.ToString()));
        Assert.Equal("+OK accepted", await other.CommandAsync("auth ClueCon"));
    }

    [Fact]
    public async Task The_heart_beats()
    {
        var time = new FakeTimeProvider();
        using FreeSwitchSimulator simulator = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions { TimeProvider = time });
        using EslClient client = await EslClient.LogInAsync(simulator, "event json HEARTBEAT");
        simulator.StartIncomingCall("1", "1006");
        time.Advance(TimeSpan.FromSeconds(20));
        EslRecord beat = await client.EventAsync("HEARTBEAT");
        Assert.Equal(("1", "1.10.12-release~64bit", "System Ready"), (beat["Session-Count"], beat["FreeSWITCH-Version"], beat["Event-Info"]));
        EslRecord recorded = EslRecord.All(Transcript.Open("freeswitch", "originate-sofia-no-answer-timeout").Server(1)).First(r => r.Name == "HEARTBEAT");
        Assert.Equal(recorded.Fields.Select(f => f.Key), beat.Fields.Select(f => f.Key));
    }

    [Fact]
    public async Task A_machine_that_is_late_keeps_the_order_of_things()
    {
        var time = new LateTimeProvider();
        using FreeSwitchSimulator simulator = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions { TimeProvider = time, RingTime = TimeSpan.FromMilliseconds(20), HeartbeatInterval = TimeSpan.Zero });
        using EslClient client = await EslClient.LogInAsync(simulator, "event plain CHANNEL_CREATE CHANNEL_PROGRESS CHANNEL_ANSWER CHANNEL_HANGUP");
        await client.SendAsync("bgapi originate sofia/gateway/bye/1 &park()\n\n");
        await client.EventAsync("CHANNEL_CREATE");
        // It was to ring after 2 ms and to answer after 22; both times have come when the machine looks.
        time.Advance(TimeSpan.FromMilliseconds(500));
        Assert.Equal("CHANNEL_PROGRESS", (await client.NextAsync(r => r.IsEvent)).Name);
        Assert.Equal("CHANNEL_ANSWER", (await client.NextAsync(r => r.IsEvent)).Name);
        // It talks for a second.
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal("CHANNEL_HANGUP", (await client.NextAsync(r => r.IsEvent)).Name);
    }

    [Fact]
    public async Task A_half_closed_client_and_an_exit_wait_for_their_jobs()
    {
        var time = new FakeTimeProvider();
        using FreeSwitchSimulator simulator = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions { TimeProvider = time });
        using EslClient half = await EslClient.LogInAsync(simulator, "event plain BACKGROUND_JOB");
        using EslClient exits = await EslClient.LogInAsync(simulator, "event plain BACKGROUND_JOB");
        foreach (EslClient client in new[] { half, exits }) Assert.StartsWith("+OK", await client.CommandAsync("bgapi msleep 300"), StringComparison.Ordinal);
        half.Socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("+OK bye", await exits.CommandAsync("exit"));
        await EslClient.UntilAsync(() => simulator.Listeners == 0, "they are about to go");
        Assert.Equal(2, simulator.Connections);
        time.Advance(TimeSpan.FromMilliseconds(300));
        foreach (EslClient client in new[] { half, exits })
        {
            await client.ReadToEndAsync();
            Assert.Equal("text/disconnect-notice", client.Records[^1].Type);
            Assert.DoesNotContain(client.Records, r => r.IsEvent);
        }
    }

    [Fact]
    public async Task A_restart_tells_and_comes_back_as_another()
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event json ALL");
        await client.ApiAsync("originate {origination_uuid=u1}null/1 &park()");
        await client.SendAsync("bgapi originate sofia/gateway/ring/1 &park()\n\n");
        string core = (await client.EventAsync("CHANNEL_PROGRESS"))["Core-UUID"]!;
        await simulator.RestartAsync(CancellationToken.None).WaitAsync(EslClient.Deadline);
        await client.ReadToEndAsync();
        Assert.Equal("The system is being shut down.\n", client.Records[^1].Body);
        Assert.Contains(client.Records, r => r.Name == "SHUTDOWN");
        Assert.Equal(2, client.Records.Count(r => r.Name == "CHANNEL_HANGUP_COMPLETE" && r["Hangup-Cause"] == "SYSTEM_SHUTDOWN"));
        Assert.Equal("-ERR SYSTEM_SHUTDOWN\n", client.Records.Last(r => r.Name == "BACKGROUND_JOB").EventBody);
        using EslClient again = await EslClient.LogInAsync(simulator, "event json CHANNEL_CREATE");
        Assert.Equal("{\"row_count\": 0}\n", await again.ApiAsync("show channels as json"));
        await again.ApiAsync("originate null/1 &park()");
        Assert.NotEqual(core, (await again.EventAsync("CHANNEL_CREATE"))["Core-UUID"]);
    }

    [Fact]
    public async Task A_killed_server_says_nothing()
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event json ALL");
        await client.ApiAsync("originate null/1 &park()");
        await client.EventAsync("CHANNEL_PARK");
        await simulator.KillAsync(CancellationToken.None).WaitAsync(EslClient.Deadline);
        await client.ReadToEndAsync();
        Assert.DoesNotContain(client.Records, r => r.Type == "text/disconnect-notice" || r.Name == "CHANNEL_HANGUP");
        Assert.Equal(0, simulator.ActiveChannels);
    }

    [Fact]
    public async Task Limits_and_pauses_refuse_without_an_event()
    {
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event plain CHANNEL_CREATE");
        Assert.Equal("+OK max sessions: 1\n", await client.ApiAsync("fsctl max_sessions 1"));
        Assert.StartsWith("+OK", await client.ApiAsync("originate null/1 &park()"), StringComparison.Ordinal);
        Assert.Equal("-ERR DESTINATION_OUT_OF_ORDER\n", await client.ApiAsync("originate null/1 &park()"));
        await client.ApiAsync("hupall");
        await client.ApiAsync("fsctl max_sessions 100");
        await client.ApiAsync("fsctl pause outbound");
        Assert.Equal(("true", "false"), (await client.ApiAsync("fsctl pause_check outbound"), await client.ApiAsync("fsctl pause_check inbound")));
        Assert.Equal("-ERR DESTINATION_OUT_OF_ORDER\n", await client.ApiAsync("originate null/1 &park()"));
        await client.ApiAsync("fsctl resume outbound");
        Assert.StartsWith("+OK", await client.ApiAsync("originate {origination_uuid=last}null/1 &park()"), StringComparison.Ordinal);
        await client.NextAsync(r => r.Name == "CHANNEL_CREATE" && r["Unique-ID"] == "last");
        Assert.Equal(2, client.Records.Count(r => r.Name == "CHANNEL_CREATE"));
    }

    [Fact]
    public async Task Every_message_may_come_in_pieces()
    {
        using FreeSwitchSimulator simulator = Start(new SimulatorFaults { SplitWrites = true });
        using EslClient client = await EslClient.LogInAsync(simulator, "event plain CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE");
        Assert.Equal("+OK u1\n", await client.ApiAsync("originate {origination_uuid=u1}null/1 &hangup(USER_BUSY)"));
        Assert.Equal("USER_BUSY", (await client.EventAsync("CHANNEL_HANGUP_COMPLETE"))["Hangup-Cause"]);
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_cut_off_and_blocks_nobody()
    {
        using FreeSwitchSimulator simulator = Start(writeTimeout: TimeSpan.FromMilliseconds(200));
        using EslClient lazy = await EslClient.LogInAsync(simulator, "event plain ALL");
        using EslClient client = await EslClient.LogInAsync(simulator, "event plain BACKGROUND_JOB");
        for (int round = 0; simulator.Connections == 2; round++)
        {
            Assert.True(round < 50, "The lazy client was never cut off.");
            for (int i = 0; i < 100; i++) await client.SendAsync("bgapi originate null/1 &hangup()\n\n");
            for (int i = 0; i < 100; i++) await client.EventAsync("BACKGROUND_JOB");
        }

        Assert.StartsWith("UP", await client.ApiAsync("status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ten_thousand_calls()
    {
        const int Count = 10_000;
        using FreeSwitchSimulator simulator = Start();
        using EslClient client = await EslClient.LogInAsync(simulator, "event json CHANNEL_HANGUP");
        await client.SendAsync(string.Concat(Enumerable.Range(0, Count).Select(i => $"bgapi originate {{origination_uuid=u{i}}}null/1 &park()\n\n")));
        for (int i = 0; i < Count; i++) await client.NextAsync(r => r.Type == "command/reply");
        Assert.Equal(Count, simulator.ActiveChannels);
        using JsonDocument shown = JsonDocument.Parse(await client.ApiAsync("show channels as json"));
        Assert.Equal(Count, shown.RootElement.GetProperty("row_count").GetInt32());
        await client.ApiAsync("hupall NORMAL_CLEARING");
        for (int i = 0; i < Count; i++) await client.EventAsync("CHANNEL_HANGUP");
        Assert.Equal(0, simulator.ActiveChannels);
    }

    [Fact]
    public void The_cmdlet_starts_it()
    {
        using var module = new ModuleRunspace();
        Assert.Equal("FreeSwitch 1.10.12 at 127.0.0.1", module.Run<string>("$s = Start-SipSimulator -Type FreeSwitch; \"$s\" -replace ':\\d+$'"));
        Assert.Equal("freeswitch", module.Run<string>("$s.Credential.UserName"));
        module.Fails("SipInvalidArgument", "Start-SipSimulator FreeSwitch -Version 22.10.1");
        module.Run("Stop-SipSimulator -All");
    }

    private static FreeSwitchSimulator Start(SimulatorFaults? faults = null, TimeSpan? writeTimeout = null) => FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions
    {
        RingTime = TimeSpan.FromMilliseconds(20),
        RestartTime = TimeSpan.FromMilliseconds(20),
        WriteTimeout = writeTimeout ?? TimeSpan.FromSeconds(2),
        Faults = faults ?? new SimulatorFaults(),
    });
}
