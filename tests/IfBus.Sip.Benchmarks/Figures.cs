using System.Globalization;

namespace IfBus.Sip.Benchmarks;

/// <summary>Medians and rows.</summary>
internal static class Figures
{
    public static double Median(IReadOnlyList<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    public static void Row(string name, IReadOnlyList<double> values, string unit, IReadOnlyList<double>? against = null, string? more = null)
    {
        string ratio = against is null ? "" : $"  ratio {Text(Median([.. values.Zip(against, (a, b) => a / b)])),6}";
        Console.WriteLine($"{name,-44} median {Text(Median(values)),12} {unit,-12} (min {Text(values.Min())}, max {Text(values.Max())}){ratio}{(more is null ? "" : "  " + more)}");
    }

    private static string Text(double value) => value.ToString(value >= 100 ? "N0" : "0.###", CultureInfo.InvariantCulture);
}
