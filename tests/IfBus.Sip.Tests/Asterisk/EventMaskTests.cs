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
    public async Task Cel_and_what_holds_other_messages_are_kept_off_the_wire_by_a_login_with_class_system(string write, bool filters)
    {
        using AsteriskSimulator simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions { Users = [new AsteriskSimulatorUser { Name = "u", Secret = "s", Read = "call,cdr", Write = write }] });
        using var relay = new RecordingRelay("127.0.0.1", simulator.Port);
        await using (await Connected.ToAsync(SipServerType.Asterisk, relay.Port, 30, 30, 60, new("u", "s")))
        {
        }

        string[] actions = relay.Sent.Split("\r\n\r\n");
        // No cel, which is in class call anyway, and no dialplan, which can carry forged events.
        Assert.Contains("\r\nEvents: system,call,cdr,dtmf", Assert.Single(actions, a => a.StartsWith("Action: Login\r\n", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains("\r\nEventMask: system,call,cdr,dtmf", Assert.Single(actions, a => a.StartsWith("Action: Events\r\n", StringComparison.Ordinal)), StringComparison.Ordinal);
        string[] filter = [.. actions.Where(a => a.StartsWith("Action: Filter\r\n", StringComparison.Ordinal))];
        Assert.Equal(filters ? ["Filter: !Event: CEL", "Filter: ![[:cntrl:]]{4}[^[:cntrl:]]"] : [], filter.Select(a => a.Split("\r\n")[^1]));
    }
}
