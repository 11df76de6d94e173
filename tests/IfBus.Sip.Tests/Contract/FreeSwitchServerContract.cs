using System.Collections;
using System.Globalization;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// What the contracts of FreeSWITCH share: the connection, and which calls are a test's own. Gateways and the numbers
/// behind them mean the same on the simulator and on a real server.
/// </summary>
public abstract class FreeSwitchServerContract : ServerContract
{
    protected override string TwoPhones => "-From 5 -To sofia/gateway/answer/1";

    protected override Verdict Cleared => new(HangupCause.NormalClearing, 16, null, "NORMAL_CLEARING");

    protected override string? AfterConnect => "$script:others = @(Get-SipCallStatus).CallId";

    protected override void Configure(Hashtable settings)
    {
        settings["Type"] = "FreeSwitch";
        settings["EndpointTemplate"] = "sofia/gateway/answer/{0}";
        settings.Remove("Context");
    }

    // A test that fails leaves nothing to the next one.
    protected override void Dispose(bool disposing)
    {
        if (disposing) Module.Try("Get-SipCallStatus | Where-Object CallId -NotIn $script:others | Stop-SipCall");
        base.Dispose(disposing);
    }

    // The calls of this test: others may use the same server.
    protected SipCall[] Ours() => Calls(Module.Run("Get-SipCallStatus | Where-Object CallId -NotIn $script:others"));

    /// <summary>Runs an api command of the server and returns what it said.</summary>
    protected string Api(string name, params string[] arguments)
    {
        SipCommandResult result = Module.Run<SipCommandResult>(
            "param($n, $a) $f = [ordered]@{}; foreach ($x in $a) { $f[\"a$($f.Count)\"] = $x }; Invoke-SipCommand $n -Field $f -Confirm:$false", name, arguments);
        return string.Join('\n', result.Output);
    }

    /// <summary>A call that a phone outside makes, and that waits for an answer.</summary>
    protected SipCall Incoming(string number)
    {
        DateTime end = DateTime.UtcNow.AddSeconds(15);
        while (true)
        {
            if (Array.Find(Ours(), c => c.State == CallState.Incoming && c.To == number) is { } call) return call;
            Assert.True(DateTime.UtcNow < end, string.Create(CultureInfo.InvariantCulture, $"no call to {number} came in"));
        }
    }
}
