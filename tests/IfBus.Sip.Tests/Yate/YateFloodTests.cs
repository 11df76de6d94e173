using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Yate;

/// <summary>
/// An engine that says much more than somebody reads. It must never be made to wait (a client that does not read stops
/// the whole engine: wire/yate, messages), so what a slow subscriber cannot take is dropped, counted and told.
/// </summary>
public sealed class YateFloodTests
{
    private const int Calls = 17_000;
    // The last ones stay up.
    private const int Up = 100;
    private const int MessagesPerCall = 12;
    private const int MessagesOfLive = 7;
    // IncomingCall, Connected, Terminated.
    private const int Derived = 3;
    private const int Messages = ((Calls - Up) * MessagesPerCall) + (Up * MessagesOfLive);
    private const int Buffer = 1000;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task The_server_is_never_held_up_and_every_loss_is_told()
    {
        using var begun = new ManualResetEventSlim();
        using var peer = new YatePeer((line, usual) =>
        {
            if (usual is not null) return usual;
            if (line.Contains("ifbus.flood", StringComparison.Ordinal)) begun.Set();
            return $"%%<message:{YatePeer.IdOf(line)}:true:x:pong\n";
        });
        await using ISipAdapter adapter = new SipAdapterFactory().Create(Configuration(peer.Port), null);
        await adapter.ConnectAsync(default).WaitAsync(Limit);
        using ISipEventSubscription slow = adapter.Subscribe(SipEventTypes.All);
        using ISipEventSubscription ended = adapter.Subscribe(SipEventTypes.CallStateChanged);
        await adapter.InvokeCommandAsync(new SipCommandRequest("ifbus.flood", []), default).WaitAsync(Limit);
        Assert.True(begun.IsSet);

        Task flood = FloodAsync(peer);
        // In the middle of it the connection is of use: requests find their way in and their answers out.
        int asked = 0;
        do
        {
            SipCommandResult answer = await adapter.InvokeCommandAsync(new SipCommandRequest("ifbus.ping", []), default).WaitAsync(Limit);
            Assert.Equal(["pong"], answer.Output);
            asked++;
        }
        while (!flood.IsCompleted);
        // Every write of the server came through although one subscriber read nothing at all.
        await flood.WaitAsync(Limit);
        Assert.True(asked > 1);
        await adapter.InvokeCommandAsync(new SipCommandRequest("ifbus.ping", []), default).WaitAsync(Limit);

        const long Published = Messages + (Calls * Derived) - Up;
        Assert.True(slow.TryRead(out SipEvent? gap));
        Assert.Equal((SipEventTypes.EventsLost, Published - Buffer), (gap!.Type, gap.LostCount));
        int left = 0;
        while (slow.TryRead(out SipEvent? item))
        {
            Assert.NotEqual(SipEventTypes.EventsLost, item!.Type);
            left++;
        }

        Assert.Equal(Buffer, left);
        // Dropped for those who look, not for the call table.
        Assert.Equal(Up, adapter.Server.ActiveCalls);
        Assert.Equal(CallState.Connected, adapter.FindCall(Bill(Calls - 1))!.State);
        Assert.Equal((CallState.Terminated, HangupCause.NormalClearing), (adapter.FindCall(Bill(0))!.State, adapter.FindCall(Bill(0))!.Cause));
        Assert.Equal(Calls - Up, adapter.EndedCalls.Count(c => c is { State: CallState.Terminated, Cause: HangupCause.NormalClearing, AnsweredAt: not null }));
    }

    [Fact]
    public async Task Watch_SipEvent_in_a_pipeline_that_stands_still_tells_what_it_missed()
    {
        using var module = new ModuleRunspace();
        using var standing = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        using var peer = new YatePeer((_, usual) => usual ?? "");
        module.Run("param($p, $b) Connect-SipServer -Configuration @{ Type = 'Yate'; Host = '127.0.0.1'; Port = $p; Name = 'y'; EventBuffer = $b; KeepAlive = 600; HistorySize = 20000 }", peer.Port, Buffer);
        Task<Collection<PSObject>> watched = Task.Run(() => module.Run(
            "param($standing, $go, $n) Watch-SipEvent -Type All -Count $n -Timeout 120 -WarningAction SilentlyContinue | ForEach-Object { if (-not $standing.IsSet) { $standing.Set(); $null = $go.Wait(120000) }; $_ }",
            standing, go, Buffer + 2));
        // Its first event: then it stands.
        int digits = 0;
        for (DateTime end = DateTime.UtcNow + Limit; !standing.IsSet; digits++)
        {
            Assert.True(DateTime.UtcNow < end, "nothing was watched");
            await peer.WriteAsync(Encoding.ASCII.GetBytes("%%<message::true:chan.dtmf::id=sip/1:text=1\n"));
            await Task.Delay(50);
        }

        await FloodAsync(peer).WaitAsync(Limit);
        // All of it has been taken off the wire when what was asked after it is answered.
        await peer.WriteAsync(Encoding.ASCII.GetBytes("%%>message:0x1.1:0:call.route::\n"));
        for (DateTime end = DateTime.UtcNow + Limit; !peer.Lines.Any(l => l.StartsWith("%%<message:0x1.1:", StringComparison.Ordinal)); await Task.Delay(20)) Assert.True(DateTime.UtcNow < end, "not all of it was read");
        go.Set();
        SipEvent[] events = [.. (await watched.WaitAsync(Limit)).Select(o => (SipEvent)o.BaseObject)];
        Assert.Equal([SipEventTypes.CallDtmf, SipEventTypes.EventsLost], events.Take(2).Select(e => e.Type));
        // Digits that were said before it watched are nobody's; those after its first were lost with the rest.
        const long Published = Messages + (Calls * Derived) - Up;
        Assert.InRange(events[1].LostCount, Published - Buffer, Published - Buffer + digits - 1);
        Assert.DoesNotContain(events.Skip(2), e => e.Type == SipEventTypes.EventsLost);
        Assert.Equal(Up, module.Run<SipServer>("Get-SipServer y").ActiveCalls);
    }

    private static SipServerConfiguration Configuration(int port) => new()
    {
        Type = SipServerType.Yate,
        Host = "127.0.0.1",
        Port = port,
        KeepAlive = TimeSpan.FromMinutes(10),
        RequestTimeout = Limit,
        EventBuffer = Buffer,
        HistorySize = 20_000,
    };

    private static string Bill(int call) => string.Create(CultureInfo.InvariantCulture, $"1795385604-{call}");

    // As fast as it is taken, in pieces between which an answer can go.
    private static async Task FloodAsync(YatePeer peer)
    {
        var text = new StringBuilder();
        for (int i = 0; i < Calls; i++)
        {
            string a = string.Create(CultureInfo.InvariantCulture, $"sip/{2 * i}"), b = string.Create(CultureInfo.InvariantCulture, $"sip/{(2 * i) + 1}"), bill = Bill(i);
            void Say(string name, string fields) => text.Append("%%<message::false:").Append(name).Append("::").Append(fields).Append(":handlers=pbxassist%z15,cdrbuild%z50\n");
            Say("chan.startup", $"id={a}:module=sip:status=incoming:address=127.0.0.1%z5795:billid={bill}:answered=false:direction=incoming:caller=1001:called=1002");
            Say("chan.startup", $"id={b}:module=sip:status=outgoing:address=127.0.0.1%z5790:targetid={a}:billid={bill}:answered=false:direction=outgoing:caller=1001:called=1002");
            Say("chan.connected", $"id={a}:module=sip:status=routed:billid={bill}:peerid={b}:answered=false:direction=incoming");
            Say("chan.connected", $"id={b}:module=sip:status=outgoing:targetid={a}:billid={bill}:peerid={a}:answered=false:direction=outgoing");
            Say("call.ringing", $"id={b}:module=sip:status=ringing:targetid={a}:billid={bill}:peerid={a}:answered=false:direction=outgoing");
            Say("call.answered", $"id={b}:module=sip:status=answered:targetid={a}:billid={bill}:peerid={a}:answered=true:direction=outgoing:formats=mulaw");
            Say("call.cdr", $"time={1795385604 + i}.123:chan={a}:operation=update:billid={bill}:status=answered");
            if (i < Calls - Up)
            {
                Say("chan.disconnected", $"id={a}:module=sip:status=answered:billid={bill}:lastpeerid={b}:answered=true:direction=incoming");
                Say("chan.hangup", $"id={b}:module=sip:status=answered:billid={bill}:lastpeerid={a}:answered=true:direction=outgoing");
                Say("chan.hangup", $"id={a}:module=sip:status=answered:billid={bill}:lastpeerid={b}:answered=true:direction=incoming");
                Say("call.cdr", $"time={1795385604 + i}.123:chan={a}:operation=finalize:billid={bill}:duration=1.000:billtime=1.000:direction=incoming:status=answered");
                Say("call.cdr", $"time={1795385604 + i}.124:chan={b}:operation=finalize:billid={bill}:duration=1.000:billtime=1.000:direction=outgoing:status=answered");
            }

            if (text.Length < 64 * 1024 && i < Calls - 1) continue;
            await peer.WriteAsync(Encoding.ASCII.GetBytes(text.ToString()));
            text.Clear();
        }
    }
}
