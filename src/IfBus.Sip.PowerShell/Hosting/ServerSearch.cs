namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>What to make of the findings at a host.</summary>
internal static class ServerSearch
{
    /// <summary>How long a host is looked at, unless the user says otherwise.</summary>
    public static readonly TimeSpan UsualTime = TimeSpan.FromSeconds(3);

    /// <summary>The one to connect to for each kind that is there: FlexiAPI over TLS, the others in clear text, if the user does not ask for TLS.</summary>
    public static List<SipServerFinding> Candidates(IEnumerable<SipServerFinding> findings, bool tlsOnly) =>
    [
        .. findings.Where(f => f is { IsUsable: true, Type: not null } && (f.UseTls || !tlsOnly))
            .GroupBy(f => f.Type!.Value)
            .Select(kind => kind.OrderBy(f => f.UseTls == (kind.Key == SipServerType.Flexisip) ? 0 : 1).First()),
    ];

    /// <summary>The error for a host where none can be connected to: what stands at each port.</summary>
    public static SipConnectionException NotFound(string host, IReadOnlyList<SipServerFinding> findings, bool tlsOnly)
    {
        string where = string.Join("; ", findings.GroupBy(f => f.Evidence).Select(g => $"{string.Join(", ", g.Select(f => f.Port).Distinct())}: {g.Key}"));
        return new SipConnectionException($"No {(tlsOnly ? "TLS of a " : "")}server of a known kind was found at {host}. By port: {where}.", errorId: "SipServerNotFound")
        {
            RecommendedAction = findings.Any(f => f.Evidence.Contains("401 ", StringComparison.Ordinal))
                ? "What answers there wants a login before it says what it is: name its kind with -Type, and give -Credential or -ApiKey to Connect-SipServer."
                : "Name kind and port with -Type and -Port if it listens elsewhere; else see that the server's control port is enabled, listens on this address, and is let through by firewalls.",
        };
    }

    /// <summary>The error for a host with several kinds of server.</summary>
    public static ServerChoiceException Ambiguous(string host, IReadOnlyList<SipServerFinding> candidates) => new(
        "SipServerTypeAmbiguous",
        $"There are several servers at {host}: {string.Join("; ", candidates.Select(c => $"{c.Type} on port {c.Port} ({c.Evidence})"))}.",
        "Say which: " + string.Join(" or ", candidates.Select(c => $"Connect-SipServer {host} -Type {c.Type} -Port {c.Port}{(c.UseTls ? " -UseTls" : "")}")) + ".");
}
