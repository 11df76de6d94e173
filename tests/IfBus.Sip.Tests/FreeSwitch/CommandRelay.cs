using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>Stands before an Event Socket and keeps every command that it is sent; one may be changed on its way.</summary>
internal sealed class CommandRelay : IDisposable
{
    private readonly List<string> _commands = [];
    private readonly Func<string, string>? _change;
    private readonly Relay _relay;

    public CommandRelay(int port, Func<string, string>? change = null)
    {
        _change = change;
        _relay = new Relay("127.0.0.1", port, HandOnAsync);
    }

    public int Port => _relay.Port;

    /// <summary>The commands with their header lines, as the client sent them.</summary>
    public string[] Commands
    {
        get
        {
            lock (_commands) return [.. _commands];
        }
    }

    public void Dispose() => _relay.Dispose();

    private async Task HandOnAsync(NetworkStream client, NetworkStream server)
    {
        string text = "";
        byte[] buffer = new byte[64 * 1024];
        while (await client.ReadAsync(buffer) is > 0 and int count)
        {
            text += Encoding.Latin1.GetString(buffer, 0, count);
            for (int end = text.IndexOf("\n\n", StringComparison.Ordinal); end >= 0; end = text.IndexOf("\n\n", StringComparison.Ordinal))
            {
                string command = text[..end];
                text = text[(end + 2)..];
                lock (_commands) _commands.Add(command);
                await server.WriteAsync(Encoding.Latin1.GetBytes((_change?.Invoke(command) ?? command) + "\n\n"));
            }
        }
    }
}
