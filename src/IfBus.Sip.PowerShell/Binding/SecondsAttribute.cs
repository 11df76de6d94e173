using System.Globalization;
using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Binding;

/// <summary>Takes a time as seconds (30, 1.5) or as a TimeSpan ('00:00:30').</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class SecondsAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        if (value is TimeSpan) return value;
        string text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        // An empty column of a table of calls is the same as none.
        if (string.IsNullOrWhiteSpace(text)) return null!;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && Math.Abs(seconds) < TimeSpan.MaxValue.TotalSeconds)
            return TimeSpan.FromSeconds(seconds);
        if (TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan span)) return span;
        throw new ArgumentTransformationMetadataException($"'{SipText.Printable(text)}' is no time: give seconds (30, 1.5) or hours, minutes and seconds ('00:00:30').");
    }
}
