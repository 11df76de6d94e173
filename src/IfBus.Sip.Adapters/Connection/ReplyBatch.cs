namespace IfBus.Sip.Adapters.Connection;

/// <summary>
/// The waiters that the replies of one read have answered. Some of them go on one after the other on one thread of the
/// pool: to wake a thread for each costs more than the reply itself.
/// </summary>
internal sealed class ReplyBatch
{
    // So that the next requests of the first are on their way while the reader goes on.
    private const int Most = 8;

    private List<IThreadPoolWorkItem>? _answered;

    /// <summary>Adds one whose outcome is set. On the reader.</summary>
    public void Add(IThreadPoolWorkItem waiter)
    {
        (_answered ??= new List<IThreadPoolWorkItem>(Most)).Add(waiter);
        if (_answered.Count == Most) Flush();
    }

    /// <summary>The read is over: those who were answered go on. On the reader, which does not wait for them.</summary>
    public void Flush()
    {
        if (_answered is not { Count: > 0 } answered) return;
        if (answered.Count == 1)
        {
            ThreadPool.UnsafeQueueUserWorkItem(answered[0], preferLocal: false);
            answered.Clear();
            return;
        }

        _answered = null;
        ThreadPool.UnsafeQueueUserWorkItem(new Run(answered), preferLocal: false);
    }

    private sealed class Run(List<IThreadPoolWorkItem> answered) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            foreach (IThreadPoolWorkItem waiter in answered) waiter.Execute();
        }
    }
}
