using System.Buffers.Text;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>The detail record of one leg, call.cdr with operation=finalize (wire/yate, CDR; Yate 6.4.1): what a call's record is made of is read, the rest is kept as it came.</summary>
internal sealed class YateLegRecord
{
    private readonly byte[] _line;

    public YateLegRecord(in YateLine message, ReadOnlySpan<byte> line)
    {
        _line = line.ToArray();
        IsOutgoing = message.Find("direction"u8).SequenceEqual("outgoing"u8);
        Begin = Seconds(message.Find("time"u8)) ?? 0;
        End = Begin + (Seconds(message.Find("duration"u8)) ?? 0);
        Talked = Seconds(message.Find("billtime"u8));
    }

    /// <summary>The engine called it.</summary>
    public bool IsOutgoing { get; }

    /// <summary>Seconds since 1970; 0 if it is not told.</summary>
    public double Begin { get; }

    /// <summary>The same of its end.</summary>
    public double End { get; }

    /// <summary>Seconds since it was answered; null if it is not told.</summary>
    public double? Talked { get; }

    /// <summary>A field; null if it is not there, or empty.</summary>
    public string? this[ReadOnlySpan<byte> name] => YateLine.Parse(_line).Text(name);

    /// <summary>All fields.</summary>
    public List<SipField> Fields => YateLine.Fields(YateLine.Parse(_line).Parameters);

    private static double? Seconds(ReadOnlySpan<byte> text) => Utf8Parser.TryParse(text, out double seconds, out int used, 'F') && used == text.Length && seconds is >= 0 and < 100_000_000_000 ? seconds : null;
}
