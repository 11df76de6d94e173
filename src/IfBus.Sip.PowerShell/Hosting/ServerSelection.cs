using System.Globalization;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Puts the servers that a call may be placed on into the order in which they are to be tried.</summary>
internal static class ServerSelection
{
    /// <summary>The servers that can be tried now, the best first.</summary>
    /// <param name="store">Keeps whose turn it is.</param>
    /// <param name="named">The servers as the caller named them.</param>
    /// <param name="how">What makes one the best.</param>
    /// <param name="asked">How many calls this cmdlet has asked a server for that are not accepted yet: not all servers count them already.</param>
    /// <param name="skipped">Takes the others, with the reason.</param>
    public static List<ServerStore.Connection> Order(
        ServerStore store, IReadOnlyList<ServerStore.Connection> named, SipServerSelection how, Func<ServerStore.Connection, int> asked, List<(string Server, string Why)> skipped)
    {
        var usable = new List<(ServerStore.Connection Connection, SipServer Server)>(named.Count);
        foreach (ServerStore.Connection connection in named)
        {
            SipServer server = connection.Adapter.Server;
            if (server.State != ConnectionState.Connected) skipped.Add((connection.Name, $"it is {server.State}{(server.LastError is null ? "" : $" ({server.LastError.TrimEnd('.')})")}."));
            else if (server.Circuit == CircuitState.Open) skipped.Add((connection.Name, "its last calls failed by its fault, and it is left alone for a while (its circuit is open)."));
            else usable.Add((connection, server));
        }

        bool shares = usable.TrueForAll(u => u.Server.MaxCalls is not null);
        int Calls((ServerStore.Connection Connection, SipServer Server) u) => Math.Max(u.Server.ActiveCalls + u.Server.WaitingCalls, asked(u.Connection));
        IEnumerable<(ServerStore.Connection Connection, SipServer Server)> ordered = how switch
        {
            SipServerSelection.RoundRobin => InTurn(store, named, usable),
            SipServerSelection.LeastCalls => usable.OrderBy(u => shares ? (double)Calls(u) / u.Server.MaxCalls!.Value : Calls(u)).ThenBy(u => asked(u.Connection)),
            SipServerSelection.LowestLatency => usable.OrderBy(u => u.Server.AverageLatency ?? TimeSpan.MaxValue),
            _ => usable,
        };
        // Where it would wait anyway, where it waits shortest. Sorting keeps the order of equals.
        List<ServerStore.Connection> order = [.. ordered.OrderBy(u => u.Server.AtLimit).ThenBy(u => u.Server.AtLimit ? WaitingPart(u.Server) : 0).Select(u => u.Connection)];
        if (how == SipServerSelection.RoundRobin && order.Count > 0) store.SetTurn(Key(named), (IndexOf(named, order[0]) + 1) % named.Count);
        return order;
    }

    /// <summary>True if another server may be tried after this failure: none was placed, and it is this server's matter.</summary>
    public static bool MayGoOn(SipException failure) => failure.NothingDone && failure is not (SipCallStateException or SipCallNotFoundException);

    /// <summary>The error for a call that no server has taken.</summary>
    public static SipConnectionException NobodyTookIt(string what, IReadOnlyList<(string Server, string Why)> reasons, Exception? last) =>
        new($"No server has taken the call {what}. " + string.Join(" ", reasons.Select(r => $"{r.Server}: {r.Why}")), last, "SipCallNotPlaced")
        {
            NothingDone = true,
            RecommendedAction = "Nothing was placed, so the call can be made again. Get-SipServer shows how the servers stand.",
        };

    private static double WaitingPart(SipServer server) => server.WaitingCalls / (server.MaxCalls ?? Math.Max(1, server.MaxCallsPerSecond ?? 1));

    // From the one whose turn it is on.
    private static IEnumerable<(ServerStore.Connection Connection, SipServer Server)> InTurn(ServerStore store, IReadOnlyList<ServerStore.Connection> named, List<(ServerStore.Connection Connection, SipServer Server)> usable)
    {
        int turn = store.Turn(Key(named));
        return usable.OrderBy(u => (IndexOf(named, u.Connection) - turn + named.Count) % named.Count);
    }

    private static int IndexOf(IReadOnlyList<ServerStore.Connection> named, ServerStore.Connection connection)
    {
        for (int i = 0; i < named.Count; i++)
        {
            if (ReferenceEquals(named[i], connection)) return i;
        }

        throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"{connection.Name} is none of {named.Count} servers."));
    }

    // A set of names, in the order in which they were given: names have no line breaks.
    private static string Key(IReadOnlyList<ServerStore.Connection> named) => string.Join('\n', named.Select(c => c.Name));
}
