using System.Globalization;
using System.Management.Automation;

namespace IfBus.Sip.Binding;

/// <summary>A bare number is seconds; <c>'00:00:30'</c> and TimeSpan objects mean what they say. Left alone, PowerShell takes a number for ticks.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class TimeSpanTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        TryConvert(inputData, out TimeSpan? result)
            ? result!
            : throw new ArgumentTransformationMetadataException($"'{SipText.Printable(inputData?.ToString())}' is no time: give seconds (30, 1.5), '00:00:30', or a TimeSpan.");

    /// <summary>Reads a time as the cmdlets do; an empty text is none.</summary>
    internal static bool TryConvert(object? value, out TimeSpan? result)
    {
        if (value is PSObject wrapped) value = wrapped.BaseObject;
        result = null;
        switch (value)
        {
            case null:
                return true;
            case TimeSpan time:
                result = time;
                return true;
            case string text when string.IsNullOrWhiteSpace(text):
                return true;
            case string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number):
                return Seconds(number, out result);
            case string text:
                bool good = TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out TimeSpan parsed);
                result = parsed;
                return good;
            case sbyte or byte or short or ushort or int or uint or long or ulong or float or double or decimal:
                return Seconds(Convert.ToDouble(value, CultureInfo.InvariantCulture), out result);
            default:
                return false;
        }
    }

    private static bool Seconds(double number, out TimeSpan? result)
    {
        result = null;
        if (!double.IsFinite(number) || Math.Abs(number) > TimeSpan.MaxValue.TotalSeconds / 2) return false;
        result = TimeSpan.FromSeconds(number);
        return true;
    }
}
