using System.Xml.Linq;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>The simulator as scripts use it.</summary>
public sealed class SimulatorTests : IDisposable
{
    private readonly ModuleRunspace _module = new();

    public SimulatorTests() => _module.Run("$global:sim = Start-SipSimulator Asterisk; $sim | Connect-SipServer -Name a -Context ifbus");

    public void Dispose() => _module.Dispose();

    [Fact]
    public void Phones_call_in_and_hang_up()
    {
        string id = _module.Run<string>("$sim.StartIncomingCall('4711', 'ring')");
        SipCall call = _module.Run<SipCall>("param($id) Get-SipCallStatus $id", id);
        Assert.Equal((CallState.Incoming, "4711", "ring"), (call.State, call.From, call.To));
        Assert.Equal(CallState.Connected, _module.Run<SipCall>("param($id) Receive-SipCall $id -PassThru", id).State);
        _module.Run("param($id) $sim.HangUpByPhone($id)", id);
        SipCall ended = _module.Run<SipCall>("param($id) Wait-SipCall $id -Timeout 30", id);
        Assert.Equal((CallState.Terminated, call.Legs[0].Name), (ended.State, ended.Details["HungUpBy"]));
        foreach (string bad in new[] { "$sim.HangUpByPhone('nobody')", "$sim.HangUpByPhone('')", "$sim.StartIncomingCall($null, '1')", "$sim.StartIncomingCall('1', ' ')" })
            Assert.NotEmpty(_module.Try(bad).Errors);
        Assert.Equal(0, _module.Run<int>("$sim.ActiveCalls"));
    }

    [Fact]
    public void A_write_that_waits_goes_when_the_delay_is_taken_away()
    {
        _module.Run("$sim.Faults.Delay = '00:10:00'");
        SipServer server = _module.Run<SipServer>("Get-SipServer");
        using var other = new ModuleRunspace();
        using var asking = System.Management.Automation.PowerShell.Create(other.Runspace);
        asking.AddScript("param($s) Invoke-SipCommand Ping -Server $s -Confirm:$false").AddArgument(server);
        IAsyncResult asked = asking.BeginInvoke();
        Assert.False(asked.AsyncWaitHandle.WaitOne(TimeSpan.FromMilliseconds(300)));
        _module.Run("$sim.Faults.Delay = 0");
        // RequestTimeout is 30 s, the delay was ten minutes.
        Assert.True(asked.AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(20)));
        Assert.True(((SipCommandResult)Assert.Single(asking.EndInvoke(asked)).BaseObject).Success);
    }

    [Theory]
    [InlineData("FOO", "FOO")]
    [InlineData("_FOO", "FOO")]
    [InlineData("__FOO", "FOO")]
    [InlineData("___FOO", "_FOO")]
    public void Underscores_that_have_a_variable_inherited_are_no_part_of_its_name(string set, string name)
    {
        SipCall call = _module.Run<SipCall>("New-SipCall -From 1001 -To 1002 -Wait");
        _module.Run("param($c, $n) $c | Set-SipCallVariable $n value", call, set);
        Assert.Equal("value", _module.Run<string>("param($c, $n) $c | Get-SipCallVariable $n", call, name));
        if (set != name) Assert.Equal("", _module.Run<string>("param($c, $n) $c | Get-SipCallVariable $n", call, set));
    }

    [Fact]
    public void Its_faults_are_shown()
    {
        XDocument views = XDocument.Load(Path.Combine(Path.GetDirectoryName(Repository.StagedModule)!, "IfBus.Sip.Format.ps1xml"));
        XElement view = views.Descendants("View").Single(v => (string?)v.Element("Name") == "SipSimulatorList");
        Assert.Contains("Faults", view.Descendants("PropertyName").Select(p => p.Value));
        Assert.Equal("None", _module.Run<string>("\"$($sim.Faults)\""));
        Assert.Equal("SplitWrites, Delay 0.5 s, Stall, RefuseConnections, Reorder", new SimulatorFaults { SplitWrites = true, Delay = TimeSpan.FromSeconds(0.5), Stall = true, RefuseConnections = true, Reorder = true }.ToString());
    }
}
