using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Base of the cmdlets that look at calls and events: of one server, of several, or of one call.</summary>
public abstract class ServersCmdlet : SipCmdlet
{
    /// <summary>The connections; all if left out. A call that is piped in brings its own.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Server { get; set; }

    /// <summary>The connections that are meant: those piped in, those named, or all that can do it.</summary>
    private protected IReadOnlyList<ServerStore.Connection> Meant(string[]? piped, SipCapabilities needed) =>
        (piped ?? Named) is { } names ? ChooseEach(names) : ThoseThatCan(ChooseEachOrAll(null), needed);

    /// <summary>The server that a call lives on: of the named ones the one that knows it, else the first; without a name the one that knows it, else the one to choose.</summary>
    private protected ServerStore.Connection? ChooseFor(string callId)
    {
        IReadOnlyList<ServerStore.Connection> named = Named is null ? Store.All : ChooseEach(Named);
        if (named.Count > 1 && named.FirstOrDefault(c => c.Adapter.FindCall(callId) is not null) is { } owner) return owner;
        return Named is null ? Choose(null) : named.Count > 0 ? named[0] : null;
    }

    // An empty column of a table is the same as none.
    private string[]? Named => Server is { Length: > 0 } servers && servers.OfType<string>().ToArray() is { Length: > 0 } names ? names : null;
}
