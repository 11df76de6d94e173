using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Tests.Asterisk;

namespace IfBus.Sip.Tests.Support;

/// <summary>Another client of an Asterisk Manager, which says what a test wants and keeps all that it is told.</summary>
internal sealed class RawManager : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true };
    private readonly List<ManagerMessage> _heard = [];
    private readonly List<byte> _rest = [];
    private bool _ended;

    /// <summary>Connects and logs in.</summary>
    /// <param name="host">The server.</param>
    /// <param name="port">Its port.</param>
    /// <param name="user">The user.</param>
    /// <param name="secret">Its secret.</param>
    /// <param name="events">Classes of events, as Login takes them.</param>
    public RawManager(string host, int port, string user, string secret, string events = "call")
    {
        _client.Connect(host, port);
        _ = ListenAsync();
        Say($"Action: Login\r\nActionID: login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: {events}\r\n\r\n");
        Assert.Equal("Success", Await(m => m["ActionID"] == "login")["Response"]);
    }

    /// <summary>All that came so far, in its order.</summary>
    public ManagerMessage[] Heard
    {
        get
        {
            lock (_heard) return [.. _heard];
        }
    }

    public void Say(string actions) => _client.GetStream().Write(Encoding.UTF8.GetBytes(actions));

    /// <summary>Waits for a message, and returns the first of them.</summary>
    public ManagerMessage Await(Func<ManagerMessage, bool> wanted) => Await(h => h.FirstOrDefault(wanted))!;

    /// <summary>Waits for what is no longer the default once it has come.</summary>
    public T Await<T>(Func<IReadOnlyList<ManagerMessage>, T?> look)
    {
        DateTime end = DateTime.UtcNow.AddSeconds(60);
        lock (_heard)
        {
            while (true)
            {
                if (look(_heard) is { } found && !found.Equals(default(T))) return found;
                TimeSpan left = end - DateTime.UtcNow;
                Assert.True(left > TimeSpan.Zero && !_ended, "It never came, but this: " + string.Join(" | ", _heard.TakeLast(5).Select(m => string.Join(", ", m.Headers.Select(h => $"{h.Key}: {h.Value}")))));
                Monitor.Wait(_heard, left);
            }
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task ListenAsync()
    {
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (await _client.GetStream().ReadAsync(buffer) is > 0 and int count)
            {
                _rest.AddRange(buffer.AsSpan(0, count));
                int whole = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_rest).LastIndexOf("\r\n\r\n"u8) + 4;
                if (whole < 4) continue;
                List<ManagerMessage> messages = ManagerMessage.All([.. _rest.Take(whole)]);
                _rest.RemoveRange(0, whole);
                lock (_heard)
                {
                    _heard.AddRange(messages);
                    Monitor.PulseAll(_heard);
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Disposed of, or the server has gone.
        }

        lock (_heard)
        {
            _ended = true;
            Monitor.PulseAll(_heard);
        }
    }
}
