namespace IfBus.Sip.Adapters;

/// <summary>
/// One place among the calls that a server's limits allow. Held from the moment the call is let through; bound to the call
/// once that is in the table, and then free when the call has ended there. Until then who asked for it frees it.
/// </summary>
internal sealed class CallSlot(CallGate gate, LinkedListNode<long>? placed)
{
    private const int Bound = 1;
    private const int Free = 2;
    private int _state;

    /// <summary>True if the table frees it, or has done so.</summary>
    public bool IsBound => Volatile.Read(ref _state) != 0;

    /// <summary>The call is in the table.</summary>
    public void Bind() => Interlocked.CompareExchange(ref _state, Bound, 0);

    /// <summary>Frees it, once.</summary>
    /// <param name="unused">Nothing was asked of the server: it does not count for the calls of this second either.</param>
    public void Release(bool unused = false)
    {
        if (Interlocked.Exchange(ref _state, Free) != Free) gate.Release(unused ? placed : null);
    }
}
