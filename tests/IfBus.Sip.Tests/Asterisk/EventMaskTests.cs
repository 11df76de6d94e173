using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>Which events the login asks for, and which it has the server keep to itself: seen on the wire.</summary>
public sealed class EventMaskTests
{
    [Theory]
    [InlineData("system,originate,call,reporting", true)]
    // The action Filter is of class system.
    [InlineData("originate,call,reporting", false)]
    public async Task Cel_is_kept_off_the_wire_by_a_login_with_class_system(string write, bool filters)
    {
        using AsteriskSimulator simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions { Users = [new AsteriskSimulatorUser { Name = "u", Secret = "s", Read = "call,cdr", Write = write }] });
        var sent = new StringBuilder();
        using var relay = new Relay("127.0.0.1", simulator.Port, async (client, server) =>
        {
            byte[] buffer = new byte[4096];
            while (await client.ReadAsync(buffer) is > 0 and int count)
            {
                lock (sent) sent.Append(Encoding.ASCII.GetString(buffer, 0, count));
                await server.WriteAsync(buffer.AsMemory(0, count));
            }
        });
        await using (await Connected.ToAsync(SipServerType.Asterisk, relay.Port, 30, 30, 60, new("u", "s")))
        {
        }

        string[] actions;
        lock (sent) actions = sent.ToString().Split("\r\n\r\n");
        // No cel, which is in class call anyway, and no dialplan, which can carry forged events.
        Assert.Contains("\r\nEvents: system,call,cdr,dtmf", Assert.Single(actions, a => a.StartsWith("Action: Login\r\n", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("\r\nEventMask: system,call,cdr,dtmf", Assert.Single(actions, a => a.StartsWith("Action: Events\r\n", StringComparison.Ordinal)), StringComparison.Ordinal);
        string[] filter = [.. actions.Where(a => a.StartsWith("Action: Filter\r\n", StringComparison.Ordinal))];
        if (filters) Assert.EndsWith("\r\nOperation: Add\r\nFilter: !Event: CEL", Assert.Single(filter), StringComparison.Ordinal);
        else Assert.Empty(filter);
    }
}
