namespace IfBus.Sip.Adapters.OpenSips;

/// <summary>
/// Finds the objects in an event stream: the server writes one JSON object after the other with nothing between them, and
/// cuts them anywhere. Only braces and strings are looked at; each byte once.
/// </summary>
internal sealed class EventFramer
{
    /// <summary>The largest object that is taken; real ones have some kilobytes (E_UA_SESSION with headers and body).</summary>
    public const int LargestObject = 1024 * 1024;

    private int _at;
    private int _depth;
    private bool _inText;
    private bool _escaped;

    /// <summary>Looks for the end of the first object. The bytes begin where the last object ended, and hold what was there at the last look.</summary>
    /// <param name="bytes">What has come and was not taken yet.</param>
    /// <param name="begin">Where the object begins.</param>
    /// <param name="length">How many bytes are to be taken with it.</param>
    /// <returns>False if the object is not here as a whole.</returns>
    /// <exception cref="SipProtocolException">What has come is no stream of objects, or one is too large.</exception>
    public bool TryRead(ReadOnlySpan<byte> bytes, out int begin, out int length)
    {
        begin = 0;
        for (; _at < bytes.Length; _at++)
        {
            byte b = bytes[_at];
            if (_inText)
            {
                if (_escaped) _escaped = false;
                else if (b == '\\') _escaped = true;
                else if (b == '"') _inText = false;
                continue;
            }

            switch (b)
            {
                case (byte)'{':
                    _depth++;
                    continue;
                case (byte)'}' when _depth > 1:
                    _depth--;
                    continue;
                case (byte)'}' when _depth == 1:
                    length = _at + 1;
                    _depth = _at = 0;
                    while (begin < length && bytes[begin] != '{') begin++;
                    return true;
                case (byte)'"' when _depth > 0:
                    _inText = true;
                    continue;
            }

            if (_depth == 0 && b is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
                throw new SipProtocolException("What comes on the event stream is no JSON object.");
        }

        if (bytes.Length > LargestObject) throw new SipProtocolException($"An event is larger than {LargestObject} bytes.");
        length = 0;
        return false;
    }
}
