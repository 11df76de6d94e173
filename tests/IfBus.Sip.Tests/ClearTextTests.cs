using System.Net;
using IfBus.Sip.Adapters;

namespace IfBus.Sip.Tests;

/// <summary>There is a warning when a secret crosses a network in clear text or as MD5, before it does.</summary>
public sealed class ClearTextTests
{
    // An address that is not of this machine by its name, and at which nobody answers: 0.0.0.0 is no loopback address.
    private const string Elsewhere = "0.0.0.0";

    [Theory]
    [InlineData(SipServerType.Asterisk, Elsewhere, false, "The secret for x crosses the network in clear text or as MD5: 0.0.0.0 is not this machine and TLS is off.")]
    [InlineData(SipServerType.Asterisk, Elsewhere, true, null)]
    [InlineData(SipServerType.Asterisk, "127.0.0.1", false, null)]
    [InlineData(SipServerType.Asterisk, "localhost", false, null)]
    [InlineData(SipServerType.FreeSwitch, Elsewhere, false, "The secret for x crosses the network in clear text or as MD5: 0.0.0.0 is not this machine and TLS is off.")]
    [InlineData(SipServerType.FreeSwitch, "127.0.0.1", false, null)]
    [InlineData(SipServerType.Kamailio, Elsewhere, false, "The secret for x crosses the network in clear text or as MD5: 0.0.0.0 is not this machine and TLS is off.")]
    [InlineData(SipServerType.Kamailio, Elsewhere, true, null)]
    [InlineData(SipServerType.OpenSips, Elsewhere, false, "The secret for x crosses the network in clear text or as MD5: 0.0.0.0 is not this machine and TLS is off.")]
    [InlineData(SipServerType.OpenSips, "127.0.0.1", false, null)]
    [InlineData(SipServerType.Flexisip, Elsewhere, false, "The secret for x crosses the network in clear text or as MD5: 0.0.0.0 is not this machine and TLS is off.")]
    [InlineData(SipServerType.Flexisip, Elsewhere, true, null)]
    [InlineData(SipServerType.Yate, Elsewhere, false, "x has no password and no TLS: whoever reaches 0.0.0.0:1 controls it. Keep the port on its own machine, or behind a tunnel or firewall.")]
    [InlineData(SipServerType.Yate, "127.0.0.1", false, null)]
    public async Task It_is_said_before_anything_is_sent(SipServerType type, string host, bool tls, string? warning)
    {
        var log = new Warnings();
        var configuration = new SipServerConfiguration { Type = type, Name = "x", Host = host, Port = 1, UseTls = tls, ConnectTimeout = TimeSpan.FromSeconds(5) };
        if (type == SipServerType.Flexisip) configuration.ApiKey = "key";
        else if (type != SipServerType.Yate) configuration.Credential = new NetworkCredential("u", "s");
        await using ISipAdapter adapter = new SipAdapterFactory().Create(configuration, log);
        await Assert.ThrowsAnyAsync<SipException>(() => adapter.ConnectAsync(default));
        Assert.Equal(warning is null ? [] : [warning], log.Said);
    }

    private sealed class Warnings : ISipLog
    {
        public List<string> Said { get; } = [];

        public bool IsEnabled(SipLogLevel level) => level >= SipLogLevel.Warning;

        public void Write(SipLogLevel level, int eventId, string message, Exception? exception)
        {
            if (level < SipLogLevel.Warning) return;
            lock (Said) Said.Add(message);
        }
    }
}
