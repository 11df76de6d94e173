using System.Collections;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Contract;

/// <summary>
/// Logins to FreeSWITCH's Event Socket, what they may do, and what is no Event Socket. The server has a directory user
/// ops@127.0.0.1 that may ask for status, version and show, and is sent HEARTBEAT, CHANNEL_CREATE and CHANNEL_HANGUP_COMPLETE.
/// </summary>
public abstract class FreeSwitchConnectionContract : IDisposable
{
    private const string Connect = "param($h, $p, $u, $extra) Connect-SipServer $h -Type FreeSwitch -Port $p -Credential $u -Name contract -ConnectTimeout 3 @extra";
    private const string User = "ops@127.0.0.1";
    private const string Secret = "ops-secret";

    private static readonly Hashtable NoMore = [];

    private readonly ModuleRunspace _module = new();

    /// <summary>The server under test.</summary>
    protected abstract ContractServer Server { get; }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        _module.Dispose();
        Server.Simulator?.Dispose();
    }

    [FreeSwitchTheory]
    [InlineData("freeswitch", "wrong-secret", "event_socket.conf")]
    [InlineData(User, "wrong-secret", "esl-password")]
    [InlineData("nobody@127.0.0.1", "wrong-secret", "esl-password")]
    [InlineData("ops@other.example", "wrong-secret", "esl-password")]
    public void Refused_logins(string user, string secret, string advice)
    {
        var error = _module.Fails("SipAuthenticationFailed", Connect, Server.Host, Server.Port, Credentials.Of(user, secret), NoMore);
        Assert.DoesNotContain(secret, error + error.ErrorDetails?.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains(advice, error.ErrorDetails!.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(_module.Run("Get-SipServer"));
    }

    [FreeSwitchFact]
    public void A_login_that_may_only_look_says_so_cannot_call_and_nothing_is_sent()
    {
        using var relay = new RecordingRelay(Server.Host, Server.Port);
        object[] said = [.. _module.Run(Connect + " -WarningVariable w; $w", Server.Host, relay.Port, Credentials.Of(User, Secret), NoMore).Select(o => o.BaseObject)];
        Assert.Contains("not sent the events", Assert.Single(said.Skip(1)).ToString(), StringComparison.Ordinal);
        SipServer server = _module.Run<SipServer>("Get-SipServer");
        Assert.Equal((ConnectionState.Connected, SipCapabilities.RawCommand | SipCapabilities.ListCalls | SipCapabilities.Registrations | SipCapabilities.Statistics), (server.State, server.Capabilities));
        Assert.NotNull(_module.Run<SipStatistic>("Get-SipStatistic").ActiveCalls);
        _module.Run("Get-SipCallStatus");
        string before = relay.Sent;
        foreach ((string what, string why) in new[]
        {
            ("New-SipCall -From 5 -To 1000", "is not sent CHANNEL_PROGRESS, CHANNEL_PROGRESS_MEDIA, CHANNEL_ANSWER, CHANNEL_BRIDGE, CHANNEL_UNBRIDGE, CHANNEL_EXECUTE, BACKGROUND_JOB"),
            ("New-SipCall -To 5 -Application park", "a directory user needs them in esl-allowed-events"),
            ("Get-SipGateway", "may not use sofia"),
            ("Get-SipConference", "may not use conference"),
        })
        {
            var error = _module.Fails("SipNotSupported", what);
            Assert.Contains(why, error.Exception.Message, StringComparison.Ordinal);
            Assert.Contains(User, error.Exception.Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, relay.Sent);
        Assert.DoesNotContain("originate", before, StringComparison.Ordinal);
    }

    [FreeSwitchFact]
    public void Nobody_listens()
    {
        var error = _module.Fails("SipConnectionFailed", Connect, "127.0.0.1", ClosedPort.Find(), Credentials.Of("a", "b"), NoMore);
        Assert.Contains("nobody listens", error.Exception.Message, StringComparison.Ordinal);
    }

    [FreeSwitchTheory]
    [InlineData("Asterisk Call Manager/9.0.0\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")]
    public void A_port_that_is_no_Event_Socket(string greeting)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task answer = Task.Run(async () =>
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(greeting));
            await client.GetStream().ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false);
        });
        _module.Fails("SipNotFreeSwitch", Connect, "127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, Credentials.Of("a", "b"), NoMore);
        Assert.True(answer.Wait(TimeSpan.FromSeconds(5)));
    }

    [FreeSwitchFact]
    public void Tls_is_refused_before_anything_is_sent()
    {
        var error = _module.Fails("SipConfigurationInvalid", Connect, Server.Host, Server.Port, Credentials.Of(Server.User, Server.Secret), new Hashtable { ["UseTls"] = true });
        Assert.Contains("no TLS", error.Exception.Message, StringComparison.Ordinal);
        Assert.Empty(_module.Run("Get-SipServer"));
    }

    [FreeSwitchFact]
    public void An_application_that_the_server_lacks_ends_the_call_that_gets_to_it()
    {
        // Which is why it is refused, where the server lists what it has; here it is asked for past that.
        _module.Run(Connect, Server.Host, Server.Port, Credentials.Of(Server.User, Server.Secret), NoMore);
        _module.Fails("SipInvalidArgument", "New-SipCall -To null/1 -Application nosuchapp");
        string id = Guid.NewGuid().ToString();
        _module.Run("param($id) Invoke-SipCommand originate -Field ([ordered]@{ a = \"{origination_uuid=$id}null/1\"; b = '&nosuchapp()' }) -Confirm:$false", id);
        SipCall ended = _module.Run<SipCall>("param($id) Wait-SipCall -CallId $id -Timeout 20", id);
        Assert.Equal((CallState.Terminated, "DESTINATION_OUT_OF_ORDER"), (ended.State, ended.CauseText));
    }
}
