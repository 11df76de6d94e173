using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;

namespace IfBus.Sip.PowerShell.Hosting;

/// <summary>Base of the cmdlets that look at calls and events: of one server, of several, or of one call.</summary>
public abstract class ServersCmdlet : CallServerCmdlet
{
    /// <summary>The connections; all if left out. A call that is piped in brings its own.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Server { get; set; }

    /// <summary>The connections that are meant: those piped in, those named, or all that can do it.</summary>
    private protected IReadOnlyList<ServerStore.Connection> Meant(string[]? piped, SipCapabilities needed) =>
        (piped ?? NamedServers) is { } names ? ChooseEach(names) : ThoseThatCan(ChooseEachOrAll(null), needed);

    // An empty column of a table is the same as none.
    private protected sealed override string[]? NamedServers => Server is { Length: > 0 } servers && servers.OfType<string>().ToArray() is { Length: > 0 } names ? names : null;
}
