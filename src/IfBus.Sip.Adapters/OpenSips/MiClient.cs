using System.Text.Json;
using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>The server's management interface (MI): JSON-RPC over HTTP, with the server's own ways of failing made plain.</summary>
internal sealed class MiClient(JsonRpcClient rpc, string server)
{
    /// <summary>Bytes of a request that the server takes whatever its module httpd is set to (receive_buf_size, post_buf_size); the default is this small.</summary>
    private const int SmallestBuffer = 1024;

    private const int FirstPage = 200;

    private int _page = FirstPage;

    /// <summary>Runs a command that changes nothing.</summary>
    public Task<JsonElement> AskAsync(string command, RpcParameters parameters, CancellationToken cancellationToken) => RunAsync(command, parameters, RpcOptions.Read, cancellationToken);

    /// <summary>Runs a command that changes something: never sent twice.</summary>
    public Task<JsonElement> DoAsync(string command, RpcParameters parameters, CancellationToken cancellationToken) => RunAsync(command, parameters, RpcOptions.Change, cancellationToken);

    /// <summary>Runs a command whose reply may take its time, since a phone answers it.</summary>
    public Task<JsonElement> DoAsync(string command, RpcParameters parameters, TimeSpan limit, CancellationToken cancellationToken) => RunAsync(command, parameters, new RpcOptions(false, limit), cancellationToken);

    /// <summary>A list of a reply, item by item.</summary>
    public async Task<List<T>> ListAsync<T>(string command, IReadOnlyList<string> path, Func<JsonElement, T?> read, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await rpc.ListAsync(command, RpcParameters.None, new RpcOptions(true, List: path), read, cancellationToken).ConfigureAwait(false) ?? [];
        }
        catch (SipRejectedException e) when (IsTooLarge(e))
        {
            throw TooLarge(command, e);
        }
    }

    /// <summary>
    /// All dialogs, page by page: a reply that is larger than the server's buf_size is a bare HTTP 500, so pages get smaller
    /// until they fit. The order is that of a hash table: while calls come and go one may be met twice, or be missed.
    /// </summary>
    public async Task<Dictionary<string, DialogRow>> DialogsAsync(string command, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, DialogRow>(StringComparer.Ordinal);
        int index = 0;
        while (true)
        {
            int page = Volatile.Read(ref _page);
            int met = 0;
            try
            {
                await rpc.ListAsync(
                    command,
                    RpcParameters.Named(("index", index), ("counter", page)),
                    new RpcOptions(true, List: ["Dialogs"]),
                    item =>
                    {
                        met++;
                        if (DialogRow.Read(item) is { } row) found[row.Id] = row;
                        return (string?)null;
                    },
                    cancellationToken).ConfigureAwait(false);
            }
            catch (SipRejectedException e) when (IsTooLarge(e))
            {
                if (page == 1) throw TooLarge(command, e);
                Volatile.Write(ref _page, Math.Max(1, page / 2));
                continue;
            }

            index += page;
            if (met < page) return found;
        }
    }

    /// <summary>One dialog by its SIP Call-ID; null if the server has it not (any more).</summary>
    public async Task<DialogRow?> DialogAsync(string command, string sipCallId, string dialogId, CancellationToken cancellationToken)
    {
        try
        {
            JsonElement reply = await AskAsync(command, RpcParameters.Named(("callid", sipCallId)), cancellationToken).ConfigureAwait(false);
            if (reply.ValueKind == JsonValueKind.Object && reply.TryGetProperty("Dialog", out JsonElement one) && DialogRow.Read(one) is { } row && row.Id == dialogId) return row;
            return MiJson.Items(reply, "Dialogs").Select(DialogRow.Read).FirstOrDefault(r => r?.Id == dialogId);
        }
        catch (SipRejectedException e) when (e.ServerCode == 404)
        {
            return null;
        }
    }

    private static bool IsTooLarge(SipRejectedException e) => e.ServerCode == 500 && e.ServerText.StartsWith("500 ", StringComparison.Ordinal);

    private SipProtocolException TooLarge(string command, Exception e) => new($"{server}'s reply to {command} does not fit its buffer.", e, "SipReplyTooLarge")
    {
        Server = server,
        RecommendedAction = "Set a larger buf_size of the server's module httpd.",
    };

    private async Task<JsonElement> RunAsync(string command, RpcParameters parameters, RpcOptions options, CancellationToken cancellationToken)
    {
        try
        {
            return await rpc.CallAsync(command, parameters, options, cancellationToken).ConfigureAwait(false);
        }
        catch (SipRejectedException e) when (e.ServerCode == 400 && e.ServerText.StartsWith("400 ", StringComparison.Ordinal))
        {
            throw new SipProtocolException($"{server} did not take the request {command} (HTTP {SipText.Printable(e.ServerText)}). Nothing was carried out.", e, "SipRequestNotTaken")
            {
                Server = server,
                NothingDone = true,
                RecommendedAction = $"Check -Path. If short requests work: the server's module httpd takes {SmallestBuffer} bytes unless receive_buf_size and post_buf_size are larger; 65536 is good.",
            };
        }
        catch (SipRejectedException e) when (IsTooLarge(e))
        {
            throw TooLarge(command, e);
        }
    }
}
