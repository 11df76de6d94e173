using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Streams a server's events to the pipeline, until Ctrl+C, a number of them, or a time.</summary>
[Cmdlet(VerbsCommon.Watch, "SipEvent")]
[OutputType(typeof(SipEvent))]
public sealed class WatchSipEvent : ServerCmdlet
{
    /// <summary>What kinds of event; all but the server's raw ones if left out.</summary>
    [Parameter(Position = 0)]
    public SipEventTypes Type { get; set; } = SipEventTypes.Known;

    /// <summary>Only events of this call.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Id")]
    [ArgumentCompleter(typeof(CallIdCompleter))]
    public string? CallId { get; set; }

    /// <summary>Ends after so many events.</summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int? Count { get; set; }

    /// <summary>Ends after so long; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan? Timeout { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(Server) is not { } connection) return;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(StopToken);
        if (Timeout is { } time) end.CancelAfter(time);
        // A gap is told even to those who did not ask for it.
        using ISipEventSubscription events = connection.Adapter.Subscribe(Type | SipEventTypes.EventsLost);
        int left = Count ?? int.MaxValue;
        try
        {
            while (left > 0 && Next(events, end) is { } item)
            {
                if (item.Type == SipEventTypes.EventsLost)
                {
                    WriteWarning($"{connection.Name}: {item.Message}");
                    if ((Type & SipEventTypes.EventsLost) == 0) continue;
                }
                else if (CallId is not null && item.CallId != CallId && item.Call?.Uri != CallId)
                {
                    continue;
                }

                left--;
                WriteObject(item);
            }
        }
        catch (SipConnectionException e)
        {
            WriteError(Errors.Record(e, connection.Name));
        }
    }

    // Read by the pipeline's own thread: a slow pipeline must fill the subscription's bounded buffer, not a queue without end.
    private SipEvent? Next(ISipEventSubscription events, CancellationTokenSource end)
    {
        if (end.IsCancellationRequested) return null;
        if (events.TryRead(out SipEvent? ready)) return ready;
        return Pump<SipEvent?>(async _ =>
        {
            try
            {
                return await events.ReadAsync(end.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!StopToken.IsCancellationRequested)
            {
                return null; // the time is over: that is how it was asked for
            }
        });
    }
}
