using System.Net;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>When a call to an extension of Asterisk's dialplan is connected: when who is called answers, whatever is said before.</summary>
public abstract class DestinationContract : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    /// <summary>The server, with a user that may do everything, and ifbus-calls.</summary>
    protected abstract ContractServer Server { get; }

    [ServerTheory]
    [InlineData("prompt-answer", "Dialing Ringing Connected Terminated", "DialEnd", HangupCause.NormalClearing)]
    [InlineData("prompt-busy", "Dialing Ringing Terminated", null, HangupCause.UserBusy)]
    public async Task What_is_said_before_it_is_dialled_connects_nobody(string to, string states, string? by, HangupCause cause)
    {
        await using ISipAdapter adapter = await ConnectAsync("ifbus-calls", "calls-secret");
        using ISipEventSubscription events = adapter.Subscribe(SipEventTypes.CallStateChanged);
        SipCall call = await adapter.MakeCallAsync(new SipCallRequest { From = "sipp-answer", To = to }, default).WaitAsync(Limit);
        call = await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], null, default).WaitAsync(Limit);
        if (call.State == CallState.Connected) call = await adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
        Assert.Equal((CallState.Terminated, cause), (call.State, call.Cause));

        var changes = new List<SipEvent>();
        while (events.TryRead(out SipEvent? change))
        {
            if (change!.CallId == call.CallId) changes.Add(change);
        }

        Assert.Equal(states, string.Join(' ', changes.Select(c => c.Call!.State).Where(s => s != CallState.HangingUp)));
        Assert.Equal(by, changes.Find(c => c.Call!.State == CallState.Connected)?.Fields["Event"]);
        Assert.Equal(by is not null, call.AnsweredAt is not null);
    }

    [ServerTheory]
    [InlineData("play")]
    [InlineData("echo")]
    public async Task An_extension_that_dials_nobody_is_the_destination_itself(string to)
    {
        await using ISipAdapter adapter = await ConnectAsync("ifbus-calls", "calls-secret");
        SipCall call = await adapter.MakeCallAsync(new SipCallRequest { From = "sipp-answer", To = to }, default).WaitAsync(Limit);
        call = await adapter.WaitForCallAsync(call.CallId, [CallState.Connected], null, default).WaitAsync(Limit);
        Assert.Equal(CallState.Connected, call.State);
        await adapter.HangUpAsync(call.CallId, HangupCause.NormalClearing, default).WaitAsync(Limit);
    }

    public void Dispose()
    {
        Server.Simulator?.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task<ISipAdapter> ConnectAsync(string user, string secret)
    {
        ISipAdapter adapter = new SipAdapterFactory().Create(
            new SipServerConfiguration { Type = SipServerType.Asterisk, Host = Server.Host, Port = Server.Port, Credential = new NetworkCredential(user, secret), Context = "ifbus" }, null);
        await adapter.ConnectAsync(default).WaitAsync(Limit);
        return adapter;
    }
}
