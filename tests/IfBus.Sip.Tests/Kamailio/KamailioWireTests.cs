using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Kamailio;

/// <summary>The ways of xhttp and jsonrpcs as they were recorded, asked of the simulator byte by byte.</summary>
public sealed class KamailioWireTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("errors", "5.6.3", 30)]
    [InlineData("v61-errors", "6.1.5", 30)]
    public async Task What_went_wrong_goes_wrong_alike(string scenario, string version, int least)
    {
        await using KamailioSimulator server = KamailioSimulator.Start(new KamailioSimulatorOptions { Version = version, PrettyFormat = false });
        int asked = 0;
        foreach ((byte[] request, byte[] reply) in RecordedRequests.Of(Transcript.Open("kamailio", scenario)))
        {
            // Other paths are the recorded script's own.
            if (reply.Length == 0 || !request.AsSpan().StartsWith("POST /RPC "u8)) continue;
            List<(string, string)> said = RecordedRequests.Replies(reply);
            Assert.Equal(said, await RecordedRequests.AskAsync(server.Host, server.Port, request, said.Count));
            asked++;
        }

        Assert.InRange(asked, least, 100);
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","method":"dlg.list_match","params":["furi","eq","sip:nobody@x"],"id":1}""", "404 Not found", """{"jsonrpc":"2.0","error":{"code":404,"message":"Not found"},"id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"dlg.profile_list","params":["caller","nobody"],"id":1}""", "200 OK", """{"jsonrpc":"2.0","result":[],"id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"dlg.profile_get_size","params":["inbound"],"id":1}""", "200 OK", """{"jsonrpc":"2.0","result":0,"id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"stats.get_statistics","params":["nosuch"],"id":1}""", "200 OK", """{"jsonrpc":"2.0","result":[],"id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"stats.fetchn","params":["active_dialogs"],"id":1}""", "200 OK", """{"jsonrpc":"2.0","result":{"dialog.active_dialogs":0},"id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"htable.delete","params":["ipban","nokey"],"id":1}""", "404 Key not found in htable.", """{"jsonrpc":"2.0","error":{"code":404,"message":"Key not found in htable."},"id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"htable.setxs","params":["ipban","tmp","v",30],"id":1}""", "200 OK", """{"jsonrpc":"2.0","result":"Ok. Key set to new value.","id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"htable.flush","params":["ipban"],"id":1}""", "200 OK", """{"jsonrpc":"2.0","result":"Ok. Htable flushed.","id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"ul.rm_contact","params":["location","1001","sip:none@127.0.0.1"],"id":1}""", "404 Contact not found", """{"jsonrpc":"2.0","error":{"code":404,"message":"Contact not found"},"id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"tm.cancel","params":["nosuch@x","1"],"id":1}""", "400 Transaction not found", """{"jsonrpc":"2.0","error":{"code":400,"message":"Transaction not found"},"id":1}""")]
    [InlineData("""{"jsonrpc":"2.0","method":"uac.reg_dump","id":1}""", "500 Method Not Found", """{"jsonrpc":"2.0","error":{"code":500,"message":"Method Not Found"},"id":1}""")]
    public async Task Replies_of_single_commands(string document, string status, string reply)
    {
        // uac.reg_* are only there with a database.
        await using KamailioSimulator server = KamailioSimulator.Start(new KamailioSimulatorOptions { PrettyFormat = false, MissingMethods = ["uac.reg_dump"] });
        Assert.Equal(("HTTP/1.1 " + status, reply), Assert.Single(await RecordedRequests.AskAsync(server.Host, server.Port, Post(document), 1)));
    }

    [Theory]
    [InlineData("HTTP/1.0", "Content-Type: application/json\r\n")]
    [InlineData("HTTP/1.1", "Connection: close\r\n")]
    [InlineData("HTTP/1.1", "Content-Type: text/plain\r\nAccept: image/png\r\n")]
    public async Task The_connection_stays_whatever_the_client_says_and_types_are_not_looked_at(string version, string headers)
    {
        await using KamailioSimulator server = KamailioSimulator.Start(new KamailioSimulatorOptions { PrettyFormat = false });
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port);
        for (int i = 1; i < 4; i++) Assert.EndsWith($",\"id\":{i}}}", Assert.Single(await RecordedRequests.AskAsync(client, Post(Version(i), version, headers), 1)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Requests_at_once_are_answered_in_order_and_one_in_pieces_is_one()
    {
        await using KamailioSimulator server = KamailioSimulator.Start(new KamailioSimulatorOptions { PrettyFormat = false });
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(server.Host, server.Port);
        List<(string, string Body)> replies = await RecordedRequests.AskAsync(client, [.. Post(Version(1)), .. Post(Version(2)), .. Post(Version(3))], 3);
        Assert.Equal(["1}", "2}", "3}"], replies.Select(r => r.Body[^2..]));
        byte[] whole = Post(Version(4));
        foreach (byte b in whole[..^1]) await client.GetStream().WriteAsync((byte[])[b]);
        Assert.EndsWith(",\"id\":4}", Assert.Single(await RecordedRequests.AskAsync(client, whole[^1..], 1)).Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_asks_first_is_told_to_go_on_with_a_length()
    {
        await using KamailioSimulator server = KamailioSimulator.Start(new KamailioSimulatorOptions { PrettyFormat = false });
        List<(string Status, string Body)> replies = await RecordedRequests.AskAsync(server.Host, server.Port, Post(Version(1), headers: "Expect: 100-continue\r\n"), 2);
        Assert.Equal(("HTTP/1.1 100 Continue", ""), replies[0]);
        Assert.EndsWith(",\"id\":1}", replies[1].Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Bearer test-secret")]
    [InlineData("Basic YXBpOnRlc3Qtc2VjcmV0")]
    public async Task A_refused_login_leaves_the_connection_for_the_right_one(string login)
    {
        await using KamailioSimulator server = KamailioSimulator.Start(new KamailioSimulatorOptions { PrettyFormat = false, User = "api", Secret = "test-secret" });
        using var client = new TcpClient();
        await client.ConnectAsync(server.Host, server.Port);
        Assert.Equal("HTTP/1.1 401 Unauthorized", Assert.Single(await RecordedRequests.AskAsync(client, Post(Version(1)), 1)).Status);
        Assert.Equal("HTTP/1.1 401 Unauthorized", Assert.Single(await RecordedRequests.AskAsync(client, Post(Version(2), headers: "Authorization: Bearer wrong\r\n"), 1)).Status);
        Assert.Equal("HTTP/1.1 200 OK", Assert.Single(await RecordedRequests.AskAsync(client, Post(Version(3), headers: $"Authorization: {login}\r\n"), 1)).Status);
    }

    [Fact]
    public async Task A_call_that_the_server_ends_leaves_the_list_at_once_and_the_short_list_has_a_false_tag()
    {
        await using KamailioSimulator server = KamailioSimulator.Start(new KamailioSimulatorOptions { RingTime = TimeSpan.Zero, PrettyFormat = false });
        await using ISipAdapter adapter = await OpenAsync(server);
        string id = server.StartIncomingCall("1001", "1002");
        await Until.TrueAsync(() => adapter.FindCall(id)?.State == CallState.Connected);
        SipCommandResult brief = await adapter.InvokeCommandAsync(new SipCommandRequest("dlg.briefing", []), default);
        Assert.Equal(brief.Items[0]["from_tag"], brief.Items[0]["to_tag"]);
        await Until.TrueAsync(() => adapter.FindCall(id)!.Details.ContainsKey("ToTag"));
        SipCall call = adapter.FindCall(id)!;
        Assert.NotEqual(brief.Items[0]["to_tag"], call.Details["ToTag"]);
        Assert.Equal("Alive", (await adapter.InvokeCommandAsync(new SipCommandRequest("dlg.is_alive", [new("1", id), new("2", call.Details["FromTag"]), new("3", call.Details["ToTag"])]), default)).Message);
        await adapter.HangUpAsync(id, HangupCause.NormalClearing, default);
        Assert.Empty((await adapter.InvokeCommandAsync(new SipCommandRequest("dlg.list", []), default)).Items);
    }

    [Fact]
    public async Task Names_of_registrations_are_compared_without_case()
    {
        await using KamailioSimulator server = KamailioSimulator.Start();
        await using ISipAdapter adapter = await OpenAsync(server);
        await adapter.AddRegistrationAsync(new SipRegistrationRequest { Aor = "alice", Contact = "sip:alice@127.0.0.1:9999" }, default);
        Assert.True((await adapter.InvokeCommandAsync(new SipCommandRequest("ul.lookup", [new("1", "location"), new("2", "ALICE")]), default)).Success);
        await adapter.RemoveRegistrationAsync("ALICE", null, default);
        Assert.DoesNotContain(await adapter.GetRegistrationsAsync(default), r => r.Aor == "alice");
    }

    [Theory]
    [InlineData("5.6.3", false)]
    [InlineData("6.1.5", true)]
    public async Task Trunks_of_6_1_say_more(string version, bool more)
    {
        await using KamailioSimulator server = KamailioSimulator.Start(new KamailioSimulatorOptions { Version = version });
        await using ISipAdapter adapter = await OpenAsync(server);
        SipGateway trunk = (await adapter.GetGatewaysAsync(default)).First(g => g.Name == "1/sip:127.0.0.1:15071");
        Assert.Equal("Active (probing)", trunk.Status);
        Assert.Equal(more, trunk.Fields["IDX"] is not null && trunk.Fields["IUID"] is not null);
    }

    [Theory]
    [InlineData("5.6.3", false)]
    [InlineData("6.0.2", false)]
    [InlineData("6.1.5", true)]
    public async Task A_call_that_rings_is_given_up_where_that_does_the_server_no_harm(string version, bool can)
    {
        await using KamailioSimulator server = KamailioSimulator.Start(new KamailioSimulatorOptions { Version = version, RingTime = TimeSpan.FromMilliseconds(20) });
        await using ISipAdapter adapter = await OpenAsync(server);
        string id = server.StartIncomingCall("1001", "ring");
        await Until.TrueAsync(() => adapter.FindCall(id)?.State == CallState.Ringing);
        if (can)
        {
            SipCall ended = await adapter.HangUpAsync(id, HangupCause.NormalClearing, default);
            Assert.Equal((CallState.Terminated, HangupCause.NormalClearing, "us", null), (ended.State, ended.Cause, ended.Details["EndedBy"], ended.AnsweredAt));
        }
        else
        {
            Assert.Equal("SipHangUpRinging", (await Assert.ThrowsAsync<SipNotSupportedException>(() => adapter.HangUpAsync(id, HangupCause.NormalClearing, default))).ErrorId);
        }

        Assert.Equal(can, server.Received.Any(r => r.StartsWith("tm.cancel", StringComparison.Ordinal)));
    }

    private static string Version(int id) => FormattableString.Invariant($"{{\"jsonrpc\":\"2.0\",\"method\":\"core.version\",\"id\":{id}}}");

    private static byte[] Post(string body, string version = "HTTP/1.1", string headers = "Content-Type: application/json\r\n") =>
        Encoding.UTF8.GetBytes($"POST /RPC {version}\r\nHost: x\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    private static async Task<ISipAdapter> OpenAsync(KamailioSimulator server)
    {
        ISipAdapter adapter = new SipAdapterFactory().Create(new SipServerConfiguration { Type = SipServerType.Kamailio, Host = server.Host, Port = server.Port, PollInterval = TimeSpan.FromMilliseconds(100) }, null);
        await adapter.ConnectAsync(default).WaitAsync(Patience);
        return adapter;
    }
}
