using System.Text;

namespace IfBus.Sip.Tests.Support;

/// <summary>Stands between a client and a server, and keeps what the client sends.</summary>
internal sealed class RecordingRelay : IDisposable
{
    private readonly StringBuilder _sent = new();
    private readonly Relay _relay;

    public RecordingRelay(string host, int port) => _relay = new Relay(host, port, async (client, server) =>
    {
        byte[] buffer = new byte[16 * 1024];
        while (await client.ReadAsync(buffer) is > 0 and int count)
        {
            lock (_sent) _sent.Append(Encoding.Latin1.GetString(buffer, 0, count));
            await server.WriteAsync(buffer.AsMemory(0, count));
        }
    });

    public int Port => _relay.Port;

    /// <summary>What was sent so far.</summary>
    public string Sent
    {
        get
        {
            lock (_sent) return _sent.ToString();
        }
    }

    public void Dispose() => _relay.Dispose();
}
