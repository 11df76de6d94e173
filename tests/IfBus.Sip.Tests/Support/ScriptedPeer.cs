using System.Net;
using System.Net.Sockets;
using System.Text;

namespace IfBus.Sip.Tests.Support;

/// <summary>
/// A server on loopback that does what a test says, one connection after the other, and keeps what it was sent. What goes
/// wrong in the script, other than that the client has gone, is thrown when the test disposes of it.
/// </summary>
internal sealed class ScriptedPeer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly StringBuilder _received = new();
    private readonly CancellationTokenSource _end = new();
    private volatile Exception? _failure;
    private int _connections;

    public ScriptedPeer(Func<NetworkStream, ScriptedPeer, CancellationToken, Task> script)
    {
        _listener.Start();
        _ = Task.Run(async () =>
        {
            while (!_end.IsCancellationRequested)
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync(_end.Token);
                Interlocked.Increment(ref _connections);
                try
                {
                    await script(client.GetStream(), this, _end.Token);
                }
                catch (IOException)
                {
                    // The client has gone, which is what is tested.
                }
                catch (OperationCanceledException) when (_end.IsCancellationRequested)
                {
                    // The test has ended.
                }
                catch (Exception e)
                {
                    _failure ??= e;
                }
            }
        });
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many have connected so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public string Received
    {
        get
        {
            lock (_received) return _received.ToString();
        }
    }

    /// <summary>Reads one action and returns it.</summary>
    public async Task<string> ReadActionAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        byte[] one = new byte[1];
        while (text.Length < 4 || text[^1] != '\n' || text.ToString(text.Length - 4, 4) != "\r\n\r\n")
        {
            if (await stream.ReadAsync(one, cancellationToken) == 0) throw new IOException("closed");
            text.Append((char)one[0]);
        }

        lock (_received) _received.Append(text);
        return text.ToString();
    }

    /// <summary>Plays a server that logs anybody in, and hands every further action to the test.</summary>
    /// <param name="onAction">Answers an action; false closes.</param>
    /// <param name="before">Told the name of an action before it is answered here.</param>
    public static ScriptedPeer LogsIn(Func<NetworkStream, string, string, Task<bool>> onAction, Action<string>? before = null) =>
        new((stream, peer, token) => peer.LogInAsync(stream, onAction, token, before is null ? null : name =>
        {
            before(name);
            return Task.CompletedTask;
        }));

    /// <summary>The script of <see cref="LogsIn"/>, for one connection of several.</summary>
    public async Task LogInAsync(NetworkStream stream, Func<NetworkStream, string, string, Task<bool>> onAction, CancellationToken token, Func<string, Task>? before = null)
    {
        await SayAsync(stream, "Asterisk Call Manager/11.0.0\r\n");
        while (true)
        {
            string action = await ReadActionAsync(stream, token);
            string name = action.Split("\r\n")[0]["Action: ".Length..];
            string id = action.Split("\r\n").First(l => l.StartsWith("ActionID: ", StringComparison.Ordinal))["ActionID: ".Length..];
            string body = name switch
            {
                "Challenge" => "Challenge: 123456789\r\n",
                "Login" => "Message: Authentication accepted\r\n",
                "ListCommands" => "Originate: x\r\nHangup: x\r\nPing: x\r\nCoreShowChannels: x\r\nStatus: x\r\nCoreStatus: x\r\n",
                "CoreShowChannels" => "EventList: start\r\n",
                _ => "",
            };
            if (name is "Originate" or "Ping" or "Hangup" or "Logoff" or "Command")
            {
                if (!await onAction(stream, name, id)) return;
                continue;
            }

            if (before is not null) await before(name);
            await SayAsync(stream, $"Response: Success\r\nActionID: {id}\r\n{body}\r\n");
            if (name == "Login") await SayAsync(stream, "Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n");
            if (name == "CoreShowChannels") await SayAsync(stream, $"Event: CoreShowChannelsComplete\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: 0\r\n\r\n");
        }
    }

    public static async Task SayAsync(NetworkStream stream, string text) => await stream.WriteAsync(Encoding.UTF8.GetBytes(text));

    public void Dispose()
    {
        _end.Cancel();
        _listener.Stop();
        _end.Dispose();
        if (_failure is not null) throw new InvalidOperationException("The script of the peer failed: " + _failure.Message, _failure);
    }
}
