using System.Net;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>A login that may make calls, and neither list them nor ask what they do (read=call, write=originate): what it is not told it does not say.</summary>
public abstract class FewRightsContract : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>The server, with a user that may do everything, and ifbus-orig.</summary>
    protected abstract ContractServer Server { get; }

    [ServerFact]
    public async Task A_call_outlives_a_lost_connection_and_its_end_is_seen()
    {
        using var relay = new Relay(Server.Host, Server.Port);
        var log = new Lines();
        await using ISipAdapter adapter = await ConnectAsync(relay.Port, "ifbus-orig", "orig-secret", log);
        await using ISipAdapter other = await ConnectAsync(Server.Port, Server.User, Server.Secret);
        SipCall call = await CallAsync(adapter, "dial-answer");
        call = await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], null, default).WaitAsync(Limit);
        Assert.Equal((CallState.Connected, 2), (call.State, call.Legs.Count));

        relay.Cut();
        await Until.TrueAsync(() => adapter.Server.State == ConnectionState.Reconnecting);
        relay.Mend();
        await Until.TrueAsync(() => adapter.Server is { State: ConnectionState.Connected, Reconnects: > 0 });
        SipCall after = Assert.Single(adapter.KnownCalls, c => c.CallId == call.CallId);
        Assert.Equal((CallState.Connected, "sipp-answer", call.AnsweredAt), (after.State, after.From, after.AnsweredAt));
        Assert.Single(log.Warnings, w => w.Contains("may not list its calls", StringComparison.Ordinal));

        Task<SipCall> waiting = adapter.WaitForCallAsync(call.CallId, [], null, default);
        await other.HangUpAsync(call.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
        SipCall ended = await waiting.WaitAsync(Limit);
        Assert.Equal((CallState.Terminated, HangupCause.NormalClearing, 16), (ended.State, ended.Cause, ended.CauseCode));
        await adapter.CheckHealthAsync(default).WaitAsync(Limit);
        Assert.DoesNotContain(adapter.KnownCalls, c => c.CallId == call.CallId);
        Assert.Single(adapter.EndedCalls, c => c.CallId == call.CallId);
    }

    [ServerFact]
    public async Task Of_a_destination_that_cannot_be_asked_for_nothing_is_guessed_and_it_is_said_once()
    {
        var log = new Lines();
        await using ISipAdapter adapter = await ConnectAsync(Server.Port, "ifbus-orig", "orig-secret", log);
        await using ISipAdapter other = await ConnectAsync(Server.Port, Server.User, Server.Secret);
        using ISipEventSubscription events = adapter.Subscribe(SipEventTypes.CallStateChanged);
        SipCall prompted = await CallAsync(adapter, "prompt-answer");
        SipCall echoed = await CallAsync(adapter, "echo");

        // Who may ask sees both; who may not sees what is told: the answer of who is dialled.
        await Until.TrueAsync(() => other.FindCall(echoed.CallId)?.State == CallState.Connected);
        await adapter.WaitForCallAsync(prompted.CallId, [CallState.Connected], null, default).WaitAsync(Limit);
        SipEvent connected = await ConnectedAsync(events, [prompted.CallId, echoed.CallId]);
        Assert.Equal((prompted.CallId, "DialEnd"), (connected.CallId, connected.Fields["Event"]));
        Assert.NotEqual(CallState.Connected, adapter.FindCall(echoed.CallId)!.State);
        Assert.Single(log.Warnings, w => w.Contains("class call, reporting or system", StringComparison.Ordinal) && w.Contains("Status", StringComparison.Ordinal));

        foreach (SipCall call in new[] { prompted, echoed }) await other.HangUpAsync(call.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
        Assert.Equal((CallState.Terminated, (DateTime?)null), await EndAsync(adapter, echoed));
    }

    public void Dispose()
    {
        Server.Simulator?.Dispose();
        GC.SuppressFinalize(this);
    }

    private static async Task<(CallState, DateTime?)> EndAsync(ISipAdapter adapter, SipCall call)
    {
        SipCall ended = await adapter.WaitForCallAsync(call.CallId, [], null, default).WaitAsync(Limit);
        return (ended.State, ended.AnsweredAt);
    }

    private static async Task<SipEvent> ConnectedAsync(ISipEventSubscription events, string[] calls)
    {
        using var time = new CancellationTokenSource(Limit);
        while (true)
        {
            SipEvent change = await events.ReadAsync(time.Token);
            if (change.Call!.State == CallState.Connected && calls.Contains(change.CallId)) return change;
        }
    }

    private static Task<SipCall> CallAsync(ISipAdapter adapter, string to) => adapter.MakeCallAsync(new SipCallRequest { From = "sipp-answer", To = to }, default).WaitAsync(Limit);

    private async Task<ISipAdapter> ConnectAsync(int port, string user, string secret, ISipLog? log = null)
    {
        ISipAdapter adapter = new SipAdapterFactory().Create(
            new SipServerConfiguration
            {
                Type = SipServerType.Asterisk,
                Host = Server.Host,
                Port = port,
                Credential = new NetworkCredential(user, secret),
                Context = "ifbus",
                Reconnect = new SipReconnectPolicy { BaseDelay = TimeSpan.FromMilliseconds(50), MaxDelay = TimeSpan.FromMilliseconds(200) },
            },
            log);
        await adapter.ConnectAsync(default).WaitAsync(Limit);
        return adapter;
    }

    private sealed class Lines : ISipLog
    {
        private readonly List<string> _warnings = [];

        public string[] Warnings
        {
            get
            {
                lock (_warnings) return [.. _warnings];
            }
        }

        public bool IsEnabled(SipLogLevel level) => level == SipLogLevel.Warning;

        public void Write(SipLogLevel level, int eventId, string message, Exception? exception)
        {
            lock (_warnings) _warnings.Add(message);
        }
    }
}
