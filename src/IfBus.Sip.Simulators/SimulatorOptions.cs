using System.Globalization;

namespace IfBus.Sip.Simulators;

/// <summary>How a simulated server is set up, of whatever kind.</summary>
public abstract class SimulatorOptions
{
    /// <summary>Version to play.</summary>
    public string Version { get; init; } = "";

    /// <summary>A user that may do everything.</summary>
    public string User { get; init; } = "";

    /// <summary>Its secret.</summary>
    public string Secret { get; init; } = "";

    /// <summary>Port on 127.0.0.1; 0 takes a free one.</summary>
    public int Port { get; init; }

    /// <summary>How long a phone rings before it answers.</summary>
    public TimeSpan RingTime { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long the socket may take nothing, because a client does not read, before it is cut off. Asterisk's writetimeout is 100 ms; a busy test machine needs more.</summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long the port is closed during a restart.</summary>
    public TimeSpan RestartTime { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Faults to begin with.</summary>
    public SimulatorFaults Faults { get; init; } = new();

    /// <summary>The clock that phones ring by.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

/// <summary>What can be made to go wrong, at any time while a simulator runs.</summary>
public sealed class SimulatorFaults
{
    private readonly object _gate = new();
    private TimeSpan _delay;
    private TaskCompletionSource _delayChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Writes in pieces of one to seven bytes: every message is cut somewhere, line ends and characters too.</summary>
    public bool SplitWrites { get; set; }

    /// <summary>Waits so long before each write. What waits already goes by a new value too.</summary>
    public TimeSpan Delay
    {
        get
        {
            lock (_gate) return _delay;
        }

        set
        {
            TaskCompletionSource changed;
            lock (_gate)
            {
                _delay = value;
                changed = _delayChanged;
                _delayChanged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            changed.SetResult();
        }
    }

    /// <summary>Accepts and reads, but writes nothing.</summary>
    public bool Stall { get; set; }

    /// <summary>Closes new connections at once.</summary>
    public bool RefuseConnections { get; set; }

    /// <summary>Tells the outcome of a call before the first event of its channel, as a real server now and then does.</summary>
    public bool Reorder { get; set; }

    /// <summary>FreeSWITCH: refuses new connections by its access list: a text/rude-rejection instead of auth/request.</summary>
    public bool RudeRejection { get; set; }

    /// <summary>FreeSWITCH: what bgapi originate calls exists only a moment after the reply, so that a command for it can come too early.</summary>
    public bool EarlyKillFails { get; set; }

    /// <summary>What goes wrong, in one line; None if nothing does.</summary>
    public override string ToString()
    {
        string[] on =
        [
            .. SplitWrites ? [nameof(SplitWrites)] : Array.Empty<string>(),
            .. Delay > TimeSpan.Zero ? [string.Create(CultureInfo.InvariantCulture, $"{nameof(Delay)} {Delay.TotalSeconds} s")] : Array.Empty<string>(),
            .. Stall ? [nameof(Stall)] : Array.Empty<string>(),
            .. RefuseConnections ? [nameof(RefuseConnections)] : Array.Empty<string>(),
            .. Reorder ? [nameof(Reorder)] : Array.Empty<string>(),
        ];
        return on.Length == 0 ? "None" : string.Join(", ", on);
    }

    /// <summary>Waits until a write that is due now may go.</summary>
    internal async Task WaitAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        long begin = time.GetTimestamp();
        while (true)
        {
            Task changed;
            TimeSpan left;
            lock (_gate)
            {
                changed = _delayChanged.Task;
                left = _delay - time.GetElapsedTime(begin);
            }

            if (left <= TimeSpan.Zero) return;
            try
            {
                await changed.WaitAsync(left, time, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return;
            }
        }
    }
}
