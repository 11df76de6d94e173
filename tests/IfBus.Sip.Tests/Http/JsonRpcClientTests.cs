using System.Text.Json;
using IfBus.Sip.Adapters.Http;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;

namespace IfBus.Sip.Tests.Http;

/// <summary>JSON-RPC 2.0 over HTTP: what is written, what is taken for an answer, and what an error becomes.</summary>
public sealed class JsonRpcClientTests
{
    private static readonly string[] Groups = ["dialog:", "tm:"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Parameters_keep_their_types_and_texts_stay_texts()
    {
        List<HttpPeerRequest> requests = await RunAsync(
            r => Result(r, "1"),
            rpc => rpc.CallAsync("a", RpcParameters.None, RpcOptions.Read, default),
            rpc => rpc.CallAsync("b", RpcParameters.Of("1", 2, true, Groups, RpcValue.List(3L)), RpcOptions.Read, default),
            rpc => rpc.CallAsync("c", RpcParameters.Named(("callid", "x\"},{\"y\r\n"), ("index", 5)), RpcOptions.Change, default));
        Assert.Equal("""{"jsonrpc":"2.0","method":"a","id":1}""", requests[0].Body);
        Assert.Equal("""{"jsonrpc":"2.0","method":"b","params":["1",2,true,["dialog:","tm:"],[3]],"id":2}""", requests[1].Body);
        Assert.Equal("""{"jsonrpc":"2.0","method":"c","params":{"callid":"x\"},{\"y\r\n","index":5},"id":3}""", requests[2].Body);
    }

    [Fact]
    public async Task A_text_that_the_server_would_cut_is_refused_before_it_is_sent()
    {
        List<HttpPeerRequest> requests = await RunAsync(r => Result(r, "1"), async rpc =>
        {
            foreach (string text in (string[])["a\0b", "half \ud83d", "\udc00 half", "\ud83d\ud83d\ude00"])
                await Assert.ThrowsAsync<SipArgumentException>(() => rpc.CallAsync("a", RpcParameters.Of(text), RpcOptions.Change, default));
        });
        Assert.Empty(requests);
    }

    [Theory]
    [InlineData("404 Dialog not found", """{"jsonrpc":"2.0","error":{"code":404,"message":"Dialog not found"},"id":ID}""", 404, "Dialog not found")]
    [InlineData("200 OK", """{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params","data":"Named parameters do not match"},"id":ID}""", -32602, "Invalid params: Named parameters do not match")]
    [InlineData("200 OK", """{"id":ID,"error":{"code":481,"message":"x"}}""", 481, "x")]
    [InlineData("500 Server error", """{"jsonrpc":"2.0","error":{},"id":ID}""", null, "no reason given")]
    [InlineData("503 Busy", "later", 503, "503 Busy")]
    public async Task An_error_of_the_server_is_told_with_its_code_and_words(string status, string body, int? code, string words)
    {
        foreach (bool list in new[] { false, true })
        {
            await RunAsync(r => (status, body.Replace("ID", Text(r.Id), StringComparison.Ordinal)), async rpc =>
            {
                var error = await Assert.ThrowsAsync<SipRejectedException>(() => list ? rpc.ListAsync("m", RpcParameters.None, RpcOptions.Read, e => e.GetRawText(), default) : rpc.CallAsync("m", RpcParameters.None, RpcOptions.Change, default));
                Assert.Equal((code, words), (error.ServerCode, error.ServerText.Split(',')[0]));
            });
        }
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","result":1,"id":999999}""", "SipReplyMismatch")]
    [InlineData("""{"jsonrpc":"2.0","result":1}""", "SipReplyMismatch")]
    [InlineData("""{"jsonrpc":"2.0","result":1,"id":null}""", "SipReplyMismatch")]
    [InlineData("""{"jsonrpc":"2.0","result":1,"id":"ID"}""", "SipReplyMismatch")]
    [InlineData("""{"jsonrpc":"2.0","id":ID}""", "SipProtocolError")]
    [InlineData("""[{"jsonrpc":"2.0","result":1,"id":ID}]""", "SipProtocolError")]
    [InlineData("""{"jsonrpc":"2.0","result":[1,2""", "SipProtocolError")]
    [InlineData("""{"jsonrpc":"2.0","result":1,"id":ID} {"more":1}""", "SipProtocolError")]
    [InlineData("", "SipProtocolError")]
    [InlineData("<html>", "SipProtocolError")]
    public async Task What_is_not_the_reply_to_our_request_is_refused(string body, string errorId)
    {
        await RunAsync(r => ("200 OK", body.Replace("ID", Text(r.Id), StringComparison.Ordinal)), async rpc =>
            Assert.Equal(errorId, (await Assert.ThrowsAsync<SipProtocolException>(() => rpc.CallAsync("m", RpcParameters.None, RpcOptions.Read, default))).ErrorId));
    }

    [Theory]
    [InlineData("401 Unauthorized", "SipAuthenticationFailed")]
    [InlineData("403 Forbidden", "SipAccessRefused")]
    public async Task A_refused_login_is_an_authentication_error(string status, string errorId)
    {
        await RunAsync(_ => (status, "no"), async rpc =>
            Assert.Equal(errorId, (await Assert.ThrowsAsync<SipAuthenticationException>(() => rpc.CallAsync("m", RpcParameters.None, RpcOptions.Read, default))).ErrorId));
    }

    [Fact]
    public async Task A_wrong_path_says_so() =>
        await RunAsync(_ => ("404 Not Found", "no such path"), async rpc =>
        {
            var error = await Assert.ThrowsAsync<SipProtocolException>(() => rpc.CallAsync("m", RpcParameters.None, RpcOptions.Read, default));
            Assert.Equal("SipHttpPathNotFound", error.ErrorId);
            Assert.Contains("-Path", error.RecommendedAction, StringComparison.Ordinal);
        });

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","result":LIST,"id":ID}""", "")]
    [InlineData("""{"id":ID,"result":{"count":500,"Dialogs":LIST,"more":{"Dialogs":[9]}},"jsonrpc":"2.0"}""", "Dialogs")]
    [InlineData("""{"jsonrpc":"2.0","result":{"other":[1],"a":{"x":{"b":[7]},"b":LIST}},"id":ID}""", "a b")]
    public async Task A_list_is_handed_out_item_by_item_wherever_the_reply_is_cut(string form, string path)
    {
        string[] items = ["{\"a\":[1,{\"b\":\"é ☎ \\\" ] }\"}]}", "5", "\"text\"", "[]", "{}", "null", "true"];
        byte[] reply = System.Text.Encoding.UTF8.GetBytes(form.Replace("LIST", "[" + string.Join(" , ", items) + "]", StringComparison.Ordinal).Replace("ID", "7", StringComparison.Ordinal));
        for (int size = 1; size <= reply.Length; size++)
        {
            var reader = new RpcListReader<string>(path.Split(' ', StringSplitOptions.RemoveEmptyEntries), e => e.GetRawText());
            await reader.ReadAsync(new Pieces(reply, size), default);
            Assert.Equal(items, reader.Items);
            Assert.True(reader.Found);
            Assert.Equal(7, reader.Id!.Value.GetInt32());
        }
    }

    [Fact]
    public async Task A_list_is_not_kept_as_a_whole_while_it_is_read()
    {
        // 200 000 items, 20 MB: the buffer of the reader stays as large as it was.
        string item = "{\"text\":\"" + new string('x', 90) + "\"}";
        var reply = new System.Text.StringBuilder("{\"jsonrpc\":\"2.0\",\"result\":[");
        for (int i = 0; i < 200_000; i++) reply.Append(i == 0 ? "" : ",").Append(item);
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(reply.Append("],\"id\":1}").ToString());
        int count = 0;
        int largest = 0;
        var pieces = new Pieces(bytes, int.MaxValue) { OnRead = size => largest = Math.Max(largest, size) };
        await new RpcListReader<object>([], _ =>
        {
            count++;
            return null;
        }).ReadAsync(pieces, default);
        Assert.Equal(200_000, count);
        Assert.InRange(largest, 1, 256 * 1024);
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","result":[1,2,3""")]
    [InlineData("""{"jsonrpc":"2.0","result":[1,2}""")]
    [InlineData("""[1]""")]
    [InlineData("")]
    public async Task A_list_that_is_broken_is_an_error(string body) =>
        await RunAsync(_ => ("200 OK", body), async rpc => await Assert.ThrowsAsync<SipProtocolException>(() => rpc.ListAsync("m", RpcParameters.None, RpcOptions.Read, e => e.GetRawText(), default)));

    [Fact]
    public async Task A_result_without_the_list_is_null_and_a_wrong_id_is_refused()
    {
        await RunAsync(r => Result(r, "{}"), async rpc => Assert.Null(await rpc.ListAsync("m", RpcParameters.None, RpcOptions.Read, e => e.GetRawText(), default)));
        await RunAsync(_ => ("200 OK", """{"jsonrpc":"2.0","result":[1],"id":77}"""), async rpc => await Assert.ThrowsAsync<SipProtocolException>(() => rpc.ListAsync("m", RpcParameters.None, RpcOptions.Read, e => e.GetRawText(), default)));
    }

    private static string Text(int id) => id.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static (string Status, string Body) Result(HttpPeerRequest request, string result) => ("200 OK", $$"""{"jsonrpc":"2.0","result":{{result}},"id":{{request.Id}}}""");

    private static async Task<List<HttpPeerRequest>> RunAsync(Func<HttpPeerRequest, (string Status, string Body)> answer, params Func<JsonRpcClient, Task>[] calls)
    {
        using var peer = new HttpPeer((request, stream) =>
        {
            (string status, string body) = answer(request);
            return HttpPeer.SayAsync(stream, body, status, body.StartsWith('{') || body.StartsWith('[') ? "application/json" : "text/plain");
        });
        using var http = new HttpServerClient(HttpServerClientTests.Settings(peer.Port), TimeProvider.System);
        var rpc = new JsonRpcClient(http, "peer", "/RPC", NullLogger.Instance);
        foreach (Func<JsonRpcClient, Task> call in calls) await call(rpc).WaitAsync(Patience);
        return peer.Requests;
    }

    private sealed class Pieces(byte[] bytes, int size) : MemoryStream(bytes)
    {
        public Action<int>? OnRead { get; init; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            OnRead?.Invoke(buffer.Length);
            await Task.Yield();
            return Read(buffer.Span[..Math.Min(size, buffer.Length)]);
        }
    }
}
