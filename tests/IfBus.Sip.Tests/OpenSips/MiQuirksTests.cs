using System.Globalization;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.OpenSips;

/// <summary>The ways of mi_http as they were recorded, played by the simulator: raw bytes over a socket.</summary>
public sealed class MiQuirksTests
{
    private const string Version = "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":1}";

    [Fact]
    public async Task Json_errors_come_with_200_and_the_id_that_was_given()
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        Assert.Equal("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse error\"},\"id\":null}", await AskAsync(server, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"id\":"));
        Assert.Equal("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid Request\"},\"id\":null}", await AskAsync(server, "[]"));
        Assert.Equal("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid Request\"},\"id\":8}", await AskAsync(server, "{\"jsonrpc\":\"1.0\",\"method\":\"version\",\"id\":8}"));
        Assert.Equal("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600,\"message\":\"Invalid Request\"},\"id\":11}", await AskAsync(server, "{\"jsonrpc\":\"2.0\",\"method\":\"version\",\"params\":null,\"id\":11}"));
        Assert.Equal("{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32601,\"message\":\"Method not found\"},\"id\":1}", await AskAsync(server, "{\"jsonrpc\":\"2.0\",\"method\":\"no_such_command\",\"id\":1}"));
        Assert.EndsWith("\"id\":2147483647}", await AskAsync(server, Version.Replace("\"id\":1}", "\"id\":123456789012345}", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.EndsWith("\"id\":1}", await AskAsync(server, Version.Replace("\"id\":1}", "\"id\":1.5}", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.EndsWith("\"id\":null}", await AskAsync(server, Version.Replace("\"id\":1}", "\"id\":null}", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.EndsWith("\"id\":\"abc-1\"}", await AskAsync(server, Version.Replace("\"id\":1}", "\"id\":\"abc-1\"}", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dlg_end_dlg", null, "Too few or too many parameters")]
    [InlineData("dlg_end_dlg", "{\"wrong\":\"1.2\"}", "Named parameters do not match")]
    [InlineData("dlg_end_dlg", "[\"a\",\"b\",\"c\"]", "Too few or too many parameters")]
    [InlineData("dlg_list", "[\"nocall\",\"x\"]", "Command only supports named parameters")]
    [InlineData("dlg_list", "{\"index\":\"x\",\"counter\":\"y\"}", "Bad type for parameter 'index'")]
    [InlineData("ds_list", "[\"full\"]", "Ambiguous call, use named parameters instead")]
    [InlineData("call_transfer", "{\"callid\":\"nocall\",\"leg\":\"nobody\",\"destination\":\"sip:x@127.0.0.1\"}", "Bad type for parameter 'leg'")]
    [InlineData("get_statistics", "[\"all\"]", "Bad type for parameter 'statistics'")]
    [InlineData("version", "{\"a\":1}", "Named parameters do not match")]
    public async Task Parameters_are_refused_as_the_server_does(string method, string? parameters, string data)
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        string request = $"{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"{(parameters is null ? "" : $",\"params\":{parameters}")},\"id\":5}}";
        Assert.Equal($"{{\"jsonrpc\":\"2.0\",\"error\":{{\"code\":-32602,\"message\":\"Invalid params\",\"data\":\"{data}\"}},\"id\":5}}", await AskAsync(server, request));
    }

    [Theory]
    [InlineData("POST /mi HTTP/1.1", "", "400 Bad Request")]
    [InlineData("POST /mi HTTP/1.1", "{\"jsonrpc\":\"2.0\",\"method\":\"version\"}", "202 Accepted")]
    [InlineData("GET /mi HTTP/1.1", "", "405 Method Not Allowed")]
    public async Task Replies_without_a_body_end_only_when_another_request_comes(string line, string body, string status)
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        using TcpClient client = await ConnectAsync(server);
        await SendAsync(client, line, body);
        string head = await ReadAsync(client, t => t.EndsWith("\r\n\r\n", StringComparison.Ordinal));
        Assert.StartsWith("HTTP/1.1 " + status, head, StringComparison.Ordinal);
        Assert.Contains("Transfer-Encoding: chunked", head, StringComparison.Ordinal);
        Task<string> rest = ReadAsync(client, t => t.Length >= 5);
        Assert.False(rest.IsCompleted);
        await AskAsync(server, Version);
        Assert.Equal("0\r\n\r\n", await rest);
    }

    [Fact]
    public async Task A_reply_that_is_larger_than_its_buffer_is_500_and_a_request_that_is_400()
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start(new OpenSipsSimulatorOptions { ReplyBuffer = 60, ReceiveBuffer = 1024 });
        using TcpClient client = await ConnectAsync(server);
        await SendAsync(client, "POST /mi HTTP/1.1", "{\"jsonrpc\":\"2.0\",\"method\":\"which\",\"id\":1}");
        Assert.StartsWith("HTTP/1.1 500 ", await ReadAsync(client, t => t.EndsWith("\r\n\r\n", StringComparison.Ordinal)), StringComparison.Ordinal);
        using TcpClient other = await ConnectAsync(server);
        await SendAsync(other, "POST /mi HTTP/1.1", $"{{\"jsonrpc\":\"2.0\",\"method\":\"{new string('x', 1200)}\",\"id\":1}}");
        Assert.StartsWith("HTTP/1.1 400 ", await ReadAsync(other, t => t.EndsWith("\r\n\r\n", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_content_type_the_connection_just_ends()
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        using TcpClient client = await ConnectAsync(server);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /mi HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: {Version.Length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n{Version}"));
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[10]));
    }

    [Theory]
    [InlineData("PUT /mi HTTP/1.1", "406 Not Acceptable", "Unsupported HTTP request!")]
    [InlineData("POST /nothing HTTP/1.1", "400 Bad Request", "Unable to parse URL!")]
    [InlineData("POST /mi/version HTTP/1.1", "200 OK", "\"result\"")]
    public async Task Paths_and_methods(string line, string status, string words)
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        using TcpClient client = await ConnectAsync(server);
        await SendAsync(client, line, Version);
        string reply = await ReadAsync(client, t => t.Contains(words, StringComparison.Ordinal));
        Assert.StartsWith("HTTP/1.1 " + status, reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_request_at_once_waits_until_another_one_wakes_the_server()
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        using TcpClient client = await ConnectAsync(server);
        string request = $"POST /mi HTTP/1.1\r\nHost: x\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {Version.Length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n{Version}";
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request + request));
        await ReadAsync(client, t => t.EndsWith("\"id\":1}", StringComparison.Ordinal));
        Task<string> second = ReadAsync(client, t => t.EndsWith("\"id\":1}", StringComparison.Ordinal));
        Assert.False(second.IsCompleted);
        // Not before it has come to wait.
        while (!second.IsCompleted)
        {
            await AskAsync(server, Version);
            await Task.WhenAny(second, Task.Delay(20));
        }

        Assert.StartsWith("HTTP/1.1 200 OK", await second, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chunks_old_clients_and_clients_that_ask_first_are_served()
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        using TcpClient chunked = await ConnectAsync(server);
        await chunked.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /mi HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{Version.Length:x}\r\n{Version}\r\n0\r\n\r\n"));
        Assert.Contains("OpenSIPS (3.6.8", await ReadAsync(chunked, t => t.EndsWith("\"id\":1}", StringComparison.Ordinal)), StringComparison.Ordinal);
        using TcpClient old = await ConnectAsync(server);
        await SendAsync(old, "POST /mi HTTP/1.0", Version);
        Assert.EndsWith("\"id\":1}", await ReadAsync(old, _ => false), StringComparison.Ordinal);
        using TcpClient asks = await ConnectAsync(server);
        await asks.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"POST /mi HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {Version.Length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 100 Continue", await ReadAsync(asks, t => t.EndsWith("\r\n\r\n", StringComparison.Ordinal)), StringComparison.Ordinal);
        await asks.GetStream().WriteAsync(Encoding.ASCII.GetBytes(Version));
        Assert.EndsWith("\"id\":1}", await ReadAsync(asks, t => t.EndsWith("\"id\":1}", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    private static async Task<TcpClient> ConnectAsync(OpenSipsSimulator server)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(server.Host, server.Port);
        return client;
    }

    private static async Task SendAsync(TcpClient client, string line, string body) =>
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{line}\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {body.Length.ToString(CultureInfo.InvariantCulture)}\r\n\r\n{body}"));

    private static async Task<string> ReadAsync(TcpClient client, Func<string, bool> whole)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var text = new StringBuilder();
        byte[] buffer = new byte[4096];
        while (!whole(text.ToString()))
        {
            int count = await client.GetStream().ReadAsync(buffer, limit.Token);
            if (count == 0) break;
            text.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        return text.ToString();
    }

    private static async Task<string> AskAsync(OpenSipsSimulator server, string body)
    {
        using TcpClient client = await ConnectAsync(server);
        await SendAsync(client, "POST /mi HTTP/1.1", body);
        string reply = await ReadAsync(client, t => t.Contains("\r\n\r\n", StringComparison.Ordinal) && t.EndsWith('}'));
        Assert.StartsWith("HTTP/1.1 200 OK", reply, StringComparison.Ordinal);
        return reply[(reply.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
    }
}
