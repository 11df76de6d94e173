using System.Text;
using System.Text.RegularExpressions;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>What a client has sent: a command line, header lines, and perhaps a body.</summary>
internal sealed record EslCommand(string Line, IReadOnlyList<KeyValuePair<string, string>> Headers, string Body)
{
    /// <summary>The first header of a name, or null.</summary>
    public string? this[string name] => Headers.FirstOrDefault(h => h.Key.Is(name)).Value;
}

/// <summary>
/// One client's connection to the Event Socket: strictly serial, and while a command is only partly there, or being
/// done, it gets no events (partial-command-blocks-events, api-blocks-events).
/// </summary>
internal sealed partial class EslConnection(Stream stream, Switchboard board, FreeSwitchSimulatorOptions options) : SimulatorConnection(stream, options)
{
    private const int MaxCommand = 10 * 1024 * 1024;
    private const string Goodbye = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n";

    private readonly object _gate = new();
    private readonly Queue<EslEvent> _waiting = new();
    private readonly List<(string Header, string Value, Regex? Pattern)> _filters = [];
    private readonly HashSet<string> _subclasses = [];
    private readonly TaskCompletionSource _jobsDone = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EslFormat _format;
    private bool _busy;
    private bool _leaving;
    private bool _ended;
    private string? _session;
    private int _jobs;
    private byte[] _buffer = new byte[64 * 1024];
    private int _from;
    private int _end;

    /// <summary>Names of events that it asked for; null is all.</summary>
    public HashSet<string>? Events { get; private set; } = [];

    /// <summary>An event, under the switchboard's lock.</summary>
    public void OnEvent(EslEvent e)
    {
        lock (_gate)
        {
            if (!Takes(e)) return;
            if (_busy) _waiting.Enqueue(e);
            else Write(e.Message(_format));
        }

        CloseIfUnread();
    }

    /// <summary>A leg has ended, under the switchboard's lock: a connection that is bound to it ends too.</summary>
    public void OnEnded(string uuid)
    {
        lock (_gate)
        {
            if (_session != uuid) return;
            _ended = true;
            if (!_busy) SayEnded();
        }
    }

    /// <summary>The server goes down, or the module is reloaded.</summary>
    public void CloseForShutdown() => Say("text/disconnect-notice", "The system is being shut down.\n", "", close: true);

    /// <inheritdoc/>
    protected override async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
    {
        if (options.Faults.RudeRejection)
        {
            Say("text/rude-rejection", "Access Denied, go away.\n", "", close: false);
            await LeaveAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        // Before it is greeted: who has read that may count on the time to run.
        using ITimer timer = options.TimeProvider.CreateTimer(_ => Say("text/disconnect-notice", Goodbye, "", close: true), null, options.AuthTimeout, Timeout.InfiniteTimeSpan);
        Write("Content-Type: auth/request\n\n");
        bool first = true;
        while (!Closed && !_leaving)
        {
            if (TakeCommand() is { } command)
            {
                if (first) timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                first = false;
                await DoAsync(command, cancellationToken).ConfigureAwait(false);
                continue;
            }

            SetBusy(_from < _end);
            if (!await FillAsync(stream, cancellationToken).ConfigureAwait(false)) break;
            SetBusy(true);
        }

        await LeaveAsync(cancellationToken).ConfigureAwait(false);
    }

    // Jobs keep the connection; what they say is not delivered any more (exit-while-bgapi-runs, client-half-close).
    private async Task LeaveAsync(CancellationToken cancellationToken)
    {
        board.Remove(this);
        bool wait = false;
        board.Enter(() =>
        {
            _leaving = true;
            wait = _jobs > 0;
        });
        if (wait) await Task.WhenAny(_jobsDone.Task, Over).WaitAsync(cancellationToken).ConfigureAwait(false);
        lock (_gate) _waiting.Clear();
        Say("text/disconnect-notice", Goodbye, "", close: true);
        await Written.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> FillAsync(Stream stream, CancellationToken cancellationToken)
    {
        _buffer.AsSpan(_from, _end - _from).CopyTo(_buffer);
        _end -= _from;
        _from = 0;
        if (_end == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
        int count = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += count;
        return count > 0;
    }

    // A command ends at an empty line; LF and CRLF both do. A body follows if a header says so.
    private EslCommand? TakeCommand()
    {
        while (_from < _end && _buffer[_from] is (byte)'\r' or (byte)'\n') _from++;
        int end = FindEnd();
        if (end < 0) return null;
        string[] lines = Encoding.Latin1.GetString(_buffer, _from, end - _from).Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
        var headers = new List<KeyValuePair<string, string>>();
        foreach (string line in lines.Skip(1))
        {
            int colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0) headers.Add(new(line[..colon], line[(colon + 1)..].TrimStart(' ')));
        }

        int length = headers.FirstOrDefault(h => h.Key.Is("content-length")).Value is { } text ? Math.Clamp(ByteText.Number(text), 0, MaxCommand) : 0;
        if (_end - end < length) return null;
        string body = Encoding.Latin1.GetString(_buffer, end, length);
        _from = end + length;
        return new EslCommand(lines.Length > 0 ? lines[0] : "", headers, body);
    }

    // Where the body would begin.
    private int FindEnd()
    {
        int lineEnds = 0;
        for (int i = _from; i < _end; i++)
        {
            if (_buffer[i] == '\n')
            {
                if (++lineEnds == 2) return i + 1;
            }
            else if (_buffer[i] != '\r')
            {
                lineEnds = 0;
            }
        }

        return _end - _from >= MaxCommand ? _end : -1;
    }

    private void SetBusy(bool busy)
    {
        lock (_gate)
        {
            _busy = busy;
            while (!busy && _waiting.TryDequeue(out EslEvent? e)) Write(e.Message(_format));
            if (!busy && _ended) SayEnded();
        }
    }

    // Under the gate.
    private bool Takes(EslEvent e)
    {
        if (_leaving || _ended) return false;
        if (Events is not null && (!Events.Contains(e.Name) || (e.Subclass is not null && e.Name == "CUSTOM" && !_subclasses.Contains(e.Subclass)))) return false;
        if (_filters.Count > 0 && !PassesFilters(e)) return false;
        return _session is null || e["Unique-ID"] == _session;
    }

    // Any of them lets an event through; one that begins with - keeps it away.
    private bool PassesFilters(EslEvent e)
    {
        bool send = false;
        foreach ((string header, string value, Regex? pattern) in _filters)
        {
            if (e[header] is not { } there) continue;
            string wanted = value.TrimStart('+', '-', ' ');
            bool negative = value[..(value.Length - wanted.Length)].Contains('-', StringComparison.Ordinal);
            if (send && !negative) continue;
            if (!(pattern?.IsMatch(there) ?? there.Is(wanted))) continue;
            if (negative) return false;
            send = true;
        }

        return send;
    }

    private void SayEnded() => Say("text/disconnect-notice", Goodbye, $"Controlled-Session-UUID: {_session}\nContent-Disposition: disconnect\n", close: true);

    private void Write(string text) => Write(Encoding.Latin1.GetBytes(text));

    private void Reply(string text) => Write($"Content-Type: command/reply\nReply-Text: {text}\n\n");

    private void Say(string type, string body, string headers, bool close)
    {
        Write($"Content-Type: {type}\n{headers}Content-Length: {body.Length}\n\n{body}");
        if (close) CloseWhenWritten();
    }
}
