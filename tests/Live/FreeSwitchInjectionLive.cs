using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>What callers give stays a value, on a real FreeSWITCH, down to the INVITE that a phone gets.</summary>
public sealed class FreeSwitchInjectionLive : FreeSwitchInjectionContract
{
    protected override ContractServer Server => LiveFreeSwitch.Contract;

    protected override bool ShellRan => File.Exists(Marker) || File.Exists(Marker + ".wav");

    [FreeSwitchTheory]
    [InlineData("it's")]
    [InlineData("a,b=c;d|e")]
    [InlineData("back\\slash\\n \\s end\\")]
    [InlineData("{x} [y] <z> \"q\" ^^:_: % $ & ) (")]
    [InlineData("caf\u00e9 \u6f22 \U0001f600")]
    [InlineData("a\\nX-Evil: 1")]
    public void A_header_arrives_byte_for_byte_and_is_one(string value)
    {
        using FarEnd phone = FarEnd.Open("answer");
        SipCall call = Module.Run<SipCall>(
            "param($p, $v) New-SipCall -To \"sofia/internal/7@127.0.0.1:$p\" -Application log -Variable @{ sip_h_Subject = $v } -CallerId 'Ann, O''Neil <1001>' -Wait", phone.Port, value);
        WaitForEnd(call);
        string invite = phone.Parts(received: true).First(p => p.StartsWith("INVITE ", StringComparison.Ordinal));
        string[] head = invite.Split("\r\n\r\n")[0].ReplaceLineEndings("\n").Split('\n');
        Assert.Equal("Subject: " + value, Assert.Single(head, l => l.StartsWith("Subject:", StringComparison.Ordinal)));
        Assert.DoesNotContain(head, l => l.StartsWith("X-Evil", StringComparison.Ordinal));
        Assert.Contains(head, l => l.StartsWith("From: \"Ann, O'Neil\" <sip:1001@", StringComparison.Ordinal));
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) File.Delete(Marker);
    }
}
