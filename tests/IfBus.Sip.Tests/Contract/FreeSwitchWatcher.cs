using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace IfBus.Sip.Tests.Contract;

/// <summary>Another client of an Event Socket, which hears what the server does, and may say anything.</summary>
internal sealed class FreeSwitchWatcher : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    private readonly TcpClient _client;
    private readonly ConcurrentQueue<string> _events = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _marks = new();

    public FreeSwitchWatcher(ContractServer server)
    {
        _client = new TcpClient(server.Host, server.Port);
        _ = ReadAsync();
        Say($"auth {server.Secret}");
        Say("event json CHANNEL_CREATE CHANNEL_EXECUTE CHANNEL_HANGUP_COMPLETE API BACKGROUND_JOB CUSTOM ifbus::mark");
        Assert.True(_ready.Task.Wait(Limit), "the server takes no second client");
    }

    /// <summary>The text of a field; empty if there is none.</summary>
    public static string Text(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    /// <summary>Sends a command as it is.</summary>
    public void Say(string command) => _client.GetStream().Write(Encoding.UTF8.GetBytes(command + "\n\n"));

    /// <summary>Everything that has happened up to now.</summary>
    public List<JsonElement> All()
    {
        string mark = Guid.NewGuid().ToString("N");
        TaskCompletionSource seen = _marks[mark] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Say($"sendevent CUSTOM\nEvent-Subclass: ifbus::mark\nMark: {mark}");
        Assert.True(seen.Task.Wait(Limit), "the mark did not come");
        return [.. _events.Select(e => JsonDocument.Parse(e).RootElement)];
    }

    public void Dispose() => _client.Dispose();

    private async Task ReadAsync()
    {
        try
        {
            NetworkStream stream = _client.GetStream();
            while (true)
            {
                string head = await HeadAsync(stream);
                int at = head.IndexOf("Content-Length: ", StringComparison.Ordinal);
                byte[] body = new byte[at < 0 ? 0 : int.Parse(head.AsSpan(at + 16, head.IndexOf('\n', at) - at - 16), CultureInfo.InvariantCulture)];
                await stream.ReadExactlyAsync(body);
                if (head.Contains("listener enabled", StringComparison.Ordinal)) _ready.TrySetResult();
                if (!head.Contains("text/event-json", StringComparison.Ordinal)) continue;
                string text = Encoding.UTF8.GetString(body);
                _events.Enqueue(text);
                foreach ((string mark, TaskCompletionSource seen) in _marks)
                {
                    if (text.Contains(mark, StringComparison.Ordinal)) seen.TrySetResult();
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private static async Task<string> HeadAsync(NetworkStream stream)
    {
        var head = new List<byte>();
        byte[] one = new byte[1];
        while (head.Count < 2 || head[^1] != '\n' || head[^2] != '\n')
        {
            await stream.ReadExactlyAsync(one);
            head.Add(one[0]);
        }

        return Encoding.UTF8.GetString([.. head]);
    }
}
