using System.Collections;
using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What a user of Yate is promised when the server goes away, is called, or says more than anybody reads, and what phones
/// do by themselves. One suite, the same verdicts, on the simulator and on a real server.
/// </summary>
public abstract class YateTroubleContract : YateServerContract
{
    /// <summary>An endpoint that answers, and whose phone can hold by itself (re-INVITE, sendonly) and take the call back.</summary>
    protected abstract string HoldingPhone { get; }

    /// <summary>A phone calls the server.</summary>
    protected abstract ICaller CallIn(string number);

    /// <summary>The phone of a call's last leg holds, or takes back.</summary>
    protected abstract void Hold(SipCall call, bool hold);

    /// <summary>Stops the server orderly (SIGTERM) and starts it again.</summary>
    protected abstract void Restart();

    /// <summary>Ends the server's process without a word, and starts it again.</summary>
    protected abstract void Kill();

    [YateRestartFact]
    public void A_restart_ends_all_calls_with_its_cause() => AssertGone(Restart, HangupCause.ServerShutdown);

    [YateRestartFact]
    public void A_killed_server_ends_all_calls_once_it_is_back() => AssertGone(Kill, HangupCause.ServerRestarted);

    [YateFact]
    public void A_call_that_comes_in_is_answered_moved_and_ended()
    {
        Park("6001");
        using ICaller caller = CallIn("6001");
        SipCall call = Incoming("6001");
        Assert.Equal((CallDirection.Inbound, (DateTime?)null), (call.Direction, call.AnsweredAt));
        Fails(call, "SipCallNotConnected", "Suspend-SipCall");
        SipCall answered = Change(call, "Receive-SipCall");
        AssertAnswered(answered);
        Fails(call, "SipCallNotIncoming", "Receive-SipCall");
        SipCall moved = Change(answered, "Move-SipCall -To 4001");
        Assert.Equal((CallState.Connected, answered.AnsweredAt, "4001"), (moved.State, moved.AnsweredAt, moved.To));
        AssertTalking(Until(moved, c => Up(c) == 2));
        AssertOver(Stop(moved), HangupCause.NormalClearing, answered: true);
        if (caller.WaitForEnd() is { } status) Assert.Equal(200, status);
    }

    [YateTheory]
    [InlineData("UserBusy", 486)]
    [InlineData("CallRejected", 403)]
    public void A_call_that_comes_in_is_refused_with_the_cause_that_was_asked_for(string cause, int status)
    {
        Park("6002");
        using ICaller caller = CallIn("6002");
        SipCall call = Incoming("6002");
        AssertOver(Change(call, $"Deny-SipCall -Cause {cause}"), Enum.Parse<HangupCause>(cause), answered: false);
        if (caller.WaitForEnd() is { } seen) Assert.Equal(status, seen);
    }

    [YateFact]
    public void A_call_that_comes_in_is_refused_by_a_route()
    {
        Module.Run("Register-SipRoute refuses -Number '6003' { @{ Refuse = 'UserBusy' } }");
        using ICaller caller = CallIn("6003");
        if (caller.WaitForEnd() is { } seen) Assert.Equal(486, seen);
        DateTime end = DateTime.UtcNow.AddSeconds(15);
        while (Module.Run<SipRoute>("Get-SipRoute refuses").Refused == 0) Assert.True(DateTime.UtcNow < end, "the route was not asked");
        Assert.Equal((1, 1), Counted("refuses"));

        (int, int) Counted(string name)
        {
            SipRoute route = Module.Run<SipRoute>($"Get-SipRoute {name}");
            return ((int)route.Asked, (int)route.Refused);
        }
    }

    [YateFact]
    public void A_phone_that_holds_by_itself_shows_and_only_it_can_resume()
    {
        SipCall call = Call($"-From 4001 -To {HoldingPhone}");
        AssertAnswered(call);
        Hold(call, hold: true);
        SipCall held = Module.Run<SipCall>("param($c) $c | Wait-SipCall -State OnHold -Timeout 15", call);
        Assert.Equal((CallState.OnHold, call.AnsweredAt, 2), (held.State, held.AnsweredAt, Up(held)));
        Fails(call, "SipCallHeldByPhone", "Resume-SipCall");
        Fails(call, "SipCallOnHold", "Suspend-SipCall");
        Hold(call, hold: false);
        SipCall back = Module.Run<SipCall>("param($c) $c | Wait-SipCall -State Connected -Timeout 15", call);
        Assert.Equal((CallState.Connected, call.AnsweredAt), (back.State, back.AnsweredAt));
        AssertTalking(back);
        AssertEnded(Stop(back), HangupCause.NormalClearing, null, null, answered: true);
    }

    [YateFact]
    public void Nobody_at_the_port()
    {
        using var closed = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        closed.Start();
        int port = ((System.Net.IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        ErrorRecord error = Module.Fails("SipConnectionFailed", "param($p) Connect-SipServer 127.0.0.1 -Type Yate -Port $p -Name nobody", port);
        Assert.Contains($"127.0.0.1:{port}", error.Exception.Message, StringComparison.Ordinal);
        Assert.Empty(Module.Run("Get-SipServer nobody*"));
    }

    [YateFact]
    public void A_server_that_says_more_than_a_slow_script_reads_is_not_held_up()
    {
        const int Count = 100_000;
        const int Buffer = 1000;
        Module.Run("param($h, $p, $b) Connect-SipServer -Configuration @{ Type = 'Yate'; Host = $h; Port = $p; Name = 'slow'; EventBuffer = $b }; Set-SipServer -Default contract", Server.Host, Server.Port, Buffer);
        using var standing = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        using var watcher = System.Management.Automation.PowerShell.Create(Module.Runspace);
        // It reads on when all of the flood has been read from the server: the answer that it asks for comes behind it.
        watcher.AddScript("param($standing, $go, $n) Watch-SipEvent -Server slow -Type CallDtmf, EventsLost -Count $n -Timeout 120 -WarningAction SilentlyContinue | ForEach-Object { if (-not $standing.IsSet) { $standing.Set(); $null = $go.Wait(120000); $null = Invoke-SipCommand engine.status -Server slow -Field @{ module = 'engine' } }; $_ }");
        watcher.AddArgument(standing).AddArgument(go).AddArgument(Buffer + 2);
        IAsyncResult watching = watcher.BeginInvoke();
        using var other = new RawFlood(Server.Host, Server.Port);
        SpinWait.SpinUntil(
            () =>
            {
                other.Say(1);
                return standing.Wait(100);
            },
            TimeSpan.FromSeconds(30));
        Assert.True(standing.IsSet, "nothing was watched");
        double rate = other.SayAndAwait(Count);
        // The server has taken and told all of them, and answers others at once, while that script stands still.
        Assert.True(other.Asks() < TimeSpan.FromSeconds(10), "the server does not answer");
        go.Set();
        PSDataCollection<PSObject> events = watcher.EndInvoke(watching);
        SipEvent[] seen = [.. events.Select(e => (SipEvent)e.BaseObject)];
        SipEvent lost = Assert.Single(seen, e => e.Type == SipEventTypes.EventsLost);
        Assert.Equal(1, Array.IndexOf(seen, lost));
        // What was said before it stood is not known exactly; of the flood not one is unaccounted for.
        Assert.InRange(lost.LostCount, Count - Buffer, Count - Buffer + other.Before);
        Console.WriteLine($"{Count} messages at {rate:N0} a second were told to us while a script read none of them; {lost.LostCount} lost to it, all counted");
        AssertEnded(Stop(PairOf()), HangupCause.NormalClearing, null, null, answered: true);
    }

    protected override void Configure(Hashtable settings)
    {
        base.Configure(settings);
        settings["ReconnectDelay"] = 0.1;
        settings["ReconnectMaxDelay"] = 0.3;
    }

    // Of a call of others, whose id is the server's.
    private static void AssertOver(SipCall call, HangupCause cause, bool answered)
    {
        Assert.Equal((CallState.Terminated, cause), (call.State, call.Cause));
        Assert.NotNull(call.EndedAt);
        Assert.Equal(answered, call.AnsweredAt is not null);
    }

    // A silent leg that rings is where a call waits for us.
    private void Park(string number) => Module.Run($"Register-SipRoute park -Number '{number}' {{ @{{ Target = 'dumb/wait'; Parameters = @{{ autoring = 'yes' }} }} }}");

    private SipCall Incoming(string number)
    {
        DateTime end = DateTime.UtcNow.AddSeconds(15);
        while (true)
        {
            // It rings there: before, nothing waits for an answer.
            if (Array.Find(Ours(), c => c.State is CallState.Incoming or CallState.Ringing && c.To == number && c.Legs.Count > 1) is { } call) return call;
            Assert.True(DateTime.UtcNow < end, $"no call to {number} came in");
        }
    }

    private void AssertGone(Action away, HangupCause cause)
    {
        SipServer before = Module.Run<SipServer>("Get-SipServer contract");
        Module.Run("Register-SipRoute stays -Number '6009' { 'tone/dial' }");
        SipCall talking = PairOf();
        SipRecording recording = Module.Run<SipRecording>("param($c) $c | Start-SipRecording -Path 'rec/{0}.au'", talking);
        SipCall held = Change(PairOf(), "Suspend-SipCall");
        SipCall room = Change(PairOf(), "Join-SipConference trouble");
        SipCall consulting = Change(PairOf(), "Move-SipCall -To 4003 -Attended");
        SipCall ringing = Module.Run<SipCall>("New-SipCall -From 4101 -To 4002 | Wait-SipCall -State Ringing -Timeout 10");
        SipCall[] calls = [talking, held, room, consulting, ringing];
        Assert.Equal([CallState.Connected, CallState.OnHold, CallState.Connected, CallState.Transferring, CallState.Ringing], calls.Select(c => c.State));
        away();
        foreach (SipCall call in calls)
        {
            SipCall ended = Module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 60", call);
            Assert.Equal((CallState.Terminated, cause, call.AnsweredAt), (ended.State, ended.Cause, ended.AnsweredAt));
            Assert.NotNull(ended.EndedAt);
            Assert.All(ended.Legs, l => Assert.Equal("Hungup", l.State));
            if (call == talking) Assert.StartsWith("Stopped", ended.Details["Recording:" + recording.RecordingId], StringComparison.Ordinal);
        }

        DateTime end = DateTime.UtcNow.AddSeconds(90);
        SipServer now = Module.Run<SipServer>("Get-SipServer contract");
        for (; now is not { State: ConnectionState.Connected, Reconnects: > 0 }; now = Module.Run<SipServer>("Get-SipServer contract")) Assert.True(DateTime.UtcNow < end, $"not back: {now.State}, {now.LastError}");
        Assert.NotEqual(before.StartedAt, now.StartedAt);
        Assert.Empty(Calls(Module.Run("Get-SipCallStatus")));
        Fails(held, "SipCallEnded", "Resume-SipCall");
        Fails(consulting, "SipCallEnded", "Move-SipCall -Complete");
        Fails(talking, "SipCallEnded", "Stop-SipCall");
        SipCall[] history = Calls(Module.Run("Get-SipCallHistory"));
        Assert.All(calls, c => Assert.Single(history, h => h.CallId == c.CallId));
        // The route is asked again, and calls are made as before.
        for (; !Module.Run<SipRoute>("Get-SipRoute stays").Active; Thread.Sleep(50)) Assert.True(DateTime.UtcNow < end, "the route is not back");
        AssertAnswered(Call("-To 6009 -Application dumb"));
        SipCall again = Change(PairOf(), "Suspend-SipCall");
        AssertTalking(Change(again, "Resume-SipCall"));
        AssertEnded(Stop(again), HangupCause.NormalClearing, null, null, answered: true);
    }
}
