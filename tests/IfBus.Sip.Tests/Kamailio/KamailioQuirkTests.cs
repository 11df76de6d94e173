using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using IfBus.Sip.Adapters;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Kamailio;

/// <summary>What a Kamailio does that one would not expect: the simulator does it too, and the adapter bears it.</summary>
public sealed class KamailioQuirkTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private KamailioSimulator _simulator = KamailioSimulator.Start(new KamailioSimulatorOptions { PrettyFormat = false, RingTime = TimeSpan.FromMilliseconds(20) });

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _simulator.DisposeAsync();

    public static TheoryData<string, string> Documents => new()
    {
        { "{}", """{"jsonrpc":"2.0","result":{}}""" },
        { "[]", """{"jsonrpc":"2.0","result":{}}""" },
        { """[{"jsonrpc":"2.0","method":"core.version","id":1}]""", """{"jsonrpc":"2.0","result":{}}""" },
        { """{"method":"core.version","id":7}""", """{"jsonrpc":"2.0","result":{},"id":7}""" },
        { """{"jsonrpc":"1.0","method":"core.version","id":8}""", """{"jsonrpc":"2.0","result":{},"id":8}""" },
        { """{"jsonrpc":"2.0","method":5,"id":9}""", """{"jsonrpc":"2.0","result":{},"id":9}""" },
        { """{"jsonrpc":"2.0","method":"core.version","params":"x","id":10}""", """{"jsonrpc":"2.0","result":{},"id":10}""" },
        { """{"jsonrpc":"2.0","method":"core.version","params":null,"id":11}""", """{"jsonrpc":"2.0","result":{},"id":11}""" },
        { """{"jsonrpc":"2.0","method":"core.version","id":"abc-1"}""", """{"jsonrpc":"2.0","result":"kamailio 5.6.3 (x86_64/linux) ","id":"abc-1"}""" },
        { """{"jsonrpc":"2.0","method":"core.version","id":1.5}""", """{"jsonrpc":"2.0","result":"kamailio 5.6.3 (x86_64/linux) ","id":1.500000}""" },
        { """{"jsonrpc":"2.0","method":"core.version","id":null}""", """{"jsonrpc":"2.0","result":"kamailio 5.6.3 (x86_64/linux) ","id":0}""" },
        { """{"jsonrpc":"2.0","method":"core.version"}""", """{"jsonrpc":"2.0","result":"kamailio 5.6.3 (x86_64/linux) "}""" },
        { """{"jsonrpc":"2.0","method":"core.version","params":{"a":1},"id":18}""", """{"jsonrpc":"2.0","result":"kamailio 5.6.3 (x86_64/linux) ","id":18}""" },
        { """{"jsonrpc":"2.0","method":"no.such_method","id":1}""", """{"jsonrpc":"2.0","error":{"code":500,"message":"Method Not Found"},"id":1}""" },
        { """{"jsonrpc":"2.0","method":"dlg.end_dlg","id":2}""", """{"jsonrpc":"2.0","error":{"code":500,"message":"Invalid parameters"},"id":2}""" },
        { """{"jsonrpc":"2.0","method":"dlg.end_dlg","params":["1","1"],"id":5}""", """{"jsonrpc":"2.0","error":{"code":404,"message":"Dialog not found"},"id":5}""" },
        { """{"jsonrpc":"2.0","method":"dlg.terminate_dlg","params":["nocall"],"id":7}""", """{"jsonrpc":"2.0","error":{"code":400,"message":"Need a Callid ,from tag ,to tag"},"id":7}""" },
        { """{"jsonrpc":"2.0","method":"dlg.terminate_dlg","params":["nocall","a","b"],"id":6}""", """{"jsonrpc":"2.0","error":{"code":500,"message":"Couldnt find callid in dialog"},"id":6}""" },
        { """{"jsonrpc":"2.0","method":"dlg.dlg_list","params":["nocall"],"id":8}""", """{"jsonrpc":"2.0","result":{},"id":8}""" },
        { """{"jsonrpc":"2.0","method":"dlg.bridge_dlg","params":["alice","bob"],"id":35}""", """{"jsonrpc":"2.0","result":{},"id":35}""" },
        { """{"jsonrpc":"2.0","method":"ul.lookup","params":["location","nobody"],"id":12}""", """{"jsonrpc":"2.0","error":{"code":500,"message":"AOR not found in location table"},"id":12}""" },
        { """{"jsonrpc":"2.0","method":"ul.rm","params":["location","nobody"],"id":14}""", """{"jsonrpc":"2.0","result":{},"id":14}""" },
        { """{"jsonrpc":"2.0","method":"htable.seti","params":["ipban","b","s:7"],"id":5}""", """{"jsonrpc":"2.0","result":"Ok. Key set to new value.","id":5}""" },
        { """{"jsonrpc":"2.0","method":"htable.get","params":{"x":"ipban","y":"nokey"},"id":19}""", """{"jsonrpc":"2.0","error":{"code":500,"message":"Key name doesn't exist in htable."},"id":19}""" },
        { """{"jsonrpc":"2.0","method":"dispatcher.set_state","params":["zz",1,"sip:127.0.0.1:15070"],"id":16}""", """{"jsonrpc":"2.0","error":{"code":500,"message":"Unknown State Value"},"id":16}""" },
        { """{"jsonrpc":"2.0","method":"stats.get_statistics","id":7}""", """{"jsonrpc":"2.0","error":{"code":400,"message":"Please provide which stats to retrieve"},"id":7}""" },
        { """{"jsonrpc":"2.0","method":"core.echo","params":["Grüße 你好 ü \" \\ \n end"],"id":102}""", """{"jsonrpc":"2.0","result":["Grüße 你好 ü \" \\ \n end"],"id":102}""" },
    };

    [Theory]
    [MemberData(nameof(Documents))]
    public async Task The_simulator_answers_as_recorded(string document, string reply)
    {
        (string head, string body) = await AskAsync(document);
        Assert.Equal(reply, body);
        // The status is the error's code, and the reason its message.
        using JsonDocument parsed = JsonDocument.Parse(reply);
        string status = parsed.RootElement.TryGetProperty("error", out JsonElement error) ? $"{error.GetProperty("code")} {error.GetProperty("message")}" : "200 OK";
        Assert.StartsWith($"HTTP/1.1 {status}\r\nSia: ", head, StringComparison.Ordinal);
        Assert.DoesNotContain("Connection:", head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hello", "")]
    [InlineData("", "")]
    [InlineData("""{"jsonrpc":"2.0","method":""", "")]
    [InlineData("""{"jsonrpc":"2.0","method":"core.version","id":1}""", "Transfer-Encoding: chunked\r\n")]
    public async Task What_it_cannot_read_it_does_not_answer_and_the_connection_goes_on(string body, string more)
    {
        using TcpClient client = await ConnectAsync();
        await SendAsync(client, body, more);
        // A request behind it is answered first: nothing came for the one before.
        await SendAsync(client, """{"jsonrpc":"2.0","method":"core.version","id":99}""", "Connection: close\r\n");
        Assert.EndsWith(",\"id\":99}", (await ReadAsync(client)).Body, StringComparison.Ordinal);
        // Asked to close it does not.
        await SendAsync(client, """{"jsonrpc":"2.0","method":"core.version","id":100}""");
        Assert.EndsWith(",\"id\":100}", (await ReadAsync(client)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_that_does_not_fit_costs_the_connection_and_ours_is_refused_before()
    {
        using TcpClient client = await ConnectAsync();
        await SendAsync(client, new string(' ', 20_000));
        int count;
        try
        {
            count = await client.GetStream().ReadAsync(new byte[10]).AsTask().WaitAsync(Patience);
        }
        catch (IOException)
        {
            count = 0;
        }

        Assert.Equal(0, count);
        await using ISipAdapter adapter = await OpenAsync();
        int before = _simulator.Received.Count(r => r.StartsWith("core.echo", StringComparison.Ordinal));
        var error = await Assert.ThrowsAsync<SipArgumentException>(() => adapter.InvokeCommandAsync(new SipCommandRequest("core.echo", [new("text", new string('x', 20_000))]), default));
        Assert.Equal("SipRequestTooLarge", error.ErrorId);
        Assert.Contains("tcp_rd_buf_size", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, _simulator.Received.Count(r => r.StartsWith("core.echo", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_call_that_rings_is_not_touched()
    {
        await using ISipAdapter adapter = await OpenAsync(events: true);
        string id = _simulator.StartIncomingCall("1001", "ring");
        await Eventually(() => adapter.FindCall(id)?.State == CallState.Ringing, "it rings");
        var error = await Assert.ThrowsAsync<SipNotSupportedException>(() => adapter.HangUpAsync(id, HangupCause.NormalClearing, default));
        Assert.Equal("SipHangUpRinging", error.ErrorId);
        Assert.DoesNotContain(_simulator.Received, r => r.StartsWith("dlg.end_dlg", StringComparison.Ordinal));
        // Somebody else's dlg.end_dlg says success, sends nothing, and fires a failure that is not true.
        SipCommandResult said = await adapter.InvokeCommandAsync(new SipCommandRequest("dlg.end_dlg", [.. adapter.FindCall(id)!.Details["Dialog"].Split(':').Select(p => new KeyValuePair<string, string>("", p))]), default);
        Assert.True(said.Success);
        Assert.Equal(CallState.Ringing, Assert.Single(await adapter.GetCallsAsync(default)).State);
    }

    [Theory]
    [InlineData("caller")]
    [InlineData("callee")]
    public async Task The_phone_that_hangs_up_is_told_by_events(string side)
    {
        await using ISipAdapter adapter = await OpenAsync(events: true);
        string id = _simulator.StartIncomingCall("1001", "1002");
        await Eventually(() => adapter.FindCall(id)?.State == CallState.Connected, "it is answered");
        await adapter.GetCallsAsync(default);
        SipCall call = adapter.FindCall(id)!;
        Assert.Equal(CallDirection.Inbound, call.Direction);
        _simulator.HangUpByPhone(call.Details[side == "caller" ? "FromTag" : "ToTag"]);
        SipCall ended = await adapter.WaitForCallAsync(id, [], Patience, default);
        Assert.Equal((HangupCause.NormalClearing, side), (ended.Cause, ended.Details["EndedBy"]));
    }

    [Fact]
    public async Task An_ended_call_that_lingers_is_no_new_one()
    {
        await using ISipAdapter adapter = await OpenAsync();
        string id = _simulator.StartIncomingCall("1001", "busy");
        await Eventually(() => adapter.EndedCalls.Count == 1, "it is seen to have failed");
        for (int i = 0; i < 5; i++) Assert.Empty(await adapter.GetCallsAsync(default));
        Assert.Equal(id, Assert.Single(adapter.EndedCalls).CallId);
        // Nor is it one for who connects now.
        await using ISipAdapter other = await OpenAsync();
        Assert.Empty(await other.GetCallsAsync(default));
        Assert.Empty(other.EndedCalls);
    }

    [Fact]
    public async Task A_broken_event_costs_itself_and_what_is_no_netstring_the_connection()
    {
        await using ISipAdapter adapter = await OpenAsync(events: true);
        using ISipEventSubscription errors = adapter.Subscribe(SipEventTypes.Error | SipEventTypes.ConnectionStateChanged);
        _simulator.SendEventBytes(Encoding.UTF8.GetBytes("9:{\"a\":\"\"\"},7:[1,2,3],4:null,"));
        Assert.Equal(SipEventTypes.Error, (await errors.ReadAsync(default).AsTask().WaitAsync(Patience)).Type);
        string id = _simulator.StartIncomingCall("1001", "ring");
        await Eventually(() => adapter.FindCall(id)?.State == CallState.Ringing, "events go on");
        _simulator.SendEventBytes("HTTP/1.1"u8.ToArray());
        SipEvent lost = await errors.ReadAsync(default).AsTask().WaitAsync(Patience);
        Assert.Equal(ConnectionState.Reconnecting, lost.ConnectionState);
        Assert.Contains("netstring", lost.Message, StringComparison.Ordinal);
        await Eventually(() => adapter.Server.State == ConnectionState.Connected, "it is back");
        Assert.Equal(CallState.Ringing, adapter.FindCall(id)!.State);
    }

    [Fact]
    public async Task A_restart_ends_the_calls_and_is_told()
    {
        await using ISipAdapter adapter = await OpenAsync();
        string id = _simulator.StartIncomingCall("1001", "1002");
        await Eventually(() => adapter.FindCall(id)?.State == CallState.Connected, "it is answered");
        await _simulator.RestartAsync(default);
        SipCall ended = await adapter.WaitForCallAsync(id, [], Patience, default);
        Assert.Equal(HangupCause.ServerRestarted, ended.Cause);
        await Eventually(() => adapter.Server is { State: ConnectionState.Connected, Reconnects: 1 }, "it is back");
    }

    [Fact]
    public async Task No_password_of_a_trunk_gets_out()
    {
        await using ISipAdapter adapter = await OpenAsync();
        IReadOnlyList<SipGateway> gateways = await adapter.GetGatewaysAsync(default);
        Assert.Equal(["2/sip:127.0.0.1:15079", "1/sip:127.0.0.1:15070", "1/sip:127.0.0.1:15071", "uac/line1", "uac/line2"], gateways.Select(g => g.Name));
        Assert.Equal(["Inactive (probing)", "Active", "Active (probing)", "Registered", "Registering"], gateways.Select(g => g.Status));
        SipCommandResult raw = await adapter.InvokeCommandAsync(new SipCommandRequest("uac.reg_dump", []), default);
        Assert.DoesNotContain("secret-test", JsonSerializer.Serialize(gateways.Select(g => g.Fields.ToString())) + string.Join(' ', raw.Items.Select(i => i.ToString())) + string.Join(' ', raw.Output), StringComparison.Ordinal);
        Assert.Equal("********", raw.Items[0]["auth_password"]);
    }

    [Fact]
    public async Task Registrations_are_added_and_removed_and_the_false_success_is_not_believed()
    {
        await using ISipAdapter adapter = await OpenAsync();
        SipRegistration added = await adapter.AddRegistrationAsync(new SipRegistrationRequest { Aor = "2001", Contact = "sip:2001@127.0.0.1:9999", Expires = TimeSpan.FromMinutes(1) }, default);
        Assert.Equal(("2001", false), (added.Aor, added.Static));
        Assert.NotNull(added.ExpiresAt);
        Assert.Contains(await adapter.GetRegistrationsAsync(default), r => r is { Aor: "1002", Static: true, ExpiresAt: null });
        Assert.Equal("SipRegistrationNotFound", (await Assert.ThrowsAsync<SipRejectedException>(() => adapter.RemoveRegistrationAsync("2001", "sip:other@127.0.0.1", default))).ErrorId);
        await adapter.RemoveRegistrationAsync("2001", null, default);
        Assert.Equal("SipRegistrationNotFound", (await Assert.ThrowsAsync<SipRejectedException>(() => adapter.RemoveRegistrationAsync("2001", null, default))).ErrorId);
        await Assert.ThrowsAsync<SipArgumentException>(() => adapter.AddRegistrationAsync(new SipRegistrationRequest { Aor = "a", Contact = "sip:a@b\r\nX: 1" }, default));
    }

    [Fact]
    public async Task Trunks_are_put_out_of_use_and_reloaded_once()
    {
        await using ISipAdapter adapter = await OpenAsync();
        Assert.Equal("Disabled", (await adapter.SetGatewayAsync("1/sip:127.0.0.1:15070", new SipGatewayChange { State = SipGatewayState.Disabled }, default)).Status);
        Assert.Equal("Active (probing)", (await adapter.SetGatewayAsync("1/sip:127.0.0.1:15070", new SipGatewayChange { State = SipGatewayState.Active, Probing = true }, default)).Status);
        await Assert.ThrowsAsync<SipArgumentException>(() => adapter.SetGatewayAsync("1/all", new SipGatewayChange { State = SipGatewayState.Disabled }, default));
        Assert.Equal("State Update Failed", (await Assert.ThrowsAsync<SipRejectedException>(() => adapter.SetGatewayAsync("77/sip:127.0.0.1", new SipGatewayChange { State = SipGatewayState.Active }, default))).ServerText);
        await adapter.ReloadGatewaysAsync(default);
        Assert.Equal("Ongoing reload", (await Assert.ThrowsAsync<SipRejectedException>(() => adapter.ReloadGatewaysAsync(default))).ServerText);
    }

    [Fact]
    public async Task Modules_that_are_not_loaded_are_not_claimed()
    {
        await _simulator.DisposeAsync();
        _simulator = KamailioSimulator.Start(new KamailioSimulatorOptions { MissingMethods = ["dlg.bridge_dlg", "ul.dump", "dispatcher.list", "uac.reg_dump"] });
        await using ISipAdapter adapter = await OpenAsync();
        Assert.Equal(SipCapabilities.ListCalls, adapter.Capabilities & (SipCapabilities.ListCalls | SipCapabilities.MakeCall | SipCapabilities.Registrations | SipCapabilities.Gateways));
        Assert.Contains("dlg.bridge_dlg", (await Assert.ThrowsAsync<SipNotSupportedException>(() => adapter.MakeCallAsync(new SipCallRequest { From = "a", To = "b" }, default))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_script_of_the_help_is_the_one_that_is_tested()
    {
        static string Bare(string text) => string.Join('\n', text.Split('\n').Select(l => l.Trim()));
        string script = File.ReadAllText(Path.Combine(Repository.Root, "tests", "Live", "kamailio.cfg"));
        int begin = script.IndexOf("onreply_route[IFBUS_RINGING]", StringComparison.Ordinal);
        int end = script.IndexOf("# --- end of the events ---", StringComparison.Ordinal);
        string topic = File.ReadAllText(Path.Combine(Repository.Root, "en-US", "about_IfBus.Sip_Kamailio.help.txt"));
        Assert.Contains(Bare(script[begin..end].TrimEnd()), Bare(topic), StringComparison.Ordinal);
    }

    private async Task<ISipAdapter> OpenAsync(bool events = false)
    {
        ISipAdapter adapter = new SipAdapterFactory().Create(
            new SipServerConfiguration
            {
                Type = SipServerType.Kamailio,
                Host = _simulator.Host,
                Port = _simulator.Port,
                PollInterval = TimeSpan.FromMilliseconds(100),
                EventAddress = events ? _simulator.EventAddress : null,
                Reconnect = new SipReconnectPolicy { BaseDelay = TimeSpan.FromMilliseconds(50), MaxDelay = TimeSpan.FromMilliseconds(200) },
            },
            null);
        await adapter.ConnectAsync(default).WaitAsync(Patience);
        return adapter;
    }

    private static async Task Eventually(Func<bool> condition, string what)
    {
        for (DateTime end = DateTime.UtcNow + Patience; !condition();)
        {
            Assert.True(DateTime.UtcNow < end, what);
            await Task.Delay(10);
        }
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var client = new TcpClient();
        await client.ConnectAsync(_simulator.Host, _simulator.Port);
        return client;
    }

    private static async Task SendAsync(TcpClient client, string body, string more = "")
    {
        byte[] bytes = Encoding.UTF8.GetBytes(body);
        await client.GetStream().WriteAsync((byte[])[.. Encoding.ASCII.GetBytes($"POST /RPC HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{more}Content-Length: {bytes.Length}\r\n\r\n"), .. bytes]);
    }

    private static async Task<(string Head, string Body)> ReadAsync(TcpClient client)
    {
        var head = new List<byte>();
        byte[] one = new byte[1];
        while (!head.TakeLast(4).SequenceEqual("\r\n\r\n"u8.ToArray()))
        {
            await client.GetStream().ReadExactlyAsync(one).AsTask().WaitAsync(Patience);
            head.Add(one[0]);
        }

        string text = Encoding.UTF8.GetString([.. head]);
        string length = text.Split("\r\n").First(l => l.StartsWith("Content-Length: ", StringComparison.Ordinal))["Content-Length: ".Length..];
        byte[] body = new byte[int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)];
        await client.GetStream().ReadExactlyAsync(body).AsTask().WaitAsync(Patience);
        return (text, Encoding.UTF8.GetString(body));
    }

    private async Task<(string Head, string Body)> AskAsync(string document)
    {
        using TcpClient client = await ConnectAsync();
        await SendAsync(client, document);
        return await ReadAsync(client);
    }
}
