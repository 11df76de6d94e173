using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>Lists in what cmdlets give can be indexed in a script: PowerShell does that with arrays and List, and with no list of the compiler's own.</summary>
public sealed class ListsTests : IDisposable
{
    private readonly ModuleRunspace _module = new();

    public void Dispose() => _module.Dispose();

    [Theory]
    [InlineData("(Get-SipConference).Members", typeof(SipConferenceMember))]
    [InlineData("(Get-SipQueue).Members", typeof(SipQueueMember))]
    [InlineData("(Get-SipQueue).Waiting", typeof(SipQueueEntry))]
    [InlineData("(Get-SipGateway)[0].Contacts", typeof(string))]
    [InlineData("(Get-SipCallStatus)[0].Legs", typeof(SipCallLeg))]
    [InlineData("(Invoke-SipCommand CoreShowChannels).Items", typeof(SipFieldCollection))]
    [InlineData("(Invoke-SipCommand CoreShowChannels).Items[0]", typeof(SipField))]
    [InlineData("(Invoke-SipCommand CoreShowChannels).Fields", typeof(SipField))]
    [InlineData("(Invoke-SipCommand Command @{ Command = 'core show uptime' }).Output", typeof(string))]
    [InlineData("(Test-SipServerConfiguration 'a b').Problems", typeof(SipConfigurationProblem))]
    [InlineData("$(try { Connect-SipServer 'a b' } catch { $_.Exception.Problems })", typeof(SipConfigurationProblem))]
    public void An_index_gives_one_item(string list, Type item)
    {
        _module.Run("Start-SipSimulator Asterisk | Connect-SipServer -Name a; New-SipCall -From 1001 -To 1002 -Wait | Join-SipConference sales; New-SipCall -To 1003 -Application Queue -ApplicationData q1 -Wait");
        Assert.IsType(item, _module.Run<object>($"$l = {list}; , $l[0]"));
    }
}
