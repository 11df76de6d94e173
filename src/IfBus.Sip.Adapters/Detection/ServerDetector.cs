using System.Net;
using System.Net.Sockets;
using IfBus.Sip.Adapters.Asterisk;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Adapters.Kamailio;
using IfBus.Sip.Adapters.OpenSips;

namespace IfBus.Sip.Adapters.Detection;

/// <summary>Finds out which servers a host has, by asking its ports at once.</summary>
internal sealed class ServerDetector(string host, string? path, TimeProvider time)
{
    // AMI; AMI over TLS, and where Yate's external module mostly listens; Event Socket; OpenSIPS' MI; Kamailio's SIP port,
    // which speaks HTTP as well; web ports, where Kamailio, OpenSIPS behind a reverse proxy, and FlexiAPI may be.
    private static readonly int[] UsualPorts = [AsteriskAdapter.DefaultPort, AsteriskAdapter.DefaultTlsPort, FreeSwitchAdapter.DefaultPort, OpenSipsAdapter.DefaultPort, KamailioAdapter.DefaultPort, 8080, 80, 443];

    /// <summary>See <see cref="ISipAdapterFactory.DetectAsync"/>.</summary>
    public async Task<IReadOnlyList<SipServerFinding>> FindAsync(IReadOnlyList<int>? ports, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (Uri.CheckHostName(host) == UriHostNameType.Unknown) throw new SipArgumentException("ComputerName", host, ConfigurationValidator.HostRule);
        if (path is not null && !ConfigurationValidator.IsPath(path)) throw new SipArgumentException("Path", path, ConfigurationValidator.PathRule);
        using var limit = new CancellationTokenSource(timeout, time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        await ResolveAsync(deadline.Token, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<SipServerFinding>[] found = await Task.WhenAll((ports ?? UsualPorts).Distinct().Select(p => new PortProbe(host, p, path, timeout, time).RunAsync(deadline.Token))).ConfigureAwait(false);
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
            why = SipText.Reason(e);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            why = "asking for its address took too long";
        }

        throw new SipConnectionException($"There is no server to be found at '{SipText.Printable(host)}': {why}.", errorId: "SipServerNotFound") { RecommendedAction = "Check the name and this machine's DNS, or give the address." };
    }
}
