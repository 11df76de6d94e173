using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>A server that is restarted with calls up.</summary>
public sealed class AsteriskRestart
{
    [ServerFact]
    public void Calls_end_with_a_cause_that_says_so_and_the_connection_comes_back()
    {
        using var module = new ModuleRunspace();
        using var other = new ModuleRunspace();
        const string Connect = "param($h, $p, $u) Connect-SipServer $h -Port $p -Credential $u -Name live -Context ifbus";
        object[] server = [LiveServer.Host, LiveServer.Port, Credentials.Of("ifbus", "ifbus-secret")];
        module.Run(Connect, server);
        other.Run(Connect, server);
        SipCall sip = module.Run<SipCall>("New-SipCall -From sipp-answer -To wait -Wait");
        SipCall local = module.Run<SipCall>("New-SipCall -From Local/echo@ifbus -To wait -Wait");
        SipCall ringing = module.Run<SipCall>("New-SipCall -From sipp-ring -To wait | Wait-SipCall -State Ringing -Timeout 10");

        // Its own connection is never answered: the server only closes it.
        other.Fails("SipConnectionLost", "Invoke-SipCommand Command -Field @{ Command = 'core restart now' } -Confirm:$false");

        foreach (SipCall call in new[] { sip, local, ringing })
        {
            SipCall ended = module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 60", call);
            Assert.Equal(CallState.Terminated, ended.State);
            Assert.True(ended.Cause is HangupCause.ServerShutdown or HangupCause.ServerRestarted, $"{ended.Cause}: {ended.CauseText}");
        }

        DateTime end = DateTime.UtcNow.AddSeconds(90);
        SipServer now;
        do
        {
            now = module.Run<SipServer>("Get-SipServer live");
            Assert.True(DateTime.UtcNow < end, $"not back: {now.State} {now.LastError}");
        }
        while (now.State != ConnectionState.Connected || now.Reconnects == 0);

        LiveServer.WaitForFarEnds(module);
        Assert.Equal(CallState.Connected, module.Run<SipCall>("New-SipCall -From sipp-answer -To echo -Wait").State);
        Assert.Equal(HangupCause.NormalClearing, module.Run<SipCall>("Stop-SipCall -All -Force -PassThru").Cause);
    }
}
