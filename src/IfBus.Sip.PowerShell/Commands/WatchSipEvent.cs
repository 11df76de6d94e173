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
        ServerStore.Connection connection = Choose(Server);
        using ISipEventSubscription events = connection.Adapter.Subscribe(Type | SipEventTypes.EventsLost);
        int left = Count ?? int.MaxValue;
        PumpTask(async token =>
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
            if (Timeout is { } time) limit.CancelAfter(time);
            try
            {
                while (left > 0)
                {
                    SipEvent item = await events.ReadAsync(limit.Token).ConfigureAwait(false);
                    if (item.Type == SipEventTypes.EventsLost) Post(() => WriteWarning($"{connection.Name}: {item.Message}"));
                    if (CallId is not null && item.CallId != CallId && item.Call?.Uri != CallId) continue;
                    left--;
                    PostObject(item);
                }
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                // The time is over: that is how it was asked for.
            }
            catch (SipConnectionException e)
            {
                PostError(e, connection.Name);
            }
        });
    }
}
