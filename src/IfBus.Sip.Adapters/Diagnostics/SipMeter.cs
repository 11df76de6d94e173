using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace IfBus.Sip.Adapters.Diagnostics;

/// <summary>The module's instruments, on the meter <c>IfBus.Sip</c>, and its activity source of the same name. Durations in seconds; no tag ever holds a number or a call.</summary>
internal static class SipMeter
{
    /// <summary>Name of the meter and the activity source.</summary>
    public const string Name = "IfBus.Sip";

    private static readonly Meter Meter = new(Name);

    public static readonly ActivitySource Activities = new(Name);

    public static readonly UpDownCounter<long> CallsActive = Meter.CreateUpDownCounter<long>("ifbus.sip.calls.active", "{call}", "Live calls that we know of.");

    public static readonly Counter<long> CallAttempts = Meter.CreateCounter<long>("ifbus.sip.calls.attempts", "{call}", "Calls that we asked for.");

    public static readonly Counter<long> CallFailures = Meter.CreateCounter<long>("ifbus.sip.calls.failures", "{call}", "Calls of ours that ended unanswered.");

    public static readonly Histogram<double> CallSetup = Meter.CreateHistogram<double>("ifbus.sip.calls.setup_time", "s", "From asking for a call to its answer.");

    public static readonly Histogram<double> CallDuration = Meter.CreateHistogram<double>("ifbus.sip.calls.duration", "s", "From asking for a call to its end.");

    public static readonly Histogram<double> RequestLatency = Meter.CreateHistogram<double>("ifbus.sip.requests.latency", "s", "From sending a request to its reply.");

    public static readonly Counter<long> Reconnects = Meter.CreateCounter<long>("ifbus.sip.reconnects", "{connection}", "Connections that came back.");

    public static readonly Counter<long> EventsLost = Meter.CreateCounter<long>("ifbus.sip.events.lost", "{event}", "Events dropped for subscribers that were too slow.");
}
