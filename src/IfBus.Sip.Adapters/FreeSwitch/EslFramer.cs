using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;

namespace IfBus.Sip.Adapters.FreeSwitch;

/// <summary>
/// Cuts Event Socket messages out of bytes: header lines that end with LF, an empty line, and a body of exactly
/// Content-Length bytes; the next message follows the body at once (wire/freeswitch, framing; FreeSWITCH 1.10.12).
/// </summary>
internal sealed class EslFramer
{
    /// <summary>Longest head taken, in bytes. The largest seen has 200; Reply-Text of an error may quote what was sent.</summary>
    public const int MaxHead = 1024 * 1024;

    /// <summary>Longest body taken, in bytes. A list of 10 000 channels as JSON has about 9 MB.</summary>
    public const int MaxBody = 256 * 1024 * 1024;

    // Bytes at the front of the unread buffer that are known to hold no end of a head.
    private int _searched;

    // Where the head of the message at the front ends, and the whole of it, once they are known; 0 before.
    private int _head;
    private int _length;

    /// <summary>Finds the message at the front of the buffer.</summary>
    /// <param name="buffer">What has come and was not taken.</param>
    /// <param name="head">Length of its head, with the empty line.</param>
    /// <param name="length">Length of the whole.</param>
    /// <exception cref="SipProtocolException">Not an Event Socket, or over a limit.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryRead(ReadOnlySpan<byte> buffer, out int head, out int length)
    {
        if (_length == 0 && !TryReadHead(buffer))
        {
            head = length = 0;
            return false;
        }

        (head, length) = (_head, _length);
        if (buffer.Length < length) return false;
        _searched = _head = _length = 0;
        return true;
    }

    /// <summary>The value of a header line; empty if there is none.</summary>
    /// <param name="head">The head of a message.</param>
    /// <param name="name">Name with colon and blank, for instance "Reply-Text: ".</param>
    public static ReadOnlySpan<byte> Header(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name)
    {
        while (!head.IsEmpty)
        {
            int end = head.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? head : head[..end];
            if (line.StartsWith(name)) return line[name.Length..];
            head = end < 0 ? default : head[(end + 1)..];
        }

        return default;
    }

    private bool TryReadHead(ReadOnlySpan<byte> buffer)
    {
        ReadOnlySpan<byte> begin = "Content-"u8;
        int compare = Math.Min(begin.Length, buffer.Length);
        if (!buffer[..compare].SequenceEqual(begin[..compare])) throw NotEsl(buffer);

        // The end may straddle what was searched and what is new.
        int from = Math.Max(0, _searched - 1);
        int end = buffer[from..].IndexOf("\n\n"u8);
        if (end < 0 || from + end > MaxHead)
        {
            if (buffer.Length > MaxHead) throw new SipProtocolException($"The server sent a head of more than {MaxHead} bytes.");
            _searched = buffer.Length;
            return false;
        }

        int head = from + end + 2;
        ReadOnlySpan<byte> announced = Header(buffer[..head], "Content-Length: "u8);
        int body = 0;
        if (!announced.IsEmpty && (!Utf8Parser.TryParse(announced, out body, out int digits) || digits != announced.Length || body is < 0 or > MaxBody))
            throw new SipProtocolException($"The server announced a body of '{SipText.Printable(Encoding.Latin1.GetString(announced[..Math.Min(announced.Length, 60)]))}' bytes; at most {MaxBody} are taken.");
        _head = head;
        _length = head + body;
        return true;
    }

    private static SipProtocolException NotEsl(ReadOnlySpan<byte> buffer) =>
        new($"This is not a FreeSWITCH Event Socket, or not where a message begins: '{SipText.Printable(Encoding.Latin1.GetString(buffer[..Math.Min(buffer.Length, 60)]))}'.", errorId: "SipNotFreeSwitch")
        {
            RecommendedAction = "Check that the port is the Event Socket's (event_socket.conf: listen-port, usually 8021).",
        };
}
