using System.Diagnostics;

namespace IfBus.Sip.Benchmarks;

/// <summary>A PowerShell process is often short: what each way does in a fresh process, the first time.</summary>
internal static class Cold
{
    public static async Task RunAsync()
    {
        string[] ways = ["bare", "session", "adapter"];
        var rates = ways.ToDictionary(w => w, _ => new List<double>());
        for (int round = 0; round < 5; round++)
        {
            foreach (string way in ways)
            {
                using Process process = Requests.Start("cold-one", way);
                string output = await process.StandardOutput.ReadToEndAsync().ConfigureAwait(false);
                await process.WaitForExitAsync().ConfigureAwait(false);
                rates[way].Add(double.Parse(output, System.Globalization.CultureInfo.InvariantCulture));
            }
        }

        foreach (string way in ways) Figures.Row($"{way}, first second of a process", rates[way], "events/s", way == "bare" ? null : rates["bare"]);
    }

    public static async Task OneAsync(string way)
    {
        var source = new EventSource(1_000);
        Func<EventSource, Task> run = way switch { "bare" => Decoding.BareAsync, "session" => Decoding.SessionAsync, _ => Decoding.AdapterAsync };
        long events = 0;
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin).TotalSeconds < 1)
        {
            await run(source).ConfigureAwait(false);
            events += source.Count;
        }

        Console.Write((events / Stopwatch.GetElapsedTime(begin).TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }
}
