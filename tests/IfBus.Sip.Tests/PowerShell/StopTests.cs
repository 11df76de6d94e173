using System.Diagnostics;
using System.Management.Automation;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>Ctrl+C: every cmdlet that waits ends at once and says what still runs on the server.</summary>
public sealed class StopTests : IDisposable
{
    private readonly CapturingHost _host = new();
    private readonly ModuleRunspace _module;
    private readonly AsteriskSimulator _simulator = AsteriskSimulator.Start();

    public StopTests()
    {
        _module = new ModuleRunspace(_host);
        _module.Run("param($p, $c) Connect-SipServer 127.0.0.1 -Port $p -Credential $c -Name sim", _simulator.Port, Credentials.Of(_simulator.User, _simulator.Secret));
    }

    public void Dispose()
    {
        _module.Dispose();
        _simulator.Dispose();
    }

    [Theory]
    [InlineData("New-SipCall -From ring -To 1002 -Wait", "goes on; Stop-SipCall")]
    [InlineData("New-SipCall -From ring -To 1002 | Wait-SipCall", "goes on; Stop-SipCall")]
    [InlineData("1..3 | ForEach-Object { [pscustomobject]@{ From = 'ring'; To = '1002' } } | New-SipCall -Wait", "3 calls on sim go on")]
    public async Task Waiting_for_calls(string script, string said)
    {
        int calls = script.StartsWith("1..3", StringComparison.Ordinal) ? 3 : 1;
        await StopAsync(script, () => _simulator.ActiveCalls == calls && KnownRinging() == calls);
        Assert.Contains(said, _host.Text, StringComparison.Ordinal);
        Assert.Equal(calls, _simulator.ActiveCalls);
    }

    // It is watched for certain when its first event is there, or when what comes before it in the pipeline goes on.
    [Theory]
    [InlineData("Watch-SipEvent | ForEach-Object { $begun.Set() }", 1, "(ring -> 1002) on sim is Ringing and goes on; Stop-SipCall ")]
    [InlineData("Watch-SipEvent | ForEach-Object { $begun.Set() }", 3, "Stopped. 3 calls on sim go on")]
    [InlineData("& { Get-SipServer; $begun.Set() } | Watch-SipEvent", 1, "(ring -> 1002) on sim is Ringing and goes on; Stop-SipCall ")]
    [InlineData("& { Get-SipServer; $begun.Set() } | Watch-SipEvent", 0, null)]
    public async Task Watching_events(string script, int calls, string? said)
    {
        for (int i = 0; i < calls; i++) _module.Run("New-SipCall -From ring -To 1002");
        await Until.TrueAsync(() => KnownRinging() == calls);
        await StopWhileWatchingAsync(script, "$null = New-SipCall -From busy -To 1002 -Wait");
        if (said is null) Assert.Equal("", _host.Text);
        else Assert.Contains(said, _host.Text, StringComparison.Ordinal);
        Assert.Equal(calls, _simulator.ActiveCalls);
    }

    [Fact]
    public async Task Watching_events_of_a_call()
    {
        _module.Run("New-SipCall -From ring -To 1002");
        SipCall call = _module.Run<SipCall>("New-SipCall -From 1001 -To 1002 -Wait");
        await StopWhileWatchingAsync($"Watch-SipEvent -CallId {call.CallId} | ForEach-Object {{ $begun.Set() }}", $"Send-SipDtmf 1 -CallId {call.CallId}");
        Assert.Equal($"WARNING: Stopped. Call {call.CallId} (1001 -> 1002) on sim is Connected and goes on; Stop-SipCall {call.CallId} ends it.\n", _host.Text);
    }

    [Theory]
    [InlineData("-Type Asterisk", Silence.Greeting, "silent")]
    [InlineData("-Type Asterisk", Silence.Challenge, "silent")]
    [InlineData("-Type Asterisk", Silence.Login, "silent")]
    [InlineData("-Type Asterisk -UseTls", Silence.Tls, "silent")]
    // While it is being found out what it is.
    [InlineData("", Silence.Greeting, "127.0.0.1")]
    public async Task Connecting_to_a_server_that_falls_silent(string type, Silence from, string named)
    {
        bool reached = false;
        using var peer = new ScriptedPeer(async (stream, peer, token) =>
        {
            if (from == Silence.Tls) await stream.ReadExactlyAsync(new byte[1], token);
            if (from is Silence.Challenge or Silence.Login)
            {
                await ScriptedPeer.SayAsync(stream, "Asterisk Call Manager/11.0.0\r\n");
                string challenge = await peer.ReadActionAsync(stream, token);
                Assert.StartsWith("Action: Challenge", challenge, StringComparison.Ordinal);
                if (from == Silence.Login)
                {
                    await ScriptedPeer.SayAsync(stream, $"Response: Success\r\n{challenge.Split("\r\n").Single(l => l.StartsWith("ActionID: ", StringComparison.Ordinal))}\r\nChallenge: 123456789\r\n\r\n");
                    Assert.StartsWith("Action: Login", await peer.ReadActionAsync(stream, token), StringComparison.Ordinal);
                }
            }

            Volatile.Write(ref reached, true);
            // Until the client goes.
            while (await stream.ReadAsync(new byte[4096], token) > 0)
            {
            }
        });
        await StopAsync($"Connect-SipServer 127.0.0.1 {type} -Port {peer.Port} -Name silent -Credential ([pscredential]::new('u', [Net.NetworkCredential]::new('', 's').SecurePassword))", () => Volatile.Read(ref reached));
        Assert.Contains("There is no connection to " + named, _host.Text, StringComparison.Ordinal);
        Assert.Single(_module.Run("Get-SipServer"));
    }

    [Fact]
    public async Task Waiting_for_a_call_on_FreeSwitch()
    {
        using FreeSwitchSimulator server = ConnectFreeSwitch();
        await StopAsync("New-SipCall -From sofia/gateway/ring/1001 -To 1002 -Server fs -Wait", () => KnownRinging(server, "FreeSwitch") == 1);
        Assert.Contains("(sofia/gateway/ring/1001 -> 1002) on fs is Ringing and goes on; Stop-SipCall ", _host.Text, StringComparison.Ordinal);
        Assert.Equal(1, server.ActiveCalls);
    }

    [Fact]
    public async Task Waiting_for_somebody_to_consult_with_on_FreeSwitch()
    {
        using FreeSwitchSimulator server = ConnectFreeSwitch();
        SipCall call = _module.Run<SipCall>("New-SipCall -From sofia/gateway/answer/1001 -To answer1 -Server fs -Wait");
        Assert.Equal((CallState.Connected, 2), (call.State, server.ActiveChannels));
        await StopAsync($"Move-SipCall sofia/gateway/ring/ring -Attended -CallId {call.CallId}", () => server.ActiveChannels == 3);
        Assert.Equal("WARNING: Stopped. Transfer to sofia/gateway/ring/ring was asked for one call and may go on; Get-SipCallStatus shows how it stands.\n", _host.Text);
        Assert.False(_module.Run<SipCall>("Get-SipCallStatus -Server fs").IsEnded);
    }

    // Select-Object -First leaves in the middle of WriteObject; this engine has none of the Utility cmdlets, break does the same.
    [Theory]
    [InlineData("foreach ($once in 1) { $calls | New-SipCall -Wait | ForEach-Object { $_; break } }")]
    [InlineData("try { $calls | New-SipCall -Wait | ForEach-Object { throw 'enough' } } catch { }")]
    public void Downstream_has_enough_or_fails(string script)
    {
        _module.Try("$calls = [pscustomobject]@{ From = '1001'; To = '1002' }, [pscustomobject]@{ From = 'ring'; To = '1002' }; " + script);
        Assert.Contains("(ring -> 1002) on sim is", _host.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("1001", _host.Text, StringComparison.Ordinal);
        Assert.Equal(2, _simulator.ActiveCalls);
    }

    [Fact]
    public async Task A_call_is_told_once_and_not_when_it_was_put_out()
    {
        await StopAsync("New-SipCall -From ring -To 1002 | Wait-SipCall", () => KnownRinging() == 1);
        Assert.Equal(2, _host.Text.Split("goes on").Length);
    }

    [Fact]
    public void Nothing_is_told_when_all_is_done()
    {
        _module.Run("New-SipCall -From ring -To 1002; New-SipCall -From 1001 -To 1002 -Wait | Stop-SipCall; Invoke-SipCommand Ping; Watch-SipEvent -Timeout 0.05; Get-SipServer | Watch-SipEvent -Timeout 0.05; & { Get-SipServer; $null = New-SipCall -From busy -To 1 } | Watch-SipEvent -Count 1");
        Assert.DoesNotContain("Stopped", _host.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Invoke-SipCommand Logoff -ErrorAction Stop")]
    [InlineData("foreach ($once in 1) { Invoke-SipCommand Ping | ForEach-Object { break } }")]
    public void A_command_that_was_refused_or_answered_is_not_told_to_be_on_its_way(string script)
    {
        _module.Try(script);
        Assert.DoesNotContain("was sent", _host.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_first_of_many_ends_the_rest()
    {
        Assert.Single(_module.Run("$n = 0; foreach ($e in (New-SipCall -From 1001 -To 1002)) { Watch-SipEvent -Count 1 }"));
    }

    private FreeSwitchSimulator ConnectFreeSwitch()
    {
        FreeSwitchSimulator server = FreeSwitchSimulator.Start();
        _module.Run("param($p, $c) Connect-SipServer 127.0.0.1 -Type FreeSwitch -Port $p -Credential $c -Name fs", server.Port, Credentials.Of(server.User, server.Secret));
        return server;
    }

    private int KnownRinging() => KnownRinging(_simulator, "Asterisk");

    private static int KnownRinging(ServerSimulator server, string type)
    {
        using ModuleRunspace other = Other(server, type);
        return other.Run("Get-SipCallStatus -State Ringing").Count;
    }

    // Somebody else at the same server.
    private static ModuleRunspace Other(ServerSimulator server, string type)
    {
        var other = new ModuleRunspace();
        other.Run("param($t, $p, $c) Connect-SipServer 127.0.0.1 -Type $t -Port $p -Credential $c -Name sim", type, server.Port, Credentials.Of(server.User, server.Secret));
        return other;
    }

    // The script sets $begun when it watches; until then somebody else makes something happen at the server.
    private async Task StopWhileWatchingAsync(string script, string happens)
    {
        using var begun = new ManualResetEventSlim();
        using ModuleRunspace other = Other(_simulator, "Asterisk");
        await StopAsync(
            "param($begun) " + script,
            () =>
            {
                if (!begun.IsSet) other.Run(happens);
                return begun.IsSet;
            },
            begun);
    }

    private async Task StopAsync(string script, Func<bool> until, params object[] arguments)
    {
        using var shell = System.Management.Automation.PowerShell.Create(_module.Runspace);
        shell.AddScript(script);
        foreach (object argument in arguments) shell.AddArgument(argument);
        shell.BeginInvoke();
        long end = Environment.TickCount64 + 20_000;
        while (shell.InvocationStateInfo.State != PSInvocationState.Running || !until()) Assert.True(Environment.TickCount64 < end, "never came so far");
        long begin = Stopwatch.GetTimestamp();
        await Task.Run(shell.Stop).WaitAsync(TimeSpan.FromSeconds(10));
        // The second of the requirement is held in a process of its own, by tests/Pester/CtrlC.Tests.ps1. Here other tests take
        // the threads meanwhile, so it is two: the shortest time that a cmdlet waits for by itself is three, of the search.
        Assert.InRange(Stopwatch.GetElapsedTime(begin).TotalSeconds, 0, 2);
        Assert.Equal(PSInvocationState.Stopped, shell.InvocationStateInfo.State);
    }

    /// <summary>From where on a server says nothing more.</summary>
    public enum Silence
    {
        Tls,
        Greeting,
        Challenge,
        Login,
    }
}
