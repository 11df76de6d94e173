using System.Globalization;
using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>
/// What -Verbose tells: what becomes of the calls that a cmdlet works on, one line a step, as the server's events say.
/// Only made when it is asked for.
/// </summary>
internal sealed class CallStory : IDisposable
{
    // A call has events before the cmdlet knows its id; of calls of others so many are kept and no more.
    private const int MostEarly = 1000;
    private readonly Dictionary<ServerStore.Connection, ISipEventSubscription> _subscriptions = [];
    private readonly HashSet<string> _followed = new(StringComparer.Ordinal);
    private readonly Queue<SipEvent> _early = new();

    /// <summary>Listens to a connection. Before the work is asked for, so that nothing is missed.</summary>
    public void Listen(ServerStore.Connection connection)
    {
        if (!_subscriptions.ContainsKey(connection)) _subscriptions.Add(connection, connection.Adapter.Subscribe(SipEventTypes.CallStateChanged));
    }

    /// <summary>Tells of a call from now on, and what has become of it already.</summary>
    public void Follow(SipCmdlet cmdlet, string callId)
    {
        if (!_followed.Add(callId)) return;
        WriteTo(cmdlet);
        foreach (SipEvent item in _early)
        {
            if (item.CallId == callId) cmdlet.WriteVerbose(Line(item));
        }
    }

    /// <summary>Tells what has happened. On the pipeline's thread.</summary>
    public void WriteTo(SipCmdlet cmdlet)
    {
        foreach (ISipEventSubscription subscription in _subscriptions.Values)
        {
            while (subscription.TryRead(out SipEvent? item))
            {
                if (item?.CallId is not { } id) continue;
                if (_followed.Contains(id))
                {
                    cmdlet.WriteVerbose(Line(item));
                    continue;
                }

                _early.Enqueue(item);
                if (_early.Count > MostEarly) _early.Dequeue();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ISipEventSubscription subscription in _subscriptions.Values) subscription.Dispose();
        _subscriptions.Clear();
    }

    private static string Line(SipEvent item)
    {
        SipCall call = item.Call!;
        return $"{call.Server}: call {SipCmdlet.Describe(call)} {Step(item.PreviousState, call)}";
    }

    private static string Step(CallState? before, SipCall call) => call.State switch
    {
        CallState.Dialing => "is being dialled.",
        CallState.Ringing => "rings.",
        CallState.Incoming => "comes in.",
        CallState.Connected when before == CallState.OnHold => "is off hold and connected.",
        CallState.Connected when before == CallState.Transferring => "is connected again.",
        CallState.Connected => $"was answered{After(call.AnsweredAt - call.CreatedAt)}.",
        CallState.OnHold => "is on hold.",
        CallState.Transferring => "is being transferred.",
        CallState.HangingUp => "is told to end.",
        CallState.Terminated => $"has ended{After(call.Duration)}: {Why(call)}.",
        _ => $"is {call.State}.",
    };

    private static string After(TimeSpan? time) => time is { } t ? string.Create(CultureInfo.InvariantCulture, $" after {t.TotalSeconds:0.0} s") : "";

    private static string Why(SipCall call)
    {
        var parts = new List<string> { call.Cause?.ToString() ?? "no cause was told" };
        if (call.CauseCode is { } code) parts.Add(code.ToString(CultureInfo.InvariantCulture));
        if (call.SipStatus is { } status) parts.Add("SIP " + status.ToString(CultureInfo.InvariantCulture));
        if (!string.IsNullOrEmpty(call.CauseText)) parts.Add("'" + SipText.Printable(call.CauseText) + "'");
        return string.Join(", ", parts);
    }
}
