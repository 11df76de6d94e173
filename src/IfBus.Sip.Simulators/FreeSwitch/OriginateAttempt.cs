namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>What an originate (or bridge) asks for.</summary>
/// <param name="DialString">Variables and legs, as pasted into the command.</param>
/// <param name="CallerName">Caller id of the command, or empty.</param>
/// <param name="CallerNumber">Caller id of the command, or empty.</param>
/// <param name="Timeout">How long it may ring.</param>
/// <param name="Caller">The leg that bridges, or null.</param>
/// <param name="Done">Told the leg that has answered, or the cause of the failure.</param>
internal sealed record OriginateRequest(string DialString, string CallerName, string CallerNumber, TimeSpan Timeout, FsChannel? Caller, Action<FsChannel?, int> Done);

/// <summary>
/// An originate whose outcome is open: groups of legs one after the other (|), the legs of a group together (,). The
/// first leg with media wins, the others lose the race. Under the switchboard's lock.
/// </summary>
internal sealed class OriginateAttempt(Switchboard board, OriginateRequest request)
{
    private readonly List<KeyValuePair<string, string>> _globals = [];
    private readonly List<FsChannel> _legs = [];
    private List<List<DialLeg>> _groups = [];
    private int _group;
    private int _cause = Causes.DestinationOutOfOrder;
    private bool _open = true;
    private IDisposable? _timer;

    public FsChannel? Caller => request.Caller;

    /// <summary>A global variable.</summary>
    public string? this[string name] => _globals.FirstOrDefault(v => v.Key.Is(name)).Value;

    /// <summary>Media before the answer is enough.</summary>
    public bool EarlyMediaWins => !ByteText.IsTrue(this["ignore_early_media"]);

    /// <summary>Several legs are called together.</summary>
    public bool IsForked => _legs.Count > 1;

    public IReadOnlyList<KeyValuePair<string, string>> Globals => _globals;

    /// <summary>Reads the dial string and calls the first legs.</summary>
    public void Start()
    {
        string? text = request.DialString.TrimStart(' ');
        while (text is not null && (text.StartsWith('<') || text.StartsWith('{')))
            text = text[0] == '<' ? OriginateSyntax.TakeVariables(text, '<', '>', ',', _globals) : OriginateSyntax.TakeVariables(text, '{', '}', ',', _globals);
        text = text?.TrimStart(' ');
        if (string.IsNullOrEmpty(text) || OriginateSyntax.Parse(text) is not { } groups)
        {
            End(null, Causes.DestinationOutOfOrder);
            return;
        }

        Inherit("ignore_early_media");
        if (request.CallerName.Length > 0 && this["origination_caller_id_name"] is null) _globals.Add(new("origination_caller_id_name", request.CallerName));
        if (request.CallerNumber.Length > 0 && this["origination_caller_id_number"] is null) _globals.Add(new("origination_caller_id_number", request.CallerNumber));
        _groups = groups;
        CallGroup();
    }

    /// <summary>A leg has media, or an answer.</summary>
    public void LegReady(FsChannel leg)
    {
        if (!_open) return;
        StopTimer();
        foreach (FsChannel other in _legs)
        {
            if (other == leg || other.Down) continue;
            other.Variables.Set("group_dial_status", "loser");
            board.HangUp(other, Causes.LoseRace);
        }

        End(leg, Causes.Success);
    }

    /// <summary>A leg has ended, after all was told of it but its destruction.</summary>
    public void LegEnded(FsChannel leg)
    {
        if (!_open || _legs.Exists(l => l.IsUp) || !_legs.Contains(leg)) return;
        _cause = _legs[0].HangupCause == Causes.None ? Causes.OriginatorCancel : _legs[0].HangupCause;
        StopTimer();
        NextGroup();
    }

    /// <summary>Nobody waits for it any more: its legs are cancelled.</summary>
    public void Cancel(int cause)
    {
        if (!_open) return;
        _open = false;
        StopTimer();
        foreach (FsChannel leg in _legs.Where(l => l.IsUp).ToArray()) board.HangUp(leg, cause);
    }

    private void CallGroup()
    {
        if (!_open) return;
        _legs.Clear();
        foreach (DialLeg leg in _groups[_group])
        {
            int cause = board.CreateLeg(this, leg, first: _legs.Count == 0, out FsChannel? channel);
            if (channel is null) _cause = cause;
            else _legs.Add(channel);
        }

        if (_legs.Count == 0)
        {
            NextGroup();
            return;
        }

        foreach (FsChannel leg in _legs.ToArray()) board.Post(() => board.RunLeg(leg));
        TimeSpan limit = this["originate_timeout"] is { } text && ByteText.Number(text) > 0 ? TimeSpan.FromSeconds(ByteText.Number(text)) : request.Timeout;
        _timer = board.At(board.WholeSeconds(limit), TimedOut);
    }

    private void TimedOut()
    {
        if (!_open) return;
        _cause = Causes.NoAnswer;
        FsChannel[] ringing = [.. _legs.Where(l => l.IsUp)];
        // They say that they end before, and how after, the outcome is told.
        _legs.Clear();
        foreach (FsChannel leg in ringing) board.HangUp(leg, Causes.NoAnswer);
        NextGroup();
    }

    private void NextGroup()
    {
        // The next leg may have the id of the one that ends: only when that one is gone.
        if (++_group < _groups.Count) board.Post(CallGroup);
        else End(null, _cause);
    }

    private void End(FsChannel? leg, int cause)
    {
        _open = false;
        foreach (FsChannel one in _legs) one.Attempt = null;
        request.Done(leg, cause);
    }

    private void Inherit(string name)
    {
        if (request.Caller?.Variables[name] is { } value && this[name] is null) _globals.Add(new(name, value));
    }

    private void StopTimer()
    {
        _timer?.Dispose();
        _timer = null;
    }
}
