using System.Buffers.Text;
using System.Text;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>
/// The fields of an event that calls are followed by, as bytes in place, each looked for when it is asked for: most
/// events need two or three of them, and one search through a message costs less than a walk over its headers. The
/// first of repeated headers counts: what a value forges behind it does not.
/// </summary>
internal readonly ref struct AmiChannelFields
{
    private readonly ReadOnlySpan<byte> _message;
    private readonly bool _dest;

    private AmiChannelFields(ReadOnlySpan<byte> message, bool dest)
    {
        _message = message;
        _dest = dest;
    }

    /// <summary>The same message, seen from the channel that is dialled.</summary>
    public AmiChannelFields Dest => new(_message, dest: true);

    public ReadOnlySpan<byte> Channel => AmiMessage.Find(_message, _dest ? "DestChannel"u8 : "Channel"u8);

    public ReadOnlySpan<byte> ChannelState => AmiMessage.Find(_message, _dest ? "DestChannelStateDesc"u8 : "ChannelStateDesc"u8);

    public ReadOnlySpan<byte> Number => AmiMessage.Find(_message, _dest ? "DestCallerIDNum"u8 : "CallerIDNum"u8);

    public ReadOnlySpan<byte> Exten => _dest ? default : AmiMessage.Find(_message, "Exten"u8);

    public ReadOnlySpan<byte> Uniqueid => AmiMessage.Find(_message, _dest ? "DestUniqueid"u8 : "Uniqueid"u8);

    public ReadOnlySpan<byte> Linkedid => AmiMessage.Find(_message, _dest ? "DestLinkedid"u8 : "Linkedid"u8);

    public ReadOnlySpan<byte> DialStatus => AmiMessage.Find(_message, "DialStatus"u8);

    public ReadOnlySpan<byte> Cause => AmiMessage.Find(_message, "Cause"u8);

    public ReadOnlySpan<byte> CauseText => AmiMessage.Find(_message, "Cause-txt"u8);

    public ReadOnlySpan<byte> TechCause => AmiMessage.Find(_message, "TechCause"u8);

    public ReadOnlySpan<byte> Response => AmiMessage.Find(_message, "Response"u8);

    public ReadOnlySpan<byte> Reason => AmiMessage.Find(_message, "Reason"u8);

    public ReadOnlySpan<byte> Newname => AmiMessage.Find(_message, "Newname"u8);

    public ReadOnlySpan<byte> Application => AmiMessage.Find(_message, "Application"u8);

    public ReadOnlySpan<byte> ApplicationData => AmiMessage.Find(_message, "ApplicationData"u8);

    public ReadOnlySpan<byte> Duration => AmiMessage.Find(_message, "Duration"u8);

    /// <summary>The fields of a message.</summary>
    public static AmiChannelFields Read(ReadOnlySpan<byte> message) => new(message, dest: false);

    /// <summary>Text of a value; null for nothing and for the server's word for nothing, <c>&lt;unknown&gt;</c>.</summary>
    public static string? Text(ReadOnlySpan<byte> value) =>
        value.IsEmpty || value.SequenceEqual("<unknown>"u8) ? null : Encoding.UTF8.GetString(value);

    /// <summary>Channel states by their words (Asterisk 16 and 22), without a new string for each event.</summary>
    public static string? State(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty) return null;
        if (value.SequenceEqual("Up"u8)) return "Up";
        if (value.SequenceEqual("Ringing"u8)) return "Ringing";
        if (value.SequenceEqual("Ring"u8)) return "Ring";
        if (value.SequenceEqual("Down"u8)) return "Down";
        return value.SequenceEqual("Busy"u8) ? "Busy" : Encoding.UTF8.GetString(value);
    }

    /// <summary>A whole number, or null.</summary>
    public static int? Number32(ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out int number, out int used) && used == value.Length && used > 0 ? number : null;
}
