using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.OpenSips;
using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.OpenSips;

/// <summary>The adapter against servers that are set up otherwise, or behave badly.</summary>
public sealed class OpenSipsAdapterTests : IDisposable
{
    private readonly CancellationTokenSource _limit = new(TimeSpan.FromSeconds(60));

    public void Dispose() => _limit.Dispose();

    [Theory]
    [InlineData("secret", null, true)]
    [InlineData(null, "secret", true)]
    [InlineData("wrong", null, false)]
    [InlineData(null, "wrong", false)]
    [InlineData(null, null, false)]
    public async Task A_reverse_proxy_asks_for_a_login(string? password, string? key, bool good)
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start(new OpenSipsSimulatorOptions { Secret = "secret" });
        await using OpenSipsAdapter adapter = Adapter(server, c =>
        {
            c.Credential = password is null ? null : new NetworkCredential("ifbus", password);
            c.ApiKey = key;
        });
        if (good)
        {
            await adapter.ConnectAsync(_limit.Token);
            return;
        }

        SipAuthenticationException e = await Assert.ThrowsAsync<SipAuthenticationException>(() => adapter.ConnectAsync(_limit.Token));
        Assert.DoesNotContain("secret", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_get_smaller_until_they_fit_the_servers_buffer()
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start(new OpenSipsSimulatorOptions { ReplyBuffer = 16 * 1024 });
        for (int i = 0; i < 300; i++) server.StartIncomingCall("a", "ring-1");
        await using OpenSipsAdapter adapter = Adapter(server);
        await adapter.ConnectAsync(_limit.Token);
        Assert.Equal(300, (await adapter.GetCallsAsync(_limit.Token)).Count);
    }

    [Fact]
    public async Task A_request_that_does_not_fit_is_told_with_the_servers_setting()
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start(new OpenSipsSimulatorOptions { ReceiveBuffer = 1024 });
        await using OpenSipsAdapter adapter = Adapter(server);
        await adapter.ConnectAsync(_limit.Token);
        SipProtocolException e = await Assert.ThrowsAsync<SipProtocolException>(() => adapter.InvokeCommandAsync(new SipCommandRequest("cache_store", [new("1", "local"), new("2", "k"), new("3", new string('x', 2000))]), _limit.Token));
        Assert.Contains("receive_buf_size", e.RecommendedAction, StringComparison.Ordinal);
        // Larger than any server takes: not even sent.
        long before = server.RequestsReceived;
        await Assert.ThrowsAsync<SipArgumentException>(() => adapter.InvokeCommandAsync(new SipCommandRequest("cache_store", [new("1", "local"), new("2", "k"), new("3", new string('x', 20_000))]), _limit.Token));
        Assert.Equal(before, server.RequestsReceived);
        Assert.Equal(ConnectionState.Connected, adapter.Server.State);
    }

    [Fact]
    public async Task Without_events_the_calls_are_asked_for()
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start(new OpenSipsSimulatorOptions { MissingCommands = ["event_subscribe"] });
        await using OpenSipsAdapter adapter = Adapter(server, c => c.PollInterval = TimeSpan.FromMilliseconds(100));
        await adapter.ConnectAsync(_limit.Token);
        Assert.False(adapter.Capabilities.HasFlag(SipCapabilities.CallEvents));
        Assert.False(adapter.Capabilities.HasFlag(SipCapabilities.Hold));
        server.StartIncomingCall("a", "answer-1");
        SipCall call = await UntilAsync(adapter, c => c.State == CallState.Connected);
        Assert.Equal(("a", "answer-1"), (call.From, call.To));
        Assert.Equal(CallState.Terminated, (await adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, _limit.Token)).State);
        SipNotSupportedException e = await Assert.ThrowsAsync<SipNotSupportedException>(() => adapter.HoldAsync(call.CallId, null, _limit.Token));
        Assert.Contains("Nothing was sent", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_modules_lack_is_not_claimed()
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start(new OpenSipsSimulatorOptions { MissingCommands = ["b2b_trigger_scenario", "call_transfer", "b2b_bridge", "ul_dump", "ds_list", "lb_list", "reg_list", "dlg_list_ctx"], MissingEvents = ["E_UA_SESSION", "E_CALL_HOLD"] });
        await using OpenSipsAdapter adapter = Adapter(server);
        await adapter.ConnectAsync(_limit.Token);
        foreach (SipCapabilities missing in (SipCapabilities[])[SipCapabilities.MakeCall, SipCapabilities.BlindTransfer, SipCapabilities.Hold, SipCapabilities.Registrations, SipCapabilities.Gateways])
            Assert.False(adapter.Capabilities.HasFlag(missing), missing.ToString());
        SipNotSupportedException e = await Assert.ThrowsAsync<SipNotSupportedException>(() => adapter.MakeCallAsync(new SipCallRequest { From = "a", To = "b" }, _limit.Token));
        Assert.Contains("b2b_logic", e.Message, StringComparison.Ordinal);
        server.StartIncomingCall("a", "answer-1");
        Assert.Equal("answer-1", (await UntilAsync(adapter, c => c.State == CallState.Connected)).To);
    }

    [Fact]
    public async Task A_server_that_cannot_join_says_which_setting_lacks()
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start(new OpenSipsSimulatorOptions { HasServerAddress = false });
        await using OpenSipsAdapter adapter = Adapter(server);
        await adapter.ConnectAsync(_limit.Token);
        SipRejectedException e = await Assert.ThrowsAsync<SipRejectedException>(() => adapter.MakeCallAsync(new SipCallRequest { From = "1001", To = "1002" }, _limit.Token));
        Assert.Equal((500, "Failed to initialize scenario"), (e.ServerCode, e.ServerText));
        Assert.Contains("server_address", e.Message, StringComparison.Ordinal);
        // The dead entry that it leaves is no call.
        Assert.Contains("\"state\":0", (await adapter.InvokeCommandAsync(new SipCommandRequest("b2b_list", []), _limit.Token)).Output[0], StringComparison.Ordinal);
        Assert.Empty(await adapter.GetCallsAsync(_limit.Token));
    }

    [Fact]
    public async Task A_connection_that_the_server_has_closed_while_it_was_idle_is_no_loss()
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start(new OpenSipsSimulatorOptions { ConnectionTimeout = TimeSpan.FromMilliseconds(1) });
        await using OpenSipsAdapter adapter = Adapter(server);
        await adapter.ConnectAsync(_limit.Token);
        // Others make the server look, and it closes what is idle.
        for (int i = 0; i < 20; i++)
        {
            await using OpenSipsAdapter other = Adapter(server);
            await other.ConnectAsync(_limit.Token);
            Assert.Empty(await adapter.GetCallsAsync(_limit.Token));
        }

        Assert.Equal((ConnectionState.Connected, 0), (adapter.Server.State, adapter.Server.Reconnects));
    }

    [Fact]
    public async Task A_subscription_is_renewed_before_it_runs_out()
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start();
        await using OpenSipsAdapter adapter = Adapter(server, c => c.KeepAlive = TimeSpan.FromSeconds(1));
        await adapter.ConnectAsync(_limit.Token);
        using ISipEventSubscription events = adapter.Subscribe(SipEventTypes.EventsLost);
        DateTime end = DateTime.UtcNow.AddSeconds(6);
        while (DateTime.UtcNow < end)
        {
            SipCommandResult told = await adapter.InvokeCommandAsync(new SipCommandRequest("subscribers_list", [new("1", "E_DLG_STATE_CHANGED"), new("2", adapter.Listener!.Target)]), _limit.Token);
            Assert.DoesNotContain("expired", told.Output[0], StringComparison.Ordinal);
            await Task.Delay(100);
        }

        Assert.False(events.TryRead(out _));
    }

    [Fact]
    public async Task Who_disconnects_takes_its_subscriptions_back()
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start();
        await using OpenSipsAdapter other = Adapter(server);
        await other.ConnectAsync(_limit.Token);
        OpenSipsAdapter adapter = Adapter(server);
        await adapter.ConnectAsync(_limit.Token);
        string target = adapter.Listener!.Target;
        await adapter.DisposeAsync();
        SipCommandResult told = await other.InvokeCommandAsync(new SipCommandRequest("subscribers_list", [new("1", "E_DLG_STATE_CHANGED"), new("2", target)]), _limit.Token);
        Assert.Contains("expired", told.Output[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restart_of_the_server_is_seen_and_its_calls_are_over()
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start();
        await using OpenSipsAdapter adapter = Adapter(server, c =>
        {
            c.KeepAlive = TimeSpan.FromMilliseconds(200);
            c.Reconnect.BaseDelay = TimeSpan.FromMilliseconds(100);
        });
        await adapter.ConnectAsync(_limit.Token);
        server.StartIncomingCall("a", "answer-1");
        SipCall call = await UntilAsync(adapter, c => c.State == CallState.Connected);
        await Task.Delay(3500);
        await server.RestartAsync(_limit.Token);
        SipCall ended = await adapter.WaitForCallAsync(call.CallId, [], TimeSpan.FromSeconds(20), _limit.Token);
        Assert.Equal((CallState.Terminated, HangupCause.ServerRestarted), (ended.State, ended.Cause));
        while (adapter.Server.State != ConnectionState.Connected) await Task.Delay(20, _limit.Token);
        server.StartIncomingCall("b", "answer-2");
        Assert.Equal("answer-2", (await UntilAsync(adapter, c => c.State == CallState.Connected)).To);
    }

    [Fact]
    public async Task Events_that_are_no_events_do_no_harm()
    {
        await using OpenSipsSimulator server = OpenSipsSimulator.Start();
        await using OpenSipsAdapter adapter = Adapter(server);
        await adapter.ConnectAsync(_limit.Token);
        IPEndPoint port = IPEndPoint.Parse(adapter.Listener!.Target[4..]);
        string[] bad =
        [
            "GET / HTTP/1.1\r\n\r\n",
            "{\"jsonrpc\":\"2.0\",\"method\":\"E_DLG_STATE_CHANGED\"}{\"method\":\"E_DLG_STATE_CHANGED\",\"params\":[1,2]}{\"method\":5}{\"method\":\"E_ACC_CDR\",\"params\":{\"callid\":7,\"time\":\"x\",\"ms_duration\":-5}}{\"method\":\"E_CALL_HOLD\",\"params\":{\"callid\":null}}",
            "{\"method\":\"E_DLG_STATE_CHANGED\",\"params\":{\"id\":\"a.1\",\"callid\":\"x\",\"new_state\":99999999999,\"old_state\":-1}}",
            "{\"method\":\"E_UNKNOWN\",\"params\":{\"a\":{\"b\":[1,2]}}}{\"broken",
        ];
        foreach (string text in bad)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(port);
            await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text));
        }

        // Bytes that are no UTF-8.
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(port);
            await client.GetStream().WriteAsync((byte[])[.. "{\"method\":\"E_ACC_CDR\",\"params\":{\"callid\":\"gr"u8, 0xfc, .. "n\",\"caller\":\"x\"}}"u8]);
        }

        // One that wants an answer.
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(port);
            await client.GetStream().WriteAsync("{\"jsonrpc\":\"2.0\",\"method\":\"E_X\",\"params\":{},\"id\":42}"u8.ToArray());
            byte[] buffer = new byte[100];
            Assert.Equal("{\"jsonrpc\":\"2.0\",\"result\":\"OK\",\"id\":42}", Encoding.UTF8.GetString(buffer, 0, await client.GetStream().ReadAsync(buffer, _limit.Token)));
        }

        server.StartIncomingCall("a", "answer-1");
        SipCall call = await UntilAsync(adapter, c => c.State == CallState.Connected);
        Assert.Equal("answer-1", call.To);
        Assert.DoesNotContain(adapter.KnownCalls, c => c.CallId == "a.1");
        Assert.Equal(ConnectionState.Connected, adapter.Server.State);
        await adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, _limit.Token);
    }

    [Theory]
    [InlineData("sip:1001@10.0.0.7:5060;transport=tcp", true)]
    [InlineData("sips:a%20b@[2001:db8::1]:5061", true)]
    [InlineData("sip:10.0.0.7", true)]
    [InlineData("sip:bob-0x561599dfaec0@127.0.0.1:15085", true)]
    [InlineData("sip:a@b?Replaces=c", false)]
    [InlineData("sip:a@b;method=REFER", false)]
    [InlineData("sip:a@b;Method=REFER", false)]
    [InlineData("sip:a@b;osid=1.2", false)]
    [InlineData("sip:a%0D@b", false)]
    [InlineData("sip:a@b\n", false)]
    [InlineData("sip:a@b, sip:c@d", false)]
    [InlineData("sip:", false)]
    [InlineData("http://a", false)]
    public void Addresses(string uri, bool good) => Assert.Equal(good, OpenSipsNumbers.IsUri(uri));

    [Theory]
    [InlineData("sip:{0}@10.0.0.7", true)]
    [InlineData("sip:10.0.0.7", false)]
    [InlineData("sip:{0}{0}@x", false)]
    [InlineData("PJSIP/{0}", false)]
    public void Templates_are_checked(string template, bool good) =>
        Assert.Equal(good, new SipAdapterFactory().Validate(new SipServerConfiguration { Type = SipServerType.OpenSips, Host = "h", EndpointTemplate = template }).Count == 0);

    [Theory]
    [InlineData("10.0.0.5", "8787", false)]
    [InlineData("10.0.0.5", "10.0.0.9:8787", true)]
    [InlineData("127.0.0.1", "8787", true)]
    [InlineData("10.0.0.5", "myhost:8787", false)]
    public void An_event_address_must_be_one_of_this_machine(string host, string address, bool good) =>
        Assert.Equal(good, new SipAdapterFactory().Validate(new SipServerConfiguration { Type = SipServerType.OpenSips, Host = host, EventAddress = address }).Count == 0);

    private static OpenSipsAdapter Adapter(OpenSipsSimulator server, Action<SipServerConfiguration>? configure = null)
    {
        var configuration = new SipServerConfiguration { Type = SipServerType.OpenSips, Host = server.Host, Port = server.Port };
        configure?.Invoke(configuration);
        return (OpenSipsAdapter)new SipAdapterFactory().Create(configuration, null);
    }

    private async Task<SipCall> UntilAsync(OpenSipsAdapter adapter, Func<SipCall, bool> condition)
    {
        while (true)
        {
            if (adapter.KnownCalls.FirstOrDefault(condition) is { } found) return found;
            await Task.Delay(20, _limit.Token);
        }
    }
}
