using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Http;
using IfBus.Sip.Simulators;
using Microsoft.Extensions.Logging.Abstractions;

namespace IfBus.Sip.Benchmarks;

/// <summary>
/// One keep-alive connection against a raw HttpClient loop, and the list of 500 calls against its bare download. Against
/// the real Kamailio that IFBUS_KAMAILIO_PORT names, or a simulator in a process of its own.
/// </summary>
internal static class HttpRequests
{
    private const int Dialogs = 500;
    private static readonly Uri Nowhere = new("http://127.0.0.1/RPC");

    public static async Task RunAsync(int count, int lists, int rounds)
    {
        string? real = Environment.GetEnvironmentVariable("IFBUS_KAMAILIO_PORT");
        using Process? server = real is { Length: > 0 } ? null : Requests.Start("serve-kamailio");
        int port = int.Parse(real is { Length: > 0 } ? real : (await server!.StandardOutput.ReadLineAsync().ConfigureAwait(false))!, CultureInfo.InvariantCulture);
        List<double> raw = [], ours = [], rawList = [], ourList = [];
        for (int round = -1; round < rounds; round++)
        {
            double r = await RawAsync(port, "core.uptime", count).ConfigureAwait(false);
            double o = await OursAsync(port, count).ConfigureAwait(false);
            double rl = await RawAsync(port, "dlg.list", lists).ConfigureAwait(false);
            double ol = await ListAsync(port, lists).ConfigureAwait(false);
            if (round < 0) continue;
            raw.Add(r);
            ours.Add(o);
            rawList.Add(rl);
            ourList.Add(ol);
        }

        Figures.Row("raw HttpClient, one connection", raw, "requests/s");
        Figures.Row("JSON-RPC client, one connection", ours, "requests/s", raw);
        Figures.Row("raw HttpClient, dlg.list", rawList, "lists/s");
        Figures.Row("Kamailio adapter, list of calls", ourList, "lists/s", rawList);
        server?.StandardInput.Close();
    }

    /// <summary>A simulator with 500 calls that talk; ends when its input is closed.</summary>
    public static async Task ServeAsync()
    {
        using KamailioSimulator simulator = KamailioSimulator.Start(new KamailioSimulatorOptions { PrettyFormat = false, RingTime = TimeSpan.Zero });
        for (int i = 0; i < Dialogs; i++) simulator.StartIncomingCall("1001", "1002");
        Console.WriteLine(simulator.Port);
        await Console.In.ReadToEndAsync().ConfigureAwait(false);
    }

    private static async Task<double> RawAsync(int port, string method, int count)
    {
        using var client = new HttpClient();
        var address = new UriBuilder(Nowhere) { Port = port }.Uri;
        byte[] body = Encoding.UTF8.GetBytes($"{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"id\":1}}");
        long begin = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            using var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using HttpResponseMessage reply = await client.PostAsync(address, content).ConfigureAwait(false);
            await reply.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
        }

        return count / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static async Task<double> OursAsync(int port, int count)
    {
        using var http = new HttpServerClient(
            new HttpSettings { Name = "bench", Endpoint = new WireEndpoint("127.0.0.1", port, false, false), ConnectTimeout = TimeSpan.FromSeconds(10), RequestTimeout = TimeSpan.FromSeconds(30) }, TimeProvider.System);
        var rpc = new JsonRpcClient(http, "bench", "/RPC", NullLogger.Instance);
        long begin = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++) await rpc.CallAsync("core.uptime", RpcParameters.None, RpcOptions.Read, default).ConfigureAwait(false);
        return count / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static async Task<double> ListAsync(int port, int count)
    {
        ISipAdapter adapter = new SipAdapterFactory().Create(new SipServerConfiguration { Type = SipServerType.Kamailio, Host = "127.0.0.1", Port = port, PollInterval = TimeSpan.FromHours(1) }, null);
        await using (adapter.ConfigureAwait(false))
        {
            await adapter.ConnectAsync(default).ConfigureAwait(false);
            long begin = Stopwatch.GetTimestamp();
            for (int i = 0; i < count; i++) await adapter.GetCallsAsync(default).ConfigureAwait(false);
            return count / Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }
    }
}
