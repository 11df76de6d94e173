using System.Net;
using System.Net.Sockets;
using System.Text;

namespace IfBus.Sip.Tests.Support;

/// <summary>An action that a client sent.</summary>
/// <param name="Connection">Which connection it came on, from 1.</param>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its ActionID.</param>
/// <param name="Text">All of it.</param>
internal sealed record ManagerQuestion(int Connection, string Name, string Id, string Text);

/// <summary>
/// A Manager Interface on loopback whose answers a test gives, word for word and at its own time; what the test leaves to it
/// is answered as a server does that lets anybody in and has no calls. Connections are served side by side.
/// </summary>
internal sealed class ManagerPeer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly object _gate = new();
    private readonly List<TcpClient> _clients = [];
    private readonly List<ManagerQuestion> _asked = [];
    private readonly Func<ManagerQuestion, string?> _answer;
    private readonly string[] _commands;

    /// <summary>Listens.</summary>
    /// <param name="answer">The answer to an action; null: the usual one; empty: none.</param>
    /// <param name="commands">The actions that a login may use.</param>
    public ManagerPeer(Func<ManagerQuestion, string?> answer, params string[] commands)
    {
        _answer = answer;
        _commands = commands.Length > 0 ? commands : ["Originate", "Hangup", "CoreShowChannels", "Status", "CoreStatus"];
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>An adapter that is connected to it, and is soon back when it is dropped.</summary>
    public Task<ISipAdapter> ConnectAsync() => Connected.ToAsync(
        SipServerType.Asterisk, Port, 20, 20, 20, new NetworkCredential("u", "s"),
        reconnect: new SipReconnectPolicy { BaseDelay = TimeSpan.FromMilliseconds(20), MaxDelay = TimeSpan.FromMilliseconds(50) });

    /// <summary>What was asked so far.</summary>
    public IReadOnlyList<ManagerQuestion> Asked
    {
        get
        {
            lock (_gate) return [.. _asked];
        }
    }

    /// <summary>A list reply.</summary>
    public static string List(ManagerQuestion question, string complete, params string[] items) =>
        $"Response: Success\r\nActionID: {question.Id}\r\nEventList: start\r\n\r\n"
        + string.Concat(items.Select(i => $"{i}ActionID: {question.Id}\r\n\r\n"))
        + $"Event: {complete}\r\nActionID: {question.Id}\r\nEventList: Complete\r\nListItems: {items.Length}\r\n\r\n";

    /// <summary>A refusal.</summary>
    public static string Error(ManagerQuestion question, string message) => $"Response: Error\r\nActionID: {question.Id}\r\nMessage: {message}\r\n\r\n";

    /// <summary>An event; ends are put to it.</summary>
    public static string Event(string name, string headers) => $"Event: {name}\r\nPrivilege: call,all\r\n{headers}\r\n";

    /// <summary>Says something on the first of the connections that are up.</summary>
    public void Say(string text)
    {
        TcpClient client;
        lock (_gate) client = _clients[0];
        client.GetStream().Write(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Closes all connections; new ones are taken.</summary>
    public void Drop()
    {
        lock (_gate)
        {
            _clients.ForEach(c => c.Dispose());
            _clients.Clear();
        }
    }

    public void Dispose()
    {
        _listener.Stop();
        Drop();
    }

    private async Task AcceptAsync()
    {
        for (int number = 1; ; number++)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            lock (_gate) _clients.Add(client);
            _ = ServeAsync(client, number);
        }
    }

    private async Task ServeAsync(TcpClient client, int number)
    {
        try
        {
            NetworkStream stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
            await stream.WriteAsync("Asterisk Call Manager/11.0.0\r\n"u8.ToArray());
            var text = new StringBuilder();
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.Length > 0)
                {
                    text.Append(line).Append("\r\n");
                    continue;
                }

                string[] lines = text.ToString().Split("\r\n");
                var question = new ManagerQuestion(number, lines[0]["Action: ".Length..], lines[1]["ActionID: ".Length..], text.ToString());
                text.Clear();
                lock (_gate) _asked.Add(question);
                string answer = _answer(question) ?? Usual(question);
                if (answer.Length > 0) await stream.WriteAsync(Encoding.UTF8.GetBytes(answer));
                if (question.Name == "Logoff") break;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException)
        {
            // The client has gone, or the test let it go.
        }

        lock (_gate) _clients.Remove(client);
        client.Dispose();
    }

    private string Usual(ManagerQuestion question)
    {
        string success = $"Response: Success\r\nActionID: {question.Id}\r\n";
        return question.Name switch
        {
            "Challenge" => success + "Challenge: 123456789\r\n\r\n",
            "Login" => success + "Message: Authentication accepted\r\n\r\n" + (question.Text.Contains("Events: off", StringComparison.Ordinal) ? "" : "Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n"),
            "ListCommands" => success + string.Concat(_commands.Select(c => $"{c}: x\r\n")) + "\r\n",
            "CoreShowChannels" or "Status" => List(question, question.Name + "Complete"),
            _ => success + "\r\n",
        };
    }
}
