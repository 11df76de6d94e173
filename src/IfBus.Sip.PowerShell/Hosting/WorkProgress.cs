using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>
/// The progress bar of work on many things: none in the first second, so that short work costs nothing, then at most
/// three times a second how many are done, of how many, and how fast.
/// </summary>
internal sealed class WorkProgress(Cmdlet cmdlet, string activity, int id)
{
    private const long FirstAfter = 1000;
    private const long Every = 333;
    private readonly Stopwatch _elapsed = Stopwatch.StartNew();
    private long _next = Environment.TickCount64 + FirstAfter;
    private bool _shown;

    /// <summary>How many have begun.</summary>
    public int Begun { get; set; }

    /// <summary>How many are done.</summary>
    public int Done { get; set; }

    /// <summary>True once no more will come, so that a part of the whole can be told.</summary>
    public bool AllIn { get; set; }

    /// <summary>Shows where the work stands, if it is time to.</summary>
    /// <param name="say">What to say in place of the count; asked only when it is shown.</param>
    public void Show(Func<string?> say)
    {
        if (Begun == 0 || Environment.TickCount64 < _next) return;
        _next = Environment.TickCount64 + Every;
        _shown = true;
        var record = new ProgressRecord(id, activity, say() ?? Count());
        if (AllIn && Begun > 1)
        {
            record.PercentComplete = (int)(100L * Done / Begun);
            if (Done > 0) record.SecondsRemaining = (int)Math.Min(int.MaxValue, _elapsed.Elapsed.TotalSeconds / Done * (Begun - Done));
        }

        cmdlet.WriteProgress(record);
    }

    /// <summary>Takes the bar away, if there is one.</summary>
    public void Complete()
    {
        if (!_shown) return;
        _shown = false;
        cmdlet.WriteProgress(new ProgressRecord(id, activity, Count()) { RecordType = ProgressRecordType.Completed });
    }

    /// <summary>How long it has been at work.</summary>
    public TimeSpan Elapsed => _elapsed.Elapsed;

    private string Count()
    {
        if (Begun == 1) return string.Create(CultureInfo.InvariantCulture, $"{_elapsed.Elapsed.TotalSeconds:0} s");
        double rate = Done / Math.Max(_elapsed.Elapsed.TotalSeconds, 0.001);
        return string.Create(CultureInfo.InvariantCulture, $"{Done} of {Begun}{(AllIn ? "" : " so far")} done, {Begun - Done} under way, {(rate >= 10 ? $"{rate:0}" : $"{rate:0.0}")} a second");
    }
}
