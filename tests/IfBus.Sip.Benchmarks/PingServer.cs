using System.Net;
using System.Net.Sockets;

namespace IfBus.Sip.Benchmarks;

/// <summary>A process of its own that answers Pings as Asterisk does and nothing else, one connection at a time.</summary>
internal static class PingServer
{
    public static async Task RunAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(4);
        Console.WriteLine(((IPEndPoint)listener.LocalEndPoint!).Port);
        // Whoever started us closes our input when it is done.
        _ = Task.Run(() =>
        {
            Console.In.ReadToEnd();
            Environment.Exit(0);
        });
        while (true)
        {
            using Socket client = await listener.AcceptAsync().ConfigureAwait(false);
            client.NoDelay = true;
            Serve(client);
        }
    }

    private static void Serve(Socket client)
    {
        client.Send("Asterisk Call Manager/11.0.0\r\n"u8);
        byte[] buffer = new byte[256 * 1024];
        byte[] output = new byte[1024 * 1024];
        int end = 0;
        while (true)
        {
            int count;
            try
            {
                count = client.Receive(buffer.AsSpan(end));
            }
            catch (SocketException)
            {
                return;
            }

            if (count == 0) return;
            end += count;
            int at = 0, written = 0;
            while (buffer.AsSpan(at, end - at).IndexOf("\r\n\r\n"u8) is >= 0 and int length)
            {
                ReadOnlySpan<byte> action = buffer.AsSpan(at, length);
                at += length + 4;
                int id = action.IndexOf("ActionID: "u8);
                ReadOnlySpan<byte> value = action[(id + 10)..];
                int line = value.IndexOf("\r\n"u8);
                if (line >= 0) value = value[..line];
                if (written > output.Length - 200)
                {
                    client.Send(output.AsSpan(0, written));
                    written = 0;
                }

                "Response: Success\r\nActionID: "u8.CopyTo(output.AsSpan(written));
                written += 29;
                value.CopyTo(output.AsSpan(written));
                written += value.Length;
                "\r\nPing: Pong\r\nTimestamp: 1795385130.000000\r\n\r\n"u8.CopyTo(output.AsSpan(written));
                written += "\r\nPing: Pong\r\nTimestamp: 1795385130.000000\r\n\r\n"u8.Length;
            }

            buffer.AsSpan(at, end - at).CopyTo(buffer);
            end -= at;
            if (written > 0) client.Send(output.AsSpan(0, written));
        }
    }
}
