using System.Net;
using System.Net.Sockets;
using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters.Detection;

/// <summary>Finds out which servers a host has, by asking its ports at once.</summary>
internal sealed class ServerDetector(string host, string? path, TimeProvider time)
{
    // AMI; AMI over TLS, and where Yate's external module mostly listens; Event Socket; OpenSIPS' MI; Kamailio's SIP port,
    // which speaks HTTP as well; web ports, where Kamailio, OpenSIPS behind a reverse proxy, and FlexiAPI may be.
    private static readonly int[] UsualPorts = [5038, 5039, 8021, 8888, 5060, 8080, 80, 443];

    /// <summary>See <see cref="ISipAdapterFactory.DetectAsync"/>.</summary>
    public async Task<IReadOnlyList<SipServerFinding>> FindAsync(IReadOnlyList<int>? ports, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown) throw new SipArgumentException("ComputerName", host, "a host name or an IPv4 or IPv6 address, without scheme, port or path.");
        if (path is not null && !ConfigurationValidator.IsPath(path)) throw new SipArgumentException("Path", path, "a path such as /RPC: begins with one slash, letters, digits and / . _ ~ -");
        using var limit = new CancellationTokenSource(timeout, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await ResolveAsync(deadline.Token, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<SipServerFinding>[] found = await Task.WhenAll((ports ?? UsualPorts).Distinct().Select(p => new PortProbe(host, p, path, time).RunAsync(deadline.Token))).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        return [.. found.SelectMany(static f => f)];
    }

    // Once, and not for every port.
    private async Task ResolveAsync(CancellationToken deadline, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out _)) return;
        string why;
        try
        {
            await Dns.GetHostAddressesAsync(host, deadline).ConfigureAwait(false);
            return;
        }
        catch (SocketException e)
        {
            why = WireEndpoint.Describe(e);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            why = "asking for its address took too long.";
        }

        throw new SipConnectionException($"There is no server to be found at '{SipText.Printable(host)}': {why}", errorId: "SipServerNotFound") { RecommendedAction = "Check the name and this machine's DNS, or give the address." };
    }
}
