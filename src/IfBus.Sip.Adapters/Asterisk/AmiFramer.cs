using System.Runtime.CompilerServices;
using System.Text;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>
/// Cuts AMI messages out of bytes: header lines that end with CR LF, then an empty line. A value may hold a bare CR or
/// LF, so only CR LF ends a line (Asterisk 16 and 22, park and pjsip-show recordings). The greeting is one line without
/// an empty line after it.
/// </summary>
internal sealed class AmiFramer
{
    /// <summary>Longest message taken, in bytes. The largest seen is 24 kB; a listing on the console of 20 000 channels has about 3 MB.</summary>
    public const int MaxMessage = 16 * 1024 * 1024;

    /// <summary>Longest line taken, in bytes. The server itself writes lines of a few kB at most.</summary>
    public const int MaxLine = 256 * 1024;

    /// <summary>Most lines of one message.</summary>
    public const int MaxLines = 60_000;

    /// <summary>Longest greeting taken, in bytes.</summary>
    public const int MaxGreeting = 256;

    private static ReadOnlySpan<byte> End => "\r\n\r\n"u8;

    // Bytes at the front of the unread buffer that are known to hold no end.
    private int _searched;

    /// <summary>Finds the greeting at the front of the buffer.</summary>
    /// <exception cref="SipProtocolException">The peer is not an Asterisk Manager.</exception>
    public static bool TryReadGreeting(ReadOnlySpan<byte> buffer, out int length, out string version)
    {
        ReadOnlySpan<byte> expected = "Asterisk Call Manager/"u8;
        int compare = Math.Min(expected.Length, buffer.Length);
        if (!buffer[..compare].SequenceEqual(expected[..compare])) throw NotAmi(buffer);

        int end = buffer.IndexOf("\r\n"u8);
        if (end < 0)
        {
            if (buffer.Length > MaxGreeting) throw NotAmi(buffer);
            length = 0;
            version = "";
            return false;
        }

        if (end > MaxGreeting) throw NotAmi(buffer);
        length = end + 2;
        version = Encoding.UTF8.GetString(buffer[expected.Length..end]);
        return true;
    }

    /// <summary>Finds the message at the front of the buffer. <paramref name="length"/> counts its closing empty line.</summary>
    /// <exception cref="SipProtocolException">Over a limit.</exception>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public bool TryRead(ReadOnlySpan<byte> buffer, out int length)
    {
        // The end may straddle what was searched and what is new.
        int from = Math.Max(0, _searched - 3);
        int end = buffer[from..].IndexOf(End);
        if (end >= 0)
        {
            length = from + end + End.Length;
            _searched = 0;
            if (length > MaxLine) CheckLimits(buffer[..length]);
            return true;
        }

        _searched = buffer.Length;
        length = 0;
        if (buffer.Length > MaxLine) CheckLimits(buffer);
        return false;
    }

    private static void CheckLimits(ReadOnlySpan<byte> message)
    {
        if (message.Length > MaxMessage) throw new SipProtocolException($"The server sent a message of more than {MaxMessage} bytes.");
        if (message.Count((byte)'\n') > MaxLines) throw new SipProtocolException($"The server sent a message of more than {MaxLines} lines.");
        while (!message.IsEmpty)
        {
            int line = message.IndexOf((byte)'\n');
            if ((line < 0 ? message.Length : line) > MaxLine) throw new SipProtocolException($"The server sent a line of more than {MaxLine} bytes.");
            message = line < 0 ? default : message[(line + 1)..];
        }
    }

    private static SipProtocolException NotAmi(ReadOnlySpan<byte> buffer) =>
        new($"This is not an Asterisk Manager: it greets with '{SipText.Printable(Encoding.Latin1.GetString(buffer[..Math.Min(buffer.Length, 60)]))}'.", errorId: "SipNotAsterisk")
        {
            RecommendedAction = "Check that the port is the AMI port (manager.conf: port, or tlsbindaddr with -UseTls).",
        };
}
