using System.Net.Sockets;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>The simulator told to stop gracefully (wire/asterisk, stop-gracefully): it does nothing any more that it is asked, waits for its last call, and goes.</summary>
public sealed class GracefulStopTests
{
    private const string Refusal = "Asterisk is shutting down";

    [Fact]
    public async Task It_refuses_all_waits_for_its_last_call_says_shutdown_and_is_gone()
    {
        using AsteriskSimulator simulator = AsteriskSimulator.Start();
        using var first = new RawManager(simulator.Host, simulator.Port, simulator.User, simulator.Secret, "call,system");
        first.Say("Action: Originate\r\nActionID: call\r\nChannel: Local/echo@ifbus\r\nContext: ifbus\r\nExten: wait\r\nPriority: 1\r\nAsync: true\r\nChannelId: sg-1\r\n\r\n");
        first.Await(m => m["Event"] == "OriginateResponse");
        using var second = new RawManager(simulator.Host, simulator.Port, simulator.User, simulator.Secret, "off");
        second.Say("Action: Command\r\nActionID: stop\r\nCommand: core stop gracefully\r\n\r\n");

        // The command is not answered; that it was taken shows here.
        for (int i = 0; first.Heard.All(m => m["Message"] != Refusal); i++)
        {
            first.Say($"Action: Ping\r\nActionID: ping{i}\r\n\r\n");
            first.Await(m => m["ActionID"] == $"ping{i}");
        }

        foreach (string action in new[] { "Originate\r\nChannel: Local/echo@ifbus\r\nApplication: Wait\r\nAsync: true", "Command\r\nCommand: core show uptime", "Hangup\r\nChannel: sg-1" })
        {
            string id = action[..4];
            first.Say($"Action: {action}\r\nActionID: {id}\r\n\r\n");
            Assert.Equal(("Error", Refusal), (first.Await(m => m["ActionID"] == id)["Response"], first.Await(m => m["ActionID"] == id)["Message"]));
        }

        using (var late = new TcpClient())
        {
            await late.ConnectAsync(simulator.Host, simulator.Port);
            await late.GetStream().WriteAsync("Action: Login\r\nActionID: l\r\nUsername: x\r\nSecret: y\r\n\r\n"u8.ToArray());
            using var reader = new StreamReader(late.GetStream());
            string? line;
            do line = await reader.ReadLineAsync();
            while (line is not null && !line.StartsWith("Message: ", StringComparison.Ordinal));
            Assert.Equal("Message: " + Refusal, line);
        }

        Assert.Equal(1, simulator.ActiveCalls);
        simulator.HangUpByPhone("sg-1");
        Assert.Equal(("Cleanly", "False"), (first.Await(m => m["Event"] == "Shutdown")["Shutdown"], first.Await(m => m["Event"] == "Shutdown")["Restart"]));
        await Until.TrueAsync(async () =>
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync(simulator.Host, simulator.Port);
                return false;
            }
            catch (SocketException)
            {
                return true;
            }
        });
    }
}
