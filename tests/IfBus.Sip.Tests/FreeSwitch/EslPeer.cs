using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>Peers that play an Event Socket, and how adapters are connected to them and ask them.</summary>
internal static class EslPeer
{
    /// <summary>Plays a server that logs a user in who may do uptime and is told of nothing, so commands are answered in the connection.</summary>
    /// <param name="onUptime">Answers an uptime, with whatever arguments, after that of the login; false closes.</param>
    public static ScriptedPeer LogsIn(Func<NetworkStream, string, Task<bool>> onUptime) => new(async (stream, _, token) =>
    {
        await ScriptedPeer.SayAsync(stream, "Content-Type: auth/request\n\n");
        bool asked = false;
        while (true)
        {
            string command = await ReadCommandAsync(stream, token);
            bool uptime = command.StartsWith("api uptime", StringComparison.Ordinal);
            if (command.StartsWith("userauth", StringComparison.Ordinal)) await ScriptedPeer.SayAsync(stream, "Content-Type: command/reply\nReply-Text: +OK accepted\nAllowed-Events: NONE\nAllowed-API: uptime version\n\n");
            else if (command == "api version") await ScriptedPeer.SayAsync(stream, "Content-Type: api/response\nContent-Length: 20\n\nFreeSWITCH Version 1");
            else if (uptime && !asked) await ScriptedPeer.SayAsync(stream, "Content-Type: api/response\nContent-Length: 2\n\n1\n");
            else if (uptime && !await onUptime(stream, command)) return;
            else if (!uptime) await ScriptedPeer.SayAsync(stream, "Content-Type: command/reply\nReply-Text: -ERR permission denied\n\n");
            asked |= uptime;
        }
    });

    public static async Task<string> ReadCommandAsync(Stream stream, CancellationToken token)
    {
        var text = new StringBuilder();
        byte[] one = new byte[1];
        while (text.Length < 2 || text[^1] != '\n' || text[^2] != '\n')
        {
            if (await stream.ReadAsync(one, token) == 0) throw new IOException("closed");
            text.Append((char)one[0]);
        }

        return text.ToString().TrimEnd('\n');
    }

    public static Task<ISipAdapter> ConnectAsync(int port, double seconds = 5, double requestSeconds = 5, double keepAlive = 15) =>
        Connected.ToAsync(SipServerType.FreeSwitch, port, seconds, requestSeconds, keepAlive, new NetworkCredential("ops@127.0.0.1", "hush-hush"));

    /// <summary>Asks for the uptime.</summary>
    public static Task<SipCommandResult> AskAsync(ISipAdapter adapter, string? argument = null, CancellationToken token = default) =>
        adapter.InvokeCommandAsync(new SipCommandRequest("uptime", argument is null ? [] : [KeyValuePair.Create("a", argument)]), token);
}
