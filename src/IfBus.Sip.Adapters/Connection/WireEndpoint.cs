using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace IfBus.Sip.Adapters.Connection;

/// <summary>Where to connect, and how.</summary>
/// <param name="Host">Host name or address.</param>
/// <param name="Port">TCP port.</param>
/// <param name="UseTls">TLS from the first byte; there is no fall-back to clear text.</param>
/// <param name="SkipCertificateCheck">Accept any certificate.</param>
internal sealed record WireEndpoint(string Host, int Port, bool UseTls, bool SkipCertificateCheck)
{
    /// <summary>A PEM file with the only authorities to trust; null for those of this machine.</summary>
    public string? Authority { get; init; }

    /// <summary>What is wrong with a setting for <see cref="Authority"/>; null if nothing is.</summary>
    public static string? AuthorityProblem(string path, bool useTls, bool skipCheck)
    {
        if (!useTls || skipCheck) return "goes with UseTls, and without SkipCertificateCheck.";
        try
        {
            return ReadAuthorities(path).Count > 0 ? null : "the file has no certificate in PEM form.";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            return $"cannot be read: {SipText.Reason(e)}.";
        }
    }

    public override string ToString() => $"{Host}:{Port}";

    /// <summary>True for a host that is this machine: nothing crosses a network.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (System.Net.IPAddress.TryParse(host, out System.Net.IPAddress? address) && System.Net.IPAddress.IsLoopback(address));

    /// <summary>Connects within the token's time; turns every failure into one that says what to do.</summary>
    public async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(Host, Port, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new SipConnectionException($"Cannot connect to {this}: {SipText.Reason(e)}.", e)
            {
                RecommendedAction = "Check host, port, firewall, and that the server's control port is enabled and listens on this address.",
            };
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        var network = new NetworkStream(socket, ownsSocket: true);
        return UseTls ? await SecureAsync(network, cancellationToken).ConfigureAwait(false) : network;
    }

    private async Task<Stream> SecureAsync(Stream network, CancellationToken cancellationToken)
    {
        SslPolicyErrors seen = SslPolicyErrors.None;
        X509ChainStatusFlags chainStatus = X509ChainStatusFlags.NoError;
        var tls = new SslStream(network, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = Host,
                    EnabledSslProtocols = SslProtocols.None,
                    RemoteCertificateValidationCallback = (_, _, chain, errors) =>
                    {
                        seen = errors;
                        chainStatus = chain?.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (all, s) => all | s.Status) ?? X509ChainStatusFlags.NoError;
                        return errors == SslPolicyErrors.None || SkipCertificateCheck;
                    },
                    CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                    CertificateChainPolicy = Policy(),
                },
                cancellationToken).ConfigureAwait(false);
            return tls;
        }
        catch (AuthenticationException e) when (seen != SslPolicyErrors.None)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw new SipConnectionException($"The certificate of {this} is not trusted: {Explain(seen, chainStatus)}.", e, "SipCertificateNotTrusted")
            {
                RecommendedAction = "Install the issuing certificate on this machine, connect by the name that stands in the certificate, name its file with -CertificateAuthority, or, for tests only, use -SkipCertificateCheck.",
            };
        }
        catch (Exception e) when (e is AuthenticationException or IOException or System.ComponentModel.Win32Exception)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw new SipConnectionException($"{this} does not speak TLS on this port: {SipText.Reason(e)}.", e, "SipTlsFailed")
            {
                RecommendedAction = "Use the server's TLS port, or leave out -UseTls for a clear-text port.",
            };
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private X509ChainPolicy? Policy()
    {
        if (Authority is null) return null;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(ReadAuthorities(Authority));
        return policy;
    }

    private static X509Certificate2Collection ReadAuthorities(string path)
    {
        var found = new X509Certificate2Collection();
        found.ImportFromPemFile(path);
        return found;
    }

    private static string Explain(SslPolicyErrors errors, X509ChainStatusFlags chain)
    {
        var why = new List<string>();
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable)) why.Add("the server sent none");
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) why.Add("it was issued for another name");
        if ((chain & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0) why.Add("its issuer is not one that is trusted here");
        if ((chain & X509ChainStatusFlags.NotTimeValid) != 0) why.Add("it has expired, or is not valid yet");
        if ((chain & X509ChainStatusFlags.Revoked) != 0) why.Add("it was revoked");
        return why.Count > 0 ? string.Join(", and ", why) : "its chain does not hold";
    }
}
