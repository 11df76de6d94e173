using System.Globalization;
using System.Net;
using System.Text;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>Lists of the server that are not what they should be: an error that says so, or rows passed over; never the end of the connection for good.</summary>
public sealed class MalformedListTests
{
    private const string Lists = "show uptime version uuid_kill";

    [Theory]
    [InlineData("5")]
    [InlineData("[]")]
    [InlineData("\"rows\"")]
    [InlineData("{\"rows\":5}")]
    [InlineData("{\"rows\":[{\"uuid\":\"\\ud800\"}]}")]
    [InlineData("not json")]
    public async Task What_is_no_list_is_said_so(string list)
    {
        using ScriptedPeer peer = Server(() => list);
        await using ISipAdapter adapter = await Connect(peer.Port, () => list = "{\"row_count\":0}", list);
        await Assert.ThrowsAsync<SipProtocolException>(() => adapter.GetCallsAsync(default));
        await Assert.ThrowsAsync<SipProtocolException>(() => adapter.GetRegistrationsAsync(default));
        Assert.Equal(ConnectionState.Connected, adapter.Server.State);

        async Task<ISipAdapter> Connect(int port, Action good, string bad)
        {
            good();
            ISipAdapter connected = await MalformedListTests.Connect(port);
            list = bad;
            return connected;
        }
    }

    [Fact]
    public async Task Rows_that_are_none_are_passed_over()
    {
        string list = "{\"row_count\":9,\"rows\":[1,\"x\",null,[],{},{\"uuid\":5},{\"uuid\":\"\"},{\"uuid\":\"a-leg\",\"direction\":\"inbound\",\"callstate\":\"ACTIVE\",\"cid_num\":7,\"reg_user\":null}]}";
        using ScriptedPeer peer = Server(() => list);
        await using ISipAdapter adapter = await Connect(peer.Port);
        Assert.Equal("a-leg", Assert.Single(await adapter.GetCallsAsync(default)).CallId);
        Assert.Equal(4, (await adapter.GetRegistrationsAsync(default)).Count);
    }

    [Theory]
    [InlineData("a-leg -both hangup:inline")]
    [InlineData("a\\tleg")]
    [InlineData("a'leg")]
    [InlineData("a\\\"leg")]
    [InlineData("a\\\\leg")]
    [InlineData("a\\u00e9leg")]
    public async Task A_leg_whose_id_is_more_than_a_word_is_shown_and_not_written_into_a_command(string id)
    {
        var asked = new System.Collections.Concurrent.ConcurrentQueue<string>();
        using ScriptedPeer peer = Server(() => "{\"row_count\":1,\"rows\":[{\"uuid\":\"" + id + "\",\"direction\":\"inbound\",\"callstate\":\"ACTIVE\"}]}", closesAt: command =>
        {
            asked.Enqueue(command);
            return false;
        });
        await using ISipAdapter adapter = await Connect(peer.Port);
        SipCall call = Assert.Single(await adapter.GetCallsAsync(default));
        Assert.Equal(System.Text.Json.JsonSerializer.Deserialize<string>($"\"{id}\""), call.CallId);
        SipCallStateException refused = await Assert.ThrowsAsync<SipCallStateException>(() => adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default));
        Assert.Equal(("SipLegNotAddressable", CallState.Incoming), (refused.ErrorId, adapter.FindCall(call.CallId)!.State));
        Assert.DoesNotContain(asked, command => command.Contains("uuid_kill", StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_at_a_reconnect_is_tried_again()
    {
        int asked = 0;
        // The second connection is told nonsense, the third is not.
        using ScriptedPeer peer = Server(() => ++asked == 2 ? "{\"rows\":[{\"uuid\":\"\\ud800\"}]}" : "{\"row_count\":0}", closesAt: command => command == "fsctl" && asked == 1);
        await using ISipAdapter adapter = await Connect(peer.Port);
        await Assert.ThrowsAnyAsync<SipException>(() => adapter.InvokeCommandAsync(new SipCommandRequest("fsctl", []), default));
        await Until.TrueAsync(() => asked >= 3 && adapter.Server.State is ConnectionState.Connected or ConnectionState.Failed);
        Assert.Equal(ConnectionState.Connected, adapter.Server.State);
    }

    // Plays a server that logs anybody in, tells no events, and answers show channels and show registrations with what the test says.
    private static ScriptedPeer Server(Func<string> list, Func<string, bool>? closesAt = null) => new(async (stream, _, token) =>
    {
        await ScriptedPeer.SayAsync(stream, "Content-Type: auth/request\n\n");
        while (true)
        {
            string command = await ReadAsync(stream, token);
            if (closesAt?.Invoke(command.Replace("api ", "", StringComparison.Ordinal)) == true) return;
            if (command.StartsWith("userauth", StringComparison.Ordinal)) await ScriptedPeer.SayAsync(stream, $"Content-Type: command/reply\nReply-Text: +OK accepted\nAllowed-Events: NONE\nAllowed-API: {Lists} fsctl\n\n");
            else if (command is "api show channels as json" or "api show registrations as json") await BodyAsync(stream, list());
            else if (command.StartsWith("api show", StringComparison.Ordinal)) await BodyAsync(stream, "{\"row_count\":3,\"rows\":[{\"name\":\"show\"},{\"name\":\"uuid_kill\"},{\"name\":7}]}");
            else if (command == "api uptime") await BodyAsync(stream, "1\n");
            else if (command == "api version") await BodyAsync(stream, "FreeSWITCH Version 1");
            else await ScriptedPeer.SayAsync(stream, "Content-Type: command/reply\nReply-Text: -ERR permission denied\n\n");
        }
    });

    private static Task BodyAsync(System.Net.Sockets.NetworkStream stream, string body) =>
        ScriptedPeer.SayAsync(stream, string.Create(CultureInfo.InvariantCulture, $"Content-Type: api/response\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\n\n{body}"));

    private static async Task<string> ReadAsync(Stream stream, CancellationToken token)
    {
        var text = new StringBuilder();
        byte[] one = new byte[1];
        while (!text.ToString().EndsWith("\n\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, token) == 0) throw new IOException("closed");
            text.Append((char)one[0]);
        }

        return text.ToString().TrimEnd('\n');
    }

    private static async Task<ISipAdapter> Connect(int port)
    {
        ISipAdapter adapter = new Adapters.SipAdapterFactory().Create(
            new SipServerConfiguration
            {
                Type = SipServerType.FreeSwitch,
                Host = "127.0.0.1",
                Port = port,
                Credential = new NetworkCredential("ops@127.0.0.1", "x"),
                Reconnect = new SipReconnectPolicy { BaseDelay = TimeSpan.FromMilliseconds(10), MaxDelay = TimeSpan.FromMilliseconds(20) },
            },
            null);
        await adapter.ConnectAsync(default);
        return adapter;
    }
}
