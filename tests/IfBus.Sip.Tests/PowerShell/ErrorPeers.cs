using System.Management.Automation;
using System.Security.Cryptography.X509Certificates;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>Errors that take more than a command on a simulator: scripted servers, other logins, two runspaces.</summary>
internal static class ErrorPeers
{
    private const string Credential = "[pscredential]::new('ann', [Net.NetworkCredential]::new('', 'secret').SecurePassword)";

    /// <summary>An OpenSIPS whose web server answers every request so.</summary>
    public static Func<ModuleRunspace, ErrorRecord> Web(string id, Func<HttpPeerRequest, Stream, Task<bool>> answer) => module =>
    {
        using var peer = new HttpPeer(answer);
        return module.Fails(id, "param($p) Connect-SipServer 127.0.0.1 -Port $p -Type OpenSips", peer.Port);
    };

    /// <summary>A web server with TLS that is asked in clear text.</summary>
    public static ErrorRecord WebOverTls(ModuleRunspace module)
    {
        using X509Certificate2 certificate = SelfSigned.Certificate("localhost");
        using var peer = new HttpPeer((_, s) => HttpPeer.SayAsync(s, "{}"), certificate);
        return module.Fails("SipTlsRequired", "param($p) Connect-SipServer 127.0.0.1 -Port $p -Type OpenSips", peer.Port);
    }

    /// <summary>A server that says this when somebody connects.</summary>
    public static Func<ModuleRunspace, ErrorRecord> Says(string id, string type, string words) => module =>
    {
        using var peer = new ScriptedPeer(async (stream, _, token) =>
        {
            await ScriptedPeer.SayAsync(stream, words);
            // What comes is read to the end: closing before would take what was said away from the other side.
            byte[] heard = new byte[1024];
            while (await stream.ReadAsync(heard, token) > 0)
            {
            }
        });
        string login = type == "Yate" ? "" : $" -Credential ({Credential})";
        return module.Fails(id, $"param($p) Connect-SipServer 127.0.0.1 -Port $p -Type {type}{login}", peer.Port);
    };

    /// <summary>An Asterisk that is going down.</summary>
    public static ErrorRecord ShutsDown(ModuleRunspace module)
    {
        using var peer = new ScriptedPeer(async (stream, self, token) =>
        {
            await ScriptedPeer.SayAsync(stream, "Asterisk Call Manager/11.0.0\r\n");
            while (true)
            {
                string action = await self.ReadActionAsync(stream, token);
                string actionId = action.Split("\r\n").First(l => l.StartsWith("ActionID: ", StringComparison.Ordinal));
                await ScriptedPeer.SayAsync(stream, action.StartsWith("Action: Challenge", StringComparison.Ordinal)
                    ? $"Response: Success\r\n{actionId}\r\nChallenge: 123456789\r\n\r\n"
                    : $"Response: Error\r\n{actionId}\r\nMessage: Asterisk is shutting down\r\n\r\n");
            }
        });
        return module.Fails("SipServerShuttingDown", $"param($p) Connect-SipServer 127.0.0.1 -Port $p -Type Asterisk -Credential ({Credential})", peer.Port);
    }

    /// <summary>TLS with a certificate that nobody has issued.</summary>
    public static ErrorRecord OwnCertificate(ModuleRunspace module)
    {
        using X509Certificate2 certificate = SelfSigned.Certificate("pbx.example.com");
        using AsteriskSimulator simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions { Certificate = certificate });
        return module.Fails("SipCertificateNotTrusted", $"param($p) Connect-SipServer 127.0.0.1 -Port $p -UseTls -Type Asterisk -Credential ({Credential})", simulator.Port);
    }

    /// <summary>A connection that another runspace has handed over.</summary>
    public static ErrorRecord Borrowed(ModuleRunspace module)
    {
        SipServer server = module.Run<SipServer>("Start-SipSimulator Asterisk | Connect-SipServer -Name a");
        using var other = new ModuleRunspace();
        return other.Fails("SipServerBorrowed", "param($s) $s | Disconnect-SipServer", server);
    }

    /// <summary>Two kinds behind one web server.</summary>
    public static ErrorRecord TwoKinds(ModuleRunspace module)
    {
        using var peer = new HttpPeer((request, stream) =>
            request.Line.StartsWith("POST /RPC", StringComparison.Ordinal) ? HttpPeer.SayAsync(stream, "{\"jsonrpc\":\"2.0\",\"result\":\"kamailio 5.6.3 (x86_64/linux) \",\"id\":1}")
            : request.Line.StartsWith("POST /mi", StringComparison.Ordinal) ? HttpPeer.SayAsync(stream, "{\"jsonrpc\":\"2.0\",\"result\":{\"Server\":\"OpenSIPS (3.6.8 (x86_64/linux))\"},\"id\":1}")
            : HttpPeer.SayAsync(stream, "", "404 Not Found"));
        return module.Fails("SipServerTypeAmbiguous", "param($p) Connect-SipServer 127.0.0.1 -Port $p", peer.Port);
    }

    /// <summary>A space whose time is over.</summary>
    public static ErrorRecord Expired(ModuleRunspace module)
    {
        using FlexisipSimulator simulator = FlexisipSimulator.Start(new FlexisipSimulatorOptions
        {
            Spaces =
            [
                new FlexisipSimulatorSpace { Domain = "sip.example.com", Host = "127.0.0.1", Super = true },
                new FlexisipSimulatorSpace { Domain = "sip.old.example", Host = "old.example.com", ExpiresAt = DateTime.UtcNow.AddDays(-1) },
            ],
        });
        return module.Fails(
            "SipSpaceExpired",
            "param($p, $k) Connect-SipServer 127.0.0.1 -Port $p -Type Flexisip -Space old.example.com -ApiKey ([Net.NetworkCredential]::new('', $k).SecurePassword)", simulator.Port, simulator.Secret);
    }

    /// <summary>A space that is full.</summary>
    public static ErrorRecord Full(ModuleRunspace module)
    {
        using FlexisipSimulator simulator = FlexisipSimulator.Start(new FlexisipSimulatorOptions
        {
            Spaces = [new FlexisipSimulatorSpace { Domain = "sip.example.com", Host = "127.0.0.1", Super = true, MaxAccounts = 1 }],
        });
        return module.Fails(
            "SipSpaceRefused",
            "param($p, $k) $null = Connect-SipServer 127.0.0.1 -Name flexi -Port $p -Type Flexisip -ApiKey ([Net.NetworkCredential]::new('', $k).SecurePassword); New-SipAccount ann ([Net.NetworkCredential]::new('', 'pa55word').SecurePassword)", simulator.Port, simulator.Secret);
    }
}
