using System.Diagnostics;
using System.Management.Automation;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>Ctrl+C: every cmdlet that waits ends within a second and says what still runs on the server.</summary>
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

    [Fact]
    public async Task Watching_events() => await StopAsync("Watch-SipEvent", () => true);

    [Theory]
    [InlineData("-Type Asterisk", "silent")]
    // While it is being found out what it is.
    [InlineData("", "127.0.0.1")]
    public async Task Connecting_to_a_silent_server(string type, string named)
    {
        bool reached = false;
        using var peer = new ScriptedPeer((stream, _, token) =>
        {
            Volatile.Write(ref reached, true);
            return stream.ReadAtLeastAsync(new byte[1], 1, false, token).AsTask();
        });
        await StopAsync($"Connect-SipServer 127.0.0.1 {type} -Port {peer.Port} -Name silent -Credential ([pscredential]::new('u', [Net.NetworkCredential]::new('', 's').SecurePassword))", () => Volatile.Read(ref reached));
        Assert.Contains("There is no connection to " + named, _host.Text, StringComparison.Ordinal);
        Assert.Single(_module.Run("Get-SipServer"));
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
        _module.Run("New-SipCall -From ring -To 1002; New-SipCall -From 1001 -To 1002 -Wait | Stop-SipCall; Invoke-SipCommand Ping; Watch-SipEvent -Timeout 0.05");
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

    private int KnownRinging()
    {
        using var other = new ModuleRunspace();
        other.Run("param($p, $c) Connect-SipServer 127.0.0.1 -Port $p -Credential $c -Name sim", _simulator.Port, Credentials.Of(_simulator.User, _simulator.Secret));
        return other.Run("Get-SipCallStatus -State Ringing").Count;
    }

    private async Task StopAsync(string script, Func<bool> until)
    {
        using var shell = System.Management.Automation.PowerShell.Create(_module.Runspace);
        shell.AddScript(script);
        shell.BeginInvoke();
        long end = Environment.TickCount64 + 20_000;
        while (shell.InvocationStateInfo.State != PSInvocationState.Running || !until()) Assert.True(Environment.TickCount64 < end, "never came so far");
        long begin = Stopwatch.GetTimestamp();
        await Task.Run(shell.Stop).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.InRange(Stopwatch.GetElapsedTime(begin).TotalSeconds, 0, 1);
        Assert.Equal(PSInvocationState.Stopped, shell.InvocationStateInfo.State);
    }
}
