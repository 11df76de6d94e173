using System.Net;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>Calls that are asked for side by side go over a connection of their own, beside that of the events.</summary>
public sealed class SecondConnectionTests
{
    private const int Many = 60;

    [Fact]
    public async Task Many_calls_at_once_are_asked_for_over_a_connection_of_their_own_which_goes_with_the_first()
    {
        using FreeSwitchSimulator server = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions());
        await using ISipAdapter adapter = await Connect(server.Port);
        await MakeAsync(adapter, 1);
        Assert.Equal(1, server.Connections);

        SipCall[] first = await MakeAsync(adapter, Many);
        await Until.TrueAsync(() => server.Listeners == 2);
        SipCall[] second = await MakeAsync(adapter, Many);
        foreach (SipCall call in first.Concat(second)) Assert.Equal(CallState.Connected, (await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], TimeSpan.FromSeconds(30), default)).State);
        Assert.Equal((2 * Many) + 1, adapter.KnownCalls.Count);
        Assert.Equal(2, server.Connections);

        await adapter.DisconnectAsync(default);
        await Until.TrueAsync(() => server.Connections == 0);
    }

    [Fact]
    public async Task A_server_that_takes_no_second_connection_makes_them_over_the_first()
    {
        using FreeSwitchSimulator server = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions());
        int tried = 0;
        using var relay = new Relay("127.0.0.1", server.Port, async (client, to) =>
        {
            Interlocked.Increment(ref tried);
            await client.CopyToAsync(to);
        });
        await using ISipAdapter adapter = await Connect(relay.Port);
        server.Faults.RefuseConnections = true;
        for (int round = 0; round < 2; round++)
        {
            foreach (SipCall call in await MakeAsync(adapter, Many)) Assert.Equal(CallState.Connected, (await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], TimeSpan.FromSeconds(30), default)).State);
        }

        // It was tried, once, and not again for the second round.
        await Until.TrueAsync(() => Volatile.Read(ref tried) > 1);
        Assert.Equal((2, 1), (Volatile.Read(ref tried), server.Connections));
        Assert.Equal(ConnectionState.Connected, adapter.Server.State);
    }

    [Fact]
    public async Task What_it_swallows_is_told_as_unknown_and_then_as_no_call_of_the_server()
    {
        using FreeSwitchSimulator server = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions());
        int connections = 0;
        bool swallows = false, used = false;
        using var relay = new Relay("127.0.0.1", server.Port, async (client, to) =>
        {
            bool second = Interlocked.Increment(ref connections) > 1;
            byte[] buffer = new byte[64 * 1024];
            while (await client.ReadAsync(buffer) is > 0 and int count)
            {
                if (second && buffer.AsSpan(0, count).IndexOf("bgapi originate"u8) >= 0) Volatile.Write(ref used, true);
                if (!second || !Volatile.Read(ref swallows)) await to.WriteAsync(buffer.AsMemory(0, count));
            }
        });
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var configuration = new SipServerConfiguration { Type = SipServerType.FreeSwitch, Host = "127.0.0.1", Port = relay.Port, Credential = new NetworkCredential("freeswitch", server.Secret) };
        FreeSwitchAdapter.Complete(configuration);
        await using var adapter = new FreeSwitchAdapter(configuration, NullLogger.Instance, time);
        await adapter.ConnectAsync(default);
        await MakeAsync(adapter, Many);
        while (!Volatile.Read(ref used)) await MakeAsync(adapter, 1);

        // Over the second connection goes what is asked for from now on, and it comes to nothing.
        Volatile.Write(ref swallows, true);
        int before = adapter.KnownCalls.Count;
        Task<SipCall>[] asked = [.. Enumerable.Range(0, Many).Select(_ => MakeOneAsync(adapter))];
        await Until.TrueAsync(() => adapter.KnownCalls.Count == before + Many);
        time.Advance(configuration.RequestTimeout + TimeSpan.FromSeconds(1));
        await Until.TrueAsync(() => asked.All(a => a.IsFaulted));
        SipTimeoutException[] lost = [.. asked.Select(a => Assert.IsType<SipTimeoutException>(a.Exception!.InnerException))];
        Assert.All(lost, e => Assert.True(e.OutcomeUnknown));
        Assert.All(lost, e => Assert.Equal(CallState.Created, adapter.FindCall(e.CallId!)!.State));

        // The server is asked, more than once, since its list is a moment behind.
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(500));
            return lost.All(e => adapter.FindCall(e.CallId!)!.IsEnded);
        });
        SipCall ended = adapter.FindCall(lost[0].CallId!)!;
        Assert.Equal(HangupCause.EndedUnseen, ended.Cause);
        Assert.Equal("the server did not say whether it took the call, and has none", ended.CauseText);
        Assert.Equal(before, adapter.KnownCalls.Count);
        // Its good-bye is heard.
        Volatile.Write(ref swallows, false);
    }

    private static Task<ISipAdapter> Connect(int port) => Connected.ToAsync(SipServerType.FreeSwitch, port, 10, 10, 20, new NetworkCredential("freeswitch", "ClueCon"));

    private static Task<SipCall> MakeOneAsync(ISipAdapter adapter) => adapter.MakeCallAsync(new SipCallRequest { To = "null/1", Application = "park" }, default);

    private static Task<SipCall[]> MakeAsync(ISipAdapter adapter, int count) => Task.WhenAll(Enumerable.Range(0, count).Select(_ => MakeOneAsync(adapter)));
}
