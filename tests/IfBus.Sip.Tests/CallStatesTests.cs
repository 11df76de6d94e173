using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.Connection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests;

public sealed class CallStatesTests
{
    [Fact]
    public void All_steps()
    {
        string[] allowed =
        [
            "Created>Dialing", "Dialing>Ringing", "Dialing>Connected", "Ringing>Connected", "Incoming>Connected", "Connected>OnHold", "Connected>Transferring",
            "OnHold>Connected", "OnHold>Transferring", "Transferring>Connected", "Transferring>OnHold",
        ];
        foreach (CallState from in Enum.GetValues<CallState>())
        {
            foreach (CallState to in Enum.GetValues<CallState>())
            {
                bool expected = from != to && from != CallState.Terminated && (to is CallState.HangingUp or CallState.Terminated || allowed.Contains($"{from}>{to}"));
                Assert.True(expected == CallStates.CanMove(from, to), $"{from} > {to}");
            }
        }
    }

    [Theory]
    [InlineData(true, 0, null, HealthState.Healthy)]
    [InlineData(true, 0.049, 99.0, HealthState.Healthy)]
    [InlineData(true, 0.05, 10.0, HealthState.Degraded)]
    [InlineData(true, 0.20, 10.0, HealthState.Degraded)]
    [InlineData(true, 0.21, 10.0, HealthState.Critical)]
    [InlineData(true, 0, 100.0, HealthState.Degraded)]
    [InlineData(true, 0, 300.0, HealthState.Degraded)]
    [InlineData(true, 0, 301.0, HealthState.Critical)]
    [InlineData(false, 0, 1.0, HealthState.Critical)]
    public void Health(bool connected, double failed, double? milliseconds, HealthState expected) =>
        Assert.Equal(expected, OperationLog.Judge(connected, failed, milliseconds is { } ms ? TimeSpan.FromMilliseconds(ms) : null));

    [Fact]
    public void Backoff_grows_to_its_cap_and_never_past_it()
    {
        var policy = new SipReconnectPolicy();
        double[] bounds = [.. Enumerable.Range(0, 12).Select(n => Backoff.Bound(policy, n).TotalSeconds)];
        Assert.Equal([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300], bounds);
        Assert.Equal(TimeSpan.Zero, Backoff.Next(policy, 5, 0));
        Assert.Equal(300, Backoff.Bound(policy, int.MaxValue).TotalSeconds);
    }

    [Fact]
    public async Task A_slow_subscriber_loses_the_oldest_and_is_told_how_many()
    {
        var time = new FakeTimeProvider();
        var hub = new EventHub("hub", SipServerType.Asterisk, 100, time, NullLogger.Instance);
        using ISipEventSubscription slow = hub.Subscribe(SipEventTypes.Other);
        using ISipEventSubscription other = hub.Subscribe(SipEventTypes.Error);
        Assert.False(hub.Wants(SipEventTypes.CallDtmf));
        for (int i = 0; i < 1000; i++) hub.Publish(new SipEvent(SipEventTypes.Other, "hub", SipServerType.Asterisk, default, $"{i}"));
        SipEvent gap = await slow.ReadAsync(default);
        Assert.Equal((SipEventTypes.EventsLost, 900L), (gap.Type, gap.LostCount));
        for (int i = 900; i < 1000; i++) Assert.Equal($"{i}", (await slow.ReadAsync(default)).Name);
        Assert.False(slow.TryRead(out _));
        Assert.False(other.TryRead(out _));
        hub.Close(new InvalidOperationException("gone"));
        await Assert.ThrowsAsync<SipConnectionException>(() => slow.ReadAsync(default).AsTask());
    }

    [Fact]
    public void Byte_keys_behave_as_a_dictionary()
    {
        var random = new Random(1);
        var table = new Utf8Table<int>();
        var expected = new Dictionary<string, int>();
        for (int i = 0; i < 50_000; i++)
        {
            string key = random.Next(3000).ToString(System.Globalization.CultureInfo.InvariantCulture);
            byte[] bytes = System.Text.Encoding.ASCII.GetBytes(key);
            if (random.Next(3) == 0)
            {
                Assert.Equal(expected.Remove(key), table.Remove(bytes));
            }
            else
            {
                expected[key] = i;
                table.Set(bytes, i);
            }

            Assert.Equal(expected.Count, table.Count);
        }

        foreach ((string key, int value) in expected)
        {
            Assert.True(table.TryGet(System.Text.Encoding.ASCII.GetBytes(key), out int found));
            Assert.Equal(value, found);
        }
    }

    [Fact]
    public void Every_problem_of_a_configuration_is_listed_and_no_secret()
    {
        IReadOnlyList<SipConfigurationProblem> problems = new SipAdapterFactory().Validate(new SipServerConfiguration
        {
            Type = SipServerType.Asterisk,
            Host = "http://x/y",
            Port = 70000,
            Name = "a*",
            Credential = new System.Net.NetworkCredential("u", "hush\nhush"),
            ConnectTimeout = TimeSpan.Zero,
            RequestTimeout = TimeSpan.FromDays(50),
            SkipCertificateCheck = true,
            EndpointTemplate = "PJSIP",
            Context = "a b",
            EventBuffer = 1,
            Reconnect = new SipReconnectPolicy { Factor = double.NaN, MaxAttempts = -1 },
        });
        Assert.Equal(
            ["ConnectTimeout", "Context", "Credential", "EndpointTemplate", "EventBuffer", "Host", "Name", "Port", "ReconnectAttempts", "ReconnectFactor", "RequestTimeout", "SkipCertificateCheck"],
            problems.Select(p => p.Parameter).Order());
        Assert.DoesNotContain("hush", string.Join(' ', problems), StringComparison.Ordinal);
    }
}
