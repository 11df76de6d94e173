using System.Net;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>What health is judged by.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task Only_the_ping_is_the_latency()
    {
        var time = new FakeTimeProvider();
        using ScriptedPeer peer = ScriptedPeer.LogsIn(
            async (stream, _, id) =>
            {
                time.Advance(TimeSpan.FromMilliseconds(20));
                await ScriptedPeer.SayAsync(stream, $"Response: Success\r\nActionID: {id}\r\nPing: Pong\r\n\r\n");
                return true;
            },
            name => time.Advance(name == "CoreStatus" ? TimeSpan.FromSeconds(1) : TimeSpan.Zero));
        await using ISipAdapter adapter = new SipAdapterFactory(time).Create(
            new SipServerConfiguration { Type = SipServerType.Asterisk, Host = "127.0.0.1", Port = peer.Port, Credential = new NetworkCredential("u", "s") }, null);
        await adapter.ConnectAsync(default).WaitAsync(TimeSpan.FromSeconds(20));
        SipServerHealth health = await adapter.CheckHealthAsync(default).WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal((TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(20), 1), (health.Latency, health.AverageLatency, health.Operations));
        Assert.Equal(HealthState.Healthy, health.Health);
    }
}
