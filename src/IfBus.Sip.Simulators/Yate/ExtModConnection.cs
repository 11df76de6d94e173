using System.Globalization;
using System.Text;

namespace IfBus.Sip.Simulators.Yate;

/// <summary>
/// One client of the external module. What it sends is cut into lines and done on the engine's loop, in the order it
/// came; what it was asked and has not answered is kept until it does, goes, or is too late.
/// </summary>
internal sealed partial class ExtModConnection(Stream stream, YateEngine engine, int port) : SimulatorConnection(stream, engine.Options)
{
    private const int MinLine = 2048;
    private const int MaxLine = 65536;

    private readonly List<YateHandler> _handlers = [];
    private readonly List<string> _watched = [];
    private readonly List<Waiting> _waiting = [];
    private byte[] _buffer = new byte[8192];
    private int _filled;
    private bool _ready = engine.Options.Role == "global";
    private bool _left;

    /// <summary>Where it comes from.</summary>
    public string Address { get; } = $"127.0.0.1:{port.ToString(CultureInfo.InvariantCulture)}";

    /// <summary>It watches something.</summary>
    public bool Watches => _watched.Count > 0;

    /// <summary>What became of a message of its own.</summary>
    public void Answer(YateMessage message, bool handled)
    {
        if (!_left) Say(message.Answer(message.Id, handled));
    }

    /// <summary>Tells of a message if it is watched. The line is the same for all who do.</summary>
    public void Watch(YateMessage message, bool handled, ref byte[]? line)
    {
        if (_watched.Count == 0 || (message.Sender == this && !_selfWatch)) return;
        foreach (string name in _watched)
        {
            if (name.Length > 0 && name != message.Name) continue;
            Write(line ??= Line(message.Answer("", handled)));
            CloseIfUnread();
            return;
        }
    }

    /// <summary>The client is gone: its handlers and watches too, and what waited for it goes on.</summary>
    public void Leave()
    {
        if (_left) return;
        _left = true;
        engine.Leave(this);
        foreach (YateHandler handler in _handlers) engine.Uninstall(handler);
        _handlers.Clear();
        _watched.Clear();
        foreach (Waiting waiting in _waiting.ToArray()) waiting.End(false);
        _waiting.Clear();
    }

    /// <inheritdoc/>
    protected override async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        await engine.Loop.DoAsync(() =>
        {
            engine.Join(this);
            return true;
        }).ConfigureAwait(false);
        byte[] chunk = new byte[32 * 1024];
        while (true)
        {
            int count = await stream.ReadAsync(chunk, cancellationToken).ConfigureAwait(false);
            // All of a chunk is done before more is read: who sends faster than it goes has to wait.
            if (count == 0 || !await engine.Loop.DoAsync(() => Take(chunk.AsSpan(0, count))).ConfigureAwait(false)) break;
        }

        await engine.Loop.DoAsync(() =>
        {
            Leave();
            return true;
        }).ConfigureAwait(false);
        CloseWhenWritten();
        await Written.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private static byte[] Line(string line)
    {
        byte[] bytes = new byte[line.Length + 1];
        Encoding.Latin1.GetBytes(line, bytes);
        bytes[^1] = (byte)'\n';
        return bytes;
    }

    private void Say(string line) => Write(Line(line));

    // False when the connection is to end.
    private bool Take(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0 && !_left)
        {
            // A line has to end before the buffer does.
            int space = _buffer.Length - _filled - 1;
            if (space <= 0) return false;
            ReadOnlySpan<byte> part = bytes[..Math.Min(space, bytes.Length)];
            bytes = bytes[part.Length..];
            part.CopyTo(_buffer.AsSpan(_filled));
            _filled += part.Length;
            if (_filled >= _buffer.Length || !TakeLines()) return false;
        }

        return !_left;
    }

    private bool TakeLines()
    {
        int from = 0;
        while (true)
        {
            int end = _buffer.AsSpan(from, _filled - from).IndexOfAny((byte)'\n', (byte)'\0');
            if (end < 0) break;
            int length = end > 0 && _buffer[from + end - 1] == '\r' ? end - 1 : end;
            string line = Encoding.Latin1.GetString(_buffer, from, length);
            from += end + 1;
            if (line.Length == 0) continue;
            // A new buffer size holds for what follows at once.
            int rest = _filled - from;
            _buffer.AsSpan(from, rest).CopyTo(_buffer);
            (_filled, from) = (rest, 0);
            if (!Do(line)) return false;
            if (_filled >= _buffer.Length) return false;
        }

        _buffer.AsSpan(from, _filled - from).CopyTo(_buffer);
        _filled -= from;
        return true;
    }

    private bool Resize(int size)
    {
        if (size == _buffer.Length) return true;
        byte[] buffer = new byte[size];
        // What does not fit is lost, and the connection with it.
        _buffer.AsSpan(0, Math.Min(_filled, size)).CopyTo(buffer);
        _buffer = buffer;
        return true;
    }

    private ValueTask<bool> ReceivedAsync(YateMessage message)
    {
        if (_left || Closed || (message.Sender == this && !_reenter) || (_maxQueue > 0 && _waiting.Count >= _maxQueue)) return new(false);
        var waiting = new Waiting(message);
        _waiting.Add(waiting);
        Say(message.Line(waiting.Id));
        if (_timeout > 0) waiting.Timer = engine.After(TimeSpan.FromMilliseconds(_timeout), () => TooLate(waiting));
        return new(waiting.Task);
    }

    private void TooLate(Waiting waiting)
    {
        if (!_waiting.Remove(waiting)) return;
        waiting.End(false);
        if (!_timeBomb) return;
        Leave();
        Close();
    }

    // A message that it handles, until it says what it made of it.
    private sealed class Waiting(YateMessage message)
    {
        // What waited goes on at once, on the engine's loop, before what the client sent with its answer.
        private readonly TaskCompletionSource<bool> _done = new();

        public string Id { get; } = $"0x7f{Random.Shared.Next():x8}60.{SipDriver.NewNumber()}";

        public YateMessage Message { get; } = message;

        public IDisposable? Timer { get; set; }

        public Task<bool> Task => _done.Task;

        public void End(bool handled)
        {
            Timer?.Dispose();
            _done.TrySetResult(handled);
        }
    }
}
