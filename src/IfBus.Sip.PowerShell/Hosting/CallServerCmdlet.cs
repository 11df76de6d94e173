namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Base of the cmdlets that take a call, which tells the server where its name is left out: those of one server, and those of several.</summary>
public abstract class CallServerCmdlet : SipCmdlet
{
    /// <summary>What -Server names; null if nothing.</summary>
    private protected abstract string[]? NamedServers { get; }

    /// <summary>The server that a call lives on: of the named ones the one that knows it, else the first; without a name the one of all that knows it, else the one to choose.</summary>
    private protected ServerStore.Connection? ChooseFor(string callId)
    {
        string[]? names = NamedServers;
        IReadOnlyList<ServerStore.Connection> among = names is null ? Store.All : ChooseEach(names);
        if (among.Count > 1 && among.FirstOrDefault(c => c.Adapter.FindCall(callId) is not null) is { } owner) return owner;
        return names is null ? Choose(null) : among.Count > 0 ? among[0] : null;
    }
}
