using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using IfBus.Sip.Adapters.Diagnostics;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Http;

/// <summary>
/// JSON-RPC 2.0 over one path of a server, one request a document (neither server takes batches), an id of ours on each,
/// which the reply must have.
/// </summary>
internal sealed class JsonRpcClient(HttpServerClient http, string server, string path, ILogger log)
{
    // OpenSIPS cuts ids to 32 bits.
    private const int LastId = int.MaxValue;

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private int _lastId;

    /// <summary>The path.</summary>
    public string Path => path;

    /// <summary>Runs a procedure and returns its result, whatever it is.</summary>
    /// <exception cref="SipRejectedException">The procedure failed: its code and words.</exception>
    /// <exception cref="SipAuthenticationException">The server wants a login, or another one.</exception>
    /// <exception cref="SipProtocolException">What came is no reply of JSON-RPC, or not ours.</exception>
    public Task<JsonElement> CallAsync(string method, RpcParameters parameters, RpcOptions options, CancellationToken cancellationToken)
    {
        int id = NextId();
        return http.SendAsync(
            Request(method, parameters, options, id),
            async (reply, token) =>
            {
                JsonElement document = reply.IsSuccess ? await ParseAsync(reply, method, token).ConfigureAwait(false) : await ErrorAsync(reply, method, token).ConfigureAwait(false);
                CheckId(document.TryGetProperty("id", out JsonElement said) ? said : null, id, method, mayLack: !reply.IsSuccess);
                if (document.TryGetProperty("error", out JsonElement error) && error.ValueKind != JsonValueKind.Null) throw Refused(method, error);
                if (!reply.IsSuccess) throw Unknown(reply, method);
                return document.TryGetProperty("result", out JsonElement result) ? result : throw NoReply(method, "there is neither a result nor an error");
            },
            cancellationToken);
    }

    /// <summary>Runs a procedure whose result is or has a list, and makes something of each item as it comes from the stream.</summary>
    /// <param name="method">The procedure.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="options">Where the list stands.</param>
    /// <param name="item">Makes something of an item; null leaves it out.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <returns>The items; null if the result has no such list.</returns>
    public Task<List<T>?> ListAsync<T>(string method, RpcParameters parameters, RpcOptions options, Func<JsonElement, T?> item, CancellationToken cancellationToken)
        where T : class
    {
        int id = NextId();
        return http.SendAsync(
            Request(method, parameters, options, id),
            async (reply, token) =>
            {
                if (!reply.IsSuccess)
                {
                    JsonElement document = await ErrorAsync(reply, method, token).ConfigureAwait(false);
                    throw document.TryGetProperty("error", out JsonElement refused) ? Refused(method, refused) : Unknown(reply, method);
                }

                var reader = new RpcListReader<T>(options.List ?? [], item);
                try
                {
                    await reader.ReadAsync(reply.Body, token).ConfigureAwait(false);
                }
                catch (JsonException e)
                {
                    throw NoReply(method, SipText.Reason(e), e);
                }

                CheckId(reader.Id, id, method, mayLack: false);
                if (reader.Error is { ValueKind: not JsonValueKind.Null } error) throw Refused(method, error);
                return reader.Found ? reader.Items : null;
            },
            cancellationToken);
    }

    private static async Task<JsonElement> ParseAsync(HttpReply reply, string method, CancellationToken token)
    {
        try
        {
            using JsonDocument document = await JsonDocument.ParseAsync(reply.Body, default, token).ConfigureAwait(false);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : throw NoReply(method, "it is no object");
        }
        catch (JsonException e)
        {
            throw NoReply(method, SipText.Reason(e), e);
        }
    }

    private static SipProtocolException NoReply(string method, string why, Exception? e = null) => new($"The answer to {method} is no reply of JSON-RPC: {SipText.Printable(why)}.", e);

    private int NextId()
    {
        int id = Interlocked.Increment(ref _lastId) & LastId;
        return id == 0 ? NextId() : id;
    }

    private HttpRequest Request(string method, RpcParameters parameters, RpcOptions options, int id)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Writing))
        {
            writer.WriteStartObject();
            writer.WriteString("jsonrpc"u8, "2.0"u8);
            writer.WriteString("method"u8, method);
            parameters.Write(writer);
            writer.WriteNumber("id"u8, id);
            writer.WriteEndObject();
        }

        Log.ActionSent(log, method, id);
        return new HttpRequest { Method = HttpMethod.Post, Path = path, What = method, IsRead = options.IsRead, Body = buffer.WrittenMemory, Timeout = options.Timeout };
    }

    // The document that an error came with, or the error that the status alone makes.
    private async Task<JsonElement> ErrorAsync(HttpReply reply, string method, CancellationToken token)
    {
        byte[] body = await reply.ReadErrorAsync(token).ConfigureAwait(false);
        try
        {
            var json = new Utf8JsonReader(body);
            if (JsonDocument.TryParseValue(ref json, out JsonDocument? document))
            {
                using (document)
                {
                    if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("error", out _)) return document.RootElement.Clone();
                }
            }
        }
        catch (JsonException)
        {
            // Told by the status.
        }

        throw Unknown(reply, method, body);
    }

    private SipException Unknown(HttpReply reply, string method, byte[]? body = null)
    {
        string words = Words(reply, body);
        switch (reply.Status)
        {
            case 401 or 407:
                return new SipAuthenticationException($"{server} wants a login, or another one: {words}.")
                {
                    NothingDone = true,
                    RecommendedAction = "Give what the server's script asks for: -ApiKey for a Bearer token, -Credential for a user and password.",
                };
            case 403:
                return new SipAuthenticationException($"{server} refuses this client: {words}.", errorId: "SipAccessRefused")
                {
                    NothingDone = true,
                    RecommendedAction = "The server lets in by source address, or this login has no right to it: look into its configuration.",
                };
            case 404:
                return new SipProtocolException($"{server} has no {path} ({words}).", errorId: "SipHttpPathNotFound") { NothingDone = true, RecommendedAction = "Give the path that the server's configuration names with -Path." };
            default:
                return new SipRejectedException($"{server} refused {method}: {words}.", words, reply.Status);
        }
    }

    private static string Words(HttpReply reply, byte[]? body)
    {
        string status = $"{reply.Status.ToString(CultureInfo.InvariantCulture)} {SipText.Printable(reply.Reason)}";
        bool text = reply.ContentHeaders.ContentType?.MediaType is "text/plain" or "application/json";
        return text && body is { Length: > 0 and < 2000 } ? $"{status}, {SipText.Printable(System.Text.Encoding.UTF8.GetString(body).Trim())}" : status;
    }

    private SipRejectedException Refused(string method, JsonElement error)
    {
        int? code = null;
        string words = "";
        if (error.ValueKind == JsonValueKind.Object)
        {
            if (error.TryGetProperty("code", out JsonElement number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out int said)) code = said;
            if (error.TryGetProperty("message", out JsonElement message) && message.ValueKind == JsonValueKind.String) words = message.GetString()!;
            // OpenSIPS puts the reason there.
            if (error.TryGetProperty("data", out JsonElement data) && data.ValueKind == JsonValueKind.String) words = words.Length == 0 ? data.GetString()! : $"{words}: {data.GetString()}";
        }

        if (words.Length == 0) words = "no reason given";
        return new SipRejectedException($"{server} refused {method}: {SipText.Printable(words)}{(code is null ? "" : $" ({code})")}.", words, code) { NothingDone = true };
    }

    private void CheckId(JsonElement? said, int id, string method, bool mayLack)
    {
        if (said is null && mayLack) return;
        if (said is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out long value) && value == id) return;
        string shown = said is { } other ? SipText.Printable(other.GetRawText()) : "none";
        throw new SipProtocolException($"{server} answered {method} with the id {shown}, not {id}: the reply is another request's.", errorId: "SipReplyMismatch");
    }
}
