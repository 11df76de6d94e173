using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Tests.Support;

/// <summary>
/// Stands before a simulator and counts, on the wire, which rows of a campaign calls were asked for, whatever the protocol:
/// each row's call has the variable ROW.
/// </summary>
internal sealed partial class CountingRelay : IDisposable
{
    private readonly object _gate = new();
    private readonly List<StringBuilder> _heard = [];
    private readonly Relay _relay;

    public CountingRelay(int port) => _relay = new Relay("127.0.0.1", port, ListenAsync);

    public int Port => _relay.Port;

    /// <summary>The rows that calls were asked for, in the order in which they came; one that came twice is there twice.</summary>
    public List<int> Rows
    {
        get
        {
            lock (_gate) return [.. _heard.SelectMany(text => Originate().Matches(text.ToString()).Select(m => int.Parse(m.Groups[1].ValueSpan, CultureInfo.InvariantCulture)))];
        }
    }

    public void Dispose() => _relay.Dispose();

    // What the server cannot be given any more is counted too: it was sent.
    private async Task ListenAsync(NetworkStream client, NetworkStream server)
    {
        var heard = new StringBuilder();
        lock (_gate) _heard.Add(heard);
        byte[] buffer = new byte[16 * 1024];
        while (await client.ReadAsync(buffer) is > 0 and int count)
        {
            lock (_gate) heard.Append(Encoding.Latin1.GetString(buffer, 0, count));
            await server.WriteAsync(buffer.AsMemory(0, count));
        }
    }

    // AMI, the Event Socket and Yate's external module. Yate sends the first party on with chan.masquerade, which does not match.
    [GeneratedRegex(@"(?:Action: Originate\r\n(?:[^\r\n]+\r\n)*?[^\r\n]*|bgapi originate [^\n]*|%%>message:[^:\n]*:[^:\n]*:call\.execute:[^\n]*)\bROW=([0-9]+)")]
    private static partial Regex Originate();
}
