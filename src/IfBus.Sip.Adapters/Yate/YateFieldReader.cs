namespace IfBus.Sip.Adapters.Yate;

/// <summary>Reads the parameters of a message for those who look at them.</summary>
internal sealed class YateFieldReader : SipFieldReader
{
    /// <summary>The one reader.</summary>
    public static YateFieldReader Instance { get; } = new();

    /// <inheritdoc/>
    public override SipFieldCollection Read(ReadOnlySpan<byte> raw)
    {
        YateLine line = YateLine.Parse(raw);
        List<SipField> fields = YateLine.Fields(line.Parameters);
        if (!line.Value.IsEmpty) fields.Add(new SipField("return value", YateText.Decode(line.Value)));
        return new SipFieldCollection(fields);
    }
}
