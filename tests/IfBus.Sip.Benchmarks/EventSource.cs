using System.Net;
using System.Net.Sockets;
using System.Text;

namespace IfBus.Sip.Benchmarks;

/// <summary>Events of answered SIP calls, from Newchannel to Hangup and Cdr, each call with ids of its own, sent over loopback as fast as the socket takes them.</summary>
internal sealed class EventSource
{
    public EventSource(int calls)
    {
        var text = new StringBuilder(calls * 9000);
        text.Append("Asterisk Call Manager/11.0.0\r\n");
        for (int i = 0; i < calls; i++) AppendCall(text, i);
        Bytes = Encoding.UTF8.GetBytes(text.ToString());
        Count = calls * EventsPerCall;
    }

    /// <summary>Other bytes, of so many events.</summary>
    public EventSource(byte[] bytes, int count) => (Bytes, Count) = (bytes, count);

    public const int EventsPerCall = 12;

    public byte[] Bytes { get; }

    public int Count { get; }

    /// <summary>A connected pair; the other end sends everything, on a thread of its own, when started.</summary>
    public async Task<(Socket Receiver, Action Start)> OpenAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var receiver = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Task connecting = receiver.ConnectAsync(listener.LocalEndPoint!);
        Socket sender = await listener.AcceptAsync().ConfigureAwait(false);
        await connecting.ConfigureAwait(false);
        return (receiver, () => new Thread(() =>
        {
            for (int at = 0; at < Bytes.Length;) at += sender.Send(Bytes.AsSpan(at, Math.Min(256 * 1024, Bytes.Length - at)));
            // Open until the other side has what it wants: a socket that nobody holds is closed by the garbage collector.
            while (sender.Poll(-1, SelectMode.SelectRead) && sender.Receive(new byte[1]) > 0)
            {
            }

            sender.Dispose();
        })
        { IsBackground = true }.Start());
    }

    private static void AppendCall(StringBuilder text, int i)
    {
        string id = $"{i:x8}-1111-4222-8333-444455556666";
        string channel = $"PJSIP/phone{i % 977}-{i:x8}";
        string snapshot(string state, string desc) =>
            $"Privilege: call,all\r\nChannel: {channel}\r\nChannelState: {state}\r\nChannelStateDesc: {desc}\r\nCallerIDNum: 1001\r\nCallerIDName: Ann\r\nConnectedLineNum: 1001\r\nConnectedLineName: Ann\r\n"
            + $"Language: en\r\nAccountCode: \r\nContext: ifbus\r\nExten: s\r\nPriority: 1\r\nUniqueid: {id}\r\nLinkedid: {id}\r\n";
        string dest(string state, string desc) => snapshot(state, desc).Replace("Privilege: call,all\r\n", "", StringComparison.Ordinal)
            .Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Aggregate("Privilege: call,all\r\n", (all, line) => all + "Dest" + line + "\r\n");

        void Event(string name, string fields) => text.Append("Event: ").Append(name).Append("\r\n").Append(fields).Append("\r\n");
        Event("Newchannel", snapshot("0", "Down"));
        Event("NewConnectedLine", snapshot("0", "Down"));
        Event("DialBegin", dest("0", "Down") + "DialString: phone\r\n");
        Event("DialState", dest("5", "Ringing") + "DialStatus: RINGING\r\n");
        Event("Newstate", snapshot("5", "Ringing"));
        Event("Newstate", snapshot("6", "Up"));
        Event("DialEnd", dest("6", "Up") + "DialStatus: ANSWER\r\n");
        Event("BridgeEnter", $"Privilege: call,all\r\nBridgeUniqueid: {id}\r\nBridgeType: basic\r\nBridgeTechnology: simple_bridge\r\nBridgeNumChannels: 1\r\n" + snapshot("6", "Up"));
        Event("DeviceStateChange", $"Privilege: call,all\r\nDevice: PJSIP/phone{i % 977}\r\nState: INUSE\r\n");
        Event("SoftHangupRequest", snapshot("6", "Up") + "Cause: 16\r\n");
        Event("Hangup", snapshot("6", "Up") + "Cause: 16\r\nCause-txt: Normal Clearing\r\n");
        Event("DeviceStateChange", $"Privilege: call,all\r\nDevice: PJSIP/phone{i % 977}\r\nState: NOT_INUSE\r\n");
    }
}
