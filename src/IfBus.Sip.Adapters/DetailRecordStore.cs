namespace IfBus.Sip.Adapters;

/// <summary>The detail records of one server, the last of them, and the legs of lately ended calls that a record may still come for.</summary>
/// <typeparam name="TCall">The adapter's call.</typeparam>
internal sealed class DetailRecordStore<TCall>(int size)
    where TCall : TrackedCall
{
    private readonly object _gate = new();
    private readonly Queue<SipCallDetailRecord> _records = new();
    private readonly Utf8Table<TCall> _recent = new();
    private readonly Queue<byte[]> _recentOrder = new();

    /// <summary>False if none are kept.</summary>
    public bool Keeps => size > 0;

    /// <summary>Keeps the id of an ended call's leg for what comes later.</summary>
    public void Remember(byte[] legId, TCall call)
    {
        lock (_gate)
        {
            if (_recentOrder.Count >= 2 * Math.Max(size, 100)) _recent.Remove(_recentOrder.Dequeue());
            if (_recent.TryGet(legId, out _)) return;
            _recent.Set(legId, call);
            _recentOrder.Enqueue(legId);
        }
    }

    /// <summary>The lately ended call that a leg belonged to.</summary>
    public TCall? RecentCall(ReadOnlySpan<byte> legId)
    {
        lock (_gate) return _recent.TryGet(legId, out TCall? call) ? call : null;
    }

    /// <summary>Takes a record.</summary>
    public void Add(SipCallDetailRecord record)
    {
        if (size == 0) return;
        lock (_gate)
        {
            if (_records.Count >= size) _records.Dequeue();
            _records.Enqueue(record);
        }
    }

    /// <summary>The records that a filter lets through, oldest first.</summary>
    public List<SipCallDetailRecord> Find(SipDetailRecordFilter filter)
    {
        lock (_gate)
        {
            return _records.Where(r =>
                (filter.CallId is null || r.CallId == filter.CallId)
                && (filter.After is null || r.StartedAt >= filter.After)
                && (filter.Before is null || r.StartedAt < filter.Before)).ToList();
        }
    }
}
