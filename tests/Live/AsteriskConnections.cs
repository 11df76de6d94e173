using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>Logins, rights, TLS, and what is not an Asterisk Manager.</summary>
public sealed class AsteriskConnections : IDisposable
{
    private const string Connect = "param($h, $p, $u, $extra) Connect-SipServer $h -Type Asterisk -Port $p -Credential $u -Name live -Context ifbus -ConnectTimeout 3 @extra";

    private static readonly System.Collections.Hashtable NoMore = [];

    private readonly ModuleRunspace _module = new();

    public void Dispose() => _module.Dispose();

    [ServerTheory]
    [InlineData("ifbus", "wrong-secret")]
    [InlineData("nobody", "wrong-secret")]
    [InlineData("ifbus-acl", "acl-secret")]
    public void Refused_logins(string user, string secret)
    {
        var error = _module.Fails("SipAuthenticationFailed", Connect, LiveServer.Host, LiveServer.Port, Credentials.Of(user, secret), NoMore);
        Assert.DoesNotContain(secret, error + error.ErrorDetails?.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("manager.conf", error.ErrorDetails!.RecommendedAction, StringComparison.Ordinal);
    }

    [ServerFact]
    public void User_without_originate_cannot_call_and_nothing_is_sent()
    {
        using var relay = new RecordingRelay(LiveServer.Host, LiveServer.Port);
        _module.Run(Connect, LiveServer.Host, relay.Port, Credentials.Of("ifbus-ro", "ro-secret"), NoMore);
        string before = relay.Sent;
        Assert.Contains("Action: ListCommands", before, StringComparison.Ordinal);
        var error = _module.Fails("SipNotSupported", "New-SipCall -From sipp-answer -To echo");
        Assert.Contains("class originate", error.Exception.Message, StringComparison.Ordinal);
        // What is sent next comes after whatever the call would have sent.
        Assert.Empty(_module.Run("Get-SipCallStatus"));
        string[] since = [.. relay.Sent[before.Length..].Split("\r\n").Where(l => l.StartsWith("Action: ", StringComparison.Ordinal))];
        Assert.Equal(["Action: CoreShowChannels"], since);
    }

    [ServerFact]
    public void Nobody_listens()
    {
        var error = _module.Fails("SipConnectionFailed", Connect, "127.0.0.1", ClosedPort.Find(), Credentials.Of("a", "b"), NoMore);
        Assert.Contains("nobody listens", error.Exception.Message, StringComparison.Ordinal);
    }

    [ServerFact]
    public void A_port_that_is_not_ami()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task answer = Task.Run(async () =>
        {
            using TcpClient client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("Content-Type: auth/request\n\n"));
            await client.GetStream().ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false);
        });
        _module.Fails("SipNotAsterisk", Connect, "127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, Credentials.Of("a", "b"), NoMore);
        Assert.True(answer.Wait(TimeSpan.FromSeconds(5)));
    }

    [ServerFact]
    public void Untrusted_certificate_is_refused_and_can_be_skipped()
    {
        var user = Credentials.Of("ifbus", "ifbus-secret");
        _module.Fails("SipCertificateNotTrusted", Connect, LiveServer.Host, LiveServer.TlsPort, user, new System.Collections.Hashtable { ["UseTls"] = true });
        SipServer server = _module.Run<SipServer>(Connect, LiveServer.Host, LiveServer.TlsPort, user, new System.Collections.Hashtable { ["UseTls"] = true, ["SkipCertificateCheck"] = true });
        Assert.True(server.Tls);
        Assert.Equal(ConnectionState.Connected, server.State);
    }

    [ServerFact]
    public void Tls_to_a_clear_text_port_never_falls_back()
    {
        _module.Fails("SipTlsFailed", Connect, LiveServer.Host, LiveServer.Port, Credentials.Of("ifbus", "ifbus-secret"), new System.Collections.Hashtable { ["UseTls"] = true });
    }

    [ServerFact]
    public async Task Trusted_certificate_is_accepted()
    {
        // Trust is the process's: the authority goes in by the environment of a process of its own.
        string script =
            "$c = [pscredential]::new('ifbus', [System.Net.NetworkCredential]::new('', 'ifbus-secret').SecurePassword); "
            + $"(Connect-SipServer {LiveServer.Host} -Port {LiveServer.TlsPort} -UseTls -Credential $c).State";
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        start.ArgumentList.Add(Repository.Shell);
        start.ArgumentList.Add("-Command");
        start.ArgumentList.Add(script);
        start.Environment["SSL_CERT_FILE"] = LiveServer.Authority;
        using Process process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
        Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.Equal(("Connected", 0), ((await output).Trim(), process.ExitCode));
        Assert.Equal("", await errors);
    }
}

/// <summary>A login that is told no events of calls.</summary>
public sealed class AsteriskUntold : ServerContract
{
    // Asked for now and then: what a call was when it ended was not seen.
    private static readonly Verdict Unseen = new(HangupCause.EndedUnseen, null, null, "ended while we did not see it");

    protected override ContractServer Server => LiveServer.Contract with { User = "ifbus-noread", Secret = "noread-secret" };

    [ServerFact]
    public void It_sees_its_calls_by_asking()
    {
        object[] said = [.. Module.Run("New-SipCall -From sipp-answer -To dial-answer -Wait -WarningVariable w; $w").Select(o => o.BaseObject)];
        var call = (SipCall)said[0];
        AssertAnswered(call);
        Assert.Equal(2, call.Legs.Count);
        Assert.Contains("read= lacks class call", Assert.Single(said.Skip(1)).ToString(), StringComparison.Ordinal);
        AssertFinal(Stop(call), Unseen, "sipp-answer", "dial-answer", answered: call);

        SipCall ringing = Make<SipCall>("New-SipCall -From sipp-answer -To dial-ring | Wait-SipCall -State Ringing -Timeout 20");
        Assert.Equal(CallState.Ringing, ringing.State);
        AssertFinal(Stop(ringing), Unseen, "sipp-answer", "dial-ring");
        SipCall busy = Make<SipCall>("New-SipCall -To PJSIP/sipp-busy -Application Wait -ApplicationData 60 | Wait-SipCall -Timeout 30");
        AssertFinal(busy, Unseen with { Text = "the server told nothing of it, and has no channel of it" }, null, "PJSIP/sipp-busy");
    }
}
