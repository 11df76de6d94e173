using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Shows the connections of this runspace.</summary>
[Cmdlet(VerbsCommon.Get, "SipServer")]
[OutputType(typeof(SipServer))]
public sealed class GetSipServer : SipCmdlet
{
    /// <summary>Names, with wildcards.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[] Name { get; set; } = ["*"];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string name in Name)
        {
            var pattern = new WildcardPattern(name, WildcardOptions.IgnoreCase);
            var found = Store.All.Where(c => pattern.IsMatch(c.Name)).ToList();
            foreach (ServerStore.Connection connection in found) WriteObject(Store.Describe(connection));
            if (found.Count == 0 && !WildcardPattern.ContainsWildcardCharacters(name))
                WriteError(Errors.Record(new ServerChoiceException("SipServerNotConnected", $"There is no connection named '{SipText.Printable(name)}' in this runspace.", "Connect-SipServer makes one."), name));
        }
    }
}
