namespace IfBus.Sip.Tests.Support;

/// <summary>
/// What the recordings of a class of tests give, each played on a simulator of its own, several at once: a replay mostly
/// waits for what takes a server its time, a ring time or a pause. Begun by the first test of the class.
/// </summary>
/// <typeparam name="TKey">What names a recording.</typeparam>
public abstract class SideBySide<TKey> : IDisposable
    where TKey : notnull
{
    private const int AtOnce = 8;

    private readonly SemaphoreSlim _free = new(AtOnce);
    private readonly Dictionary<TKey, Task<List<string>>> _played;

    /// <param name="recordings">All of them.</param>
    /// <param name="play">Plays one and returns what differs.</param>
    protected SideBySide(IEnumerable<TKey> recordings, Func<TKey, Task<List<string>>> play) =>
        _played = recordings.ToDictionary(r => r, r => Task.Run(async () =>
        {
            await _free.WaitAsync();
            try
            {
                return await play(r);
            }
            finally
            {
                _free.Release();
            }
        }));

    /// <summary>What differs in one.</summary>
    public Task<List<string>> DifferencesAsync(TKey recording) => _played[recording];

    public void Dispose()
    {
        // A test that failed is not to leave the others' simulators behind.
        Task.WhenAll(_played.Values).ContinueWith(static _ => { }, TaskScheduler.Default).Wait();
        _free.Dispose();
        GC.SuppressFinalize(this);
    }
}
