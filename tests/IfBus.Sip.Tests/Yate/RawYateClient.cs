using System.Net.Sockets;
using System.Text;

namespace IfBus.Sip.Tests.Yate;

/// <summary>A client of the external module that knows nothing but lines.</summary>
internal sealed class RawYateClient : IDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true };
    private readonly object _gate = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RawYateClient(string host, int port)
    {
        _client.Connect(host, port);
        _ = ReadAsync();
    }

    /// <summary>The server has closed.</summary>
    public bool Closed { get; private set; }

    /// <summary>All lines so far, bytes as characters.</summary>
    public string[] Lines
    {
        get
        {
            lock (_gate) return [.. _lines];
        }
    }

    public int Count
    {
        get
        {
            lock (_gate) return _lines.Count;
        }
    }

    public void Send(byte[] bytes)
    {
        try
        {
            _client.GetStream().Write(bytes);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The server may close on what it does not like.
        }
    }

    public void Send(params string[] lines) => Send(Encoding.UTF8.GetBytes(string.Concat(lines.Select(l => l + "\n"))));

    /// <summary>Waits for a line that begins so and is not one of those before; the place after it.</summary>
    public string Await(string start, int timeout = 15_000) => AwaitAsync(l => l.StartsWith(start, StringComparison.Ordinal), timeout, start).GetAwaiter().GetResult();

    /// <summary>Sends a message and waits for its answer.</summary>
    public string Ask(string id, string text, int timeout = 15_000)
    {
        Send($"%%>message:{id}:0:{text}");
        return Await($"%%<message:{id}:", timeout);
    }

    public async Task<string> AwaitAsync(Func<string, bool> condition, int timeout, string what)
    {
        using var late = new CancellationTokenSource(timeout);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_lines.Find(l => condition(l)) is { } found) return found;
                Assert.False(Closed, $"The server closed before it said {what}. It said:\n{string.Join('\n', _lines.TakeLast(20))}");
                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(late.Token);
            }
            catch (OperationCanceledException)
            {
                Assert.Fail($"The server never said {what}. It said:\n{string.Join('\n', Lines.TakeLast(20))}");
            }
        }
    }

    /// <summary>Waits until so many lines are there, or the server has closed, or the time is over.</summary>
    public async Task<bool> HasAsync(int count, int timeout)
    {
        using var late = new CancellationTokenSource(timeout);
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_lines.Count >= count || Closed) return true;
                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(late.Token);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }

    /// <summary>Waits until the server closes.</summary>
    public async Task<bool> ClosesAsync(int timeout = 15_000)
    {
        await HasAsync(int.MaxValue, timeout);
        return Closed;
    }

    public void Dispose() => _client.Dispose();

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[65536];
        var line = new List<byte>();
        try
        {
            NetworkStream stream = _client.GetStream();
            for (int count; (count = await stream.ReadAsync(buffer)) > 0;)
            {
                lock (_gate)
                {
                    foreach (byte b in buffer.AsSpan(0, count))
                    {
                        if (b != '\n')
                        {
                            line.Add(b);
                            continue;
                        }

                        _lines.Add(Encoding.Latin1.GetString([.. line]));
                        line.Clear();
                    }

                    Change();
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
        }

        lock (_gate)
        {
            Closed = true;
            Change();
        }
    }

    private void Change()
    {
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
