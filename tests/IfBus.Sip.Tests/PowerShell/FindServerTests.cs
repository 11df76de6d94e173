using System.Management.Automation;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>Find-SipServer, and Connect-SipServer without -Type.</summary>
public sealed class FindServerTests : IDisposable
{
    private readonly ModuleRunspace _module = new();

    public void Dispose() => _module.Dispose();

    [Fact]
    public void All_six_are_recognised()
    {
        SipServerType[] kinds = Enum.GetValues<SipServerType>();
        int[] ports = [.. kinds.Select(k => _module.Run<int>("param($t) (Start-SipSimulator $t).Port", k))];
        SipServerFinding[] found = Findings("param($p) Find-SipServer 127.0.0.1 -Port $p -Timeout 20", ports);
        Assert.Equal(kinds.Zip(ports, (k, p) => ((SipServerType?)k, p, true)), found.Select(f => (f.Type, f.Port, f.IsUsable)));
        Assert.All(found, f => Assert.NotEmpty(f.Evidence));
    }

    [Theory]
    [InlineData(SipServerType.Asterisk)]
    [InlineData(SipServerType.FreeSwitch)]
    [InlineData(SipServerType.Yate)]
    [InlineData(SipServerType.Kamailio)]
    [InlineData(SipServerType.OpenSips)]
    public void A_kind_that_is_left_out_is_found_out(SipServerType type)
    {
        SipServer server = _module.Run<SipServer>(
            "param($t) $s = Start-SipSimulator $t; $c = @{}; if ($s.Credential) { $c.Credential = $s.Credential }; Connect-SipServer 127.0.0.1 -Port $s.Port -Name x @c", type);
        Assert.Equal((type, ConnectionState.Connected), (server.Type, server.State));
    }

    [Fact]
    public void What_was_found_can_be_piped_on()
    {
        SipServer server = _module.Run<SipServer>("$s = Start-SipSimulator OpenSips; Find-SipServer 127.0.0.1 -Port $s.Port -Timeout 20 | Connect-SipServer -Name o");
        Assert.Equal((SipServerType.OpenSips, ConnectionState.Connected), (server.Type, server.State));
    }

    [Fact]
    public void What_the_kind_needs_is_said_with_the_kind()
    {
        ErrorRecord error = _module.Fails("SipConfigurationInvalid", "$s = Start-SipSimulator Asterisk; Connect-SipServer 127.0.0.1 -Port $s.Port");
        Assert.Contains("Credential", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("Asterisk (Asterisk Call Manager 11.0.0)", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_again_needs_no_look()
    {
        _module.Run("$global:s = Start-SipSimulator Asterisk; Connect-SipServer 127.0.0.1 -Port $s.Port -Credential $s.Credential -Name x");
        Assert.Equal(1, _module.Run<int>("$s.Connections"));
        Assert.Equal("x", _module.Run<SipServer>("Connect-SipServer 127.0.0.1 -Port $s.Port -Credential $s.Credential -Name x").Name);
        Assert.Equal(1, _module.Run<int>("$s.Connections"));
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n", "says 'SSH-2.0-OpenSSH_9.6'")]
    [InlineData("220 mail.example.com ESMTP\r\n", "says '220 mail.example.com ESMTP'")]
    [InlineData("Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n", "refuses this machine's address")]
    [InlineData("\u00ff\u00fb\u0003\u00ff\u00fb\u0001\u00ff\u00fd\u001f\r  \b\b\rYATE 6.4.1-devel1 r (http://YATE.null.ro) ready on yate1.\r\n", "Yate's console")]
    [InlineData("Asterisk Call Manage", "says 'Asterisk Call Manage'")]
    [InlineData("\u0001\u0002\u0003\n", "says something that none")]
    public void Who_speaks_by_himself_and_is_none_of_ours(string greeting, string evidence)
    {
        using var stranger = new Stranger(async (stream, token) =>
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(greeting), token);
            await Task.Delay(Timeout.Infinite, token);
        });
        SipServerFinding found = Assert.Single(Findings("param($p) Find-SipServer 127.0.0.1 -Port $p -All -Timeout 20", stranger.Port));
        Assert.False(found.IsUsable);
        Assert.Contains(evidence, found.Evidence, StringComparison.Ordinal);
        ErrorRecord error = _module.Fails("SipServerNotFound", "param($p) Connect-SipServer 127.0.0.1 -Port $p", stranger.Port);
        Assert.Contains($"{stranger.Port}: ", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains(evidence, error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_says_nothing_is_not_waited_for_without_end_and_is_asked_for_no_more_than_versions()
    {
        var heard = new List<string>();
        using var silent = new Stranger(async (stream, token) =>
        {
            byte[] buffer = new byte[4096];
            while (await stream.ReadAsync(buffer, token) is > 0 and int count)
            {
                lock (heard) heard.Add(Encoding.Latin1.GetString(buffer, 0, count));
            }
        });
        SipServerFinding found = Assert.Single(Findings("param($p) Find-SipServer 127.0.0.1 -Port $p -All -Timeout 20", silent.Port));
        Assert.Equal((null, "takes connections and says nothing"), (found.Type, found.Evidence));
        lock (heard)
        {
            string[] said = [.. heard.Where(h => h[0] != '\u0016').Select(h => h.Split("\r\n")[0].TrimEnd('\n')).Order(StringComparer.Ordinal)];
            Assert.Equal(["%%>connect:global\n%%>setlocal:engine.version:", "GET /api/ping HTTP/1.1", "POST /RPC HTTP/1.1", "POST /mi HTTP/1.1"], said);
        }
    }

    [Theory]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "speaks HTTP")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n[", "speaks HTTP")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n{\"result\":{\"Server\":[\"OpenSIPS (3.6)\"]}}", "speaks HTTP")]
    [InlineData("HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 19\r\n\r\nHost not configured", "knows no space")]
    [InlineData("HTTP/1.1 401 Unauthorized\r\nSia: SIP/2.0/TCP 127.0.0.1:0\r\nContent-Length: 0\r\n\r\n", "Kamailio that wants a login")]
    public void Who_speaks_http(string reply, string evidence)
    {
        using var web = new Stranger(async (stream, token) =>
        {
            byte[] buffer = new byte[4096];
            if (await stream.ReadAsync(buffer, token) == 0 || buffer[0] == 0x16) return;
            await stream.WriteAsync(Encoding.Latin1.GetBytes(reply), token);
            await Task.Delay(Timeout.Infinite, token);
        });
        Assert.Contains(Findings("param($p) Find-SipServer 127.0.0.1 -Port $p -All -Timeout 20", web.Port), f => f.Evidence.Contains(evidence, StringComparison.Ordinal));
    }

    [Fact]
    public void An_endless_greeting_is_cut()
    {
        using var endless = new Stranger(async (stream, token) =>
        {
            byte[] block = new byte[8192];
            Array.Fill(block, (byte)'x');
            while (!token.IsCancellationRequested) await stream.WriteAsync(block, token);
        });
        Assert.Contains("says 'xxx", Assert.Single(Findings("param($p) Find-SipServer 127.0.0.1 -Port $p -All -Timeout 20", endless.Port)).Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_kinds_at_one_host_are_a_choice_of_the_users()
    {
        // As behind a reverse proxy.
        using var web = new Stranger(async (stream, token) =>
        {
            byte[] buffer = new byte[4096];
            int count = await stream.ReadAsync(buffer, token);
            string asked = Encoding.Latin1.GetString(buffer, 0, count);
            string body = asked.StartsWith("POST /RPC", StringComparison.Ordinal) ? "{\"jsonrpc\":\"2.0\",\"result\":\"kamailio 5.6.3 (x86_64/linux) \",\"id\":1}"
                : asked.StartsWith("POST /mi", StringComparison.Ordinal) ? "{\"jsonrpc\":\"2.0\",\"result\":{\"Server\":\"OpenSIPS (3.6.8 (x86_64/linux))\"},\"id\":1}" : "";
            await stream.WriteAsync(Encoding.Latin1.GetBytes($"HTTP/1.1 {(body.Length > 0 ? "200 OK" : "404 Not Found")}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"), token);
        });
        ErrorRecord error = _module.Fails("SipServerTypeAmbiguous", "param($p) Connect-SipServer 127.0.0.1 -Port $p", web.Port);
        Assert.Contains($"Kamailio on port {web.Port}", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains($"Connect-SipServer 127.0.0.1 -Type OpenSips -Port {web.Port}", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(["Kamailio 5.6.3", "OpenSIPS 3.6.8"], Findings("param($p) Find-SipServer 127.0.0.1 -Port $p -Timeout 20", web.Port).Select(f => f.Version));
    }

    [Fact]
    public void Who_wants_a_login_before_it_says_what_it_is_has_to_be_named()
    {
        ErrorRecord error = _module.Fails(
            "SipServerNotFound", "$global:s = Start-SipSimulator OpenSips -Secret ([Net.NetworkCredential]::new('', 'x').SecurePassword); Connect-SipServer 127.0.0.1 -Port $s.Port -Credential $s.Credential");
        Assert.Contains("401", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("name its kind with -Type", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(ConnectionState.Connected, _module.Run<SipServer>("Connect-SipServer 127.0.0.1 -Port $s.Port -Credential $s.Credential -Type OpenSips").State);
    }

    [Fact]
    public void Nobody_there()
    {
        int port = Stranger.FreePort();
        ErrorRecord error = _module.Fails("SipServerNotFound", "param($p) Connect-SipServer 127.0.0.1 -Port $p", port);
        Assert.Contains($"{port}: nobody listens there (connection refused)", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("-Type and -Port", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("'no.such.host.invalid'", _module.Fails("SipServerNotFound", "Find-SipServer no.such.host.invalid").Exception.Message, StringComparison.Ordinal);
        _module.Fails("SipInvalidArgument", "Find-SipServer 'http://x/'");
        _module.Fails("SipInvalidArgument", "Find-SipServer x -Path '/a b'");
        _module.Fails("SipInvalidArgument", "Find-SipServer x -Timeout 0");
    }

    private SipServerFinding[] Findings(string script, params int[] ports) => [.. _module.Run(script, [ports]).Select(o => (SipServerFinding)o.BaseObject)];

    /// <summary>Somebody else's server: every connection is played by a script, all at once.</summary>
    private sealed class Stranger : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _end = new();

        public Stranger(Func<NetworkStream, CancellationToken, Task> script)
        {
            _listener.Start();
            _ = AcceptAsync(script);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public static int FreePort()
        {
            using var taken = new Stranger(static (_, _) => Task.CompletedTask);
            return taken.Port;
        }

        public void Dispose()
        {
            _end.Cancel();
            _listener.Stop();
        }

        private async Task AcceptAsync(Func<NetworkStream, CancellationToken, Task> script)
        {
            try
            {
                while (true) _ = PlayAsync(await _listener.AcceptTcpClientAsync(_end.Token), script);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private async Task PlayAsync(TcpClient client, Func<NetworkStream, CancellationToken, Task> script)
        {
            using (client)
            {
                try
                {
                    await script(client.GetStream(), _end.Token);
                }
                catch (Exception e) when (e is OperationCanceledException or IOException)
                {
                    // The client has gone.
                }
            }
        }
    }
}
