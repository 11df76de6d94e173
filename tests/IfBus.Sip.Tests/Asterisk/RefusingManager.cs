using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>
/// A Manager on loopback that takes every login, makes one call that two talk in, has one room with one other member, and
/// refuses everything else that it is asked to do. It keeps all that it is told, read as the server reads it.
/// </summary>
internal sealed class RefusingManager : IDisposable
{
    public const string Other = "1700000000.2", Member = "PJSIP/1003-00000003";

    // Not what a test asks for: logins, keep-alive, and what an adapter asks by itself.
    private static readonly string[] Own = ["Challenge", "Login", "Logoff", "Events", "Filter", "ListCommands", "CoreSettings", "CoreStatus", "Ping", "Status", "CoreShowChannels"];

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<List<(string Name, string Value)>> _told = [];
    private bool _calls;

    public RefusingManager()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The last login.</summary>
    public List<(string Name, string Value)> Login { get; private set; } = [];

    /// <summary>Makes the call that two talk in.</summary>
    public async Task<SipCall> CallAsync(ISipAdapter adapter)
    {
        Volatile.Write(ref _calls, true);
        SipCall call = await adapter.MakeCallAsync(new SipCallRequest { From = "1001", To = "1002" }, default);
        Volatile.Write(ref _calls, false);
        call = await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], TimeSpan.FromSeconds(20), default);
        // A reply is never overtaken by what was said before it: both are in their bridge.
        await adapter.InvokeCommandAsync(new SipCommandRequest("Ping", []), default);
        Take();
        return call;
    }

    /// <summary>What it has been told since it was last asked, without ActionIDs; of the new ids of an Originate only that they are one.</summary>
    public List<string> Take()
    {
        lock (_told)
        {
            List<string> said = [.. _told.Select(Text)];
            _told.Clear();
            return said;
        }
    }

    /// <summary>An action as <see cref="Take"/> has it.</summary>
    public static string Text(params IEnumerable<(string Name, string Value)> action)
    {
        string text = string.Join('\u2400', action.Where(h => h.Name != "ActionID").Select(h => $"{h.Name}: {h.Value}"));
        return action.FirstOrDefault(h => h.Name == "ChannelId").Value is { } id && Guid.TryParseExact(id, "D", out _) ? text.Replace(id, "<id>", StringComparison.Ordinal) : text;
    }

    public void Dispose() => _listener.Stop();

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using TcpClient _ = client;
        try
        {
            client.NoDelay = true;
            NetworkStream stream = client.GetStream();
            await ScriptedPeer.SayAsync(stream, "Asterisk Call Manager/11.0.0\r\n");
            var answers = new StringBuilder();
            var actions = new ManagerActions { OnAction = a => answers.Append(Answer(a)) };
            byte[] buffer = new byte[64 * 1024];
            while (await stream.ReadAsync(buffer) is > 0 and int count)
            {
                actions.Add(buffer.AsSpan(0, count));
                await ScriptedPeer.SayAsync(stream, answers.ToString());
                answers.Clear();
            }
        }
        catch (IOException)
        {
            // The client has gone.
        }
    }

    private string Answer(List<(string Name, string Value)> action)
    {
        string Header(string name) => action.Find(h => h.Name == name).Value ?? "";
        string name = Header("Action");
        if (!Own.Contains(name))
        {
            lock (_told) _told.Add(action);
        }

        if (name == "Login") Login = action;
        string id = $"ActionID: {Header("ActionID")}\r\n";
        string Success(string more = "") => $"Response: Success\r\n{id}{more}\r\n";
        string List(string items, string last) => Success("EventList: start\r\n") + items + $"Event: {last}\r\n{id}EventList: Complete\r\nListItems: 1\r\n\r\n";
        return name switch
        {
            "Challenge" => Success("Challenge: 123456789\r\n"),
            "Login" => Success("Message: Authentication accepted\r\n") + (Header("Events") == "off" ? "" : "Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n"),
            "Events" => Success("Events: On\r\n"),
            "CoreSettings" => Success("AsteriskVersion: 22.10.1\r\n"),
            "ListCommands" => Success(string.Concat(((string[])
                ["Originate", "Hangup", "Redirect", "BlindTransfer", "Atxfer", "CancelAtxfer", "Getvar", "Setvar", "Bridge", "PlayDTMF", "MixMonitor", "StopMixMonitor", "MixMonitorMute", "QueueStatus",
                 "ConfbridgeListRooms", "ConfbridgeList", "ConfbridgeKick", "ConfbridgeMute", "ConfbridgeUnmute", "ConfbridgeLock", "ConfbridgeUnlock", "ConfbridgeStartRecord", "ConfbridgeStopRecord"]).Select(c => c + ": x\r\n"))),
            "Ping" or "Filter" or "Logoff" => Success(),
            "Getvar" when Header("Channel").Length == 0 => Success($"Variable: x\r\nValue: {(Header("Variable") == "FEATUREMAP(atxfer)" ? "*2" : "1")}\r\n"),
            "ConfbridgeListRooms" => List($"Event: ConfbridgeListRooms\r\n{id}Conference: room1\r\nParties: 1\r\nMarked: 0\r\nLocked: No\r\n\r\n", "ConfbridgeListRoomsComplete"),
            "ConfbridgeList" when Header("Conference") == "room1" => List($"Event: ConfbridgeList\r\n{id}Conference: room1\r\nChannel: {Member}\r\nUniqueid: 1700000000.3\r\n\r\n", "ConfbridgeListComplete"),
            "Originate" when Volatile.Read(ref _calls) => Success() + Call(Header("ChannelId"), Header("ActionID")),
            _ => $"Response: Error\r\n{id}Message: refused\r\n\r\n",
        };
    }

    private static string Call(string id, string actionId)
    {
        const string One = "PJSIP/1001-00000001", Two = "PJSIP/1002-00000002";
        string Bridge(string channel, string uniqueid) => $"Event: BridgeEnter\r\nPrivilege: call,all\r\nBridgeUniqueid: b1\r\nBridgeType: basic\r\nChannel: {channel}\r\nUniqueid: {uniqueid}\r\nLinkedid: {id}\r\n\r\n";
        return $"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: {One}\r\nChannelStateDesc: Down\r\nUniqueid: {id}\r\nLinkedid: {id}\r\n\r\n"
            + $"Event: Newstate\r\nPrivilege: call,all\r\nChannel: {One}\r\nChannelStateDesc: Up\r\nUniqueid: {id}\r\nLinkedid: {id}\r\n\r\n"
            + $"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: {actionId}\r\nResponse: Success\r\nChannel: {One}\r\nReason: 4\r\nUniqueid: {id}\r\n\r\n"
            + $"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: {Two}\r\nChannelStateDesc: Down\r\nUniqueid: {Other}\r\nLinkedid: {id}\r\n\r\n"
            + $"Event: DialBegin\r\nPrivilege: call,all\r\nChannel: {One}\r\nUniqueid: {id}\r\nLinkedid: {id}\r\nDestChannel: {Two}\r\nDestUniqueid: {Other}\r\nDestLinkedid: {id}\r\n\r\n"
            + $"Event: Newstate\r\nPrivilege: call,all\r\nChannel: {Two}\r\nChannelStateDesc: Up\r\nUniqueid: {Other}\r\nLinkedid: {id}\r\n\r\n"
            + $"Event: DialEnd\r\nPrivilege: call,all\r\nChannel: {One}\r\nUniqueid: {id}\r\nLinkedid: {id}\r\nDestChannel: {Two}\r\nDestUniqueid: {Other}\r\nDestLinkedid: {id}\r\nDialStatus: ANSWER\r\n\r\n"
            + Bridge(Two, Other) + Bridge(One, id);
    }
}
