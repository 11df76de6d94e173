using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>A server that is restarted with calls up.</summary>
public sealed class AsteriskRestart : ServerContract
{
    protected override ContractServer Server => LiveServer.Contract;

    [ServerFact]
    public void Calls_end_with_a_cause_that_says_so_and_the_connection_comes_back()
    {
        using var other = new ModuleRunspace();
        other.Run("param($h, $p, $u) Connect-SipServer $h -Port $p -Credential $u -Name other -Context ifbus", LiveServer.Host, LiveServer.Port, Credentials.Of(LiveServer.Contract.User, LiveServer.Contract.Secret));
        SipCall sip = Call("-From sipp-answer -To wait");
        SipCall pair = Pair();
        SipCall local = Call("-From Local/echo@ifbus -To wait");
        SipCall ringing = Make<SipCall>("New-SipCall -From sipp-ring -To wait | Wait-SipCall -State Ringing -Timeout 10");
        string foreignId = other.Run<SipCall>("New-SipCall -From sipp-answer -To dial-answer -CallerId 'Ann <1001>' -Wait").CallId;
        SipCall foreign = Now(pair with { CallId = foreignId });
        Assert.All(new[] { sip, pair, local, foreign }, AssertAnswered);
        Assert.Equal(CallState.Ringing, ringing.State);

        // Its own connection is never answered: the server only closes it.
        other.Fails("SipConnectionLost", "Invoke-SipCommand Command -Field @{ Command = 'core restart now' } -Confirm:$false");

        foreach ((SipCall call, string? from, string? to) in new (SipCall, string?, string?)[]
        {
            (sip, "sipp-answer", "wait"), (pair, "sipp-answer", "dial-answer"), (local, "Local/echo@ifbus", "wait"), (foreign, null, null), (ringing, "sipp-ring", "wait"),
        })
        {
            SipCall ended = Module.Run<SipCall>("param($c) $c | Wait-SipCall -Timeout 60", call);
            AssertFinal(ended, ShutDown(ended), from, to, answered: call == ringing ? null : call, ours: call != foreign);
        }

        DateTime end = DateTime.UtcNow.AddSeconds(90);
        SipServer now;
        do
        {
            now = Module.Run<SipServer>("Get-SipServer contract");
            Assert.True(DateTime.UtcNow < end, $"not back: {now.State} {now.LastError}");
        }
        while (now.State != ConnectionState.Connected || now.Reconnects == 0);

        LiveServer.WaitForFarEnds(Module);
        AssertStopped(Call("-From sipp-answer -To echo"), "sipp-answer", "echo");
    }
}
