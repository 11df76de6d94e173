using System.Management.Automation;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>Watch-SipEvent in a runspace of its own, as somebody has it running: the steps of all calls from before they are made.</summary>
internal sealed class CallWatch : IDisposable
{
    private readonly ModuleRunspace _other = new();
    private readonly System.Management.Automation.PowerShell _watcher;
    private readonly PSDataCollection<PSObject> _seen = [];

    /// <summary>Returns once it watches.</summary>
    /// <param name="module">Who is connected.</param>
    /// <param name="marker">Makes a call that ends by itself: it is told when somebody watches.</param>
    public CallWatch(ModuleRunspace module, string marker)
    {
        _watcher = System.Management.Automation.PowerShell.Create(_other.Runspace);
        _watcher.AddScript("param($s) Watch-SipEvent CallStateChanged -Server $s").AddArgument(module.Run<SipServer>("Get-SipServer contract"));
        _watcher.BeginInvoke<PSObject, PSObject>(null, _seen);
        DateTime end = DateTime.UtcNow.AddSeconds(15);
        while (_seen.Count == 0)
        {
            Assert.True(DateTime.UtcNow < end, "the watch does not begin");
            module.Run($"$null = {marker} -Wait | Wait-SipCall -Timeout 10");
        }
    }

    /// <summary>What was told of these calls so far.</summary>
    // By index: its enumerator waits for the watcher's end.
    public List<SipEvent> Events(ICollection<string> calls) => [.. Enumerable.Range(0, _seen.Count).Select(i => (SipEvent)_seen[i].BaseObject).Where(e => calls.Contains(e.CallId!))];

    /// <summary>The states that these calls went through.</summary>
    public List<CallState> States(ICollection<string> calls) => Events(calls).ConvertAll(e => e.Call!.State);

    public void Dispose()
    {
        _watcher.Stop();
        _watcher.Dispose();
        _other.Dispose();
        _seen.Dispose();
    }
}
