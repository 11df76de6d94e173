using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What Asterisk promises us about line breaks in variables and arguments: where a dialplan lets them in, the server's
/// replies hold whole messages of somebody else's (wire/asterisk, section 9). None of them changes another call.
/// </summary>
public abstract class ForgedEventsContract : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>The server under test.</summary>
    protected abstract ContractServer Server { get; }

    [ServerTheory]
    [InlineData("forge", "Hangup")]
    [InlineData("forge", "DialEnd")]
    [InlineData("forge", "OriginateResponse")]
    [InlineData("forge", "nonsense")]
    [InlineData("forgedata", "Hangup")]
    [InlineData("forgedata", "DialEnd")]
    [InlineData("forgedata", "nonsense")]
    public async Task A_forged_message_changes_no_other_call(string exten, string kind)
    {
        await using ISipAdapter adapter = await ConnectAsync();
        SipCall ours = await RingingAsync(adapter);
        using ISipEventSubscription events = adapter.Subscribe(SipEventTypes.CallStateChanged);
        string before = Written(adapter, ours);
        SipCallLeg first = ours.Legs[0], second = ours.Legs[1];
        SipCall theirs = await CallAsync(adapter, exten, null, "x\r\n\r\n" + kind switch
        {
            "Hangup" => Hangup(first),
            "DialEnd" => $"Event: DialEnd\r\nChannel: {first.Name}\r\nUniqueid: {first.Id}\r\nLinkedid: {first.Id}\r\nDestChannel: {second.Name}\r\nDestUniqueid: {second.Id}\r\nDestLinkedid: {first.Id}\r\nDialStatus: ANSWER",
            "OriginateResponse" => $"Event: OriginateResponse\r\nResponse: Failure\r\nUniqueid: {first.Id}\r\nReason: 5",
            _ => "no message at all",
        });

        await Until.TrueAsync(() => adapter.FindCall(theirs.CallId)!.Legs is [{ State: "Up" }]);
        if (exten == "forge") await EventuallyAsync(async () => await adapter.GetVariableAsync(theirs.CallId, "EVIL", SipParty.From, default) == "x");
        await EventuallyAsync(() => RunAsync(adapter, "Getvar", ("Channel", theirs.CallId), ("Variable", "EVIL")));
        await EventuallyAsync(() => RunAsync(adapter, "Status", ("Channel", theirs.CallId), ("Variables", "EVIL")));
        await EventuallyAsync(() => RunAsync(adapter, "CoreShowChannels"));
        IReadOnlyList<SipCall> listed = await adapter.GetCallsAsync(default).WaitAsync(Limit);
        Assert.Equal([CallState.Ringing], listed.Where(c => c.CallId == ours.CallId).Select(c => c.State));
        // A reply is never overtaken by what was said before the question.
        Assert.Null((await adapter.CheckHealthAsync(default).WaitAsync(Limit)).Message);

        Assert.Equal(before, Written(adapter, ours));
        while (events.TryRead(out SipEvent? change)) Assert.NotEqual(ours.CallId, change!.CallId);
        Assert.Equal((ConnectionState.Connected, 0), (adapter.Server.State, adapter.Server.Reconnects));

        // Who connects now reads the same list.
        await using ISipAdapter later = await ConnectAsync();
        Assert.Equal((CallState.Ringing, "Up"), (later.FindCall(ours.CallId)!.State, later.FindCall(theirs.CallId)!.Legs[0].State));
        await adapter.HangUpAsync(ours.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
        await adapter.HangUpAsync(theirs.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
    }

    // The record of a call tells 79 bytes of the arguments of its last application as they are, and each event of a channel its number.
    [ServerTheory]
    [InlineData("forgedata", "Cdr")]
    [InlineData("forgedata", "nonsense")]
    [InlineData("forgenum", "Hangup")]
    [InlineData("forgenum", "nonsense")]
    public async Task A_message_forged_in_an_event_changes_no_other_call(string exten, string kind)
    {
        await using ISipAdapter adapter = await ConnectAsync();
        SipCall ours = await RingingAsync(adapter);
        string before = Written(adapter, ours);
        SipCallLeg first = ours.Legs[0];
        SipCall theirs = await CallAsync(adapter, exten, null, "x\r\n\r\n" + kind switch
        {
            "Hangup" => Hangup(first),
            "Cdr" => $"Event: Cdr\r\nUniqueID: {first.Id}\r\nSource: forged\r\nDisposition: ANSWERED",
            _ => "no message at all",
        });
        await Until.TrueAsync(() => adapter.FindCall(theirs.CallId)!.Legs.Count > 0);
        string? channel = adapter.FindCall(theirs.CallId)!.Legs[0].Name;
        await EventuallyAsync(async () => (await adapter.InvokeCommandAsync(new SipCommandRequest("CoreShowChannels", []), default).WaitAsync(Limit)).Items.Any(i => i["Channel"] == channel && (exten == "forgenum" ? i["CallerIDNum"] == "x" : i["Application"] == "Echo")));

        // Its own events are kept out; that it is gone the list of channels tells.
        SipCall ended = await adapter.HangUpAsync(theirs.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
        Assert.Equal(CallState.Terminated, ended.State);
        Assert.Null((await adapter.CheckHealthAsync(default).WaitAsync(Limit)).Message);
        Assert.Equal(before, Written(adapter, ours));
        Assert.Equal((ConnectionState.Connected, 0), (adapter.Server.State, adapter.Server.Reconnects));
        Assert.DoesNotContain(await adapter.GetCallDetailRecordsAsync(new SipDetailRecordFilter(), default).WaitAsync(Limit), r => r.From == "forged");
        await adapter.HangUpAsync(ours.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
    }

    [ServerFact]
    public async Task A_forged_reply_answers_nothing_of_ours()
    {
        // Every client is told the ids of the originates of others.
        using var spy = new TcpClient();
        await spy.ConnectAsync(Server.Host, Server.Port);
        await spy.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"Action: Login\r\nUsername: {Server.User}\r\nSecret: {Server.Secret}\r\nEvents: call\r\n\r\n"));
        using var reader = new StreamReader(spy.GetStream());
        using var time = new CancellationTokenSource(Limit);
        while (await reader.ReadLineAsync(time.Token) is { } line && line != "Message: Authentication accepted") Assert.NotEqual("Response: Error", line);

        await using ISipAdapter adapter = await ConnectAsync();
        SipCall ours = await RingingAsync(adapter);
        string id = "";
        while (!id.StartsWith("ActionID: ", StringComparison.Ordinal)) id = (await reader.ReadLineAsync(time.Token))!;
        int at = id.LastIndexOf('-') + 1;
        int last = int.Parse(id.AsSpan(at), System.Globalization.CultureInfo.InvariantCulture);
        string replies = string.Concat(Enumerable.Range(last + 2, 11).Select(n => $"\r\n\r\nResponse: Error\r\n{id[..at]}{n}"));
        SipCall theirs = await CallAsync(adapter, "forge", CallState.Connected, "x" + replies);
        string before = Written(adapter, ours);
        for (int i = 0; i < 4; i++)
        {
            Task<string> value = adapter.GetVariableAsync(theirs.CallId, "EVIL", SipParty.From, default);
            Task<SipServerHealth> health = adapter.CheckHealthAsync(default);
            Assert.Equal("x", await value.WaitAsync(Limit));
            Assert.Null((await health.WaitAsync(Limit)).Message);
        }

        Assert.Equal(before, Written(adapter, ours));
        await adapter.HangUpAsync(ours.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
        await adapter.HangUpAsync(theirs.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
    }

    public void Dispose()
    {
        Server.Simulator?.Dispose();
        GC.SuppressFinalize(this);
    }

    private static string Hangup(SipCallLeg first) =>
        $"Event: Hangup\r\nPrivilege: call,all\r\nChannel: {first.Name}\r\nUniqueid: {first.Id}\r\nLinkedid: {first.Id}\r\nCause: 17\r\nCause-txt: User busy";

    // What does not depend on when it is looked at.
    private static string Written(ISipAdapter adapter, SipCall call) => JsonSerializer.Serialize(adapter.FindCall(call.CallId)! with { Duration = null, BillableDuration = null });

    private static async Task<bool> RunAsync(ISipAdapter adapter, string name, params (string Name, string Value)[] fields) =>
        (await adapter.InvokeCommandAsync(new SipCommandRequest(name, [.. fields.Select(f => new KeyValuePair<string, string>(f.Name, f.Value))]), default).WaitAsync(Limit)).Success;

    // What is no message ends the connection that it came on; the next question has another one.
    private static Task EventuallyAsync(Func<Task<bool>> condition) => Until.TrueAsync(async () =>
    {
        try
        {
            return await condition();
        }
        catch (SipConnectionException)
        {
            return false;
        }
    });

    // Of two legs: the first is up, the second rings for as long as it is let.
    private static async Task<SipCall> RingingAsync(ISipAdapter adapter)
    {
        string id = (await CallAsync(adapter, "dial-ring", CallState.Ringing)).CallId;
        await Until.TrueAsync(() => adapter.FindCall(id)!.Legs is [{ State: "Up" }, { State: "Ringing" }]);
        return adapter.FindCall(id)!;
    }

    private static async Task<SipCall> CallAsync(ISipAdapter adapter, string to, CallState? state, string? forged = null)
    {
        SipCall call = await adapter.MakeCallAsync(new SipCallRequest { From = "sipp-answer", To = to, Variables = forged is null ? [] : [new("FORGED", Uri.EscapeDataString(forged))] }, default).WaitAsync(Limit);
        if (state is not { } awaited) return call;
        call = await adapter.WaitForCallAsync(call.CallId, [awaited], null, default).WaitAsync(Limit);
        Assert.Equal(awaited, call.State);
        return call;
    }

    private async Task<ISipAdapter> ConnectAsync()
    {
        ISipAdapter adapter = new SipAdapterFactory().Create(
            new SipServerConfiguration { Type = SipServerType.Asterisk, Host = Server.Host, Port = Server.Port, Credential = new NetworkCredential(Server.User, Server.Secret), Context = "ifbus", RingTimeout = TimeSpan.FromSeconds(20) }, null);
        await adapter.ConnectAsync(default).WaitAsync(Limit);
        return adapter;
    }
}
