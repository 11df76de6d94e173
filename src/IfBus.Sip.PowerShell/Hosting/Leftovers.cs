namespace IfBus.Sip.Hosting;

/// <summary>The sentences that a stopped cmdlet leaves behind.</summary>
internal static class Leftovers
{
    private const int MostLines = 5;

    /// <summary>Tells of calls that go on at the server.</summary>
    /// <param name="calls">The calls, with the connection of each; as they stand now they are looked up.</param>
    /// <param name="store">Tells whether a name is needed to reach the server again.</param>
    public static IEnumerable<string> Calls(IEnumerable<(ISipAdapter Adapter, SipCall Call)> calls, ServerStore store)
    {
        List<SipCall> live = [.. calls.Select(c => c.Adapter.FindCall(c.Call.CallId) ?? c.Call).Where(c => !c.IsEnded).DistinctBy(c => (c.Server, c.CallId))];
        int shown = live.Count > MostLines ? MostLines - 1 : live.Count;
        foreach (SipCall call in live.Take(shown))
            yield return $"Call {call.CallId} ({Parties(call.From, call.To)}) on {call.Server} {Doing(call.State)}; Stop-SipCall {call.CallId}{ServerArgument(call.Server, store)} ends it.";
        if (live.Count > shown)
            yield return $"{live.Count - shown} more calls go on at {string.Join(", ", live.Skip(shown).Select(c => c.Server).Distinct())}; Get-SipCallStatus lists them.";
    }

    /// <summary>Both parties for people.</summary>
    public static string Parties(string? from, string? to) => from is null ? $"to {SipText.Printable(to)}" : $"{SipText.Printable(from)} -> {SipText.Printable(to)}";

    /// <summary>What to add to a command so that it reaches this server.</summary>
    public static string ServerArgument(string name, ServerStore store)
    {
        IReadOnlyList<(string Name, ISipAdapter Adapter)> servers = store.Servers;
        bool plain = servers.Count == 1 || string.Equals(store.Default, name, StringComparison.OrdinalIgnoreCase);
        return plain ? "" : $" -Server {Binding.Completion.Quote(name)}";
    }

    private static string Doing(CallState state) => state switch
    {
        CallState.Created or CallState.Dialing => "is being dialled",
        CallState.Ringing => "still rings",
        CallState.Incoming => "still waits for an answer",
        CallState.Connected => "is connected",
        CallState.OnHold => "is on hold",
        CallState.Transferring => "is being transferred",
        CallState.HangingUp => "is being hung up",
        _ => "goes on",
    };
}
