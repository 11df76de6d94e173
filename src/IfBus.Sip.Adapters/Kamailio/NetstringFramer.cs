namespace IfBus.Sip.Adapters.Kamailio;

/// <summary>Cuts netstrings, <c>length:bytes,</c>, out of a stream: what evapi sends.</summary>
internal static class NetstringFramer
{
    /// <summary>The longest that is taken.</summary>
    public const int Longest = 1024 * 1024;

    /// <summary>Reads one from the front; false if it is not there as a whole.</summary>
    /// <param name="bytes">What has come.</param>
    /// <param name="content">Where the content begins and ends.</param>
    /// <param name="taken">Bytes to remove.</param>
    /// <exception cref="SipProtocolException">No netstring.</exception>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Range content, out int taken)
    {
        content = default;
        taken = 0;
        int length = 0;
        int at = 0;
        for (; at < bytes.Length && bytes[at] != (byte)':'; at++)
        {
            if (bytes[at] is < (byte)'0' or > (byte)'9') throw Broken("a length is expected");
            length = (length * 10) + (bytes[at] - '0');
            if (length > Longest) throw Broken($"a message is longer than {Longest} bytes");
        }

        if (at == bytes.Length) return false;
        if (at == 0) throw Broken("a length is expected");
        int begin = at + 1;
        if (bytes.Length <= begin + length) return false;
        if (bytes[begin + length] != (byte)',') throw Broken("a message does not end where it said");
        content = begin..(begin + length);
        taken = begin + length + 1;
        return true;

        static SipProtocolException Broken(string why) => new($"The event socket sends no netstrings: {why}. It must be evapi's, with netstring_format on.");
    }
}
