using IfBus.Sip.Tests.Asterisk;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>ActionIDs are not private to a session: OriginateResponse goes to all of them (wire/asterisk, section 3). Another client uses ours.</summary>
public abstract class ManagerIdsContract : ServerContract
{
    [ServerFact]
    public async Task Another_client_with_our_ids_takes_and_gives_nothing()
    {
        using var other = new RawManager(Server.Host, Server.Port, Server.User, Server.Secret);
        var ours = new List<SipCall> { Call("-From Local/echo@ifbus -To wait") };
        string id = other.Await(m => m.Event == "OriginateResponse" && m["Uniqueid"] == ours[0].CallId)["ActionID"]!;
        int at = id.LastIndexOf('-') + 1;
        Assert.Matches("^ifb-[0-9A-F]{16}-[0-9]+$", id);
        using var end = new CancellationTokenSource();
        Task<int> talking = Task.Run(() => Talk(other, id[..at], int.Parse(id[at..], System.Globalization.CultureInfo.InvariantCulture), end.Token));
        other.Await(m => m["Uniqueid"] == "other-000003");
        for (int i = 0; i < 8; i++)
        {
            SipCommandResult ping = Module.Run<SipCommandResult>("Invoke-SipCommand Ping -Confirm:$false");
            Assert.Equal((true, "Pong"), (ping.Success, ping.Fields["Ping"]));
            SipCommandResult error = Module.Run<SipCommandResult>("Invoke-SipCommand Hangup @{ Channel = 'none-of-ours' } -Confirm:$false");
            Assert.Equal((false, "No such channel"), (error.Success, error.Message));
            Assert.Equal(ours.Select(c => (c.CallId, CallState.Connected)).Order(), Calls(Module.Run("Get-SipCallStatus")).Select(c => (c.CallId, c.State)).Order());
            ours.Add(Call("-From Local/echo@ifbus -To wait"));
            Assert.Equal(CallState.Connected, ours[^1].State);
        }

        await end.CancelAsync();
        int made = await talking;

        // Each of its calls failed, and each of ours was answered, once.
        other.Await(h => h.Count(m => m.Event == "OriginateResponse") == made + ours.Count);
        string[] outcomes = [.. other.Heard.Where(m => m.Event == "OriginateResponse").Select(m => $"{m["Uniqueid"]} {m["Response"]}").Order(StringComparer.Ordinal)];
        Assert.Equal(Enumerable.Range(0, made).Select(i => $"{Id(i)} Failure").Concat(ours.Select(c => $"{c.CallId} Success")).Order(StringComparer.Ordinal), outcomes);
        Assert.Equal(ours.Select(c => c.CallId).Order(), Calls(Module.Run("Stop-SipCall -All -Force -PassThru")).Select(c => c.CallId).Order());
        Assert.All(Calls(Module.Run("Get-SipCallHistory")), c => Assert.Equal((HangupCause.NormalClearing, 16), (c.Cause, c.CauseCode)));
    }

    private static string Id(int call) => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"other-{call:000000}");

    // Asks under the ids that we have just used and those that come next, again and again, and checks what it is answered.
    private static int Talk(RawManager other, string prefix, int used, CancellationToken end)
    {
        int made = 0;
        for (int id = used - 2; !end.IsCancellationRequested; id = id > used + 200 ? used - 2 : id + 4)
        {
            int before = other.Heard.Count(IsReply);
            other.Say($"Action: Ping\r\nActionID: {prefix}{id}\r\n\r\n"
                + $"Action: Originate\r\nActionID: {prefix}{id + 1}\r\nChannel: PJSIP/nosuch\r\nApplication: Wait\r\nData: 1\r\nChannelId: {Id(made++)}\r\nAsync: true\r\n\r\n"
                + $"Action: Hangup\r\nActionID: {prefix}{id + 2}\r\nChannel: nobody\r\n\r\n"
                + $"Action: CoreShowChannels\r\nActionID: {prefix}{id + 3}\r\n\r\n");
            // Strictly one after the other.
            other.Await(h => h.Count(IsReply) == before + 4);
            other.Await(h => h.Count(m => m.Event == "CoreShowChannelsComplete") == made);
            ManagerMessage[] replies = [.. other.Heard.Where(IsReply).TakeLast(4)];
            Assert.Equal(Enumerable.Range(id, 4).Select(i => prefix + i), replies.Select(r => r["ActionID"]));
            Assert.Equal(["Pong", null, null, null], replies.Select(r => r["Ping"]));
            Assert.Equal([null, "Originate successfully queued", "No such channel"], replies.Take(3).Select(r => r["Message"]));
            Assert.Equal("start", replies[3]["EventList"]);
            ManagerMessage last = other.Heard.Last(m => m.Event == "CoreShowChannelsComplete");
            int items = other.Heard.Reverse().SkipWhile(m => m != last).Skip(1).TakeWhile(m => m.Event == "CoreShowChannel" && m["ActionID"] == prefix + (id + 3)).Count();
            Assert.Equal((prefix + (id + 3), items.ToString(System.Globalization.CultureInfo.InvariantCulture)), (last["ActionID"], last["ListItems"]));
        }

        return made;
    }

    private static bool IsReply(ManagerMessage message) => message.Event is null && message["Response"] is not null && message["ActionID"] != "login";
}
