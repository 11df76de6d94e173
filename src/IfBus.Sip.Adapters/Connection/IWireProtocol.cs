namespace IfBus.Sip.Adapters.Connection;

/// <summary>
/// What a protocol puts on a <see cref="WireConnection"/>: it cuts messages out of received bytes and matches replies
/// with their waiters. It does no I/O, runs on the reader, and must neither block nor run a user's code.
/// </summary>
internal interface IWireProtocol
{
    /// <summary>Takes whole messages from the front of the buffer and returns how many bytes it took.</summary>
    /// <exception cref="SipProtocolException">The bytes are not of this protocol, or over its limits; ends the connection.</exception>
    int OnReceived(ReadOnlySpan<byte> buffer);

    /// <summary>The connection is gone; called once, last. Waiters are to be failed with the reason.</summary>
    void OnClosed(Exception reason);
}
