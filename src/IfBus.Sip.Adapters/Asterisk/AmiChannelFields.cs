using System.Buffers.Text;
using System.Runtime.CompilerServices;
using System.Text;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>The fields of an event that calls are followed by, found in one pass over the message, as bytes in place.</summary>
internal ref struct AmiChannelFields
{
    public ReadOnlySpan<byte> Channel;
    public ReadOnlySpan<byte> ChannelState;
    public ReadOnlySpan<byte> Number;
    public ReadOnlySpan<byte> Exten;
    public ReadOnlySpan<byte> Uniqueid;
    public ReadOnlySpan<byte> Linkedid;
    public ReadOnlySpan<byte> DestChannel;
    public ReadOnlySpan<byte> DestUniqueid;
    public ReadOnlySpan<byte> DestLinkedid;
    public ReadOnlySpan<byte> DestNumber;
    public ReadOnlySpan<byte> DestState;
    public ReadOnlySpan<byte> DialStatus;
    public ReadOnlySpan<byte> Cause;
    public ReadOnlySpan<byte> CauseText;
    public ReadOnlySpan<byte> TechCause;
    public ReadOnlySpan<byte> Response;
    public ReadOnlySpan<byte> Reason;
    public ReadOnlySpan<byte> Newname;
    public ReadOnlySpan<byte> Application;
    public ReadOnlySpan<byte> ApplicationData;
    public ReadOnlySpan<byte> Duration;

    /// <summary>Reads a message. The first of repeated headers counts: what a value forges behind it does not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static AmiChannelFields Read(ReadOnlySpan<byte> message)
    {
        AmiChannelFields f = default;
        var headers = new AmiHeaders(message);
        while (headers.MoveNext())
        {
            ReadOnlySpan<byte> name = headers.Name;
            if (name.IsEmpty) continue;
            // Length and first letters decide before anything is compared.
            switch (name.Length)
            {
                case 5:
                    if (name.SequenceEqual("Exten"u8)) Take(ref f.Exten, headers.Value);
                    else if (name.SequenceEqual("Cause"u8)) Take(ref f.Cause, headers.Value);
                    break;
                case 6:
                    if (name.SequenceEqual("Reason"u8)) Take(ref f.Reason, headers.Value);
                    break;
                case 7:
                    if (name.SequenceEqual("Channel"u8)) Take(ref f.Channel, headers.Value);
                    else if (name.SequenceEqual("Newname"u8)) Take(ref f.Newname, headers.Value);
                    break;
                case 8:
                    if (name.SequenceEqual("Uniqueid"u8)) Take(ref f.Uniqueid, headers.Value);
                    else if (name.SequenceEqual("Linkedid"u8)) Take(ref f.Linkedid, headers.Value);
                    else if (name.SequenceEqual("Response"u8)) Take(ref f.Response, headers.Value);
                    else if (name.SequenceEqual("Duration"u8)) Take(ref f.Duration, headers.Value);
                    break;
                case 9:
                    if (name.SequenceEqual("Cause-txt"u8)) Take(ref f.CauseText, headers.Value);
                    else if (name.SequenceEqual("TechCause"u8)) Take(ref f.TechCause, headers.Value);
                    break;
                case 10:
                    if (name.SequenceEqual("DialStatus"u8)) Take(ref f.DialStatus, headers.Value);
                    break;
                case 11:
                    if (name[0] == (byte)'D' ? name.SequenceEqual("DestChannel"u8) : false) Take(ref f.DestChannel, headers.Value);
                    else if (name.SequenceEqual("CallerIDNum"u8)) Take(ref f.Number, headers.Value);
                    else if (name.SequenceEqual("Application"u8)) Take(ref f.Application, headers.Value);
                    break;
                case 12:
                    if (name.SequenceEqual("DestUniqueid"u8)) Take(ref f.DestUniqueid, headers.Value);
                    else if (name.SequenceEqual("DestLinkedid"u8)) Take(ref f.DestLinkedid, headers.Value);
                    break;
                case 15:
                    if (name.SequenceEqual("DestCallerIDNum"u8)) Take(ref f.DestNumber, headers.Value);
                    else if (name.SequenceEqual("ApplicationData"u8)) Take(ref f.ApplicationData, headers.Value);
                    break;
                case 16:
                    if (name.SequenceEqual("ChannelStateDesc"u8)) Take(ref f.ChannelState, headers.Value);
                    break;
                case 20:
                    if (name.SequenceEqual("DestChannelStateDesc"u8)) Take(ref f.DestState, headers.Value);
                    break;
            }
        }

        return f;
    }

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

    private static void Take(ref ReadOnlySpan<byte> field, ReadOnlySpan<byte> value)
    {
        if (field.IsEmpty) field = value;
    }
}
