using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace IfBus.Sip.Tests.Support;

/// <summary>The requests of a recording over HTTP, asked again of a simulator.</summary>
internal static class RecordedRequests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>What the client sent until the server spoke, and what it said then; nothing where it was silent.</summary>
    public static List<(byte[] Request, byte[] Reply)> Of(Transcript recording)
    {
        var found = new List<(byte[], byte[])>();
        foreach (int connection in recording.Connections)
        {
            List<byte> request = [], reply = [];
            foreach ((bool fromServer, byte[] bytes) in recording.Conversation(connection))
            {
                if (!fromServer && reply.Count > 0)
                {
                    found.Add(([.. request], [.. reply]));
                    request.Clear();
                    reply.Clear();
                }

                (fromServer ? reply : request).AddRange(bytes);
            }

            found.Add(([.. request], [.. reply]));
        }

        return found;
    }

    /// <summary>Status lines and bodies of replies that have a length; empty if one has none.</summary>
    public static List<(string Status, string Body)> Replies(byte[] bytes)
    {
        var found = new List<(string, string)>();
        for (int at = 0; at < bytes.Length;)
        {
            if (Head(bytes, at) is not { } head || head.Length < 0) return [];
            found.Add((head.Status, Encoding.UTF8.GetString(bytes, head.End, head.Length)));
            at = head.End + head.Length;
        }

        return found;
    }

    /// <summary>Sends bytes as they are and reads so many replies.</summary>
    public static async Task<List<(string Status, string Body)>> AskAsync(string host, int port, byte[] request, int replies)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(host, port).WaitAsync(Patience);
        return await AskAsync(client, request, replies);
    }

    /// <summary>The same on a connection that is there.</summary>
    public static async Task<List<(string Status, string Body)>> AskAsync(TcpClient client, byte[] request, int replies)
    {
        await client.GetStream().WriteAsync(request);
        var bytes = new List<byte>();
        byte[] buffer = new byte[65536];
        while (true)
        {
            List<(string, string)> whole = IsWhole(bytes, replies);
            if (whole.Count >= replies) return whole;
            int count = await client.GetStream().ReadAsync(buffer).AsTask().WaitAsync(Patience);
            Assert.True(count > 0, "the connection ended before the reply: " + Encoding.UTF8.GetString([.. bytes]));
            bytes.AddRange(buffer[..count]);
        }
    }

    private static List<(string Status, string Body)> IsWhole(List<byte> bytes, int replies)
    {
        byte[] all = [.. bytes];
        int at = 0;
        for (int i = 0; i < replies; i++)
        {
            if (Head(all, at) is not { } head || head.End + head.Length > all.Length) return [];
            at = head.End + head.Length;
        }

        return Replies(all[..at]);
    }

    private static (string Status, int Length, int End)? Head(byte[] bytes, int at)
    {
        int end = bytes.AsSpan(at).IndexOf("\r\n\r\n"u8);
        if (end < 0) return null;
        string[] lines = Encoding.UTF8.GetString(bytes, at, end).Split("\r\n");
        string? length = Array.Find(lines, l => l.StartsWith("Content-Length: ", StringComparison.Ordinal))?["Content-Length: ".Length..];
        return (lines[0], length is null ? -1 : int.Parse(length, CultureInfo.InvariantCulture), at + end + 4);
    }
}
