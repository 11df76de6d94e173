using System.Diagnostics.Metrics;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests;

/// <summary>The instruments of the meter IfBus.Sip, as a monitoring program hears them.</summary>
public sealed class MeterTests
{
    // The meter is the process's, and other tests run beside this one: what flows from here carries this mark.
    private static readonly AsyncLocal<MeterTests?> Mine = new();
    private readonly object _gate = new();
    private readonly List<(string Name, double Value, string Tags)> _heard = [];
    private readonly Dictionary<string, string?> _units = [];

    [Fact]
    public async Task What_happens_is_counted_and_timed_and_no_tag_has_a_number()
    {
        using MeterListener listener = Listen();
        Mine.Value = this;
        using AsteriskSimulator simulator = AsteriskSimulator.Start();
        await using ISipAdapter adapter = new Adapters.SipAdapterFactory().Create(
            new SipServerConfiguration
            {
                Type = SipServerType.Asterisk,
                Host = "127.0.0.1",
                Port = simulator.Port,
                Credential = new(simulator.User, simulator.Secret),
                EventBuffer = 16,
                Reconnect = { BaseDelay = TimeSpan.FromMilliseconds(100) },
            },
            null);
        await adapter.ConnectAsync(default);
        using ISipEventSubscription slow = adapter.Subscribe(SipEventTypes.All);
        SipCall talking = await adapter.MakeCallAsync(new SipCallRequest { From = "1001", To = "1002" }, default);
        await adapter.WaitForCallAsync(talking.CallId, [CallState.Connected], TimeSpan.FromSeconds(60), default);
        SipCall busy = await adapter.MakeCallAsync(new SipCallRequest { From = "1001", To = "busy" }, default);
        busy = await adapter.WaitForCallAsync(busy.CallId, [CallState.Terminated], TimeSpan.FromSeconds(60), default);
        Assert.Equal((2.0, 1.0, 1.0), (Sum("ifbus.sip.calls.attempts"), Sum("ifbus.sip.calls.active"), Sum("ifbus.sip.calls.failures")));
        Assert.Equal([busy.Duration!.Value.TotalSeconds], Values("ifbus.sip.calls.duration"));
        Assert.Empty(Values("ifbus.sip.calls.setup_time"));

        talking = await adapter.HangUpAsync(talking.CallId, HangupCause.NormalClearing, default);
        Assert.Equal((2.0, 0.0, 1.0), (Sum("ifbus.sip.calls.attempts"), Sum("ifbus.sip.calls.active"), Sum("ifbus.sip.calls.failures")));
        Assert.Equal([(talking.AnsweredAt - talking.CreatedAt)!.Value.TotalSeconds], Values("ifbus.sip.calls.setup_time"));
        Assert.Equal(2, Values("ifbus.sip.calls.duration").Length);
        // Of the two calls; a hang-up takes as long as the phones do, which is no latency of the server.
        double[] latencies = Values("ifbus.sip.requests.latency");
        Assert.Equal(2, latencies.Length);
        Assert.All(latencies, l => Assert.InRange(l, 1e-6, 60));

        Assert.Equal(0, Sum("ifbus.sip.reconnects"));
        simulator.DropConnections();
        await Until.TrueAsync(() => Sum("ifbus.sip.reconnects") == 1);
        // What nobody has read is what was lost.
        Assert.True(slow.TryRead(out SipEvent? gap));
        Assert.Equal(SipEventTypes.EventsLost, gap!.Type);
        Assert.InRange(gap.LostCount, 1, Sum("ifbus.sip.events.lost"));

        lock (_gate) Assert.All(_heard, h => Assert.Equal("server.type=Asterisk", h.Tags));
        Assert.Equal("calls.active {call}, calls.attempts {call}, calls.duration s, calls.failures {call}, calls.setup_time s, events.lost {event}, reconnects {connection}, requests.latency s", string.Join(", ", _units.OrderBy(u => u.Key, StringComparer.Ordinal).Select(u => $"{u.Key["ifbus.sip.".Length..]} {u.Value}")));
    }

    private MeterListener Listen()
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, me) =>
            {
                if (instrument.Meter.Name != "IfBus.Sip") return;
                lock (_gate) _units[instrument.Name] = instrument.Unit;
                me.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Hear(instrument.Name, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Hear(instrument.Name, value, tags));
        listener.Start();
        return listener;
    }

    private void Hear(string name, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (Mine.Value != this) return;
        string text = string.Join(", ", tags.ToArray().Select(t => $"{t.Key}={t.Value}"));
        lock (_gate) _heard.Add((name, value, text));
    }

    private double Sum(string name) => Values(name).Sum();

    private double[] Values(string name)
    {
        lock (_gate) return [.. _heard.Where(h => h.Name == name).Select(h => h.Value)];
    }
}
