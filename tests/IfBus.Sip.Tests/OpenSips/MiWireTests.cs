using System.Text;
using System.Text.Json;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.OpenSips;

/// <summary>Replies of the MI as they were recorded, asked of the simulator byte by byte.</summary>
public sealed class MiWireTests
{
    [Theory]
    [InlineData("errors", 24)]
    [InlineData("errors-documents", 15)]
    public async Task What_went_wrong_goes_wrong_alike(string scenario, int least)
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        int asked = 0;
        foreach ((byte[] request, byte[] reply) in RecordedRequests.Of(Transcript.Open("opensips", scenario)))
        {
            // Those that never end have a test of their own; and every number is registered here, nobody too.
            List<(string, string)> said = RecordedRequests.Replies(reply);
            if (said.Count == 0 || request.AsSpan().IndexOf("[\"location\", \"nobody\"]"u8) >= 0) continue;
            Assert.Equal(said, await RecordedRequests.AskAsync(server.Host, server.Port, request, said.Count));
            asked++;
        }

        Assert.InRange(asked, least, 100);
    }

    [Theory]
    [InlineData("cache_fetch", """["local","nokey"]""", """{"error":{"code":400,"message":"Value not found"}}""")]
    [InlineData("get_statistics", """[["nosuch"]]""", """{"result":{}}""")]
    [InlineData("ul_show_contact", """["location","nosuch"]""", """{"error":{"code":404,"message":"AOR not found"}}""")]
    [InlineData("ul_rm", """["location","nobody"]""", """{"result":"OK"}""")]
    [InlineData("ul_rm_contact", """["location","answer","sip:none@127.0.0.1"]""", """{"error":{"code":404,"message":"Contact not found"}}""")]
    [InlineData("ul_add", """["location","bob","sip:bob@127.0.0.1:15073",60,"1",0,0,0,8191]""", """{"error":{"code":-32602,"message":"Invalid params","data":"Too few or too many parameters"}}""")]
    [InlineData("ds_set_state", """["z",1,"sip:127.0.0.1:15070"]""", """{"error":{"code":500,"message":"Bad state value"}}""")]
    [InlineData("b2b_bridge", """["1.1","sip:bob@127.0.0.1:5062"]""", """{"error":{"code":-32000,"message":"Server error","data":"Command handler returned null"}}""")]
    [InlineData("b2b_trigger_scenario", """["click","alice","bob"]""", """{"error":{"code":400,"message":"Missing destination URI for entity1"}}""")]
    [InlineData("b2b_trigger_scenario", """["click","client1,sip:alice@127.0.0.1:5062"]""", """{"error":{"code":-32602,"message":"Invalid params","data":"Too few or too many parameters"}}""")]
    [InlineData("call_transfer", """{"callid":"nocall","leg":"caller","transfer_callid":"none","transfer_leg":"callee"}""", """{"error":{"code":404,"message":"Transfer dialog not found"}}""")]
    public async Task Replies_of_single_commands(string method, string parameters, string reply)
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        Assert.Equal($"{{\"jsonrpc\":\"2.0\",{reply[1..^1]},\"id\":5}}", await AskAsync(server, method, parameters));
    }

    [Fact]
    public async Task A_list_comes_in_pages_with_the_whole_number_and_ended_calls_stay_in_it()
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        for (int i = 0; i < 3; i++) server.StartIncomingCall("1001", "ring");
        Assert.False((await ResultAsync(server, "dlg_list", null)).TryGetProperty("count", out _));
        Assert.Equal((3, 2), await PageAsync(server, 0, 2));
        Assert.Equal((3, 1), await PageAsync(server, 2, 2));
        Assert.Equal((3, 0), await PageAsync(server, 9, 2));
        // None asked for is all.
        Assert.Equal((3, 3), await PageAsync(server, 0, 0));
        string id = (await ResultAsync(server, "dlg_list", null)).GetProperty("Dialogs")[0].GetProperty("ID").GetString()!;
        Assert.Equal("{\"jsonrpc\":\"2.0\",\"result\":\"OK\",\"id\":5}", await AskAsync(server, "dlg_end_dlg", $"[\"{id}\"]"));
        await Until.TrueAsync(async () => (await StateAsync(server, id)) == 5);
        Assert.Equal((3, 3), await PageAsync(server, 0, 0));
    }

    [Fact]
    public async Task Hold_is_refused_twice_and_shows_in_the_long_list_only()
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start(new OpenSipsSimulatorOptions { RingTime = TimeSpan.FromMilliseconds(50) });
        string call = $"{{\"callid\":\"{server.StartIncomingCall("1001", "answer")}\"}}";
        await Until.TrueAsync(async () => !(await AskAsync(server, "call_hold", call)).Contains("Dialog not ready", StringComparison.Ordinal));
        await Until.TrueAsync(async () => (await AskAsync(server, "call_hold", call)).Contains("{\"code\":480,\"message\":\"Both dialog legs are on hold\"}", StringComparison.Ordinal));
        Assert.DoesNotContain("hold", await AskAsync(server, "dlg_list", call), StringComparison.Ordinal);
        Assert.Equal(4, (await ResultAsync(server, "dlg_list", call)).GetProperty("Dialog").GetProperty("state").GetInt32());
        Assert.Contains("call_hold_caller", await AskAsync(server, "dlg_list_ctx", call), StringComparison.Ordinal);
        Assert.Contains("\"OK\"", await AskAsync(server, "call_unhold", call), StringComparison.Ordinal);
        await Until.TrueAsync(async () => (await AskAsync(server, "call_unhold", call)).Contains("{\"code\":480,\"message\":\"No dialog legs on hold\"}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_trunk_that_is_not_probed_takes_the_command_and_not_the_state()
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        string before = await AskAsync(server, "ds_list", null);
        Assert.Contains("\"OK\"", await AskAsync(server, "ds_set_state", "[\"p\",1,\"sip:127.0.0.1:15070\"]"), StringComparison.Ordinal);
        Assert.Equal(before, await AskAsync(server, "ds_list", null));
    }

    [Fact]
    public async Task Names_of_registrations_are_compared_with_their_case()
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        Assert.Contains("\"OK\"", await AskAsync(server, "ul_add", "[\"location\",\"nosuchann\",\"sip:ann@127.0.0.1:15072\",60,\"1\",0,0,0]"), StringComparison.Ordinal);
        Assert.Contains("sip:ann@127.0.0.1:15072", await AskAsync(server, "ul_show_contact", "[\"location\",\"nosuchann\"]"), StringComparison.Ordinal);
        Assert.Contains("\"AOR not found\"", await AskAsync(server, "ul_show_contact", "[\"location\",\"NoSuchAnn\"]"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subscription_of_no_seconds_is_none_and_is_still_listed()
    {
        using OpenSipsSimulator server = OpenSipsSimulator.Start();
        Assert.Contains("\"OK\"", await AskAsync(server, "event_subscribe", "[\"E_ACC_CDR\",\"tcp:127.0.0.1:18787\",600]"), StringComparison.Ordinal);
        Assert.Contains("\"OK\"", await AskAsync(server, "event_subscribe", "[\"E_ACC_CDR\",\"tcp:127.0.0.1:18787\",0]"), StringComparison.Ordinal);
        Assert.Contains("\"ttl\":\"expired\"", await AskAsync(server, "subscribers_list", "[\"E_ACC_CDR\"]"), StringComparison.Ordinal);
    }

    private static async Task<(int Count, int Listed)> PageAsync(OpenSipsSimulator server, int index, int counter)
    {
        JsonElement page = await ResultAsync(server, "dlg_list", $"{{\"index\":{index},\"counter\":{counter}}}");
        return (page.GetProperty("count").GetInt32(), page.GetProperty("Dialogs").GetArrayLength());
    }

    private static async Task<int> StateAsync(OpenSipsSimulator server, string id) =>
        (await ResultAsync(server, "dlg_list", null)).GetProperty("Dialogs").EnumerateArray().First(d => d.GetProperty("ID").GetString() == id).GetProperty("state").GetInt32();

    private static async Task<JsonElement> ResultAsync(OpenSipsSimulator server, string method, string? parameters)
    {
        using JsonDocument reply = JsonDocument.Parse(await AskAsync(server, method, parameters));
        return reply.RootElement.GetProperty("result").Clone();
    }

    private static async Task<string> AskAsync(OpenSipsSimulator server, string method, string? parameters)
    {
        string body = $"{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\"{(parameters is null ? "" : $",\"params\":{parameters}")},\"id\":5}}";
        byte[] request = Encoding.UTF8.GetBytes($"POST /mi HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
        return Assert.Single(await RecordedRequests.AskAsync(server.Host, server.Port, request, 1)).Body;
    }
}
