using System.Net;
using IfBus.Sip.Adapters;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>What the server keeps off the wire because the login asks it to.</summary>
public sealed class AsteriskEventMask
{
    [ServerTheory]
    [InlineData("ifbus", "ifbus-secret", false)]
    // Without class system no filter can be set, and class call brings them along.
    [InlineData("ifbus-orig", "orig-secret", true)]
    public async Task Cel_comes_only_to_a_login_without_class_system(string user, string secret, bool comes)
    {
        await using ISipAdapter adapter = new SipAdapterFactory().Create(
            new SipServerConfiguration { Type = SipServerType.Asterisk, Host = LiveServer.Host, Port = LiveServer.Port, Credential = new NetworkCredential(user, secret) }, null);
        await adapter.ConnectAsync(default);
        using ISipEventSubscription events = adapter.Subscribe(SipEventTypes.All);
        SipCall call = await adapter.MakeCallAsync(new SipCallRequest { To = "PJSIP/sipp-busy", Application = "Echo" }, default);
        await adapter.WaitForCallAsync(call.CallId, [CallState.Terminated], TimeSpan.FromSeconds(30), default);
        // What came before its answer has been read.
        await adapter.InvokeCommandAsync(new SipCommandRequest("Ping", []), default);
        var names = new HashSet<string>();
        while (events.TryRead(out SipEvent? item)) names.Add(item!.Name);
        Assert.Contains("Newchannel", names);
        Assert.Equal(comes, names.Contains("CEL"));
        Assert.DoesNotContain("Newexten", names);
    }
}
