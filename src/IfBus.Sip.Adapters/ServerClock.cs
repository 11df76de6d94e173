namespace IfBus.Sip.Adapters;

/// <summary>
/// How far a server's clock stands from ours: as what came with the least delay lately says. What is read late does not
/// move it, and a clock that is set anew is followed after two periods.
/// </summary>
internal sealed class ServerClock
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    private TimeSpan? _least;
    private TimeSpan? _before;
    private DateTime _since;

    /// <summary>What is to be added to a stamp of the server to have our time; null if nothing has been heard.</summary>
    public TimeSpan? Ahead => _least < _before || _before is null ? _least : _before;

    /// <summary>Something with the server's stamp came.</summary>
    public TimeSpan Hear(DateTime stamp, DateTime arrived)
    {
        TimeSpan late = arrived - stamp;
        if (arrived - _since >= Period || arrived < _since)
        {
            // Nothing that is older than two periods counts.
            _before = arrived - _since < 2 * Period && arrived >= _since ? _least : null;
            (_least, _since) = (null, arrived);
        }

        if (_least is null || late < _least) _least = late;
        return Ahead!.Value;
    }
}
